//! The one error type of the crate. A message says what is wrong and, where the reader can act, what to do.

use thiserror::Error;

/// The result of every fallible function of this crate.
pub type Result<T, E = EuiccError> = core::result::Result<T, E>;

/// What can be wrong with bytes, keys, certificates, or with what is asked of the chip.
///
/// A refusal that SGP.22 gives a code for is no error here: the chip answers it with that code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EuiccError {
    /// Bytes that do not follow their form.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// Another element stands where one was wanted.
    #[error("expected the element {wanted:X}, got {}", got.map_or("none".to_owned(), |it| format!("{it:X}")))]
    Unexpected {
        /// The tag that should stand here.
        wanted: u32,
        /// The tag that does.
        got: Option<u32>,
    },
    /// The chip knows no such function.
    #[error("the chip has no function {0:X}")]
    UnknownFunction(u32),
    /// The command does not fit the moment, such as a segment of a package when none is being loaded.
    #[error("not now: {0}")]
    OutOfOrder(&'static str),
    /// Power was cut (a fault that was asked for); `power_cycle` brings the chip back.
    #[error("the chip has no power: call power_cycle")]
    NoPower,
    /// A key that cannot be used.
    #[error("unusable key: {0}")]
    Key(&'static str),
    /// A certificate that cannot be made or read.
    #[error("certificate: {0}")]
    Certificate(String),
    /// An activation code that does not follow SGP.22 4.1.
    #[error("activation code: {0}; it looks like LPA:1$smdp.example.com$MATCHING-ID")]
    ActivationCode(&'static str),
    /// A command or a state above what the chip is willing to keep.
    #[error("{what}: over the limit of {max}")]
    TooLarge {
        /// What was measured, with its unit.
        what: &'static str,
        /// The largest size accepted.
        max: usize,
    },
    /// The line of the APDU channel broke.
    #[error("the APDU channel broke: {0}")]
    Channel(String),
}
