//! The one answer of every state machine to an event that has no place in its state.

/// An event that a state does not accept; the state stays as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a {what} that is `{state}` cannot take `{event}`; read its present state and decide anew")]
pub struct Refused {
    /// The kind of thing.
    pub what: &'static str,
    /// The state it is in.
    pub state: &'static str,
    /// The event that was refused.
    pub event: &'static str,
}
