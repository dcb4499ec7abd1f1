//! Accounts and sign-in: passkeys first, a password with a second factor beside them, sessions, recovery.
//!
//! What a sign-in is worth for an operation is not said here: a session only says who asks. Every sensitive step takes
//! evidence of its own, a passkey's signature over this very request among it (`signature`).
//!
//! **Architecture invariants:** a challenge takes one answer; asking for a challenge writes nothing; no answer tells
//! whether an account exists; nobody can lock the owner out by guessing; no factor that travels with the SIM is known
//! here, so none can be offered.

mod account;
mod ceremony;
mod deny;
mod desk;
mod enrol;
mod guess;
mod manage;
mod marks;
mod password;
mod relying_party;
mod session;
mod sign_in;
mod signature;
mod tell;
mod view;
pub(crate) mod world;

pub(crate) use enrol::freshly_signed_in;
pub(crate) use signature::{Verified, has_settled_passkey};
pub(crate) use tell::{Happened, tell_holder};

pub use account::{INVITATION_LIFE, Invited, NewAccount};
pub(crate) use deny::deny_link;
pub(crate) use desk::Desk;
pub use enrol::Enrol;
pub use marks::Whereabouts;
pub use password::PasswordSignIn;
pub use relying_party::{Passkeys, PasskeysError};
pub use session::{SESSION_PREFIX, Signs};
pub use sign_in::SignedIn;
pub use signature::{Sign, Signature};
pub use view::{AccountView, Begun, PasskeyView, SessionView};
