//! A machine-readable zone read from text (ICAO 9303): its fields, and per field what protects it.
//!
//! Nothing is repaired: an `O` where a digit must stand is a finding, not a zero. A repair that satisfies the check
//! digits is easily found and easily wrong.

use super::check_digit;
use super::layout::{Field, Format, Place};
use thiserror::Error;

/// A text longer than this is not looked at, in bytes.
pub const TEXT_BYTES_MAX: usize = 4096;

/// Why a text is no machine-readable zone at all.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum MrzError {
    /// Too long to be one.
    #[error(
        "the text is longer than {TEXT_BYTES_MAX} bytes; give only the lines of the machine-readable zone"
    )]
    TooLong,
    /// The wrong count or length of lines.
    #[error(
        "a machine-readable zone has 3 lines of 30, 2 of 36 or 2 of 44 characters; here are {lines} of {columns:?}"
    )]
    Shape {
        /// How many lines.
        lines: usize,
        /// Their lengths.
        columns: Vec<usize>,
    },
    /// A character that no machine-readable zone has.
    #[error("line {line}, column {column} holds a character other than A-Z, 0-9 and <")]
    Character {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
}

/// What the check digits of the zone say of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// It has a check digit of its own (and stands in the composite one, where there is one).
    Own,
    /// Only the composite check digit covers it.
    Composite,
    /// No check digit covers it: a changed character goes unseen. Compare it with something else.
    None,
}

/// What is known of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What protects it.
    pub protection: Protection,
    /// Whether all digits that protect it fit; `None` when none does.
    pub fits: Option<bool>,
}

/// One check digit and whether it fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// Which field it protects; `None`: the composite one.
    pub field: Option<Field>,
    /// Whether it fits.
    pub fits: bool,
}

impl Check {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.field {
            Some(field) => field.name(),
            None => "composite",
        }
    }
}

/// A machine-readable zone of a known format. Its check digits may be wrong: ask [`Mrz::checks`].
#[derive(Clone, PartialEq, Eq)]
pub struct Mrz {
    format: Format,
    lines: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Mrz {
    /// The format only: the rest is a person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mrz")
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

impl Mrz {
    /// Reads the lines of one zone. Blank lines, and white space around a line, are not part of it.
    ///
    /// # Errors
    /// [`MrzError`] when it has not the shape or the alphabet of one.
    pub fn parse(text: &str) -> Result<Self, MrzError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(MrzError::TooLong);
        }
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        let columns: Vec<usize> = lines.iter().map(|line| line.chars().count()).collect();
        for (line, text) in lines.iter().enumerate() {
            let foreign = |c: char| !(c.is_ascii() && check_digit::value(c as u8).is_some());
            if let Some(column) = text.chars().position(foreign) {
                return Err(MrzError::Character {
                    line: line + 1,
                    column: column + 1,
                });
            }
        }
        let first = lines.first().and_then(|line| line.bytes().next()).unwrap_or(b'<');
        let same = columns.windows(2).all(|pair| pair[0] == pair[1]);
        let format = columns
            .first()
            .filter(|_| same)
            .and_then(|columns| Format::of(lines.len(), *columns, first));
        match format {
            Some(format) => Ok(Self {
                format,
                lines: lines.iter().map(|line| line.as_bytes().to_vec()).collect(),
            }),
            None => Err(MrzError::Shape {
                lines: lines.len(),
                columns,
            }),
        }
    }

    /// Out of lines that have the shape and alphabet of the format already.
    pub(super) const fn from_lines(format: Format, lines: Vec<Vec<u8>>) -> Self {
        Self { format, lines }
    }

