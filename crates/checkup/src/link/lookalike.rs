//! Does a host imitate a brand? The rules that weigh how near a name is against how much the place says.
//!
//! A long, unusual name is proof by itself; a short or everyday one only together with a second sign: the country's own
//! ending, an ending for throw-away names, or words that speak of money, access or prizes.

use super::Reason;
use super::brand::{Brand, squeezed};
use super::host::{Label, Name};
use super::places::Places;
use super::terms::{Shapes, Terms};
use super::verdict::Verdict;
use super::weigh::{Place, Writing, affix_verdict, near_verdict};
use super::words::{Row, Words};
use aho_corasick::{AhoCorasick, MatchKind};

/// A host that imitates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Likeness {
    /// Index of the brand.
    pub brand: usize,
    /// How sure.
    pub verdict: Verdict,
    /// By which way.
    pub reason: Reason,
}

/// The search for imitations.
#[derive(Debug)]
pub(crate) struct Lookalikes {
    terms: Terms,
    /// For each brand: the public suffixes of its domains, and whether one of them is Cambodian.
    suffixes: Vec<Vec<String>>,
    natives: Vec<(String, usize)>,
    official: Option<AhoCorasick>,
    official_owner: Vec<usize>,
}

/// Endings under which every short word is long taken.
const WIDE: &[&str] = &[
    "com", "net", "org", "info", "io", "co", "biz", "app", "dev", "me", "us", "eu", "uk", "de",
];

struct Search<'s> {
    of: &'s Lookalikes,
    words: &'s Words,
    host: &'s Name,
    cheap: bool,
    best: Option<Likeness>,
}

impl Lookalikes {
    pub(crate) fn new(brands: &[Brand]) -> Self {
        let suffixes = brands
            .iter()
            .map(|b| {
                b.domains
                    .iter()
                    .filter_map(|d| psl::suffix_str(d).map(str::to_owned))
                    .collect()
            })
            .collect();
        let natives = brands.iter().enumerate();
        let natives = natives
            .flat_map(|(at, b)| b.native.iter().map(move |n| (native_form(n), at)))
            .filter(|(n, _)| n.chars().count() >= 3)
            .collect();
        let mut patterns = Vec::new();
        let mut official_owner = Vec::new();
        for (at, brand) in brands.iter().enumerate() {
            // `x.com` would stand in half of all names.
            for domain in brand.domains.iter().filter(|d| d.len() >= 7) {
                for form in [domain.clone(), domain.replace('.', "-")] {
                    patterns.push(form);
                    official_owner.push(at);
                }
            }
        }
        let official = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&patterns)
            .ok();
        Self {
            terms: Terms::new(brands),
            suffixes,
            natives,
            official,
            official_owner,
        }
    }

    /// The clearest imitation that a host is. The caller has looked before whether the host is a brand's own.
    pub(crate) fn find(&self, host: &Name, words: &Words, places: &Places) -> Option<Likeness> {
        let cheap =
            host.private_suffix || places.is_cheap(host.ending()) || places.is_free_hosting(&host.ascii);
        let mut search = Search {
            of: self,
            words,
            host,
            cheap,
            best: None,
        };
        search.native();
        search.official_inside();
        search.chosen();
        search.left();
        search.across();
        search.best
    }

    /// Brands that a text names, by Latin words or in another script.
    pub(crate) fn named_in(&self, text: &str) -> Option<usize> {
        let native = native_form(text);
        if let Some((_, brand)) = self.natives.iter().find(|(n, _)| native.contains(n.as_str())) {
            return Some(*brand);
        }
        let words: Vec<String> = text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|w| !w.is_empty())
            .map(str::to_ascii_lowercase)
            .take(2_000)
            .collect();
        for (at, word) in words.iter().enumerate() {
            let mut joined = word.clone();
            for next in words.iter().skip(at + 1).take(3).map(Some).chain([None]) {
                let hit = self.terms.exact(&joined);
                if let Some(term) = hit.filter(|t| !t.weak && !t.world) {
                    return Some(term.brand);
                }
                if let Some(next) = next {
                    joined.push_str(next);
                }
            }
        }
        None
    }
}

/// How names in other scripts are compared: composed, without the invisible marks that break lines.
fn native_form(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    text.nfkc()
        .filter(|c| !matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}') && !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect()
}

