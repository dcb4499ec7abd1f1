//! A small linear model of what fraudulent hosts look like: hashed character n-grams, one signed byte of weight each.
//! None is shipped; `simwarden link train` makes one from data that an operator may use.

/// Weights of a model.
pub(crate) const SLOTS: usize = 1 << 18;
const MAGIC: &[u8] = b"SWLX1\n";
/// Longest host that is read, in bytes.
const HOST_MAX: usize = 253;

/// A model, ready to use.
#[derive(Debug, Clone, PartialEq)]
pub struct Lexical {
    weights: Vec<i8>,
    scale: f32,
    bias: f32,
    /// Above it at most one innocent host in a thousand was seen in training.
    fraud: f32,
    /// Above it at most one in a hundred.
    unusual: f32,
}

/// Why a model was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LexicalError {
    /// Another file, or a damaged one.
    #[error("this is not a model written by `simwarden link train`, or it is damaged")]
    Form,
}

/// How a host is graded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grade {
    Plain,
    Unusual,
    Fraud,
}

impl Lexical {
    /// Squeezes trained weights into bytes.
    pub(crate) fn squeezed(weights: &[f32], bias: f32) -> Self {
        let mut sizes: Vec<f32> = weights.iter().map(|w| w.abs()).filter(|w| *w > 0.0).collect();
        sizes.sort_by(f32::total_cmp);
        // The few largest are cut off, so that the many are not rounded away.
        let top = sizes
            .get(sizes.len().saturating_sub(1 + sizes.len() / 2_000))
            .copied()
            .unwrap_or(1.0);
        let scale = (top / 127.0).max(f32::MIN_POSITIVE);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "clamped to the range of a signed byte"
        )]
        let squeeze = |w: &f32| (w / scale).round().clamp(-127.0, 127.0) as i8;
        Self {
            weights: weights.iter().map(squeeze).collect(),
            scale,
            bias,
            fraud: f32::MAX,
            unusual: f32::MAX,
        }
    }

    pub(crate) fn with_limits(mut self, fraud: f32, unusual: f32) -> Self {
        (self.fraud, self.unusual) = (fraud, unusual.min(fraud));
        self
    }

    /// The score of a host: the higher, the more like fraud.
    #[must_use]
    pub fn score(&self, host: &str) -> f32 {
        let (mut sum, mut count) = (0i32, 0f32);
        features(host, |slot| {
            sum += i32::from(self.weights[slot]);
            count += 1.0;
        });
        #[expect(
            clippy::cast_precision_loss,
            reason = "a sum of some hundred bytes is exact in 24 bits"
        )]
        let sum = sum as f32;
        sum * self.scale / count.max(1.0).sqrt() + self.bias
    }

    pub(crate) fn grade(&self, host: &str) -> Grade {
        let score = self.score(host);
        match () {
            () if score >= self.fraud => Grade::Fraud,
            () if score >= self.unusual => Grade::Unusual,
            () => Grade::Plain,
        }
    }

    /// The model as a file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for number in [self.scale, self.bias, self.fraud, self.unusual] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend(self.weights.iter().map(|w| w.cast_unsigned()));
        out
    }

    /// Reads a model.
    ///
    /// # Errors
    /// When the file is none.
    pub fn read(bytes: &[u8]) -> Result<Self, LexicalError> {
        let body = bytes.strip_prefix(MAGIC).ok_or(LexicalError::Form)?;
        let (numbers, weights) = body.split_at_checked(16).ok_or(LexicalError::Form)?;
        let mut read = numbers.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b));
        let mut next = || read.next().filter(|n| n.is_finite()).ok_or(LexicalError::Form);
        let (scale, bias, fraud, unusual) = (next()?, next()?, next()?, next()?);
        if weights.len() != SLOTS {
            return Err(LexicalError::Form);
        }
        let weights = weights.iter().map(|b| b.cast_signed()).collect();
        Ok(Self {
            weights,
            scale,
            bias,
            fraud,
            unusual,
        })
    }
}

/// The features of a host, as slots of the table: n-grams of two to five letters, and what is counted.
pub(crate) fn features(host: &str, mut slot: impl FnMut(usize)) {
    let mut text = Vec::with_capacity(host.len().min(HOST_MAX) + 2);
    text.push(b'^');
    text.extend(host.bytes().take(HOST_MAX).map(|b| b.to_ascii_lowercase()));
    text.push(b'$');
    for length in 2..=5 {
        for gram in text.windows(length) {
            slot(place(gram, 0));
        }
    }
    let inner = &text[1..text.len() - 1];
    let count = |what: fn(&u8) -> bool| inner.iter().filter(|b| what(b)).count().min(30);
    let labels: Vec<&[u8]> = inner.split(|b| *b == b'.').collect();
    let longest = labels.iter().map(|l| l.len()).max().unwrap_or(0);
    let ending = labels.last().copied().unwrap_or_default();
    let suffix = psl::suffix(inner);
    let private = suffix.as_ref().and_then(psl::Suffix::typ) == Some(psl::Type::Private);
    let suffix = suffix.map_or(ending, |s| s.as_bytes());
    let chosen = labels
        .len()
        .checked_sub(1 + suffix.split(|b| *b == b'.').count())
        .and_then(|at| labels.get(at));
    let chosen = chosen.copied().unwrap_or_default();
    let mut letters: Vec<u8> = chosen.to_vec();
    letters.sort_unstable();
    letters.dedup();
    for (kind, number) in [
        (1u8, inner.len().min(90) / 3),
        (2, count(u8::is_ascii_digit)),
        (3, count(|b| *b == b'-')),
        (4, labels.len().min(10)),
        (5, longest.min(60) / 3),
        (6, chosen.len().min(60) / 2),
        (7, letters.len()),
        (8, usize::from(private)),
        (
            9,
            chosen.iter().filter(|b| b"aeiou".contains(b)).count() * 10 / chosen.len().max(1),
        ),
    ] {
        let number = u8::try_from(number).unwrap_or(u8::MAX);
        slot(place(&[number], kind));
    }
    slot(place(suffix, 10));
}

/// FNV-1a, folded to the table.
fn place(bytes: &[u8], kind: u8) -> usize {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ u64::from(kind).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let folded = (hash ^ (hash >> 29) ^ (hash >> 46)) & (SLOTS as u64 - 1);
    usize::try_from(folded).unwrap_or(0)
}
