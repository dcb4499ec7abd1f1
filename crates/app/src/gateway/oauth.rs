//! Errors of the authorisation server, RFC 6749 5.2 and OpenID CIBA 11 and 13.

use crate::Error;

/// What the client is told.
#[derive(Debug, Clone)]
pub enum OAuthError {
    /// An error of the protocol.
    Protocol {
        /// 400, 401 or 403.
        status: u16,
        /// The registered word.
        error: &'static str,
        /// What is wrong and what to do.
        description: &'static str,
    },
    /// A fault of ours.
    App(Error),
}

impl OAuthError {
    /// The client did not prove who it is.
    #[must_use]
    pub const fn client(description: &'static str) -> Self {
        Self::Protocol {
            status: 401,
            error: "invalid_client",
            description,
        }
    }

    /// Any other error of the protocol.
    #[must_use]
    pub const fn bad(error: &'static str, description: &'static str) -> Self {
        Self::Protocol {
            status: 400,
            error,
            description,
        }
    }

    pub(super) const fn scope() -> Self {
        Self::bad(
            "invalid_scope",
            "name scopes that this client may have, and one purpose (`dpv:…`)",
        )
    }

    pub(super) const fn grant() -> Self {
        Self::bad("unauthorized_client", "this client may not use this grant")
    }

    pub(super) const fn consent() -> Self {
        Self::bad(
            "invalid_grant",
            "the subscriber is not known or has not agreed to this purpose",
        )
    }
}

impl From<Error> for OAuthError {
    fn from(error: Error) -> Self {
        Self::App(error)
    }
}
impl From<simwarden_store::StoreError> for OAuthError {
    fn from(error: simwarden_store::StoreError) -> Self {
        Self::App(error.into())
    }
}
