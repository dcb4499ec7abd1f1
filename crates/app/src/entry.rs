//! What one entry of the ledger says.
//!
//! An entry is JSON, at most 65,535 bytes, and holds no personal data: people stand in it under random identifiers,
//! what is personal is sealed under the subject's own key, and 16 random bytes keep its leaf hash from being guessed.
//! Every row that was written in the same transaction is named with the digest of its new version, so that a row
//! changed behind the ledger's back can be found.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use simwarden_model::{Entropy, OperationId, PartyId, Role, SubscriptionId, Timestamp, TokenId};
use simwarden_store::records::Kept;

/// The form that this program writes.
pub const FORM: u32 = 1;
/// The longest entry: C2SP entry bundles give the length in 16 bits.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// One row that was written with the entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowMark(
    /// The table.
    pub String,
    /// The row's id, hexadecimal.
    pub String,
    /// Its version.
    pub i64,
    /// SHA-256 over its columns, base64.
    pub String,
);

impl RowMark {
    /// The mark of a row.
    pub fn of<T: Kept>(row: &T) -> Self {
        Self(
            T::KIND.to_owned(),
            hex(&row.row_id()),
            row.version(),
            BASE64.encode(row.digest()),
        )
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntryBody {
    /// The form of the entry.
    pub v: u32,
    /// What it records: `operation.requested`, `step.done`, `events.accepted` …
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// In which role somebody acted.
    pub role: Role,
    /// Who acted, by token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub actor: Option<TokenId>,
    /// MCC-MNC of the operator concerned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub operator: Option<String>,
    /// The person concerned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subject: Option<PartyId>,
    /// The line concerned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<SubscriptionId>,
    /// The operation concerned.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub operation: Option<OperationId>,
    /// More, by kind; never personal.
    #[serde(skip_serializing_if = "serde_json::Value::is_null", default)]
    pub detail: serde_json::Value,
    /// The rows written with it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub rows: Vec<RowMark>,
    /// 16 random bytes, base64.
    pub salt: String,
    /// What is personal, under the subject's key, base64.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sealed: Option<String>,
}

impl EntryBody {
    /// An entry with nothing in it yet.
    #[must_use]
    pub fn new(kind: &str, at: Timestamp, role: Role, entropy: &mut dyn Entropy) -> Self {
        let mut salt = [0; 16];
        entropy.fill(&mut salt);
        Self {
            v: FORM,
            kind: kind.to_owned(),
            at,
            role,
            actor: None,
            operator: None,
            subject: None,
            line: None,
            operation: None,
            detail: serde_json::Value::Null,
            rows: Vec::new(),
            salt: BASE64.encode(salt),
            sealed: None,
        }
    }

    /// Adds what only the subject's key opens.
    pub fn seal(&mut self, sealed: &[u8]) {
        self.sealed = Some(BASE64.encode(sealed));
    }

    /// The bytes that are hashed and kept.
    ///
    /// # Errors
    /// When they are more than an entry may have.
    pub fn encode(&self) -> Result<Vec<u8>, crate::Error> {
        let bytes = serde_json::to_vec(self).map_err(crate::Error::internal)?;
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(crate::Error::internal(format!(
                "an entry of {} bytes",
                bytes.len()
            )));
        }
        Ok(bytes)
    }
}
