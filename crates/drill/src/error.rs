//! What can go wrong while the drill plays; a refusal by the server is an answer, not a fault.

/// Why a scene could not go on.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// The server refused the request.
    #[error("the server answered {status} `{code}`: {detail}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The problem's code.
        code: String,
        /// What it says.
        detail: String,
    },
    /// The server could not be reached, or answered something that is no answer.
    #[error("{0}; is the server running, and is this its address?")]
    Transport(String),
    /// The stage could not be set: a token, a person, a line.
    #[error("the stage could not be set: {0}")]
    Setup(String),
    /// Something that should happen did not happen in time.
    #[error("waited {seconds} s in vain: {what}")]
    Late {
        /// What was waited for.
        what: String,
        /// How long.
        seconds: u64,
    },
    /// The story took another turn than it must.
    #[error("{0}")]
    Turn(String),
}

impl From<simwarden_app::Error> for DrillError {
    fn from(error: simwarden_app::Error) -> Self {
        Self::Setup(format!("{}: {error}", error.code))
    }
}

impl From<simwarden_store::StoreError> for DrillError {
    fn from(error: simwarden_store::StoreError) -> Self {
        Self::Setup(error.to_string())
    }
}
