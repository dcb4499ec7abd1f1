//! May a machine-readable zone be taken as read? Every reason against it, in words.
//!
//! "Accepted" says that the zone is whole, consistent and, on a given day, in force. It is not a statement about the
//! document it is printed on: anyone can print consistent digits.

use super::countries;
use super::issuers;
use super::layout::{Field, Format};
use super::mrz::Mrz;
use jiff::ToSpan as _;
use jiff::civil::Date;

/// Why a zone is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A check digit does not fit: misread, mistyped or altered.
    CheckDigit(&'static str),
    /// The document code is none of the format's.
    DocumentCode,
    /// The issuer is in no list of ICAO.
    Issuer,
    /// The nationality is in no list of ICAO.
    Nationality,
    /// Neither F, M nor unspecified.
    Sex,
    /// There is no such day.
    BirthDate,
    /// There is no such day.
    ExpiryDate,
    /// Not the form of a name: it must begin with a letter, hold letters only, and nothing follows three fillers.
    Names,
    /// The document number is empty.
    DocumentNumber,
    /// The document is past its last day.
    Expired,
    /// Issued by the state of specimens.
    Specimen,
    /// Not like the issuing country's documents.
    Unlike(&'static str),
}

impl Reason {
    /// A stable code for machines.
    #[must_use]
    pub fn code(&self) -> String {
        match self {
            Self::CheckDigit(name) => format!("check_digit_{name}"),
            Self::DocumentCode => "document_code_unknown".to_owned(),
            Self::Issuer => "issuer_unknown".to_owned(),
            Self::Nationality => "nationality_unknown".to_owned(),
            Self::Sex => "sex_malformed".to_owned(),
            Self::BirthDate => "birth_date_impossible".to_owned(),
            Self::ExpiryDate => "expiry_date_impossible".to_owned(),
            Self::Names => "names_malformed".to_owned(),
            Self::DocumentNumber => "document_number_missing".to_owned(),
            Self::Expired => "expired".to_owned(),
            Self::Specimen => "specimen".to_owned(),
            Self::Unlike(_) => "unlike_issuer".to_owned(),
        }
    }

    /// One sentence for people.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::CheckDigit(name) => {
                format!("the check digit of {name} does not fit: misread, mistyped or altered; read it again")
            }
            Self::DocumentCode => "no document of this size begins with this code".to_owned(),
            Self::Issuer => "no state or organisation issues documents under this code".to_owned(),
            Self::Nationality => "no nationality has this code".to_owned(),
            Self::Sex => "the sex is neither F, M nor a filler".to_owned(),
            Self::BirthDate => "there is no such birth date".to_owned(),
            Self::ExpiryDate => "there is no such last day".to_owned(),
            Self::Names => "the names are not written as names in a machine-readable zone".to_owned(),
            Self::DocumentNumber => "the document number is missing".to_owned(),
            Self::Expired => "the document has expired".to_owned(),
            Self::Specimen => "the document is a specimen".to_owned(),
            Self::Unlike(why) => (*why).to_owned(),
        }
    }
}

/// What a review found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Why it is not accepted; empty when it is.
    pub reasons: Vec<Reason>,
    /// What a person should know of an accepted one.
    pub notes: Vec<String>,
    /// The birth date with its century, when a day was given and the date is whole.
    pub birth_date: Option<Date>,
    /// The last day with its century, when a day was given.
    pub expiry_date: Option<Date>,
    /// Whole years of age on the given day; the least possible when parts of the birth date are unknown.
    pub age_years: Option<i16>,
}

impl Review {
    /// Whether nothing speaks against it.
    #[must_use]
    pub const fn accepted(&self) -> bool {
        self.reasons.is_empty()
    }
}

/// A date of two-digit year; month and day may be unknown.
struct ShortDate {
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
}

impl ShortDate {
    /// `None` when there is no such day in any century, or the year is unknown.
    fn read(text: &str) -> Option<Self> {
        let part = |at: std::ops::Range<usize>| -> Option<Option<i8>> {
            match text.get(at)? {
                "<<" => Some(None),
                digits if digits.bytes().all(|b| b.is_ascii_digit()) => digits.parse().ok().map(Some),
                _ => None,
            }
        };
        let (year, month, day) = (part(0..2)??, part(2..4)?, part(4..6)?);
        if month.is_none() && day.is_some() {
            return None;
        }
        let date = Self {
            year: i16::from(year),
            month,
            day,
        };
        // 29 February exists in the same two-digit years of all centuries but 1900's; the century is judged later.
        date.latest(2000).map(|_| date)
    }

    /// The latest day that it can mean, in a century.
    fn latest(&self, century: i16) -> Option<Date> {
        let month = self.month.unwrap_or(12);
        match self.day {
            Some(day) => Date::new(century + self.year, month, day).ok(),
            None => Date::new(century + self.year, month, 1)
                .ok()
                .map(Date::last_of_month),
        }
    }
}

