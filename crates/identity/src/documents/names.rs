//! Names across scripts and documents: the ICAO transliteration, a reading of Khmer names in Latin letters, and how
//! alike two names are.
//!
//! A score is a signal, never an identity: many people share a name, and one person's name is spelt in many ways.

/// The Latin letters with marks that 9303-3 section 6.A writes with more or other letters than the bare one.
const LATIN: &[(char, &str)] = &[
    ('Ä', "AE"),
    ('Æ', "AE"),
    ('Å', "AA"),
    ('Ö', "OE"),
    ('Ø', "OE"),
    ('Œ', "OE"),
    ('Ü', "UE"),
    ('ß', "SS"),
    ('ẞ', "SS"),
    ('Þ', "TH"),
    ('Ð', "D"),
    ('Đ', "D"),
    ('Ł', "L"),
    ('Ħ', "H"),
    ('Ŋ', "N"),
    ('Ŧ', "T"),
    ('ı', "I"),
    ('Ĳ', "IJ"),
    ('ĸ', "Q"),
    ('Ñ', "N"),
];

/// Bare letters and their marked forms.
const MARKED: &[(char, &str)] = &[
    ('A', "ÀÁÂÃĀĂĄẠẢẤẦẨẪẬẮẰẲẴẶ"),
    ('C', "ÇĆĈĊČ"),
    ('D', "Ď"),
    ('E', "ÈÉÊËĒĔĖĘĚẸẺẼẾỀỂỄỆ"),
    ('G', "ĜĞĠĢ"),
    ('H', "Ĥ"),
    ('I', "ÌÍÎÏĨĪĬĮİỈỊ"),
    ('J', "Ĵ"),
    ('K', "Ķ"),
    ('L', "ĹĻĽĿ"),
    ('N', "ŃŅŇ"),
    ('O', "ÒÓÔÕŌŎŐƠỌỎỐỒỔỖỘỚỜỞỠỢ"),
    ('R', "ŔŖŘ"),
    ('S', "ŚŜŞŠȘ"),
    ('T', "ŢŤȚ"),
    ('U', "ÙÚÛŨŪŬŮŰŲƯỤỦỨỪỬỮỰ"),
    ('W', "Ŵ"),
    ('Y', "ÝŶŸỲỴỶỸ"),
    ('Z', "ŹŻŽ"),
];

/// Khmer consonants: in names, with what vowel they carry by nature (`a` first series, `o` second).
const KHMER: &[(char, &str, char)] = &[
    ('ក', "K", 'a'),
    ('ខ', "KH", 'a'),
    ('គ', "K", 'o'),
    ('ឃ', "KH", 'o'),
    ('ង', "NG", 'o'),
    ('ច', "CH", 'a'),
    ('ឆ', "CHH", 'a'),
    ('ជ', "CH", 'o'),
    ('ឈ', "CHH", 'o'),
    ('ញ', "NH", 'o'),
    ('ដ', "D", 'a'),
    ('ឋ', "TH", 'a'),
    ('ឌ', "D", 'o'),
    ('ឍ', "TH", 'o'),
    ('ណ', "N", 'a'),
    ('ត', "T", 'a'),
    ('ថ', "TH", 'a'),
    ('ទ', "T", 'o'),
    ('ធ', "TH", 'o'),
    ('ន', "N", 'o'),
    ('ប', "B", 'a'),
    ('ផ', "PH", 'a'),
    ('ព', "P", 'o'),
    ('ភ', "PH", 'o'),
    ('ម', "M", 'o'),
    ('យ', "Y", 'o'),
    ('រ', "R", 'o'),
    ('ល', "L", 'o'),
    ('វ', "V", 'o'),
    ('ស', "S", 'a'),
    ('ហ', "H", 'a'),
    ('ឡ', "L", 'a'),
    ('អ', "", 'a'),
];

