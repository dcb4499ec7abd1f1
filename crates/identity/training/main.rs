//! Trains the classifier of the photo reader on drawn documents and writes its weights.
//!
//! `cargo run --release -p simwarden-identity --example train_glyphs -- crates/identity/src/documents/photo/glyphs.weights`

#![expect(
    clippy::unwrap_used,
    reason = "a tool of developers: it stops with the line where it went wrong"
)]
#![expect(clippy::cast_possible_truncation, reason = "pixels and colours")]

#[expect(dead_code, reason = "tests draw holders too")]
mod dice;
mod render;

use ab_glyph::FontRef;
use dice::{ALNUM, Dice};
use render::{Hardness, Placement};
use simwarden_identity::documents::layout::Format;
use simwarden_identity::documents::mrz::Mrz;
use simwarden_identity::documents::photo::glyphs::{ALPHABET, CELL_HEIGHT, CELL_WIDTH, HIDDEN};
use simwarden_identity::documents::photo::grid::{Grid, Strip, UNIT};
use simwarden_identity::documents::photo::raster::{Grey, Pyramid};
use simwarden_identity::documents::photo::ribbons::Ribbon;

const INPUTS: usize = CELL_WIDTH * CELL_HEIGHT;
const OUTPUTS: usize = ALPHABET.len();
/// Documents drawn when the command line names no other number.
const PAGES: usize = 1500;
const EPOCHS: usize = 14;
const FONTS: [&[u8]; 3] = [
    include_bytes!("../fonts/OCRB.otf"),
    include_bytes!("../fonts/OCRBS.otf"),
    include_bytes!("../fonts/OCRBL.otf"),
];

struct Sample {
    pixels: Vec<u8>,
    class: usize,
}

fn main() {
    let path = std::env::args()
        .nth(1)
        .expect("give the file to write the weights to");
    let pages = std::env::args()
        .nth(2)
        .map_or(PAGES, |text| text.parse().expect("how many documents to draw"));
    let mut dice = Dice(20_260);
    let mut samples = Vec::new();
    for page in 0..pages {
        let format = Format::ALL[dice.below(5)];
        // All characters equally often, not as documents have them.
        let (lines, columns) = format.size();
        let text: Vec<String> = (0..lines).map(|_| line(&mut dice, columns)).collect();
        let Ok(mrz) = Mrz::parse(&text.join("\n")) else {
            continue;
        };
        let font = FontRef::try_from_slice(FONTS[[0, 0, 1, 1, 2][page % 5]]).unwrap();
        let hard = [
            Hardness::Photo,
            Hardness::Photo,
            Hardness::Photo,
            Hardness::Patterned,
            Hardness::Clean,
        ][dice.below(5)];
        let (picture, placement) = render::picture(&mut dice, &mrz, hard, &font);
        cells(&mut dice, picture, &placement, &mrz, &mut samples);
    }
    let held = samples.split_off(samples.len() - samples.len() / 20);
    println!("{} cells to learn, {} held out", samples.len(), held.len());
    let mut net = Net::new(&mut dice);
    for epoch in 0..EPOCHS {
        for i in (1..samples.len()).rev() {
            samples.swap(i, dice.below(i + 1));
        }
        let progress = epoch as f32 / EPOCHS as f32;
        let loss = net.epoch(&samples, 0.012 * (1.0 - progress) * (1.0 - progress) + 0.0005);
        let right = held
            .iter()
            .filter(|sample| net.answer(sample) == sample.class)
            .count();
        println!(
            "epoch {epoch}: loss {loss:.4}, held out {:.4}",
            right as f32 / held.len() as f32
        );
    }
    std::fs::write(path, net.bytes()).unwrap();
}

fn line(dice: &mut Dice, columns: usize) -> String {
    (0..columns)
        .map(|_| {
            if dice.below(6) == 0 {
                '<'
            } else {
                char::from(ALNUM[dice.below(ALNUM.len())])
            }
        })
        .collect()
}

/// Cuts the cells of a picture where they really are, a little off as the reader will be.
fn cells(dice: &mut Dice, picture: Grey, placement: &Placement, mrz: &Mrz, samples: &mut Vec<Sample>) {
    let pyramid = Pyramid::new(picture);
    for (text, [left, right, y]) in mrz.lines().iter().zip(placement.lines).take(placement.count) {
        let (a, b) = (placement.pixel(left, y), placement.pixel(right, y));
        let length = (b.0 - a.0).hypot(b.1 - a.1);
        let ribbon = Ribbon {
            centre: (f32::midpoint(a.0, b.0), f32::midpoint(a.1, b.1)),
            axis: ((b.0 - a.0) / length, (b.1 - a.1) / length),
            length,
            thickness: length / text.len() as f32,
            bend: 0.0,
        };
        let pitch = length / text.len() as f32;
        let Some(strip) = Strip::cut(&pyramid, &ribbon, pitch, text.len()) else {
            continue;
        };
        let half = placement.pixel(f32::midpoint(left, right), y);
        let stretch = ((half.0 - a.0).hypot(half.1 - a.1) - length / 2.0) / pitch * UNIT as f32;
        let unit = UNIT as f32;
        let off = dice.between(-1.4, 1.4);
        let grid = Grid {
            count: text.len(),
            start: 3.0 * unit + dice.between(-1.8, 1.8),
            end: (3.0 + text.len() as f32) * unit + dice.between(-1.8, 1.8),
            stretch: stretch + dice.between(-1.0, 1.0),
            middle: (
                24.0 + off + dice.between(-1.2, 1.2),
                24.0 + off + dice.between(-1.2, 1.2),
            ),
            tall: dice.between(0.92, 1.08),
        };
        for (at, character) in text.bytes().enumerate() {
            let cell = strip.cell(&grid, at);
            samples.push(Sample {
                pixels: cell.iter().map(|v| (v * 255.0) as u8).collect(),
                class: ALPHABET.iter().position(|c| *c == character).unwrap(),
            });
        }
    }
}

