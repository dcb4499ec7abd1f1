//! Lines to zones: which lines belong together, which characters may stand where, and whether the whole is certain
//! enough to be taken.

use super::glyphs::{ALPHABET, Probabilities};
use crate::documents::check_digit;
use crate::documents::layout::{Field, Format};
use crate::documents::mrz::Mrz;

/// One line as read: where it stands and how probable each character is in each place.
#[derive(Clone)]
pub struct Line {
    /// The middle of the line, in pixels of the picture.
    pub centre: (f32, f32),
    /// The reading direction, of length 1.
    pub axis: (f32, f32),
    /// Pixels of the picture per character.
    pub pitch: f32,
    /// As the ribbon's.
    pub bend: f32,
    /// Per place.
    pub places: Vec<Probabilities>,
    /// The mean logarithm of the best probability per place: 0 is certain.
    pub score: f32,
}

/// How sure a zone must be. All that is below is refused: another photo costs seconds, a wrong number a line.
pub struct Certainty {
    /// The mean logarithm of the probability, over every line.
    pub line_min: f32,
    /// The probability of every character that no check digit protects.
    pub bare_min: f32,
    /// The probability of all characters together that the check digits cannot tell from the chosen one.
    pub blind_max: f32,
}

/// Measured: see `docs/identity-documents.md`.
pub const CERTAINTY: Certainty = Certainty {
    line_min: -0.08,
    bare_min: 0.55,
    blind_max: 0.08,
};

/// A zone as read.
pub struct Zone {
    /// What it says.
    pub mrz: Mrz,
    /// The mean logarithm of the probability of its worst line.
    pub score: f32,
    /// Whether every place is certain enough.
    pub certain: bool,
}

/// Which lines of as many characters stand one below the other, topmost first.
#[must_use]
pub fn groups(lines: &[Line]) -> Vec<(Format, Vec<usize>)> {
    let below = |a: &Line, b: &Line| {
        let (dx, dy) = (b.centre.0 - a.centre.0, b.centre.1 - a.centre.1);
        let along = dx * a.axis.0 + dy * a.axis.1;
        let across = dy * a.axis.0 - dx * a.axis.1;
        let level = a.axis.0 * b.axis.0 + a.axis.1 * b.axis.1;
        a.places.len() == b.places.len()
            && level > 0.98
            && (0.8..1.25).contains(&(a.pitch / b.pitch))
            && along.abs() < 2.0 * a.pitch
            && (1.3 * a.pitch..3.9 * a.pitch).contains(&across)
    };
    let mut found = Vec::new();
    for (i, a) in lines.iter().enumerate() {
        for (j, b) in lines.iter().enumerate() {
            if i == j || !below(a, b) {
                continue;
            }
            match a.places.len() {
                30 => {
                    let third = (0..lines.len()).filter(|k| *k != i && *k != j && below(b, &lines[*k]));
                    found.extend(third.map(|k| (Format::Td1, vec![i, j, k])));
                }
                36 => found.extend([Format::Td2, Format::MrvB].map(|format| (format, vec![i, j]))),
                _ => found.extend([Format::Td3, Format::MrvA].map(|format| (format, vec![i, j]))),
            }
        }
    }
    let worst = |group: &[usize]| group.iter().map(|i| lines[*i].score).fold(0.0, f32::min);
    found.sort_by(|a, b| worst(&b.1).total_cmp(&worst(&a.1)));
    found
}

/// What may stand in a place.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    Letter,
    LetterOrFiller,
    Digit,
    DigitOrFiller,
    Any,
    Sex,
    Visa,
}

impl Class {
    const fn admits(self, character: u8) -> bool {
        match self {
            Self::Letter => character.is_ascii_uppercase(),
            Self::LetterOrFiller => character.is_ascii_uppercase() || character == b'<',
            Self::Digit => character.is_ascii_digit(),
            Self::DigitOrFiller => character.is_ascii_digit() || character == b'<',
            Self::Any => true,
            Self::Sex => matches!(character, b'F' | b'M' | b'<'),
            Self::Visa => character == b'V',
        }
    }
}

/// What may stand where, and whether no check digit protects it.
fn classes(format: Format) -> Vec<Vec<(Class, bool)>> {
    let (lines, columns) = format.size();
    let mut map = vec![vec![(Class::Digit, false); columns]; lines];
    for cell in format.cells() {
        let (class, bare) = match cell.field {
            Field::DocumentCode | Field::Issuer | Field::Nationality | Field::Names => {
                (Class::LetterOrFiller, true)
            }
            Field::Sex => (Class::Sex, true),
            Field::DocumentNumber | Field::Optional2 => (Class::Any, false),
            Field::Optional => (Class::Any, format.is_visa()),
            Field::BirthDate | Field::ExpiryDate => (Class::Digit, false),
        };
        map[cell.at.0][cell.at.1].fill((class, bare));
        if let Some((line, column)) = cell.check {
            let filler = match cell.field {
                Field::Optional => true,
                Field::DocumentNumber => matches!(format, Format::Td1 | Format::Td2),
                _ => false,
            };
            map[line][column] = (
                if filler {
                    Class::DigitOrFiller
                } else {
                    Class::Digit
                },
                false,
            );
        }
    }
    map[0][0] = (
        if format.is_visa() {
            Class::Visa
        } else {
            Class::Letter
        },
        true,
    );
    map
}

/// The most probable zone of a format, and whether it is certain enough. The check digits are not asked here.
#[must_use]
pub fn zone(format: Format, lines: &[&Line]) -> Option<Zone> {
    let map = classes(format);
    let mut text = Vec::new();
    let (mut worst, mut certain) = (0.0_f32, true);
    for (line, classes) in lines.iter().zip(&map) {
        let mut sum = 0.0;
        let mut row = Vec::new();
        for (place, (class, bare)) in line.places.iter().zip(classes) {
            let (character, p) = best(place, *class);
            let admitted: f32 = ALPHABET
                .iter()
                .zip(place)
                .filter(|(c, _)| class.admits(**c))
                .map(|(_, p)| p)
                .sum();
            // A digit where only letters may stand is a finding, not a letter.
            if *bare && admitted < CERTAINTY.bare_min {
                certain = false;
            }
            let share = p / admitted.max(1e-6);
            sum += share.max(1e-6).ln();
            let blind: f32 = ALPHABET
                .iter()
                .zip(place)
                .filter(|(c, _)| {
                    **c != character && class.admits(**c) && check_digit::confusable(**c, character)
                })
                .map(|(_, p)| p / admitted.max(1e-6))
                .sum();
            certain &= if *bare {
                share >= CERTAINTY.bare_min
            } else {
                blind <= CERTAINTY.blind_max
            };
            row.push(character);
        }
        let mean = sum / row.len() as f32;
        worst = worst.min(mean);
        text.push(String::from_utf8(row).ok()?);
    }
    let mrz = Mrz::parse(&text.join("\n"))
        .ok()
        .filter(|mrz| mrz.format() == format)?;
    Some(Zone {
        mrz,
        score: worst,
        certain: certain && worst >= CERTAINTY.line_min,
    })
}

fn best(place: &Probabilities, class: Class) -> (u8, f32) {
    ALPHABET
        .iter()
        .zip(place)
        .filter(|(c, _)| class.admits(**c))
        .fold(
            (b'<', -1.0),
            |best, (c, p)| if *p > best.1 { (*c, *p) } else { best },
        )
}
