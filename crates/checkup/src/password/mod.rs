//! Password care: advice to a person on passwords and second steps. What an account of this house accepts is decided
//! elsewhere (identity); here nobody is refused, only told what to mend first.

use crate::texts::{Language, text_of};
use serde::Serialize;
use sha1::{Digest, Sha1};
use std::collections::BTreeMap;

/// What should be mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Care {
    /// In lists of stolen passwords.
    Breached,
    /// The same in several places.
    Reused,
    /// Easily guessed.
    TooWeak,
    /// Holds something about its owner.
    OwnDetails,
    /// No second step.
    TwoFactorMissing,
    /// The second step travels with the phone number.
    TwoFactorBySms,
    /// No way back in when the phone is lost.
    RecoveryMissing,
    /// Not looked at for over a year.
    OldUnchecked,
    /// No password.
    Empty,
}

impl Care {
    /// The word of the API and of the texts.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Breached => "breached",
            Self::Reused => "reused",
            Self::TooWeak => "too_weak",
            Self::OwnDetails => "own_details",
            Self::TwoFactorMissing => "two_factor_missing",
            Self::TwoFactorBySms => "two_factor_by_sms",
            Self::RecoveryMissing => "recovery_missing",
            Self::OldUnchecked => "old_unchecked",
            Self::Empty => "empty",
        }
    }
}

/// How strong a password is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Strength {
    /// 0 (guessed at once) to 4.
    pub score: u8,
    /// What to mend; empty when nothing is.
    pub care: Vec<Care>,
}

/// Longest password that is looked at, in bytes; what is longer is judged by its beginning.
const PASSWORD_MAX: usize = 100;
/// Shortest own detail that counts inside a password.
const DETAIL_MIN: usize = 4;

/// Words that people here choose, and that lists made elsewhere do not hold.
const LOCAL_WORDS: &[&str] = &[
    "phnompenh",
    "siemreap",
    "battambang",
    "sihanoukville",
    "kampot",
    "kandal",
    "takeo",
    "kampongcham",
    "cambodia",
    "kampuchea",
    "khmer",
    "angkor",
    "angkorwat",
    "bayon",
    "naga",
    "apsara",
    "riel",
    "bakong",
    "wing",
    "acleda",
    "smart",
    "cellcard",
    "metfone",
    "sokha",
    "dara",
    "sophea",
    "bopha",
    "chanthy",
    "srey",
    "bong",
    "oun",
    "sabay",
    "soksabay",
];

/// How strong a password is against somebody who knows its owner: name, number, birthday, document.
#[must_use]
pub fn strength(password: &str, own_details: &[&str]) -> Strength {
    if password.is_empty() {
        return Strength {
            score: 0,
            care: vec![Care::Empty],
        };
    }
    let mut end = password.len().min(PASSWORD_MAX);
    while !password.is_char_boundary(end) {
        end -= 1;
    }
    let looked_at = &password[..end];
    let inputs: Vec<&str> = own_details
        .iter()
        .copied()
        .chain(LOCAL_WORDS.iter().copied())
        .collect();
    let score = u8::from(zxcvbn::zxcvbn(looked_at, &inputs).score());
    let lower = password.to_lowercase();
    let own = own_details
        .iter()
        .flat_map(|d| forms(d))
        .any(|d| lower.contains(&d));
    let mut care = Vec::new();
    if own {
        care.push(Care::OwnDetails);
    }
    if score < 3 {
        care.push(Care::TooWeak);
    }
    Strength {
        score: if own { score.min(2) } else { score },
        care,
    }
}

/// A detail as it may stand in a password: whole, its words, its digits, a number without its country code.
fn forms(detail: &str) -> Vec<String> {
    let lower = detail.to_lowercase();
    let digits: String = lower.chars().filter(char::is_ascii_digit).collect();
    let national = digits.strip_prefix("855").map(|n| format!("0{n}"));
    let words = lower.split(|c: char| !c.is_alphanumeric()).map(str::to_owned);
    let all = words
        .chain([lower.split_whitespace().collect(), digits.clone()])
        .chain(national);
    let mut found: Vec<String> = all.filter(|f| f.chars().count() >= DETAIL_MIN).collect();
    if digits.len() > 8 {
        found.push(digits[digits.len() - 8..].to_owned());
    }
    found
}

/// What to ask a range of breached passwords for: the first five letters of the SHA-1 are sent or opened, the rest is
/// looked for in the answer and stays here.
#[must_use]
pub fn range_of(password: &str) -> (String, String) {
    let hash: String = Sha1::digest(password.as_bytes())
        .iter()
        .map(|b| format!("{b:02X}"))
        .collect();
    (hash[..5].to_owned(), hash[5..].to_owned())
}

/// How often a password stands in a range file (`SUFFIX:COUNT` lines); lines of another form are left out.
#[must_use]
pub fn times_breached(range: &str, suffix: &str) -> u64 {
    let line = range.lines().filter_map(|line| line.trim().split_once(':'));
    line.filter(|(found, _)| found.eq_ignore_ascii_case(suffix))
        .filter_map(|(_, n)| n.trim().parse::<u64>().ok())
        .sum()
}