/// Khmer vowel signs: after a consonant of the first and of the second series.
const VOWELS: &[(char, &str, &str)] = &[
    ('ា', "A", "EA"),
    ('ិ', "E", "I"),
    ('ី', "EI", "I"),
    ('ឹ', "OEU", "EU"),
    ('ឺ', "OEU", "EU"),
    ('ុ', "O", "U"),
    ('ូ', "O", "U"),
    ('ួ', "UO", "UO"),
    ('ើ', "AEU", "EU"),
    ('ឿ', "OEU", "EU"),
    ('ៀ', "IE", "IE"),
    ('េ', "E", "E"),
    ('ែ', "AE", "E"),
    ('ៃ', "AI", "EY"),
    ('ោ', "AO", "O"),
    ('ៅ', "AU", "OV"),
    ('ំ', "AM", "UM"),
    ('ះ', "AH", "EAH"),
];

/// A name in the letters of a machine-readable zone, words parted by single spaces. Khmer is read letter by letter;
/// what has no reading is left out.
#[must_use]
pub fn to_mrz(name: &str) -> String {
    let mut out = String::new();
    for word in name.split(|c: char| c.is_whitespace() || matches!(c, '-' | ',' | '<' | '\u{200b}')) {
        let read = if word.chars().any(|c| KHMER.iter().any(|(k, ..)| *k == c)) {
            khmer(word)
        } else {
            word.chars().flat_map(char::to_uppercase).map(latin).collect()
        };
        if !read.is_empty() {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(&read);
        }
    }
    out
}

fn latin(letter: char) -> String {
    if letter.is_ascii_uppercase() {
        return letter.to_string();
    }
    if let Some((_, text)) = LATIN.iter().find(|(marked, _)| *marked == letter) {
        return (*text).to_owned();
    }
    MARKED
        .iter()
        .find(|(_, marked)| marked.contains(letter))
        .map(|(bare, _)| bare.to_string())
        .unwrap_or_default()
}

/// Khmer, roughly as names are spelt on Cambodian documents.
fn khmer(word: &str) -> String {
    // Signs that only move a consonant to the other series are taken out, and their effect kept.
    let mut letters: Vec<(char, Option<char>)> = Vec::new();
    for letter in word.chars() {
        match (letter, letters.last_mut()) {
            ('៉', Some(last)) => last.1 = Some('a'),
            ('៊', Some(last)) => last.1 = Some('o'),
            _ => letters.push((letter, None)),
        }
    }
    let consonant = |c: char| KHMER.iter().find(|(k, ..)| *k == c);
    let mut out = String::new();
    let mut series = 'a';
    for (at, (letter, moved)) in letters.iter().enumerate() {
        if let Some((_, sound, nature)) = consonant(*letter) {
            out.push_str(sound);
            series = moved.unwrap_or(*nature);
            let next = letters.get(at + 1).map(|(c, _)| *c);
            // A first consonant before another one carries a vowel; others are read without.
            let first = at == 0 || sound.is_empty();
            if first && next.is_some_and(|next| consonant(next).is_some() || next == '់') {
                out.push_str(if series == 'a' { "A" } else { "O" });
            }
        } else if let Some((_, first, second)) = VOWELS.iter().find(|(v, ..)| v == letter) {
            out.push_str(if series == 'a' { first } else { second });
        }
    }
    out
}

