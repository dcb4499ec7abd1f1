//! Writes the machine-readable zone of a document, all check digits included: for drills, tests and comparisons.

use super::check_digit;
use super::layout::{Field, Format};
use super::mrz::Mrz;
use super::names;
use thiserror::Error;

/// What stands in a machine-readable zone. Text is written in capitals after the ICAO transliteration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// `P`, `ID`, `V` …
    pub document_code: String,
    /// Three letters, or `D`.
    pub issuer: String,
    /// Capital letters and digits; longer than nine only on TD1 and TD2.
    pub document_number: String,
    /// YYMMDD, unknown parts as `<`.
    pub birth_date: String,
    /// F, M or empty.
    pub sex: String,
    /// YYMMDD.
    pub expiry_date: String,
    /// Three letters, or `D`.
    pub nationality: String,
    /// Surname; several words parted by spaces.
    pub surname: String,
    /// Given names, parted by spaces.
    pub given_names: String,
    /// The issuer's own field.
    pub optional: String,
    /// The second one of a TD1.
    pub optional2: String,
}

/// Why content does not fit into a zone.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum EmitError {
    /// Too long.
    #[error("the field {0} is too long for this format")]
    TooLong(&'static str),
    /// A character that the zone does not have.
    #[error("the field {0} holds a character other than letters, digits and <")]
    Character(&'static str),
}

/// The text of a field in exactly `width` characters.
fn fill(field: Field, text: &str, width: usize) -> Result<Vec<u8>, EmitError> {
    let mut bytes: Vec<u8> = text.bytes().map(|b| if b == b' ' { b'<' } else { b }).collect();
    if bytes.iter().any(|b| check_digit::value(*b).is_none()) {
        return Err(EmitError::Character(field.name()));
    }
    if bytes.len() > width {
        return Err(EmitError::TooLong(field.name()));
    }
    bytes.resize(width, b'<');
    Ok(bytes)
}

/// Surname and given names, cut to the width as 9303-3 section 4.6 allows: from the end, the surname never wholly.
fn name_field(content: &Content, width: usize) -> Result<Vec<u8>, EmitError> {
    let surname = names::to_mrz(&content.surname).replace(' ', "<");
    let given = names::to_mrz(&content.given_names).replace(' ', "<");
    let mut text = if given.is_empty() {
        surname
    } else {
        format!("{surname}<<{given}")
    };
    text.truncate(width);
    fill(Field::Names, &text, width)
}

/// Writes the zone.
///
/// # Errors
/// [`EmitError`] when a field does not fit.
pub fn emit(format: Format, content: &Content) -> Result<Mrz, EmitError> {
    let (count, columns) = format.size();
    let mut lines = vec![vec![b'<'; columns]; count];
    let mut number = content.document_number.clone();
    let mut optional = content.optional.clone();
    let mut long = false;
    if number.len() > 9 && matches!(format, Format::Td1 | Format::Td2) {
        let digit = check_digit::over(number.as_bytes()).ok_or(EmitError::Character("document_number"))?;
        let rest = number.split_off(9);
        let more = if optional.is_empty() {
            String::new()
        } else {
            format!("<{optional}")
        };
        optional = format!("{rest}{}{more}", char::from(digit));
        long = true;
    }
    for cell in format.cells() {
        let width = cell.at.1.len();
        let text = match cell.field {
            Field::Names => name_field(content, width)?,
            Field::DocumentCode => fill(cell.field, &content.document_code, width)?,
            Field::Issuer => fill(cell.field, &content.issuer, width)?,
            Field::DocumentNumber => fill(cell.field, &number, width)?,
            Field::BirthDate => fill(cell.field, &content.birth_date, width)?,
            Field::Sex => fill(cell.field, &content.sex, width)?,
            Field::ExpiryDate => fill(cell.field, &content.expiry_date, width)?,
            Field::Nationality => fill(cell.field, &content.nationality, width)?,
            Field::Optional => fill(cell.field, &optional, width)?,
            Field::Optional2 => fill(cell.field, &content.optional2, width)?,
        };
        if let Some((line, column)) = cell.check
            && !(long && cell.field == Field::DocumentNumber)
        {
            lines[line][column] = check_digit::over(&text).unwrap_or(b'<');
        }
        lines[cell.at.0][cell.at.1].copy_from_slice(&text);
    }
    if let Some((places, (line, column))) = format.composite() {
        let covered: Vec<u8> = places
            .iter()
            .flat_map(|(line, range)| lines[*line][range.clone()].iter().copied())
            .collect();
        lines[line][column] = check_digit::over(&covered).unwrap_or(b'<');
    }
    Ok(Mrz::from_lines(format, lines))
}
