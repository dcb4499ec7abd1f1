//! Passkeys as WebAuthn knows them: options for the browser, checks of what comes back. No database, no sessions.
//!
//! The library does the checking. Two things are ours: user verification is always required, and where a request is
//! signed, the challenge is not drawn but made of the request (see `signature`).

use crate::{Error, ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use simwarden_model::AccountId;
use webauthn_rs::prelude::{
    AttestationCaList, AttestedPasskeyRegistration, CredentialID, DiscoverableAuthentication, Passkey,
    PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, Url, Uuid,
    Webauthn, WebauthnBuilder, WebauthnError,
};

/// A site that passkeys cannot be bound to, or roots that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasskeysError {
    /// The address of the site is none that browsers bind passkeys to.
    #[error(
        "`{0}` is no site for passkeys: give the address that people type, https://HOST or http://localhost:PORT, \
         with a name and not a number"
    )]
    Site(String),
    /// A file of roots is no certificate.
    #[error("a root for attestation cannot be read; give certificates in PEM, one in each file")]
    Root,
}

/// The site to which passkeys are bound.
pub struct Passkeys {
    webauthn: Webauthn,
    /// Makers whose word for the hardware of staff's keys is taken.
    roots: Option<AttestationCaList>,
    origin: String,
}

impl std::fmt::Debug for Passkeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Passkeys({})", self.origin)
    }
}

/// A ceremony of enrolment, as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Registration {
    Plain(PasskeyRegistration),
    Attested(AttestedPasskeyRegistration),
}

/// A passkey that was enrolled.
pub(crate) struct Enrolled {
    /// The library's form of it.
    pub key: Value,
    pub credential: Vec<u8>,
    pub synced: bool,
    pub attested: bool,
    pub counter: i64,
}

/// A passkey that signed.
pub(crate) struct Signed {
    /// The library's form of it, with its new count.
    pub key: Value,
    pub counter: i64,
}

/// The library's form of a passkey, read.
pub(crate) fn read_key(key: &Value) -> Result<Passkey, Error> {
    serde_json::from_value(key.clone()).map_err(Error::internal)
}

impl Passkeys {
    /// Opens a site.
    ///
    /// # Errors
    /// When the address is none that browsers bind passkeys to, or a root cannot be read.
    pub fn new(site: &str, roots: &[Vec<u8>]) -> Result<Self, PasskeysError> {
        let wrong = || PasskeysError::Site(site.to_owned());
        let url = Url::parse(site).map_err(|_| wrong())?;
        let host = url.domain().ok_or_else(wrong)?.to_owned();
        let plain = url.scheme() == "https" || (url.scheme() == "http" && host == "localhost");
        if !plain || url.path() != "/" || url.query().is_some() {
            return Err(wrong());
        }
        let webauthn = WebauthnBuilder::new(&host, &url)
            .and_then(|builder| builder.rp_name("simwarden").build())
            .map_err(|_| wrong())?;
        let mut list: Option<AttestationCaList> = None;
        for pem in roots {
            let one = AttestationCaList::try_from(pem.as_slice()).map_err(|_| PasskeysError::Root)?;
            match &mut list {
                Some(all) => all.union(&one),
                None => list = Some(one),
            }
        }
        Ok(Self {
            webauthn,
            roots: list,
            origin: url.origin().ascii_serialization(),
        })
    }

    /// The site, as browsers name it.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Begins an enrolment: options for the browser, and what its answer is checked against. `staff` must come with
    /// keys that stay in one device, vouched for by their maker where makers are listed.
    pub(crate) fn begin_enrolment(
        &self,
        account: AccountId,
        name: &str,
        have: Vec<Vec<u8>>,
        staff: bool,
    ) -> Result<(Value, Value), Error> {
        let id = Uuid::from_bytes(*account.as_bytes());
        let have: Option<Vec<CredentialID>> = Some(have);
        let (options, state) = match (&self.roots, staff) {
            (Some(roots), true) => {
                let (options, state) = self
                    .webauthn
                    .start_attested_passkey_registration(id, name, name, have, roots.clone(), None)
                    .map_err(refused)?;
                (options, Registration::Attested(state))
            }
            _ => {
                let (options, state) = self
                    .webauthn
                    .start_passkey_registration(id, name, name, have)
                    .map_err(refused)?;
                (options, Registration::Plain(state))
            }
        };
        let mut options = serde_json::to_value(options).map_err(Error::internal)?;
        // The browser finds the account by its key: nobody has to type a name, and no answer can tell one.
        options["publicKey"]["authenticatorSelection"]["residentKey"] = "required".into();
        options["publicKey"]["authenticatorSelection"]["requireResidentKey"] = true.into();
        Ok((options, serde_json::to_value(state).map_err(Error::internal)?))
    }

