//! Whether a password is good enough to be set.

use super::local_words::LOCAL_WORDS;
use simwarden_model::normalise_digits;
use zxcvbn::{Score, zxcvbn};

/// Shortest password that stands alone, in characters (NIST SP 800-63B-4, section 3.1.1.2).
const ALONE_CHARS_MIN: usize = 15;
/// Shortest password beside a second factor, in characters.
const BESIDE_CHARS_MIN: usize = 8;
/// Longest password, in characters: longer than anybody types, short enough to be estimated quickly.
pub const CHARS_MAX: usize = 128;
/// Fewer than 10^8 guesses are too few even behind Argon2id and growing delays.
const SCORE_MIN: Score = Score::Three;
/// Words about the person that are looked at.
const WORDS_MAX: usize = 32;

/// What is known of the account that the password is for.
#[derive(Debug, Clone, Default)]
pub struct About<'a> {
    /// Name, number, login, document, operator: what an acquaintance would try first.
    pub words: &'a [&'a str],
    /// Whether a second factor is asked for beside it.
    pub second_factor: bool,
    /// How often it stands in the list of leaked passwords; none when no list was at hand.
    pub leaked: Option<u64>,
}

/// Why a password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// It has fewer characters than this.
    TooShort {
        /// How many it must have.
        chars_min: usize,
    },
    /// It has more than [`CHARS_MAX`] characters.
    TooLong,
    /// It stands in the list of leaked passwords.
    Leaked,
    /// It is a place, a brand, a name, a number of the account or a pattern, and quickly guessed.
    Guessable,
}

impl Weakness {
    /// The word for machines and for texts in other languages.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooShort { .. } => "password_too_short",
            Self::TooLong => "password_too_long",
            Self::Leaked => "password_leaked",
            Self::Guessable => "password_guessable",
        }
    }
}

impl std::fmt::Display for Weakness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooShort { chars_min } => {
                write!(f, "use at least {chars_min} characters; a sentence is easy to remember")
            }
            Self::TooLong => write!(f, "use at most {CHARS_MAX} characters"),
            Self::Leaked => f.write_str("this password is in lists of leaked ones that thieves try first"),
            Self::Guessable => f.write_str(
                "this password is quickly guessed: avoid places, brands, names, dates, numbers of yours and patterns",
            ),
        }
    }
}

/// Everything that speaks against a password. An empty answer means that it may be set.
///
/// There are no rules of composition: they make people choose `Phnompenh2026!`, which the estimator alone gives full
/// marks, and which the local words bring down.
#[must_use]
pub fn check(password: &str, about: &About<'_>) -> Vec<Weakness> {
    let mut found = Vec::new();
    let chars = password.chars().count();
    let chars_min = if about.second_factor {
        BESIDE_CHARS_MIN
    } else {
        ALONE_CHARS_MIN
    };
    if chars < chars_min {
        found.push(Weakness::TooShort { chars_min });
    }
    if chars > CHARS_MAX {
        // Nothing longer is estimated: the work grows with the length.
        found.push(Weakness::TooLong);
        return found;
    }
    if about.leaked.is_some_and(|times| times > 0) {
        found.push(Weakness::Leaked);
    }
    if guessable(password, about.words) {
        found.push(Weakness::Guessable);
    }
    found
}

fn guessable(password: &str, words: &[&str]) -> bool {
    let mut inputs: Vec<String> = Vec::with_capacity(2 * WORDS_MAX + LOCAL_WORDS.len());
    for word in words.iter().take(WORDS_MAX) {
        let word: String = word.chars().take(CHARS_MAX).collect();
        inputs.extend(
            word.split(|c: char| !c.is_alphanumeric())
                .filter(|part| part.chars().count() >= 3)
                .map(str::to_lowercase),
        );
        let joined: String = word.chars().filter(|c| c.is_alphanumeric()).collect();
        inputs.push(joined.to_lowercase());
    }
    inputs.extend(LOCAL_WORDS.iter().map(|word| (*word).to_owned()));
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    // Khmer digits are digits: whoever guesses `2026` guesses `២០២៦` as well.
    let plain = normalise_digits(password);
    zxcvbn(&plain, &inputs).score() < SCORE_MIN
}

#[cfg(test)]
mod tests {
    use super::{About, Weakness, check};

    fn with_second(password: &str) -> Vec<Weakness> {
        check(
            password,
            &About {
                words: &["Sok Dara", "+855 12 345 678", "dara.sok@example.com"],
                second_factor: true,
                leaked: None,
            },
        )
    }

    #[test]
    fn local_words_bring_down_what_looks_complex() {
        for weak in [
            "Phnompenh2026!",
            "cellcard123",
            "Summer2024!",
            "SokDara1990",
            "85512345678",
            "012345678!",
            "angkorwat168",
            "ភ្នំពេញ២០២៦",
            "qwertyuiop",
            "P@ssw0rd123",
            "Sihanoukville1",
        ] {
            assert!(with_second(weak).contains(&Weakness::Guessable), "{weak}");
        }
    }

    #[test]
    fn length_counts_and_composition_does_not() {
        assert!(with_second("tuk kdau nov leu phnom").is_empty());
        assert!(with_second("vexing pangolin umbrella").is_empty());
        assert_eq!(
            with_second("k8#Vq2").first(),
            Some(&Weakness::TooShort { chars_min: 8 })
        );
        let alone = check("k8#Vq2!zR0pW", &About::default());
        assert_eq!(alone, [Weakness::TooShort { chars_min: 15 }]);
        assert_eq!(check(&"x7 ".repeat(50), &About::default()), [Weakness::TooLong]);
    }

    #[test]
    fn a_leaked_one_is_refused_for_that_reason() {
        let about = About {
            leaked: Some(3),
            second_factor: true,
            ..About::default()
        };
        assert_eq!(check("vexing pangolin umbrella", &about), [Weakness::Leaked]);
    }
}
