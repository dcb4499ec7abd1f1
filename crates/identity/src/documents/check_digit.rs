//! The check digit of ICAO 9303-3 section 4.9: weights 7, 3, 1 modulo 10, and what it cannot see.

/// What a character counts in the sum: `<` nothing, a digit itself, `A` 10 to `Z` 35; `None` for any other.
#[must_use]
pub const fn value(character: u8) -> Option<u32> {
    match character {
        b'<' => Some(0),
        b'0'..=b'9' => Some((character - b'0') as u32),
        b'A'..=b'Z' => Some((character - b'A') as u32 + 10),
        _ => None,
    }
}

/// The check digit over the characters, as ASCII; `None` when one of them has no value.
#[must_use]
pub fn over<'a>(characters: impl IntoIterator<Item = &'a u8>) -> Option<u8> {
    let mut sum = 0;
    for (character, weight) in characters.into_iter().zip([7, 3, 1].into_iter().cycle()) {
        sum = (sum + value(*character)? * weight) % 10;
    }
    u8::try_from(sum).ok().map(|digit| b'0' + digit)
}

/// Whether no check digit can tell one character from the other: all weights are coprime to 10, so exactly the
/// characters of equal value modulo 10 (`A`, `K`, `U`, `0` and `<`, for one).
#[must_use]
pub fn confusable(one: u8, other: u8) -> bool {
    match (value(one), value(other)) {
        (Some(one), Some(other)) => one % 10 == other % 10,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{confusable, over};

    #[test]
    fn the_examples_of_icao_9303_part_3() {
        assert_eq!(over(b"520727"), Some(b'3'));
        assert_eq!(over(b"AB2134<<<"), Some(b'5'));
        // Part 5, appendix A: the composite of a TD1.
        assert_eq!(over(b"D231458907<<<<<<<<<<<<<<<7408122" as &[u8]), Some(b'6'));
        assert_eq!(over(b"ab"), None);
    }

    #[test]
    fn a_change_is_blind_exactly_where_values_agree_modulo_ten() {
        let alphabet = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<";
        for &a in alphabet {
            for &b in alphabet {
                for at in 0..6 {
                    let mut one = *b"000000";
                    let mut other = *b"000000";
                    one[at] = a;
                    other[at] = b;
                    assert_eq!(over(&one) == over(&other), confusable(a, b));
                }
            }
        }
    }
}
