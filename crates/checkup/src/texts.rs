//! The words for people: reasons and advice in Khmer, English and Chinese.

use serde::Deserialize;
use std::collections::HashMap;
use std::sync::LazyLock;

/// A language that people are spoken to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Khmer.
    Km,
    /// Chinese.
    Zh,
}

type Texts = HashMap<String, HashMap<String, String>>;

static ALL: LazyLock<[Texts; 3]> = LazyLock::new(|| {
    // Compiled in and read by a test; a text that could not be read is shown as its code.
    let read = |text: &str| serde_json::from_str(text).unwrap_or_default();
    [
        read(include_str!("../../../content/en/checkup.json")),
        read(include_str!("../../../content/km/checkup.json")),
        read(include_str!("../../../content/zh/checkup.json")),
    ]
});

/// The text of a code in a part (`link_reasons`, `link_advice`, `phone_reasons` …); the code itself when there is none.
#[must_use]
pub fn text_of(language: Language, part: &str, code: &'static str) -> &'static str {
    let at = match language {
        Language::En => 0,
        Language::Km => 1,
        Language::Zh => 2,
    };
    ALL[at]
        .get(part)
        .and_then(|texts| texts.get(code))
        .map_or(code, String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{Reason, Verdict};

    #[test]
    fn every_code_has_words_in_three_languages() {
        for language in [Language::En, Language::Km, Language::Zh] {
            for reason in Reason::ALL {
                assert_ne!(
                    text_of(language, "link_reasons", reason.word()),
                    reason.word(),
                    "{language:?}"
                );
            }
            for verdict in [
                Verdict::Safe,
                Verdict::Unknown,
                Verdict::Suspicious,
                Verdict::Dangerous,
            ] {
                assert_ne!(
                    text_of(language, "link_advice", verdict.word()),
                    verdict.word(),
                    "{language:?}"
                );
            }
        }
    }
}