    pub(crate) fn finish_enrolment(
        &self,
        state: Value,
        answer: &Value,
        staff: bool,
    ) -> Result<Enrolled, Error> {
        let state: Registration = serde_json::from_value(state).map_err(Error::internal)?;
        let answer: RegisterPublicKeyCredential = read(answer)?;
        let (key, attested) = match state {
            Registration::Plain(state) => {
                let key = self
                    .webauthn
                    .finish_passkey_registration(&answer, &state)
                    .map_err(refused)?;
                (serde_json::to_value(key), false)
            }
            Registration::Attested(state) => {
                let key = self
                    .webauthn
                    .finish_attested_passkey_registration(&answer, &state)
                    .map_err(refused)?;
                (serde_json::to_value(key), true)
            }
        };
        let key = key.map_err(Error::internal)?;
        let kept = &key["cred"];
        let synced = kept["backup_eligible"].as_bool().unwrap_or(true);
        if staff && synced {
            return Err(refused(WebauthnError::CredentialMayNotBeHardwareBound));
        }
        let counter = kept["counter"].as_i64().unwrap_or(0);
        let credential = read_key(&key)?.cred_id().to_vec();
        Ok(Enrolled {
            key,
            credential,
            synced,
            attested,
            counter,
        })
    }

    /// Begins a sign-in with whichever passkey the person has.
    pub(crate) fn begin_sign_in(&self) -> Result<(Value, Value), Error> {
        let (options, state) = self
            .webauthn
            .start_discoverable_authentication()
            .map_err(refused)?;
        let mut options = serde_json::to_value(options).map_err(Error::internal)?;
        if let Some(options) = options.as_object_mut() {
            // Whether the browser offers the key by itself or is asked is the page's to choose.
            options.remove("mediation");
        }
        Ok((options, serde_json::to_value(state).map_err(Error::internal)?))
    }

    /// Whose passkey answers, before it is believed: the account and the credential id.
    pub(crate) fn who_answers(&self, answer: &Value) -> Result<(AccountId, Vec<u8>), Error> {
        let answer: PublicKeyCredential = read(answer)?;
        let (id, credential) = self
            .webauthn
            .identify_discoverable_authentication(&answer)
            .map_err(refused)?;
        Ok((AccountId::from_bytes(*id.as_bytes()), credential.to_vec()))
    }

    pub(crate) fn finish_sign_in(&self, state: Value, answer: &Value, key: &Value) -> Result<Signed, Error> {
        let state: DiscoverableAuthentication = serde_json::from_value(state).map_err(Error::internal)?;
        let answer: PublicKeyCredential = read(answer)?;
        let mut passkey = read_key(key)?;
        let result = self
            .webauthn
            .finish_discoverable_authentication_v2(&answer, state, &passkey)
            .map_err(refused)?;
        passkey.update_credential(&result);
        signed(&passkey, result.counter())
    }

    /// Begins a signature by one of these passkeys over a challenge of ours.
    pub(crate) fn begin_signature(
        &self,
        keys: &[Value],
        challenge: &[u8; 32],
    ) -> Result<(Value, Value), Error> {
        let keys = keys.iter().map(read_key).collect::<Result<Vec<_>, _>>()?;
        let (options, state) = self
            .webauthn
            .start_passkey_authentication(&keys)
            .map_err(refused)?;
        let mut options = serde_json::to_value(options).map_err(Error::internal)?;
        let mut state = serde_json::to_value(state).map_err(Error::internal)?;
        // The library draws a challenge; the one to be signed is made of the request and 32 random bytes of our own.
        let ours = super::ceremony::base64url(challenge);
        for place in [
            &mut options["publicKey"]["challenge"],
            &mut state["ast"]["challenge"],
        ] {
            if !place.is_string() {
                return Err(Error::internal("the challenge is not where the library keeps it"));
            }
            *place = ours.clone().into();
        }
        Ok((options, state))
    }

