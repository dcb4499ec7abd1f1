//! Words that forgers put beside a brand, and how a rest is read as a row of them.

use std::collections::HashMap;

const BUILT_IN: &str = include_str!("../../data/words.txt");
/// Longest rest that is read.
const REST_MAX: usize = 40;

/// The words; `true`: one that speaks of money, access, prizes or haste.
#[derive(Debug)]
pub(crate) struct Words {
    known: HashMap<String, bool>,
    longest: usize,
}

/// What a rest was read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// Words that weigh.
    pub strong: u8,
    /// Words and numbers altogether.
    pub parts: u8,
}

impl Words {
    pub(crate) fn built_in() -> Self {
        let mut known = HashMap::new();
        let mut last: Option<String> = None;
        let text = BUILT_IN.lines().filter(|l| !l.starts_with('#'));
        for word in text.flat_map(str::split_whitespace) {
            if word == "!" {
                if let Some(last) = last.take() {
                    known.insert(last, true);
                }
            } else {
                known.entry(word.to_owned()).or_insert(false);
                last = Some(word.to_owned());
            }
        }
        let longest = known.keys().map(String::len).max().unwrap_or(0);
        Self { known, longest }
    }

    pub(crate) fn is_strong(&self, word: &str) -> bool {
        self.known.get(word) == Some(&true)
    }

    /// Reads a rest without gaps as words and numbers; `None` when something is left over. Of several readings the one
    /// with the most words that weigh.
    pub(crate) fn row(&self, rest: &str) -> Option<Row> {
        let bytes = rest.as_bytes();
        if bytes.len() > REST_MAX || !rest.is_ascii() {
            return None;
        }
        let mut best: [Option<Row>; REST_MAX + 1] = [None; REST_MAX + 1];
        best[0] = Some(Row { strong: 0, parts: 0 });
        for at in 0..bytes.len() {
            let Some(so_far) = best[at] else { continue };
            let digits = bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
            let mut take = |length: usize, strong: bool| {
                let row = Row {
                    strong: so_far.strong + u8::from(strong),
                    parts: so_far.parts + 1,
                };
                let better =
                    best[at + length].is_none_or(|old| (row.strong, old.parts) > (old.strong, row.parts));
                if better {
                    best[at + length] = Some(row);
                }
            };
            if digits > 0 {
                take(digits, false);
            }
            for length in 1..=self.longest.min(bytes.len() - at) {
                if let Some(strong) = self.known.get(&rest[at..at + length]) {
                    take(length, *strong);
                }
            }
        }
        best[bytes.len()]
    }

    /// The label without a word before or behind: what is left over, and whether the word weighs. Longest words first.
    pub(crate) fn without_ends<'l>(&self, label: &'l str, mut rest: impl FnMut(&'l str, bool)) {
        const REST_MIN: usize = 5;
        for length in 2..=self.longest.min(label.len().saturating_sub(REST_MIN)) {
            if let Some(strong) = label.get(..length).and_then(|w| self.known.get(w)) {
                rest(&label[length..], *strong);
            }
            let at = label.len() - length;
            if let Some(strong) = label.get(at..).and_then(|w| self.known.get(w)) {
                rest(&label[..at], *strong);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_are_read_as_words() {
        let words = Words::built_in();
        let strong = |rest| words.row(rest).map(|row| row.strong);
        assert_eq!(strong(""), Some(0));
        assert_eq!(strong("login"), Some(1));
        assert_eq!(strong("luckywin"), Some(2));
        assert_eq!(strong("app247"), Some(0));
        assert_eq!(strong("comkh"), Some(0));
        assert_eq!(strong("ilton"), None);
        assert!(words.is_strong("verify") && !words.is_strong("app"));
    }
}
