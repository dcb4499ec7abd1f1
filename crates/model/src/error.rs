//! Why a text is no identifier.

/// Why a text is no identifier. No message repeats the text: it may be somebody's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Too few or too many digits (or characters, for a document number).
    #[error(
        "{what} has {min} to {max} characters after spaces and hyphens are taken out; this one has {got}"
    )]
    Length {
        /// The kind of identifier.
        what: &'static str,
        /// Fewest characters.
        min: usize,
        /// Most characters.
        max: usize,
        /// How many were given; counting stops at `max` + 1.
        got: usize,
    },
    /// A character that the identifier cannot contain.
    #[error("{what} cannot contain the character at position {position}; use digits only")]
    Character {
        /// The kind of identifier.
        what: &'static str,
        /// Which character, counted from 1.
        position: usize,
    },
    /// The number does not begin as its kind must.
    #[error("{what} must begin with {expected}")]
    Prefix {
        /// The kind of identifier.
        what: &'static str,
        /// What it must begin with, in words.
        expected: &'static str,
    },
    /// The check digit or digits do not fit: a typing error, most likely.
    #[error("the check digit of {what} does not fit; compare it with the original, a digit is wrong")]
    CheckDigit {
        /// The kind of identifier.
        what: &'static str,
    },
    /// A phone number that the numbering plan cannot contain.
    #[error("this is no phone number that can be dialled; write it as +855 12 345 678 or 012 345 678")]
    PhoneNumber,
    /// A country or region code that is not known.
    #[error("{what} is not known; use a code of {expected}")]
    Region {
        /// What was looked for.
        what: &'static str,
        /// The list of codes to use.
        expected: &'static str,
    },
}

/// Whether the check digit of a number fits, where somebody better placed vouches for the number itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckDigit {
    /// It fits.
    Ok,
    /// It does not fit.
    Failed,
}

impl CheckDigit {
    pub(crate) const fn of(fits: bool) -> Self {
        if fits { Self::Ok } else { Self::Failed }
    }

    /// Whether the check digit fits.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        matches!(self, Self::Ok)
    }
}
