//! Recovery codes: ten for an account, 50 random bits each, good for one use.
//!
//! A recovery code gets somebody back into an account. It authorises nothing about a line: what is done with it waits,
//! and tells every other channel.

use simwarden_model::Entropy;

/// Codes in a set.
pub const CODES: usize = 10;
/// Letters of a code, five bits each.
const LETTERS: usize = 10;
/// Crockford's alphabet: without I, L, O and U, which are misread or misheard.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Draws a set of codes, as they are shown: `7Q2KX-M04TD`.
pub fn draw(entropy: &mut dyn Entropy) -> Vec<String> {
    (0..CODES)
        .map(|_| {
            let mut bytes = [0; LETTERS];
            entropy.fill(&mut bytes);
            let letters = bytes.map(|byte| char::from(ALPHABET[usize::from(byte & 31)]));
            let (left, right) = letters.split_at(LETTERS / 2);
            format!("{}-{}", String::from_iter(left), String::from_iter(right))
        })
        .collect()
}

/// The one form of a code that somebody typed; none when it cannot be one.
#[must_use]
pub fn normal(typed: &str) -> Option<String> {
    if typed.len() > 4 * LETTERS {
        return None;
    }
    let mut code = String::with_capacity(LETTERS);
    for c in simwarden_model::normalise_digits(typed).chars() {
        let letter = match c.to_ascii_uppercase() {
            '-' | ' ' => continue,
            'O' => '0',
            'I' | 'L' => '1',
            letter => letter,
        };
        if !letter.is_ascii() || !ALPHABET.contains(&(letter as u8)) {
            return None;
        }
        code.push(letter);
    }
    (code.len() == LETTERS).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::{CODES, draw, normal};
    use simwarden_model::Entropy;
    use std::collections::HashSet;

    struct Weyl(u64);
    impl Entropy for Weyl {
        fn fill(&mut self, bytes: &mut [u8]) {
            for byte in bytes {
                self.0 = self
                    .0
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                *byte = self.0.to_be_bytes()[0];
            }
        }
    }

    #[test]
    fn codes_differ_and_are_read_as_people_write_them() {
        let codes = draw(&mut Weyl(1));
        assert_eq!(codes.len(), CODES);
        assert_eq!(codes.iter().collect::<HashSet<_>>().len(), CODES);
        for code in &codes {
            let plain = normal(code).unwrap();
            assert_eq!(plain, code.replace('-', ""));
            assert_eq!(
                normal(&code.to_lowercase().replace('-', " ")).as_ref(),
                Some(&plain)
            );
        }
        assert_eq!(normal("oOiIl-00000").as_deref(), Some("0011100000"));
        for wrong in [
            "",
            "0000-0000",
            "00000-0000u",
            "00000-000000",
            "ក0000-00000",
            &"0".repeat(500),
        ] {
            assert_eq!(normal(wrong), None, "{wrong}");
        }
    }
}