    pub(crate) fn finish_signature(
        &self,
        state: Value,
        answer: &Value,
        key: &Value,
    ) -> Result<Signed, Error> {
        let state: PasskeyAuthentication = serde_json::from_value(state).map_err(Error::internal)?;
        let answer: PublicKeyCredential = read(answer)?;
        let mut passkey = read_key(key)?;
        let result = self
            .webauthn
            .finish_passkey_authentication(&answer, &state)
            .map_err(refused)?;
        if passkey.update_credential(&result).is_none() {
            return Err(refused(WebauthnError::CredentialNotFound));
        }
        signed(&passkey, result.counter())
    }
}

fn signed(passkey: &Passkey, counter: u32) -> Result<Signed, Error> {
    Ok(Signed {
        key: serde_json::to_value(passkey).map_err(Error::internal)?,
        counter: i64::from(counter),
    })
}

/// The credential id in a browser's answer.
pub(crate) fn credential_of(answer: &Value) -> Result<Vec<u8>, Error> {
    let answer: PublicKeyCredential = read(answer)?;
    Ok(answer.raw_id.to_vec())
}

fn read<T: serde::de::DeserializeOwned>(answer: &Value) -> Result<T, Error> {
    serde_json::from_value(answer.clone()).map_err(|_| {
        Error::invalid(
            "credential_malformed",
            "`credential`: send what the browser answered, with its bytes in base64url",
        )
    })
}

/// The code of a passkey whose count went backwards.
pub(crate) const CLONED: &str = "passkey_cloned";

/// What the library found wrong, in words of ours.
fn refused(error: WebauthnError) -> Error {
    let (code, message) = match &error {
        WebauthnError::MismatchedChallenge | WebauthnError::ChallengeNotFound => (
            "challenge_mismatch",
            "this answers another challenge: begin again",
        ),
        WebauthnError::InvalidRPOrigin | WebauthnError::CredentialCrossOrigin => (
            "wrong_origin",
            "this was signed on another site: leave that site, it may be a forgery",
        ),
        WebauthnError::InvalidRPIDHash => ("wrong_site", "this passkey belongs to another site"),
        WebauthnError::UserNotVerified | WebauthnError::UserNotPresent => (
            "user_not_verified",
            "unlock the passkey with a finger, a face or its PIN: touching it is not enough",
        ),
        WebauthnError::CredentialPossibleCompromise => (
            CLONED,
            "this passkey has a copy somewhere; it is barred, sign in with another one and remove it",
        ),
        WebauthnError::CredentialMayNotBeHardwareBound => (
            "passkey_synced",
            "this passkey can be copied to other devices; take one that stays in one device",
        ),
        WebauthnError::CredentialNotFound
        | WebauthnError::CredentialExcludedFromRequest
        | WebauthnError::CredentialAlreadyExists => {
            ("passkey_unknown", "this passkey is not one that was asked for")
        }
        WebauthnError::AttestationChainNotTrusted(_)
        | WebauthnError::AttestationTrustFailure
        | WebauthnError::AttestationUntrustedAaguid
        | WebauthnError::AttestationNotVerifiable
        | WebauthnError::AttestationNotSupported
        | WebauthnError::AttestationLeafCertMissing
        | WebauthnError::AttestationStatementResponseMissing => (
            "attestation_refused",
            "the maker of this key is not one that is trusted here",
        ),
        WebauthnError::Configuration => return Error::internal("passkeys are configured wrongly"),
        _ => (
            "passkey_refused",
            "the passkey's answer does not hold: begin again",
        ),
    };
    tracing::debug!(?error, code, "a passkey's answer was refused");
    Error::new(ErrorKind::Forbidden, code, message)
}

#[cfg(test)]
mod tests {
    use super::{Passkeys, PasskeysError};

    #[test]
    fn a_site_has_a_name_and_https_or_is_this_machine() {
        for site in [
            "https://sim.example.kh",
            "http://localhost:8080",
            "https://sim.example.kh/",
        ] {
            assert!(Passkeys::new(site, &[]).is_ok(), "{site}");
        }
        for site in [
            "http://sim.example.kh",
            "https://192.0.2.1",
            "http://127.0.0.1:8080",
            "sim",
            "https://a.b/c",
        ] {
            assert_eq!(
                Passkeys::new(site, &[]).unwrap_err(),
                PasskeysError::Site(site.to_owned()),
                "{site}"
            );
        }
        assert_eq!(
            Passkeys::new("https://a.example", &[b"x".to_vec()]).unwrap_err(),
            PasskeysError::Root
        );
    }
}
