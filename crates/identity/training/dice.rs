//! Repeatable randomness and made-up holders of documents.

use simwarden_identity::documents::emit::Content;
use simwarden_identity::documents::layout::Format;

/// A small generator of repeatable randomness (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    /// From 0 to below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * (self.next() >> 40) as f32 / (1_u64 << 24) as f32
    }
    pub fn normal(&mut self) -> f32 {
        (0..4).map(|_| self.between(-0.866, 0.866)).sum()
    }
    pub fn letters(&mut self, alphabet: &[u8], count: usize) -> String {
        (0..count)
            .map(|_| char::from(alphabet[self.below(alphabet.len())]))
            .collect()
    }
}

pub const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &[u8] = b"0123456789";
pub const ALNUM: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// A made-up holder's document.
pub fn content(dice: &mut Dice, format: Format) -> Content {
    let states = [
        "KHM", "KHM", "D", "FRA", "VNM", "CHN", "USA", "GBR", "THA", "JPN", "POL", "ZWE", "QAT",
    ];
    let state = |dice: &mut Dice| states[dice.below(states.len())].to_owned();
    let date = |dice: &mut Dice, from: usize| {
        format!(
            "{:02}{:02}{:02}",
            (from + dice.below(40)) % 100,
            1 + dice.below(12),
            1 + dice.below(28)
        )
    };
    let word = |dice: &mut Dice| {
        let count = 3 + dice.below(7);
        dice.letters(LETTERS, count)
    };
    let issuer = state(dice);
    let khm_card = format == Format::Td1 && issuer == "KHM";
    let code = match format {
        Format::Td1 | Format::Td2 => ["ID", "I", "C", "AC"][if khm_card { 0 } else { dice.below(4) }],
        Format::Td3 => ["P", "P", "PN", "PD"][dice.below(4)],
        Format::MrvA | Format::MrvB => "V",
    };
    let own = matches!(format, Format::Td1 | Format::Td3) && issuer == "KHM";
    Content {
        document_code: code.to_owned(),
        nationality: if own { issuer.clone() } else { state(dice) },
        issuer: if format == Format::Td2 && issuer == "KHM" {
            "AUT".to_owned()
        } else {
            issuer
        },
        document_number: if khm_card {
            dice.letters(DIGITS, 9)
        } else {
            dice.letters(ALNUM, 9)
        },
        birth_date: date(dice, 50),
        sex: ["F", "M", ""][dice.below(3)].to_owned(),
        expiry_date: date(dice, 10),
        surname: word(dice),
        given_names: if dice.below(3) == 0 {
            format!("{} {}", word(dice), word(dice))
        } else {
            word(dice)
        },
        optional: if dice.below(2) == 0 {
            dice.letters(ALNUM, 6)
        } else {
            String::new()
        },
        optional2: String::new(),
    }
}