    /// Its format.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Its lines, as they stand.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lines
            .iter()
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect()
    }

    fn slice(&self, (line, columns): &Place) -> &[u8] {
        &self.lines[*line][columns.clone()]
    }

    /// A field as it stands, fillers included; empty when the format has no such field.
    #[must_use]
    pub fn raw(&self, field: Field) -> String {
        self.format
            .cells()
            .iter()
            .find(|cell| cell.field == field)
            .map(|cell| String::from_utf8_lossy(self.slice(&cell.at)).into_owned())
            .unwrap_or_default()
    }

    /// The rest of a document number longer than nine characters: it goes on in the optional field, ends in its check
    /// digit, and a filler stands in that digit's place (9303-5 and -6, note j).
    fn overflow(&self) -> Option<Vec<u8>> {
        if !matches!(self.format, Format::Td1 | Format::Td2) {
            return None;
        }
        let cells = self.format.cells();
        let number = cells.iter().find(|cell| cell.field == Field::DocumentNumber)?;
        let optional = cells.iter().find(|cell| cell.field == Field::Optional)?;
        let (line, column) = number.check?;
        if self.lines[line][column] != b'<' {
            return None;
        }
        let rest: Vec<u8> = self
            .slice(&optional.at)
            .iter()
            .copied()
            .take_while(|c| *c != b'<')
            .collect();
        (rest.len() >= 2).then_some(rest)
    }

    /// A field as a person would write it: without fillers at its end, and the document number with its overflow.
    #[must_use]
    pub fn field(&self, field: Field) -> String {
        let raw = self.raw(field);
        match (field, self.overflow()) {
            (Field::DocumentNumber, Some(rest)) => raw + &String::from_utf8_lossy(&rest[..rest.len() - 1]),
            (Field::Optional, Some(rest)) => raw[rest.len()..].trim_matches('<').to_owned(),
            _ => raw.trim_end_matches('<').to_owned(),
        }
    }

    /// Surname and given names, words parted by one space.
    #[must_use]
    pub fn names(&self) -> (String, String) {
        let raw = self.raw(Field::Names);
        let raw = raw.trim_end_matches('<');
        let words = |part: &str| {
            part.split('<')
                .filter(|w| !w.is_empty())
                .collect::<Vec<_>>()
                .join(" ")
        };
        let (surname, given) = raw.split_once("<<").unwrap_or((raw, ""));
        (words(surname), words(given))
    }

    /// Every check digit of the zone. A digit's place may hold a filler only where 9303 says so: over an empty
    /// optional field of a TD3, and where a long document number goes on elsewhere.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        for cell in self.format.cells() {
            let Some((line, column)) = cell.check else {
                continue;
            };
            let (content, found) = (self.slice(&cell.at), self.lines[line][column]);
            let fits = match (cell.field, self.overflow()) {
                (Field::DocumentNumber, Some(rest)) => {
                    let (digit, rest) = rest.split_last().unwrap_or((&b'<', &[]));
                    check_digit::over(content.iter().chain(rest)) == Some(*digit)
                }
                (Field::Optional, _) if found == b'<' => content.iter().all(|c| *c == b'<'),
                _ => check_digit::over(content) == Some(found),
            };
            checks.push(Check {
                field: Some(cell.field),
                fits,
            });
        }
        if let Some((places, (line, column))) = self.format.composite() {
            let covered = places.iter().flat_map(|place| self.slice(place));
            checks.push(Check {
                field: None,
                fits: check_digit::over(covered) == Some(self.lines[line][column]),
            });
        }
        checks
    }

    /// Whether every check digit fits.
    #[must_use]
    pub fn checks_fit(&self) -> bool {
        self.checks().iter().all(|check| check.fits)
    }

    /// What is known of each field.
    #[must_use]
    pub fn evidence(&self) -> Vec<(Field, Evidence)> {
        let checks = self.checks();
        let of = |field| {
            checks
                .iter()
                .find(|check| check.field == field)
                .map(|check| check.fits)
        };
        let composite = self.format.composite();
        self.format
            .cells()
            .into_iter()
            .map(|cell| {
                let own = of(Some(cell.field));
                let covered = composite.as_ref().is_some_and(|(places, _)| {
                    places
                        .iter()
                        .any(|(line, range)| *line == cell.at.0 && range.contains(&cell.at.1.start))
                });
                let whole = of(None).filter(|_| covered);
                let (protection, fits) = match (own, whole) {
                    (Some(own), whole) => (Protection::Own, Some(own && whole.unwrap_or(true))),
                    (None, Some(whole)) => (Protection::Composite, Some(whole)),
                    (None, None) => (Protection::None, None),
                };
                (cell.field, Evidence { protection, fits })
            })
            .collect()
    }
}
