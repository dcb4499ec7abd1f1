//! How much a name counts: how near it is, how much of it is a brand's own, and what its place says.

use super::terms::Term;
use super::verdict::Verdict;
use super::words::Row;

/// What the place of a name says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Under an ending of the brand's own that few others use (`com.kh`).
    pub near: bool,
    /// Under the same ending as an official domain.
    pub same: bool,
    /// Under an ending for throw-away names, or on free hosting.
    pub cheap: bool,
}

/// How a name was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Writing {
    pub halves: u8,
    pub exotic: bool,
    pub hyphens: bool,
    pub identical: bool,
}

const DANGEROUS: Option<Verdict> = Some(Verdict::Dangerous);
const SUSPICIOUS: Option<Verdict> = Some(Verdict::Suspicious);

/// A label that is a name or nearly one.
pub(super) fn near_verdict(term: &Term, writing: Writing, place: Place, label: &str) -> Option<Verdict> {
    let length = term.text.len();
    if term.squashed {
        return match () {
            () if writing.halves > 0 => None,
            () if !term.generic || place.near => DANGEROUS,
            () if place.same || place.cheap => SUSPICIOUS,
            () => None,
        };
    }
    if term.world {
        return match writing.halves {
            _ if term.weak => None,
            0 if !writing.identical || writing.hyphens => DANGEROUS,
            0 if place.cheap => SUSPICIOUS,
            1 | 2 if writing.exotic || place.cheap => SUSPICIOUS,
            _ => None,
        };
    }
    match writing.halves {
        0 => same_verdict(term, writing, place),
        // Numbers with few letters resemble anything.
        _ if label.bytes().filter(u8::is_ascii_digit).count() > 2 => None,
        1 | 2 => misspelt_verdict(term, writing, place, label),
        3 if length >= 6 && (place.near || writing.exotic) => SUSPICIOUS,
        3 | 4 if term.own >= 8 && !term.generic && first_is_same(term, label) => SUSPICIOUS,
        4 if length >= 7 && place.near => SUSPICIOUS,
        _ => None,
    }
}

fn first_is_same(term: &Term, label: &str) -> bool {
    label.as_bytes().first() == term.text.as_bytes().first()
}

/// The name itself, or what looks the same.
fn same_verdict(term: &Term, writing: Writing, place: Place) -> Option<Verdict> {
    let length = term.text.len();
    match (writing.identical, writing.hyphens) {
        _ if place.near => DANGEROUS,
        (true, false) => match () {
            () if !term.weak && (length >= 8 || place.cheap) => DANGEROUS,
            () if !term.weak || (!term.generic && length >= 4) => SUSPICIOUS,
            () if place.cheap && (length >= 4 || !term.generic) => SUSPICIOUS,
            () => None,
        },
        (true, true) => match () {
            () if !term.weak => DANGEROUS,
            () if place.cheap || (place.same && !term.generic) => SUSPICIOUS,
            () => None,
        },
        (false, _) => match () {
            () if !term.weak || (writing.exotic && length >= 4) => DANGEROUS,
            () if writing.exotic || place.same || place.cheap => SUSPICIOUS,
            () => None,
        },
    }
}

/// One edit away.
fn misspelt_verdict(term: &Term, writing: Writing, place: Place, label: &str) -> Option<Verdict> {
    let length = term.text.len();
    let first = first_is_same(term, label);
    let some_sign = place.same || place.cheap || writing.exotic;
    match length {
        6.. if place.near => DANGEROUS,
        8.. if !term.generic && term.own >= 6 => DANGEROUS,
        6.. if !term.generic && term.own >= 5 && some_sign => DANGEROUS,
        7.. if !term.generic && term.own >= 7 && first => SUSPICIOUS,
        6.. if !term.generic && some_sign => SUSPICIOUS,
        5.. if place.near => DANGEROUS,
        5 if writing.exotic || (place.same && first && !term.generic) => SUSPICIOUS,
        3.. if place.near => SUSPICIOUS,
        4.. if writing.exotic => SUSPICIOUS,
        _ => None,
    }
}

/// A name with something before or behind it. `row` is that something, when it is a row of known words.
pub(super) fn affix_verdict(
    term: &Term,
    row: Option<Row>,
    alone: bool,
    place: Place,
    native: bool,
    exotic: bool,
) -> Option<Verdict> {
    let length = term.text.len();
    let strong = row.map_or(0, |r| r.strong);
    if term.world {
        return match row {
            Some(_) if term.weak => None,
            Some(_) if strong > 0 && (place.cheap || exotic) => DANGEROUS,
            Some(_) if strong > 1 => SUSPICIOUS,
            _ => None,
        };
    }
    if row.is_none() {
        return match () {
            () if term.weak => None,
            () if term.own >= 6 && (length >= 8 || place.near || place.cheap) => SUSPICIOUS,
            () if alone && (length >= 7 || place.cheap || place.near) => SUSPICIOUS,
            () => None,
        };
    }
    match () {
        () if !term.weak && (length >= 8 || strong > 0 || place.cheap || place.near) => DANGEROUS,
        () if !term.weak => SUSPICIOUS,
        () if place.near && (strong > 0 || (length >= 5 && !term.generic)) => DANGEROUS,
        () if place.near && alone => SUSPICIOUS,
        () if term.generic && strong > 0 && native => SUSPICIOUS,
        () if term.generic && strong > 1 && place.cheap && length >= 4 => SUSPICIOUS,
        () if term.generic && strong > 0 && alone && place.cheap => SUSPICIOUS,
        () if term.generic => None,
        () if strong > 0 && place.cheap => DANGEROUS,
        () if strong > 0 || (length >= 5 && (alone || place.cheap)) => SUSPICIOUS,
        () => None,
    }
}
