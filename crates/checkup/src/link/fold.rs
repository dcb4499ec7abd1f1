//! What a label looks like to the eye: accents, other scripts, digits and letter pairs brought back to plain letters.
//!
//! Two steps. [`plain`] replaces what is not ASCII by the ASCII it resembles (UTS #39 skeletons, compatibility forms
//! and a small table for what both leave alone). [`shape`] joins letters and digits that are mistaken for each other;
//! both a brand and a candidate go through it, so that equal shapes mean "looks the same".

use unicode_normalization::UnicodeNormalization;

/// A label brought back to ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plain {
    /// Lower-case letters, digits and hyphens.
    pub text: String,
    /// Whether something was replaced.
    pub exotic: bool,
}

/// Letters that neither decomposition nor UTS #39 brings to the ASCII letter that the eye takes them for.
const RESEMBLING: &[(char, &str)] = &[
    ('ø', "o"),
    ('ł', "l"),
    ('đ', "d"),
    ('ħ', "h"),
    ('ŧ', "t"),
    ('æ', "ae"),
    ('œ', "oe"),
    ('ɑ', "a"),
    ('ə', "a"),
    ('ʙ', "b"),
    ('ɓ', "b"),
    ('ƅ', "b"),
    ('ь', "b"),
    ('в', "b"),
    ('ᴄ', "c"),
    ('ƈ', "c"),
    ('ɖ', "d"),
    ('ɗ', "d"),
    ('ԁ', "d"),
    ('ɇ', "e"),
    ('ƒ', "f"),
    ('ɡ', "g"),
    ('ǥ', "g"),
    ('ɢ', "g"),
    ('ɴ', "n"),
    ('ԍ', "g"),
    ('ɦ', "h"),
    ('ⱨ', "h"),
    ('һ', "h"),
    ('н', "h"),
    ('ɩ', "i"),
    ('ɪ', "i"),
    ('ɨ', "i"),
    ('ı', "i"),
    ('ʝ', "j"),
    ('ɉ', "j"),
    ('ĸ', "k"),
    ('ⱪ', "k"),
    ('ᴋ', "k"),
    ('к', "k"),
    ('κ', "k"),
    ('ɫ', "l"),
    ('ӏ', "l"),
    ('ᴍ', "m"),
    ('ɱ', "m"),
    ('м', "m"),
    ('ꞑ', "n"),
    ('ŋ', "n"),
    ('п', "n"),
    ('η', "n"),
    ('ᴏ', "o"),
    ('ƿ', "p"),
    ('ƥ', "p"),
    ('ʠ', "q"),
    ('ԛ', "q"),
    ('ʀ', "r"),
    ('ɍ', "r"),
    ('ɾ', "r"),
    ('ɽ', "r"),
    ('ɼ', "r"),
    ('г', "r"),
    ('ꜱ', "s"),
    ('ʂ', "s"),
    ('ƫ', "t"),
    ('т', "t"),
    ('τ', "t"),
    ('ᴜ', "u"),
    ('ʉ', "u"),
    ('и', "u"),
    ('ᶌ', "v"),
    ('ᴠ', "v"),
    ('ⱴ', "v"),
    ('ⱱ', "v"),
    ('ѵ', "v"),
    ('ν', "v"),
    ('ᴡ', "w"),
    ('ⱳ', "w"),
    ('ԝ', "w"),
    ('ω', "w"),
    ('ʏ', "y"),
    ('ɏ', "y"),
    ('ƴ', "y"),
    ('ỿ', "y"),
    ('ƶ', "z"),
    ('ⱬ', "z"),
    ('ᴢ', "z"),
    ('ʐ', "z"),
    ('ƻ', "2"),
    ('ʒ', "3"),
    ('з', "3"),
    ('ƽ', "5"),
    ('ß', "b"),
    ('þ', "p"),
    ('ð', "d"),
];

/// The ASCII that a label resembles. `None` when a letter resembles none: another script, to be read as such.
pub(crate) fn plain(label: &str) -> Option<Plain> {
    if label.is_ascii() {
        return Some(Plain {
            text: label.to_ascii_lowercase(),
            exotic: false,
        });
    }
    let mut text = String::with_capacity(label.len());
    for letter in label.chars() {
        if letter.is_ascii() {
            text.push(letter.to_ascii_lowercase());
        } else {
            resemble(letter, &mut text)?;
        }
    }
    Some(Plain { text, exotic: true })
}

fn resemble(letter: char, into: &mut String) -> Option<()> {
    let lower: String = letter.to_lowercase().collect();
    for part in lower.nfkd() {
        if part.is_ascii() {
            into.push(part.to_ascii_lowercase());
        } else if unicode_normalization::char::is_combining_mark(part) {
            // An accent: the letter below it is what is read.
        } else if let Some((_, ascii)) = RESEMBLING.iter().find(|(c, _)| *c == part) {
            into.push_str(ascii);
        } else {
            let one = part.to_string();
            let skeleton: String = unicode_security::skeleton(&one)
                .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
                .collect();
            if !skeleton.is_ascii() || skeleton.is_empty() {
                return None;
            }
            into.push_str(&skeleton.to_ascii_lowercase());
        }
    }
    Some(())
}

/// One letter for all that are mistaken for each other; as many bytes out as in.
pub(crate) fn shape(plain: &str) -> Vec<u8> {
    plain.bytes().map(shape_of).collect()
}

fn shape_of(byte: u8) -> u8 {
    match byte {
        b'0' => b'o',
        b'1' | b'i' => b'l',
        b'2' => b'z',
        b'3' => b'e',
        b'4' => b'a',
        b'5' => b's',
        b'6' | b'9' | b'q' => b'g',
        b'7' => b't',
        b'8' => b'b',
        b'v' => b'u',
        other => other,
    }
}

/// Pairs that read as one letter in many typefaces.
const PAIRS: &[(&[u8; 2], u8)] = &[
    (b"rn", b'm'),
    (b"nn", b'm'),
    (b"vv", b'w'),
    (b"cl", b'd'),
    (b"dl", b'd'),
    (b"lh", b'h'),
    (b"lc", b'k'),
    (b"lb", b'b'),
];

/// The shape after letter pairs were joined.
pub(crate) fn joined_shape(plain: &str) -> Vec<u8> {
    let bytes = plain.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = bytes
            .get(at..at + 2)
            .and_then(|two| PAIRS.iter().find(|(pair, _)| pair.as_slice() == two));
        if let Some((_, one)) = pair {
            out.push(*one);
            at += 2;
        } else {
            out.push(shape_of(bytes[at]));
            at += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_alike_becomes_alike() {
        for (label, read) in [
            ("аррӏе", "apple"),
            ("ѕмаrt", "smart"),
            ("wíñg", "wing"),
            ("ｗｉｎｇ", "wing"),
            ("ᴡɪɴɢ", "wing"),
            ("pɑyweƴ", "paywey"),
            ("ѕathapańa", "sathapana"),
            ("аcleda", "acleda"),
        ] {
            let plain = plain(label).unwrap();
            assert_eq!(plain.text, read, "{label}");
            assert!(plain.exotic);
        }
        assert_eq!(plain("វីង"), None);
        assert_eq!(plain("手机"), None);
        assert_eq!(shape("c3llcard"), shape("cellcard"));
        assert_eq!(shape("w1ng"), shape("wing"));
        assert_eq!(joined_shape("srnart"), joined_shape("smart"));
        assert_eq!(joined_shape("vving"), joined_shape("wing"));
        assert_eq!(joined_shape("acdeda"), b"acdeda".to_vec());
    }
}
