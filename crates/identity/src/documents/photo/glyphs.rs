//! Which of the 37 characters a cell shows: a perceptron of one hidden layer, trained on OCR-B (see
//! `docs/identity-documents.md`), its weights as bytes.

/// Columns of a cell.
pub const CELL_WIDTH: usize = 16;
/// Rows of a cell.
pub const CELL_HEIGHT: usize = 24;
/// Darkness of a cell's pixels, row by row: 0 paper, 1 ink.
pub type Pixels = [f32; CELL_WIDTH * CELL_HEIGHT];
/// The characters, in the order of the classifier's answers.
pub const ALPHABET: &[u8; 37] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<";
/// The probability of each character of [`ALPHABET`].
pub type Probabilities = [f32; ALPHABET.len()];

/// Units of the hidden layer.
pub const HIDDEN: usize = 256;
const INPUTS: usize = CELL_WIDTH * CELL_HEIGHT;
const WEIGHTS: &[u8] = include_bytes!("glyphs.weights");

/// One fully connected layer: per unit a scale and a bias (32-bit little-endian), then its weights as signed bytes.
struct Layer {
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl Layer {
    /// Takes the layer off the front of the bytes.
    fn read(bytes: &mut &[u8], inputs: usize, units: usize) -> Option<Self> {
        let (scales, rest) = bytes.split_at_checked(units * 4)?;
        let (biases, rest) = rest.split_at_checked(units * 4)?;
        let (weights, rest) = rest.split_at_checked(units * inputs)?;
        *bytes = rest;
        let floats = |bytes: &[u8]| -> Vec<f32> {
            let four = |c: &[u8]| f32::from_le_bytes([c[0], c[1], c[2], c[3]]);
            bytes.chunks_exact(4).map(four).collect()
        };
        let scales = floats(scales);
        let weights = weights
            .iter()
            .enumerate()
            .map(|(at, weight)| f32::from(weight.cast_signed()) * scales[at / inputs])
            .collect();
        Some(Self {
            weights,
            bias: floats(biases),
        })
    }

    fn apply(&self, input: &[f32], output: &mut [f32]) {
        for ((row, bias), out) in self.weights.chunks_exact(input.len()).zip(&self.bias).zip(output) {
            // Eight sums side by side: the compiler makes vectors of them.
            let mut sums = [0.0_f32; 8];
            for (w, x) in row.chunks_exact(8).zip(input.chunks_exact(8)) {
                for lane in 0..8 {
                    sums[lane] += w[lane] * x[lane];
                }
            }
            *out = sums.iter().sum::<f32>() + bias;
        }
    }
}

/// The classifier.
pub struct Glyphs {
    hidden: Layer,
    output: Layer,
}

impl Glyphs {
    /// Out of weights in the form of the file that is built in; `None` when they are not of that form.
    #[must_use]
    pub fn from_weights(mut bytes: &[u8]) -> Option<Self> {
        let hidden = Layer::read(&mut bytes, INPUTS, HIDDEN)?;
        let output = Layer::read(&mut bytes, HIDDEN, ALPHABET.len())?;
        bytes.is_empty().then_some(Self { hidden, output })
    }

    /// The one that is built in.
    ///
    /// # Panics
    /// Never: a test holds the built-in file to its form.
    #[must_use]
    pub fn built_in() -> Self {
        Self::from_weights(WEIGHTS).expect("the built-in weights have their form")
    }

    /// How probable each character is.
    #[must_use]
    pub fn classify(&self, cell: &Pixels) -> Probabilities {
        let mut hidden = [0.0; HIDDEN];
        self.hidden.apply(cell, &mut hidden);
        for value in &mut hidden {
            *value = value.max(0.0);
        }
        let mut answer = [0.0; ALPHABET.len()];
        self.output.apply(&hidden, &mut answer);
        let most = answer.iter().copied().fold(f32::MIN, f32::max);
        for value in &mut answer {
            *value = (*value - most).exp();
        }
        let sum: f32 = answer.iter().sum();
        answer.map(|value| value / sum)
    }
}

#[cfg(test)]
mod tests {
    use super::Glyphs;

    #[test]
    fn the_built_in_weights_have_their_form() {
        let glyphs = Glyphs::built_in();
        let blank = glyphs.classify(&[0.0; super::INPUTS]);
        assert!((blank.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        assert!(Glyphs::from_weights(&super::WEIGHTS[1..]).is_none());
    }
}