/// An account as its owner describes it. Only keyed digests of passwords come in, never passwords.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// The owner's name for it.
    pub name: String,
    /// Whether money or the way back into others hangs on it: bank, operator, e-mail.
    pub weighty: bool,
    /// A digest of the password under a key that only this check knows; the same password, the same digest.
    pub digest: Option<[u8; 32]>,
    /// 0 to 4, when it is known.
    pub score: Option<u8>,
    /// Whether it stands in lists of stolen ones.
    pub breached: bool,
    /// The second step.
    pub second_step: SecondStep,
    /// Whether there are recovery codes.
    pub recovery: bool,
    /// Days since the owner last looked.
    pub days_unchecked: u32,
}

/// The second step of an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SecondStep {
    /// None.
    #[default]
    None,
    /// By SMS, voice or e-mail.
    Sms,
    /// Codes of an app.
    App,
    /// A passkey or security key.
    Passkey,
}

/// One thing to mend, with one action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToMend {
    /// Which account.
    pub account: String,
    /// What.
    pub care: Care,
    /// What to do.
    pub advice: &'static str,
}

/// Days after which a check-up should be made again.
pub const AGAIN_AFTER_DAYS: u32 = 30;
const YEAR_DAYS: u32 = 365;

/// What to mend, the most urgent first: weighty accounts before others, stolen passwords before weak ones. Age alone is
/// never a reason to change a password.
#[must_use]
pub fn check_up(accounts: &[Account], language: Language) -> Vec<ToMend> {
    let mut uses: BTreeMap<[u8; 32], usize> = BTreeMap::new();
    for digest in accounts.iter().filter_map(|a| a.digest) {
        *uses.entry(digest).or_default() += 1;
    }
    let mut found: Vec<(bool, Care, &str)> = Vec::new();
    for account in accounts {
        let passkey = account.second_step == SecondStep::Passkey;
        for (holds, care) in [
            (account.breached, Care::Breached),
            (
                account
                    .digest
                    .is_some_and(|d| uses.get(&d).is_some_and(|n| *n > 1)),
                Care::Reused,
            ),
            (account.score.is_some_and(|s| s < 3), Care::TooWeak),
            (account.second_step == SecondStep::None, Care::TwoFactorMissing),
            (account.second_step == SecondStep::Sms, Care::TwoFactorBySms),
            (
                !account.recovery && (passkey || account.second_step == SecondStep::App),
                Care::RecoveryMissing,
            ),
            (account.days_unchecked > YEAR_DAYS, Care::OldUnchecked),
        ] {
            if holds {
                found.push((!account.weighty, care, &account.name));
            }
        }
    }
    found.sort();
    let mend = |(_, care, name): (bool, Care, &str)| ToMend {
        account: name.to_owned(),
        care,
        advice: text_of(language, "password_advice", care.word()),
    };
    found.into_iter().map(mend).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_words_and_own_details_weaken() {
        assert!(strength("Phnompenh2026!", &[]).score < 3);
        assert!(strength("cellcard123", &[]).score < 3);
        assert_eq!(strength("", &[]).care, vec![Care::Empty]);
        assert!(strength("correct-lantern-bamboo-72-river", &[]).care.is_empty());
        let own = strength("x9!012345678-Qw7#zz", &["+855 12 345 678", "Sok Dara"]);
        assert!(own.care.contains(&Care::OwnDetails) && own.score <= 2);
        assert!(strength("វាល-ស្រែ-ភ្នំ-ទន្លេ-២០", &[]).care.is_empty());
        assert!(!strength(&"a".repeat(10_000), &[]).care.is_empty());
    }

    #[test]
    fn ranges_are_read_offline() {
        let (prefix, suffix) = range_of("password");
        assert_eq!(
            (prefix.as_str(), suffix.as_str()),
            ("5BAA6", "1E4C9B93F3F0682250B6CF8331B7EE68FD8")
        );
        let range = "0018A45C4D1DEF81644B54AB7F969B88D65:1\r\n1E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824\r\nbroken\r\n";
        assert_eq!(times_breached(range, &suffix), 9_545_824);
        assert_eq!(times_breached(range, "1E4C"), 0);
    }

    #[test]
    fn the_most_urgent_comes_first_with_one_action_each() {
        let account = |name: &str, weighty, digest, second_step| Account {
            name: name.into(),
            weighty,
            digest: Some([digest; 32]),
            score: Some(4),
            second_step,
            recovery: true,
            ..Account::default()
        };
        let mut forum = account("forum", false, 1, SecondStep::App);
        forum.breached = true;
        forum.days_unchecked = 400;
        let bank = account("bank", true, 1, SecondStep::Sms);
        let mail = account("mail", true, 2, SecondStep::Passkey);
        let found = check_up(&[forum, bank, mail], Language::En);
        let said: Vec<_> = found.iter().map(|m| (m.account.as_str(), m.care)).collect();
        assert_eq!(
            said,
            [
                ("bank", Care::Reused),
                ("bank", Care::TwoFactorBySms),
                ("forum", Care::Breached),
                ("forum", Care::Reused),
                ("forum", Care::OldUnchecked),
            ]
        );
        assert!(found.iter().all(|m| m.advice != m.care.word()));
    }
}
