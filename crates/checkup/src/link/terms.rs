//! The index of what brands are called: finds in microseconds which names a label equals, nearly equals or holds.

use super::brand::{Brand, Reach, squeezed};
use super::distance::{distance, letters};
use super::fold::{joined_shape, plain, shape};
use aho_corasick::{AhoCorasick, MatchKind};

/// One name of one brand.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    /// Index of the brand.
    pub brand: usize,
    /// The name, letters and digits.
    pub text: String,
    /// Whether the name is an everyday word or borne by many.
    pub generic: bool,
    /// Whether the name proves little by itself: generic or short.
    pub weak: bool,
    /// Letters that are the brand's own: without words like `bank` that many others have too.
    pub own: usize,
    /// Whether the brand is known everywhere.
    pub world: bool,
    /// Whether it is an official domain with its dots left out (`smartcomkh`), which counts only when whole.
    pub squashed: bool,
    shape: Vec<u8>,
    joined: Vec<u8>,
    shape_letters: u64,
    joined_letters: u64,
}

impl Term {
    fn new(brand: usize, text: String, generic: bool, world: bool, squashed: bool) -> Self {
        let (shape, joined) = (shape(&text), joined_shape(&text));
        let (shape_letters, joined_letters) = (letters(&shape), letters(&joined));
        let weak = generic || text.len() <= 5;
        let shared = COMMON
            .iter()
            .filter(|w| text.ends_with(*w) || text.starts_with(*w));
        let own = text.len() - shared.map(|w| w.len()).max().unwrap_or(0).min(text.len());
        Self {
            brand,
            text,
            generic,
            weak,
            own,
            world,
            squashed,
            shape,
            joined,
            shape_letters,
            joined_letters,
        }
    }
}

/// A label that is compared, prepared once.
#[derive(Debug, Clone)]
pub(crate) struct Shapes {
    /// Letters and digits as they are read.
    pub plain: String,
    shape: Vec<u8>,
    joined: Vec<u8>,
    shape_letters: u64,
    joined_letters: u64,
}

impl Shapes {
    pub(crate) fn of(plain: &str) -> Self {
        let (shape, joined) = (shape(plain), joined_shape(plain));
        Self {
            shape_letters: letters(&shape),
            joined_letters: letters(&joined),
            plain: plain.to_owned(),
            shape,
            joined,
        }
    }
}

/// The names, by length.
#[derive(Debug)]
pub(crate) struct Terms {
    all: Vec<Term>,
    /// Indices of terms whose shape has this length; of each term at most two entries.
    by_length: Vec<Vec<u32>>,
    inside: Option<AhoCorasick>,
}

/// Words that many brands carry beside their own name.
const COMMON: &[&str] = &[
    "bank",
    "banks",
    "money",
    "cambodia",
    "mobile",
    "telecom",
    "finance",
    "group",
    "post",
    "pay",
    "commercialbank",
];

/// Shortest name that is looked for.
const NAME_MIN: usize = 3;

impl Terms {
    pub(crate) fn new(brands: &[Brand]) -> Self {
        let mut all: Vec<Term> = Vec::new();
        for (at, brand) in brands.iter().enumerate() {
            let mut names: Vec<(String, bool, bool)> = Vec::new();
            let world = brand.reach == Reach::World;
            for name in &brand.names {
                let name = squeezed(name);
                names.push((name.clone(), false, brand.is_generic(&name)));
            }
            for domain in &brand.domains {
                let Some(suffix) = psl::suffix_str(domain) else {
                    continue;
                };
                let Some(first) = domain.strip_suffix(suffix).map(|l| l.trim_end_matches('.')) else {
                    continue;
                };
                let chosen = first.rsplit('.').next().unwrap_or(first);
                let chosen = match chosen.strip_prefix("xn--") {
                    Some(_) => plain(&idna::domain_to_unicode(chosen).0)
                        .map(|p| p.text)
                        .unwrap_or_default(),
                    None => chosen.to_owned(),
                };
                // Names of three letters under gov.kh are all taken by other ministries.
                if chosen.len() >= 4 || !suffix.starts_with("gov.") {
                    let mut squashed = squeezed(&chosen);
                    let generic = brand.is_generic(&squashed);
                    names.push((squashed.clone(), false, generic));
                    for part in suffix.split('.').filter(|_| !world) {
                        squashed.push_str(part);
                        names.push((squashed.clone(), true, generic));
                    }
                }
            }
            for (name, squashed, generic) in names {
                let known = all.iter().any(|t| t.brand == at && t.text == name);
                if name.len() >= NAME_MIN && !known {
                    all.push(Term::new(at, name, generic, world, squashed));
                }
            }
        }
        Self::indexed(all)
    }

    fn indexed(all: Vec<Term>) -> Self {
        let longest = all.iter().map(|t| t.shape.len()).max().unwrap_or(0);
        let mut by_length = vec![Vec::new(); longest + 1];
        for (at, term) in all.iter().enumerate() {
            let Ok(at) = u32::try_from(at) else { continue };
            by_length[term.shape.len()].push(at);
            if term.joined.len() != term.shape.len() {
                by_length[term.joined.len()].push(at);
            }
        }
        let inside = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(all.iter().map(|t| &t.shape))
            .ok();
        Self {
            all,
            by_length,
            inside,
        }
    }

    /// Every name at most `max` half edits away, with the distance.
    pub(crate) fn near(&self, label: &Shapes, max: u8, mut found: impl FnMut(&Term, u8)) {
        let reach = usize::from(max / 2);
        let (least, most) = (
            label.shape.len().min(label.joined.len()),
            label.shape.len().max(label.joined.len()),
        );
        let bits_max = u32::from(max);
        let from = least.saturating_sub(reach);
        for bucket in self.by_length.iter().take(most + reach + 1).skip(from) {
            for at in bucket {
                let term = &self.all[*at as usize];
                // Three letters are near to everything.
                let max = if term.shape.len() <= 5 { max.min(2) } else { max };
                let mut best = None;
                if (label.shape_letters ^ term.shape_letters).count_ones() <= bits_max {
                    best = distance(&label.shape, &term.shape, max);
                }
                if best != Some(0) && (label.joined_letters ^ term.joined_letters).count_ones() <= bits_max {
                    // Joining shortens; what is left of a short name is near to everything.
                    let max = if term.joined.len() < term.shape.len().min(6) {
                        0
                    } else {
                        max
                    };
                    let other = distance(&label.joined, &term.joined, max);
                    best = match (best, other) {
                        (Some(a), Some(b)) => Some(a.min(b)),
                        (a, b) => a.or(b),
                    };
                }
                if let Some(halves) = best {
                    found(term, halves);
                }
            }
        }
    }

    /// The name that a word is, to the letter.
    pub(crate) fn exact(&self, word: &str) -> Option<&Term> {
        let bucket = self.by_length.get(word.len())?;
        bucket
            .iter()
            .map(|at| &self.all[*at as usize])
            .find(|term| term.text == word && !term.squashed)
    }

    /// Every name that stands inside a label: the term, where it begins, where it ends.
    pub(crate) fn inside(&self, label: &Shapes, mut found: impl FnMut(&Term, usize, usize)) {
        if let Some(automaton) = &self.inside {
            for hit in automaton.find_overlapping_iter(&label.shape) {
                found(&self.all[hit.pattern().as_usize()], hit.start(), hit.end());
            }
        }
    }
}