/// How alike two names are, 0 to 100, whatever the order of their words: Jaro-Winkler over words paired best first,
/// after [`to_mrz`]. Words without a partner count as nothing.
#[must_use]
pub fn score(one: &str, other: &str) -> u8 {
    let khmer = [one, other]
        .iter()
        .any(|name| name.chars().any(|c| ('ក'..='អ').contains(&c)));
    // A reading from the Khmer does not know whether the document writes I or Y.
    let read = |name| {
        if khmer {
            to_mrz(name).replace('Y', "I")
        } else {
            to_mrz(name)
        }
    };
    let (one, other) = (read(one), read(other));
    let one: Vec<&str> = one.split(' ').filter(|w| !w.is_empty()).take(WORDS_MAX).collect();
    let other: Vec<&str> = other
        .split(' ')
        .filter(|w| !w.is_empty())
        .take(WORDS_MAX)
        .collect();
    if one.is_empty() || other.is_empty() {
        return 0;
    }
    let mut pairs = Vec::new();
    for (i, a) in one.iter().enumerate() {
        for (j, b) in other.iter().enumerate() {
            pairs.push((strsim::jaro_winkler(a, b), i, j));
        }
    }
    pairs.sort_by(|x, y| y.0.total_cmp(&x.0));
    let (mut used, mut taken) = (vec![false; one.len()], vec![false; other.len()]);
    let (mut sum, mut weight) = (0.0, 0.0);
    for (alike, i, j) in pairs {
        if !used[i] && !taken[j] {
            (used[i], taken[j]) = (true, true);
            let letters = (one[i].len() + other[j].len()) as f64;
            // Below this, words are as alike as any two words of a language.
            sum += if alike < WORD_ALIKE_MIN {
                0.0
            } else {
                alike * letters
            };
            weight += letters;
        }
    }
    let left = |words: &[&str], used: &[bool]| -> usize {
        words
            .iter()
            .zip(used)
            .filter(|(_, used)| !**used)
            .map(|(word, _)| word.len())
            .sum()
    };
    weight += (left(&one, &used) + left(&other, &taken)) as f64;
    // One name written in one word where the other has two ("SOPHEAK TRA", "SOPHEAKTRA").
    let (all_one, all_other) = (one.concat(), other.concat());
    let joined = if all_one.len().abs_diff(all_other.len()) <= 1 {
        strsim::jaro_winkler(&all_one, &all_other).powi(2)
    } else {
        0.0
    };
    let score = (sum / weight).max(joined) * 100.0;
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and 100")]
    let score = score.clamp(0.0, 100.0).floor() as u8;
    score
}

/// Words of a name that are looked at.
const WORDS_MAX: usize = 12;
/// The least likeness of two words that counts.
const WORD_ALIKE_MIN: f64 = 0.7;

#[cfg(test)]
mod tests {
    use super::{score, to_mrz};

    #[test]
    fn marks_are_written_as_icao_says() {
        assert_eq!(to_mrz("Müller-Lüdenscheid"), "MUELLER LUEDENSCHEID");
        assert_eq!(to_mrz("Łukasz Straße"), "LUKASZ STRASSE");
        assert_eq!(to_mrz("Nguyễn Thị Hồng"), "NGUYEN THI HONG");
        assert_eq!(to_mrz("Þór O’Neill"), "THOR ONEILL");
    }

    #[test]
    fn khmer_names_come_near_their_latin_spelling() {
        for (khmer, latin, least) in [
            ("សុខ សុភា", "SOK SOPHEA", 85),
            ("ចាន់ ដារ៉ា", "CHAN DARA", 85),
            ("គឹម សុវណ្ណ", "KIM SOVANN", 75),
            ("លី ម៉ារី", "LY MARY", 70),
        ] {
            let found = score(khmer, latin);
            assert!(found >= least, "{khmer} = {} vs {latin}: {found}", to_mrz(khmer));
        }
        assert!(score("សុខ សុភា", "CHEA VUTHY") < 60);
    }

    #[test]
    fn order_does_not_matter_and_strangers_do_not_match() {
        assert_eq!(score("Sok Sophea", "SOPHEA SOK"), 100);
        assert!(score("SOK SOPHEAKTRA", "SOK SOPHEAK TRA") >= 90);
        assert!(score("SOK SOPHEA", "SOK SOPHEAP") >= 90);
        assert!(score("SOK SOPHEA", "CHAN DARA") < 60);
        assert!(score("SOK SOPHEA", "SOPHEA") <= 80);
        assert_eq!(score("", "SOK"), 0);
        assert_eq!(score("SOK", "日本"), 0);
    }
}