/// Two layers, trained by stochastic gradient descent with momentum.
struct Net {
    w1: Vec<f32>,
    b1: Vec<f32>,
    w2: Vec<f32>,
    b2: Vec<f32>,
}

impl Net {
    fn new(dice: &mut Dice) -> Self {
        let mut random = |n: usize, spread: f32| (0..n).map(|_| dice.normal() * spread).collect();
        Self {
            w1: random(HIDDEN * INPUTS, (2.0 / INPUTS as f32).sqrt()),
            b1: vec![0.0; HIDDEN],
            w2: random(OUTPUTS * HIDDEN, (2.0 / HIDDEN as f32).sqrt()),
            b2: vec![0.0; OUTPUTS],
        }
    }

    fn forward(&self, input: &[f32], hidden: &mut [f32], output: &mut [f32]) {
        for (h, (row, bias)) in hidden.iter_mut().zip(self.w1.chunks_exact(INPUTS).zip(&self.b1)) {
            *h = (dot(row, input) + bias).max(0.0);
        }
        for (o, (row, bias)) in output.iter_mut().zip(self.w2.chunks_exact(HIDDEN).zip(&self.b2)) {
            *o = dot(row, hidden) + bias;
        }
        let most = output.iter().copied().fold(f32::MIN, f32::max);
        output.iter_mut().for_each(|o| *o = (*o - most).exp());
        let sum: f32 = output.iter().sum();
        output.iter_mut().for_each(|o| *o /= sum);
    }

    fn answer(&self, sample: &Sample) -> usize {
        let (mut hidden, mut output) = (vec![0.0; HIDDEN], vec![0.0; OUTPUTS]);
        self.forward(&input(sample), &mut hidden, &mut output);
        (0..OUTPUTS)
            .max_by(|a, b| output[*a].total_cmp(&output[*b]))
            .unwrap()
    }

    /// One pass in small batches; the mean loss.
    fn epoch(&mut self, samples: &[Sample], rate: f32) -> f32 {
        const BATCH: usize = 32;
        let mut loss = 0.0;
        let (mut v1, mut v2) = (vec![0.0; self.w1.len()], vec![0.0; self.w2.len()]);
        let (mut hidden, mut output, mut back) = (vec![0.0; HIDDEN], vec![0.0; OUTPUTS], vec![0.0; HIDDEN]);
        for batch in samples.chunks(BATCH) {
            let step = rate / batch.len() as f32;
            for sample in batch {
                let input = input(sample);
                self.forward(&input, &mut hidden, &mut output);
                loss -= output[sample.class].max(1e-9).ln();
                output[sample.class] -= 1.0;
                back.fill(0.0);
                for (class, error) in output.iter().enumerate() {
                    let row = class * HIDDEN..(class + 1) * HIDDEN;
                    add(&mut back, &self.w2[row.clone()], *error);
                    add(&mut v2[row], &hidden, -step * error);
                    self.b2[class] -= step * error;
                }
                for unit in 0..HIDDEN {
                    if hidden[unit] > 0.0 {
                        add(
                            &mut v1[unit * INPUTS..(unit + 1) * INPUTS],
                            &input,
                            -step * back[unit],
                        );
                        self.b1[unit] -= step * back[unit];
                    }
                }
            }
            for (weights, speed) in [(&mut self.w1, &mut v1), (&mut self.w2, &mut v2)] {
                for (w, v) in weights.iter_mut().zip(speed.iter_mut()) {
                    *w += *v;
                    *v *= 0.9;
                }
            }
        }
        loss / samples.len() as f32
    }

    /// As the reader wants them: scales, biases, signed bytes.
    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (weights, bias, inputs) in [(&self.w1, &self.b1, INPUTS), (&self.w2, &self.b2, HIDDEN)] {
            let scale = |row: &[f32]| row.iter().fold(1e-9_f32, |m, w| m.max(w.abs())) / 127.0;
            for row in weights.chunks_exact(inputs) {
                out.extend(scale(row).to_le_bytes());
            }
            out.extend(bias.iter().flat_map(|b| b.to_le_bytes()));
            for row in weights.chunks_exact(inputs) {
                out.extend(
                    row.iter()
                        .map(|w| ((w / scale(row)).round() as i8).cast_unsigned()),
                );
            }
        }
        out
    }
}

fn input(sample: &Sample) -> Vec<f32> {
    sample.pixels.iter().map(|p| f32::from(*p) / 255.0).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum()
}

fn add(to: &mut [f32], from: &[f32], factor: f32) {
    for (t, f) in to.iter_mut().zip(from) {
        *t += f * factor;
    }
}
