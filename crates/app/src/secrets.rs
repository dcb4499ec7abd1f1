//! What is sealed in the rows: the personal part of parties, lines, profiles and operations, as JSON under a key.

use crate::Error;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use simwarden_model::Entropy;
use simwarden_store::records::subject_key::SubjectKeyRow;
use simwarden_store::{KeyError, Keyring, SubjectKey};

/// The personal part of a party.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartySecret {
    /// Full name, or the company's.
    pub name: String,
    /// Country that issued the document, ISO 3166-1 alpha-3.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub document_country: Option<String>,
    /// `national_id`, `passport` …
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub document_kind: Option<String>,
    /// Its number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub document_number: Option<String>,
}

/// The personal part of a line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineSecret {
    /// The number, E.164 digits without `+`.
    pub msisdn: String,
    /// A phone number for notices, another than the line's own.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub contact_phone: Option<String>,
    /// A mail address for notices.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub contact_email: Option<String>,
    /// The contact before it was changed: hears of every change for a while.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub old_contact: Option<String>,
    /// `km`, `en`, `zh`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub language: Option<String>,
    /// Where calls are forwarded to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub forward_to: Option<String>,
}

/// The personal part of a profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileSecret {
    /// Its number, with check digit.
    pub iccid: String,
    /// The subscriber identity.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub imsi: Option<String>,
    /// The chip.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub eid: Option<String>,
    /// The phone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub imei: Option<String>,
}

/// The personal part of what an operation asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// The chip that the profile shall go to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub eid: Option<String>,
    /// The phone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub imei: Option<String>,
    /// The number of a line to register.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub msisdn: Option<String>,
    /// The new contact phone.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub contact_phone: Option<String>,
    /// The new contact address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub contact_email: Option<String>,
    /// Where calls shall go; none takes forwarding away.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub forward_to: Option<String>,
}

/// What kind of row a ciphertext belongs to: bound to it, so that it cannot be moved to another.
#[derive(Debug, Clone, Copy)]
pub enum Of {
    /// A party.
    Party,
    /// A line.
    Line,
    /// A profile.
    Profile,
    /// An operation.
    Operation,
    /// A factor.
    Factor,
    /// A notice on its way.
    Notice,
    /// A download order.
    SmdpOrder,
    /// A chip's session.
    SmdpSession,
    /// An unprotected profile.
    SmdpProfile,
    /// A profile under random keys.
    SmdpPrepared,
    /// The last sighting of a chip.
    SmdpChip,
    /// An account.
    Account,
    /// A passkey.
    Passkey,
    /// A session.
    Session,
    /// A signature over a request, as it stands on the ledger.
    Signature,
    /// The owner's record, as the gateway compares it.
    GatewayKyc,
    /// Where a client of the gateway is told of a line.
    GatewayWatch,
    /// An event on its way to a client.
    GatewayEvent,
}

impl Of {
    pub(crate) fn context(self, id: &[u8; 16]) -> [u8; 17] {
        let mut context = [self as u8; 17];
        context[1..].copy_from_slice(id);
        context
    }
}

/// The open key of a subject.
///
/// # Errors
/// Code `erased` once it was destroyed.
pub fn subject_key(keyring: &Keyring, row: Option<&SubjectKeyRow>) -> Result<SubjectKey, Error> {
    let destroyed = || Error::from(simwarden_store::StoreError::Key(KeyError::Destroyed));
    let row = row.ok_or_else(destroyed)?;
    let wrapped = row.wrapped.as_ref().ok_or_else(destroyed)?;
    Ok(keyring
        .unwrap_subject_key(row.party_id.as_bytes(), wrapped)
        .map_err(simwarden_store::StoreError::Key)?)
}

/// Seals a value for a row.
///
/// # Errors
/// Never for these types.
pub fn seal<T: Serialize>(
    key: &SubjectKey,
    of: Of,
    id: &[u8; 16],
    value: &T,
    entropy: &mut dyn Entropy,
) -> Result<Vec<u8>, Error> {
    let plain = serde_json::to_vec(value).map_err(Error::internal)?;
    Ok(key.seal(&of.context(id), &plain, entropy))
}

/// Opens what [`seal`] sealed for the same row.
///
/// # Errors
/// When it was sealed for another row or under another key.
pub fn open<T: DeserializeOwned>(key: &SubjectKey, of: Of, id: &[u8; 16], sealed: &[u8]) -> Result<T, Error> {
    let plain = key
        .open(&of.context(id), sealed)
        .map_err(simwarden_store::StoreError::Key)?;
    serde_json::from_slice(&plain).map_err(Error::internal)
}

/// Seals a value that belongs to no subject yet: a profile in stock.
///
/// # Errors
/// Never for these types.
pub fn seal_common<T: Serialize>(
    keyring: &Keyring,
    of: Of,
    id: &[u8; 16],
    value: &T,
    entropy: &mut dyn Entropy,
) -> Result<Vec<u8>, Error> {
    let plain = serde_json::to_vec(value).map_err(Error::internal)?;
    Ok(keyring.seal_common(&of.context(id), &plain, entropy))
}

/// Opens what [`seal_common`] sealed.
///
/// # Errors
/// When it was sealed for another row or under another key.
pub fn open_common<T: DeserializeOwned>(
    keyring: &Keyring,
    of: Of,
    id: &[u8; 16],
    sealed: &[u8],
) -> Result<T, Error> {
    let plain = keyring
        .open_common(&of.context(id), sealed)
        .map_err(simwarden_store::StoreError::Key)?;
    serde_json::from_slice(&plain).map_err(Error::internal)
}
