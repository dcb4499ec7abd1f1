//! Why the gateway does not answer what it was asked. The edge gives each its status and its official code.

use crate::Error;

/// Why not.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Denied {
    /// No valid token, whatever the reason.
    #[error("the access token is missing, unknown, expired or taken back; ask for a new one")]
    Unauthenticated,
    /// The token does not allow this.
    #[error("{0}")]
    Permission(&'static str),
    /// The client has used up what it may ask.
    #[error("the quota of this client is used up")]
    Quota,
    /// The client asks too fast.
    #[error("this client asks too fast; wait, then go on")]
    TooMany {
        /// Seconds to wait.
        retry_after_s: u64,
    },
    /// A field is malformed.
    #[error("{0}")]
    Argument(String),
    /// A field is well-formed and outside of what is allowed.
    #[error("{0}")]
    Range(String),
    /// The number says something else than the token.
    #[error("the phone number is not the one that the access token stands for")]
    TokenContext,
    /// A number is needed.
    #[error("send `phoneNumber`: the access token stands for no line")]
    MissingIdentifier,
    /// A number is sent where the token says it.
    #[error("leave `phoneNumber` out: the access token stands for the line")]
    UnnecessaryIdentifier,
    /// We do not have this number.
    #[error("this phone number is not one of ours")]
    IdentifierNotFound,
    /// There is no such thing.
    #[error("{0}")]
    NotFound(&'static str),
    /// The line is of a kind that this cannot be said of.
    #[error("{0}")]
    NotApplicable(&'static str),
    /// Nothing was sent to be compared.
    #[error("send at least one attribute to be compared")]
    Combination,
    /// The owner's record is compared only with their document.
    #[error("`idDocument` is needed to compare this customer's record")]
    IdDocumentRequired,
    /// The document is not theirs.
    #[error("`idDocument` is not the one on file")]
    IdDocumentMismatch,
    /// The network did not tell which line it is.
    #[error("the token must come from authentication by the network or the SIM")]
    NotByNetwork,
    /// Too many wrong codes.
    #[error("too many wrong codes were given; send a new one")]
    OtpFailed,
    /// The code is over.
    #[error("the code has expired, was used or was replaced by a newer one")]
    OtpExpired,
    /// The code is wrong.
    #[error("the code is wrong")]
    OtpInvalid,
    /// Too many codes to one number.
    #[error("too many codes were sent to this number; wait")]
    OtpTooMany,
    /// The number takes no text messages.
    #[error("this number takes no text messages")]
    NumberNotAllowed,
    /// The number is barred, or its SIM was changed a moment ago.
    #[error("no code is sent to this number: it is barred, or its SIM was changed a short while ago")]
    NumberBlocked,
    /// Only HTTP.
    #[error("`protocol` can only be HTTP")]
    Protocol,
    /// Only access tokens.
    #[error("`credentialType` can only be ACCESSTOKEN")]
    Credential,
    /// Only bearer tokens.
    #[error("`accessTokenType` can only be bearer")]
    TokenType,
    /// The sink is not registered.
    #[error("`sink` is not below an address that was registered for this client")]
    Sink,
    /// The client may not have these scopes for this purpose.
    #[error("these scopes are not granted to this client for this purpose")]
    ScopesPurpose,
    /// The callback is not registered.
    #[error("`callbackUrl` was not registered for this client")]
    Callback,
    /// The subscriber was asked a moment ago.
    #[error("the subscriber was asked for this a short while ago")]
    CaptureFrequency,
    /// The same stands already, often enough.
    #[error("this subscription exists already")]
    AlreadyExists,
    /// Too many of them.
    #[error("{0}")]
    Full(&'static str),
    /// A fault of ours.
    #[error(transparent)]
    App(#[from] Error),
}

impl From<simwarden_store::StoreError> for Denied {
    fn from(error: simwarden_store::StoreError) -> Self {
        Self::App(error.into())
    }
}
