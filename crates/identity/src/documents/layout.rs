//! Where each field of a machine-readable zone stands: ICAO 9303 parts 4 (TD3), 5 (TD1), 6 (TD2) and 7 (visas).

use std::ops::Range;

/// A size of machine-readable zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Three lines of 30: identity cards.
    Td1,
    /// Two lines of 36: older identity cards.
    Td2,
    /// Two lines of 44: passports.
    Td3,
    /// Two lines of 44, beginning with V: visas. They have no composite check digit.
    MrvA,
    /// Two lines of 36, beginning with V: small visas. They have no composite check digit.
    MrvB,
}

/// A field of a machine-readable zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// One or two letters: P passport, I A C cards, V visa; the second letter is the issuer's.
    DocumentCode,
    /// The issuing state or organisation.
    Issuer,
    /// The number of the document.
    DocumentNumber,
    /// The birth date, YYMMDD.
    BirthDate,
    /// F, M or unspecified.
    Sex,
    /// The last day of validity, YYMMDD.
    ExpiryDate,
    /// The holder's nationality.
    Nationality,
    /// Surname and given names.
    Names,
    /// What the issuer likes to add.
    Optional,
    /// A second such field, on TD1 only.
    Optional2,
}

/// Line and columns.
pub type Place = (usize, Range<usize>);

/// A field, where it stands and where its own check digit stands.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Which field.
    pub field: Field,
    /// Line and columns.
    pub at: Place,
    /// Line and column of its own check digit.
    pub check: Option<(usize, usize)>,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Td1, Self::Td2, Self::Td3, Self::MrvA, Self::MrvB];

    /// Its name in ICAO's words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Td1 => "TD1",
            Self::Td2 => "TD2",
            Self::Td3 => "TD3",
            Self::MrvA => "MRVA",
            Self::MrvB => "MRVB",
        }
    }

    /// How many lines of how many characters.
    #[must_use]
    pub const fn size(self) -> (usize, usize) {
        match self {
            Self::Td1 => (3, 30),
            Self::Td2 | Self::MrvB => (2, 36),
            Self::Td3 | Self::MrvA => (2, 44),
        }
    }

    /// The format of so many lines of so many characters, given the first character.
    #[must_use]
    pub fn of(lines: usize, columns: usize, first: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|format| format.size() == (lines, columns) && format.is_visa() == (first == b'V'))
            .or_else(|| ((lines, columns) == Self::Td1.size()).then_some(Self::Td1))
    }

    /// Whether it is a visa.
    #[must_use]
    pub const fn is_visa(self) -> bool {
        matches!(self, Self::MrvA | Self::MrvB)
    }

    /// Its fields, in reading order.
    #[must_use]
    pub fn cells(self) -> Vec<Cell> {
        let cell = |field, line, columns: Range<usize>, check: Option<usize>| Cell {
            field,
            at: (line, columns),
            check: check.map(|column| (line, column)),
        };
        if self == Self::Td1 {
            return vec![
                cell(Field::DocumentCode, 0, 0..2, None),
                cell(Field::Issuer, 0, 2..5, None),
                cell(Field::DocumentNumber, 0, 5..14, Some(14)),
                cell(Field::Optional, 0, 15..30, None),
                cell(Field::BirthDate, 1, 0..6, Some(6)),
                cell(Field::Sex, 1, 7..8, None),
                cell(Field::ExpiryDate, 1, 8..14, Some(14)),
                cell(Field::Nationality, 1, 15..18, None),
                cell(Field::Optional2, 1, 18..29, None),
                cell(Field::Names, 2, 0..30, None),
            ];
        }
        let (_, columns) = self.size();
        let (optional, check) = match self {
            Self::Td3 => (28..42, Some(42)),
            Self::Td2 => (28..35, None),
            _ => (28..columns, None),
        };
        vec![
            cell(Field::DocumentCode, 0, 0..2, None),
            cell(Field::Issuer, 0, 2..5, None),
            cell(Field::Names, 0, 5..columns, None),
            cell(Field::DocumentNumber, 1, 0..9, Some(9)),
            cell(Field::Nationality, 1, 10..13, None),
            cell(Field::BirthDate, 1, 13..19, Some(19)),
            cell(Field::Sex, 1, 20..21, None),
            cell(Field::ExpiryDate, 1, 21..27, Some(27)),
            cell(Field::Optional, 1, optional, check),
        ]
    }

    /// What the composite check digit is taken over, in order, and where it stands; `None` for visas.
    #[must_use]
    pub fn composite(self) -> Option<(Vec<Place>, (usize, usize))> {
        match self {
            Self::Td1 => Some((vec![(0, 5..30), (1, 0..7), (1, 8..15), (1, 18..29)], (1, 29))),
            Self::Td2 => Some((vec![(1, 0..10), (1, 13..20), (1, 21..35)], (1, 35))),
            Self::Td3 => Some((vec![(1, 0..10), (1, 13..20), (1, 21..43)], (1, 43))),
            Self::MrvA | Self::MrvB => None,
        }
    }
}

impl Field {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DocumentCode => "document_code",
            Self::Issuer => "issuer",
            Self::DocumentNumber => "document_number",
            Self::BirthDate => "birth_date",
            Self::Sex => "sex",
            Self::ExpiryDate => "expiry_date",
            Self::Nationality => "nationality",
            Self::Names => "names",
            Self::Optional => "optional",
            Self::Optional2 => "optional2",
        }
    }
}