impl Search<'_> {
    fn offer(&mut self, brand: usize, verdict: Option<Verdict>, reason: Reason) {
        let Some(verdict) = verdict else { return };
        if self.best.is_none_or(|best| verdict > best.verdict) {
            self.best = Some(Likeness {
                brand,
                verdict,
                reason,
            });
        }
    }

    fn place(&self, brand: usize) -> Place {
        let suffixes = &self.of.suffixes[brand];
        let suffix = self.host.suffix.as_str();
        let same = suffixes.iter().any(|s| s == suffix);
        let home = suffixes.iter().any(|s| s.ends_with("kh"));
        Place {
            near: (same && !WIDE.contains(&suffix)) || (home && self.host.ending() == "kh"),
            same,
            cheap: self.cheap,
        }
    }

    fn native(&mut self) {
        for label in &self.host.labels {
            if !label.shown.is_ascii() {
                let shown = native_form(&label.shown);
                let hit = self.of.natives.iter().find(|(n, _)| shown.contains(n.as_str()));
                if let Some((_, brand)) = hit {
                    self.offer(*brand, Some(Verdict::Dangerous), Reason::BrandInOtherScript);
                }
            }
        }
    }

    /// `www.bank.com.kh.evil.top`, `bank-com-kh.evil.top`.
    fn official_inside(&mut self) {
        let Some(automaton) = &self.of.official else {
            return;
        };
        let bytes = self.host.ascii.as_bytes();
        let boundary = |at: Option<usize>| {
            at.and_then(|at| bytes.get(at))
                .is_none_or(|b| !b.is_ascii_alphanumeric())
        };
        for hit in automaton.find_overlapping_iter(bytes) {
            if boundary(hit.start().checked_sub(1)) && boundary(Some(hit.end())) && hit.end() < bytes.len() {
                let brand = self.of.official_owner[hit.pattern().as_usize()];
                self.offer(brand, Some(Verdict::Dangerous), Reason::OfficialNameInside);
            }
        }
    }

    /// The label that somebody registered.
    fn chosen(&mut self) {
        let Some(label) = self.host.chosen() else { return };
        let Some(plain) = label.plain.as_ref() else { return };
        let exotic = plain.exotic;
        let text = plain.text.clone();
        let hyphens = text.contains('-');
        let whole = Shapes::of(&text.replace('-', ""));
        self.equal(&whole, exotic, hyphens);
        self.affixes(&text, &whole, exotic);
        if hyphens {
            let parts: Vec<&str> = text.split('-').filter(|p| p.len() >= 5).take(6).collect();
            let others = |part: &str| {
                let rest: Vec<&str> = text.split('-').filter(|p| *p != part && !p.is_empty()).collect();
                rest.iter().try_fold(Row { strong: 0, parts: 0 }, |sum, p| {
                    self.words.row(p).map(|r| Row {
                        strong: sum.strong + r.strong,
                        parts: sum.parts + r.parts,
                    })
                })
            };
            let rows: Vec<(&str, Option<Row>)> = parts.into_iter().map(|p| (p, others(p))).collect();
            for (part, row) in rows {
                self.nearly(&Shapes::of(part), row, exotic);
            }
        }
        let mut cores: Vec<(&str, bool)> = Vec::new();
        self.words.without_ends(&whole.plain, |rest, strong| {
            if cores.len() < 4 {
                cores.push((rest, strong));
            }
        });
        for (core, strong) in cores {
            let row = Row {
                strong: u8::from(strong),
                parts: 1,
            };
            self.nearly(&Shapes::of(core), Some(row), exotic);
        }
    }

    /// The label is a name, or nearly one.
    fn equal(&mut self, label: &Shapes, exotic: bool, hyphens: bool) {
        let of = self.of;
        of.terms.near(label, 4, |term, halves| {
            let identical = halves == 0 && !exotic && label.plain == term.text;
            let writing = Writing {
                halves,
                exotic,
                hyphens,
                identical,
            };
            let verdict = near_verdict(term, writing, self.place(term.brand), &label.plain);
            let reason = match (halves, exotic, identical, hyphens) {
                (_, true, _, _) => Reason::LookalikeLetters,
                (0, _, true, false) => Reason::BrandOtherEnding,
                (0, _, true, true) => Reason::BrandHyphenated,
                (0, ..) => Reason::LookalikeLetters,
                _ => Reason::BrandMisspelt,
            };
            self.offer(term.brand, verdict, reason);
        });
    }

    /// A name with words before or behind it.
    fn affixes(&mut self, text: &str, whole: &Shapes, exotic: bool) {
        let of = self.of;
        of.terms.inside(whole, |term, start, end| {
            if term.squashed || (start == 0 && end == whole.plain.len()) {
                return;
            }
            let (before, after) = (&whole.plain[..start], &whole.plain[end..]);
            let row = match (self.words.row(before), self.words.row(after)) {
                (Some(a), Some(b)) => Some(Row {
                    strong: a.strong + b.strong,
                    parts: a.parts + b.parts,
                }),
                _ => None,
            };
            let alone = text
                .split('-')
                .any(|part| squeezed(part) == whole.plain[start..end]);
            let place = self.place(term.brand);
            let native = before.contains("cambodia")
                || after.contains("cambodia")
                || after == "kh"
                || after.contains("khmer");
            let verdict = affix_verdict(term, row, alone, place, native, exotic);
            self.offer(term.brand, verdict, Reason::BrandWithWords);
        });
    }

    /// What is left of a label without its words is nearly a name.
    fn nearly(&mut self, core: &Shapes, row: Option<Row>, exotic: bool) {
        let Some(row) = row else { return };
        let of = self.of;
        of.terms.near(core, 2, |term, halves| {
            let same = halves == 0 && core.plain == term.text;
            if term.weak || term.squashed || term.text.len() < 6 || same {
                return;
            }
            let place = self.place(term.brand);
            let sure = term.text.len() >= 8 && term.own >= 6 && !term.world;
            let verdict = match (sure, row.strong > 0 || exotic) {
                (true, true) => Some(Verdict::Dangerous),
                (true, false) => Some(Verdict::Suspicious),
                (false, true) if place.near || place.cheap => Some(Verdict::Suspicious),
                (false, _) if place.near => Some(Verdict::Suspicious),
                _ => None,
            };
            self.offer(term.brand, verdict, Reason::BrandMisspelt);
        });
    }

    /// A brand left of what was registered: `acledabank.evil.top`.
    fn left(&mut self) {
        let of = self.of;
        let lure = self.cheap || self.host.labels.iter().any(|l| self.words_in(l));
        let labels: Vec<&Label> = self.host.left().take(8).collect();
        for label in labels {
            let Some(plain) = &label.plain else { continue };
            let whole = Shapes::of(&plain.text.replace('-', ""));
            of.terms.inside(&whole, |term, start, end| {
                if term.weak || term.squashed || term.text.len() < 6 {
                    return;
                }
                let alone = end - start == whole.plain.len()
                    || plain.text.split('-').any(|p| p == &whole.plain[start..end]);
                let known = || {
                    let (a, b) = (
                        self.words.row(&whole.plain[..start]),
                        self.words.row(&whole.plain[end..]),
                    );
                    a.is_some() && b.is_some()
                };
                let verdict = match (alone || known(), term.world, lure) {
                    (true, false, true) => Some(Verdict::Dangerous),
                    (true, false, false) => Some(Verdict::Suspicious),
                    (true, true, true) if self.cheap => Some(Verdict::Suspicious),
                    _ => None,
                };
                self.offer(term.brand, verdict, Reason::BrandInSubdomain);
            });
            of.terms.near(&whole, 2, |term, halves| {
                let wrong = halves > 0 || plain.exotic;
                if wrong && !term.weak && !term.world && !term.squashed && term.own >= 8 {
                    self.offer(term.brand, Some(Verdict::Suspicious), Reason::BrandInSubdomain);
                }
            });
        }
    }

    fn words_in(&self, label: &Label) -> bool {
        label.shown.split('-').any(|part| self.words.is_strong(part))
    }

    /// A name with dots in it: `acleda.bank.com.kh`.
    fn across(&mut self) {
        if self.host.left().next().is_none() {
            return;
        }
        let mut joined = String::new();
        for label in self.host.left().chain(self.host.chosen()) {
            match &label.plain {
                Some(plain) => joined.push_str(&plain.text.replace('-', "")),
                None => return,
            }
        }
        let of = self.of;
        of.terms.near(&Shapes::of(&joined), 0, |term, _| {
            let place = self.place(term.brand);
            let verdict = match term.text.len() {
                _ if place.near => Some(Verdict::Dangerous),
                8.. if !term.world => Some(Verdict::Dangerous),
                7.. if !term.weak && !term.world => Some(Verdict::Suspicious),
                4.. if place.same || place.cheap => Some(Verdict::Suspicious),
                _ => None,
            };
            self.offer(term.brand, verdict, Reason::BrandAcrossDots);
        });
    }
}