/// Reviews a zone. Without a day, only what is written is judged; with a day, also whether the document is in force
/// on it and is no specimen.
#[must_use]
pub fn review(mrz: &Mrz, on: Option<Date>) -> Review {
    let mut review = Review {
        reasons: written(mrz),
        notes: Vec::new(),
        birth_date: None,
        expiry_date: None,
        age_years: None,
    };
    if [Field::Issuer, Field::Nationality]
        .iter()
        .any(|f| mrz.field(*f) == countries::SPECIMEN)
    {
        match on {
            Some(_) => review.reasons.push(Reason::Specimen),
            None => review.notes.push(Reason::Specimen.words()),
        }
    }
    if let Some(issuer) = issuers::of(&mrz.field(Field::Issuer)) {
        review
            .reasons
            .extend((issuer.unlike)(mrz).into_iter().map(Reason::Unlike));
    }
    match on {
        Some(on) => in_force(mrz, on, &mut review),
        None => review
            .notes
            .push("dates were not judged: no day was given".to_owned()),
    }
    review
}

/// What speaks against the zone as it is written.
fn written(mrz: &Mrz) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = mrz
        .checks()
        .into_iter()
        .filter(|check| !check.fits)
        .map(|check| Reason::CheckDigit(check.name()))
        .collect();
    let code = mrz.raw(Field::DocumentCode).into_bytes();
    let first = match mrz.format() {
        Format::Td1 | Format::Td2 => b"ACI" as &[u8],
        Format::Td3 => b"P",
        Format::MrvA | Format::MrvB => b"V",
    };
    if !first.contains(&code[0]) || code[1].is_ascii_digit() {
        reasons.push(Reason::DocumentCode);
    }
    let listed = |field| {
        let code = mrz.field(field);
        countries::known(&code) || code == countries::SPECIMEN
    };
    if !listed(Field::Issuer) {
        reasons.push(Reason::Issuer);
    }
    if !listed(Field::Nationality) {
        reasons.push(Reason::Nationality);
    }
    if !matches!(mrz.raw(Field::Sex).as_str(), "F" | "M" | "<") {
        reasons.push(Reason::Sex);
    }
    let birth = mrz.raw(Field::BirthDate);
    if birth != "<<<<<<" && ShortDate::read(&birth).is_none() {
        reasons.push(Reason::BirthDate);
    }
    let expiry = mrz.raw(Field::ExpiryDate);
    if expiry != "<<<<<<" && ShortDate::read(&expiry).is_none() {
        reasons.push(Reason::ExpiryDate);
    }
    if !names_well_formed(&mrz.raw(Field::Names)) {
        reasons.push(Reason::Names);
    }
    if mrz.field(Field::DocumentNumber).is_empty() {
        reasons.push(Reason::DocumentNumber);
    }
    reasons
}

fn names_well_formed(raw: &str) -> bool {
    let letters = raw.bytes().all(|b| b == b'<' || b.is_ascii_uppercase());
    let after = raw
        .split_once("<<<")
        .is_none_or(|(_, rest)| rest.bytes().all(|b| b == b'<'));
    letters && after && raw.starts_with(|c: char| c.is_ascii_uppercase())
}

/// Ages and last days on a given day.
fn in_force(mrz: &Mrz, on: Date, review: &mut Review) {
    if let Some(date) = ShortDate::read(&mrz.raw(Field::BirthDate)) {
        // The last century in which the birth is not in the future.
        let born = [2000, 1900]
            .into_iter()
            .filter_map(|century| date.latest(century))
            .find(|born| *born <= on);
        match born {
            None => review.reasons.push(Reason::BirthDate),
            Some(born) => {
                review.birth_date = date.day.and(Some(born));
                review.age_years = born
                    .until((jiff::Unit::Year, on))
                    .ok()
                    .map(|span| span.get_years());
            }
        }
    } else {
        review
            .notes
            .push("the birth date is unknown to the issuer".to_owned());
    }
    let Some(date) = ShortDate::read(&mrz.raw(Field::ExpiryDate)) else {
        review.notes.push("the document names no last day".to_owned());
        return;
    };
    // The century that puts the day within fifty years of the given one.
    let far = 50.years();
    let expiry = [2000, 1900, 2100]
        .into_iter()
        .filter_map(|century| date.latest(century))
        .find(|day| {
            on.checked_sub(far).is_ok_and(|from| *day > from)
                && on.checked_add(far).is_ok_and(|to| *day <= to)
        });
    review.expiry_date = expiry;
    match expiry {
        Some(day) if day >= on => {}
        Some(_) => review.reasons.push(Reason::Expired),
        None => review.reasons.push(Reason::ExpiryDate),
    }
}
