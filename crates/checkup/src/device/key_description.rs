//! What the chip says of itself: the `KeyDescription` extension (Android key attestation, versions 1 to 400).

use super::der::{
    BOOLEAN, DerError, ENUMERATED, Element, INTEGER, NULL, OCTET_STRING, Reader, SEQUENCE, SET,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Map, Value};

/// Object identifier 1.3.6.1.4.1.11129.2.1.17.
pub(crate) const EXTENSION: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x01, 0x11];

/// Where something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SecurityLevel {
    /// By the operating system.
    Software,
    /// By an isolated part of the processor.
    TrustedEnvironment,
    /// By a chip of its own.
    StrongBox,
}

/// How the operating system was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BootState {
    /// As the maker signed it.
    Verified,
    /// As somebody signed it whose key the owner put in.
    SelfSigned,
    /// Anything may have been started.
    Unverified,
    /// The check failed.
    Failed,
}

/// What the chip says of how the phone was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RootOfTrust {
    /// Digest of the key that the system was checked with, base64.
    pub verified_boot_key: String,
    /// Whether the bootloader is locked.
    pub device_locked: bool,
    /// The outcome of the check.
    pub verified_boot_state: BootState,
    /// Digest of the system, base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified_boot_hash: Option<String>,
}

/// One of the two lists: what the system says, or what the chip says.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Claims {
    /// Every field by its name, numbers as text, bytes as base64.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
    /// The root of trust, if it is in this list.
    #[serde(skip)]
    pub root_of_trust: Option<RootOfTrust>,
    /// Whether the fields stand in the order of their tags; a list that does not is refused.
    pub are_tags_ordered: bool,
}

impl Claims {
    /// A field that is a number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.fields.get(name)?.as_str()?.parse().ok()
    }

    /// A field that is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.as_str()
    }
}

/// The whole description.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyDescription {
    /// Version of the form.
    #[serde(serialize_with = "as_text")]
    pub attestation_version: u64,
    /// Who vouches for the description.
    pub attestation_security_level: SecurityLevel,
    /// Version of the key store.
    #[serde(serialize_with = "as_text")]
    pub key_mint_version: u64,
    /// Who keeps the key.
    pub key_mint_security_level: SecurityLevel,
    /// What the asker sent, base64.
    pub attestation_challenge: String,
    /// An id of the device for a while, base64.
    pub unique_id: String,
    /// What the operating system says.
    pub software_enforced: Claims,
    /// What the chip says.
    pub hardware_enforced: Claims,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn as_text<S: serde::Serializer>(number: &u64, into: S) -> Result<S::Ok, S::Error> {
    into.collect_str(number)
}

enum Kind {
    Number,
    Numbers,
    Flag,
    Text,
    Bytes,
    Origin,
    RootOfTrust,
    Application,
}

/// The fields, in the order of their tags.
fn field(tag: u32) -> Option<(&'static str, Kind)> {
    Some(match tag {
        1 => ("purposes", Kind::Numbers),
        2 => ("algorithms", Kind::Number),
        3 => ("keySize", Kind::Number),
        4 => ("blockModes", Kind::Numbers),
        5 => ("digests", Kind::Numbers),
        6 => ("paddings", Kind::Numbers),
        7 => ("callerNonce", Kind::Flag),
        8 => ("minMacLength", Kind::Number),
        10 => ("ecCurve", Kind::Number),
        11 => ("mlDsaVariant", Kind::Number),
        200 => ("rsaPublicExponent", Kind::Number),
        203 => ("rsaOaepMgfDigests", Kind::Numbers),
        303 => ("rollbackResistance", Kind::Flag),
        305 => ("earlyBootOnly", Kind::Flag),
        400 => ("activeDateTime", Kind::Number),
        401 => ("originationExpireDateTime", Kind::Number),
        402 => ("usageExpireDateTime", Kind::Number),
        405 => ("usageCountLimit", Kind::Number),
        502 => ("userSecureId", Kind::Number),
        503 => ("noAuthRequired", Kind::Flag),
        504 => ("userAuthType", Kind::Number),
        505 => ("authTimeout", Kind::Number),
        506 => ("allowWhileOnBody", Kind::Flag),
        507 => ("trustedUserPresenceRequired", Kind::Flag),
        508 => ("trustedConfirmationRequired", Kind::Flag),
        509 => ("unlockedDeviceRequired", Kind::Flag),
        600 => ("allApplications", Kind::Flag),
        601 => ("applicationId", Kind::Bytes),
        701 => ("creationDateTime", Kind::Number),
        702 => ("origin", Kind::Origin),
        703 => ("rollbackResistant", Kind::Flag),
        704 => ("rootOfTrust", Kind::RootOfTrust),
        705 => ("osVersion", Kind::Number),
        706 => ("osPatchLevel", Kind::Number),
        709 => ("attestationApplicationId", Kind::Application),
        710 => ("attestationIdBrand", Kind::Text),
        711 => ("attestationIdDevice", Kind::Text),
        712 => ("attestationIdProduct", Kind::Text),
        713 => ("attestationIdSerial", Kind::Text),
        714 => ("attestationIdImei", Kind::Text),
        715 => ("attestationIdMeid", Kind::Text),
        716 => ("attestationIdManufacturer", Kind::Text),
        717 => ("attestationIdModel", Kind::Text),
        718 => ("vendorPatchLevel", Kind::Number),
        719 => ("bootPatchLevel", Kind::Number),
        720 => ("deviceUniqueAttestation", Kind::Flag),
        723 => ("attestationIdSecondImei", Kind::Text),
        724 => ("moduleHash", Kind::Bytes),
        _ => return None,
    })
}

impl KeyDescription {
    /// Reads the value of the extension.
    ///
    /// # Errors
    /// When it is not of the form, or holds a field that is not known.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, DerError> {
        let mut outer = Reader::new(bytes);
        let mut body = outer.expect(SEQUENCE)?.inside();
        outer.end()?;
        let description = Self {
            attestation_version: body.expect(INTEGER)?.unsigned()?,
            attestation_security_level: level(body.expect(ENUMERATED)?)?,
            key_mint_version: body.expect(INTEGER)?.unsigned()?,
            key_mint_security_level: level(body.expect(ENUMERATED)?)?,
            attestation_challenge: STANDARD.encode(body.expect(OCTET_STRING)?.content),
            unique_id: STANDARD.encode(body.expect(OCTET_STRING)?.content),
            software_enforced: claims(body.expect(SEQUENCE)?.inside())?,
            hardware_enforced: claims(body.expect(SEQUENCE)?.inside())?,
        };
        body.end()?;
        Ok(description)
    }
}

fn level(element: Element<'_>) -> Result<SecurityLevel, DerError> {
    Ok(match element.unsigned()? {
        0 => SecurityLevel::Software,
        1 => SecurityLevel::TrustedEnvironment,
        2 => SecurityLevel::StrongBox,
        _ => return Err(DerError("an unknown level of security")),
    })
}

fn claims(mut list: Reader<'_>) -> Result<Claims, DerError> {
    let mut found = Claims {
        are_tags_ordered: true,
        ..Claims::default()
    };
    let mut last = 0;
    while !list.is_empty() {
        let tagged = list.next()?;
        if tagged.lead != 0xa0 || tagged.number <= last {
            return Err(DerError("fields that are not in ascending order"));
        }
        last = tagged.number;
        let (name, kind) = field(tagged.number).ok_or(DerError("a field that is not known"))?;
        let mut inner = tagged.inside();
        let value = match kind {
            Kind::Number => text(inner.expect(INTEGER)?.unsigned()?),
            Kind::Numbers => numbers(&mut inner)?,
            Kind::Flag if inner.expect(NULL)?.content.is_empty() => Value::Bool(true),
            Kind::Flag => return Err(DerError("a flag with a value")),
            Kind::Text => Value::String(utf8(inner.expect(OCTET_STRING)?)?),
            Kind::Bytes => Value::String(STANDARD.encode(inner.expect(OCTET_STRING)?.content)),
            Kind::Origin => origin(inner.expect(INTEGER)?)?,
            Kind::RootOfTrust => {
                let root = root_of_trust(inner.expect(SEQUENCE)?.inside())?;
                let value =
                    serde_json::to_value(&root).map_err(|_| DerError("a root of trust that is none"))?;
                found.root_of_trust = Some(root);
                value
            }
            Kind::Application => application(inner.expect(OCTET_STRING)?.content)?,
        };
        inner.end()?;
        found.fields.insert(name.to_owned(), value);
    }
    Ok(found)
}

fn text(number: u64) -> Value {
    Value::String(number.to_string())
}

fn utf8(element: Element<'_>) -> Result<String, DerError> {
    String::from_utf8(element.content.to_vec()).map_err(|_| DerError("text that is not UTF-8"))
}

fn numbers(inner: &mut Reader<'_>) -> Result<Value, DerError> {
    let mut set = inner.expect(SET)?.inside();
    let mut found = Vec::new();
    while !set.is_empty() {
        found.push(set.expect(INTEGER)?.unsigned()?);
    }
    found.sort_unstable();
    Ok(Value::Array(found.into_iter().map(text).collect()))
}

fn origin(element: Element<'_>) -> Result<Value, DerError> {
    let name = match element.unsigned()? {
        0 => "GENERATED",
        1 => "DERIVED",
        2 => "IMPORTED",
        3 => "UNKNOWN",
        4 => "SECURELY_IMPORTED",
        _ => return Err(DerError("an unknown origin")),
    };
    Ok(Value::String(name.into()))
}

fn root_of_trust(mut body: Reader<'_>) -> Result<RootOfTrust, DerError> {
    let root = RootOfTrust {
        verified_boot_key: STANDARD.encode(body.expect(OCTET_STRING)?.content),
        device_locked: body.expect(BOOLEAN)?.boolean()?,
        verified_boot_state: match body.expect(ENUMERATED)?.unsigned()? {
            0 => BootState::Verified,
            1 => BootState::SelfSigned,
            2 => BootState::Unverified,
            3 => BootState::Failed,
            _ => return Err(DerError("an unknown state of boot")),
        },
        verified_boot_hash: body.optional(OCTET_STRING)?.map(|e| STANDARD.encode(e.content)),
    };
    body.end()?;
    Ok(root)
}

fn application(bytes: &[u8]) -> Result<Value, DerError> {
    let mut outer = Reader::new(bytes);
    let mut body = outer.expect(SEQUENCE)?.inside();
    outer.end()?;
    let mut packages = Vec::new();
    let mut set = body.expect(SET)?.inside();
    while !set.is_empty() {
        let mut one = set.expect(SEQUENCE)?.inside();
        let mut package = Map::new();
        package.insert("name".into(), Value::String(utf8(one.expect(OCTET_STRING)?)?));
        package.insert("version".into(), text(one.expect(INTEGER)?.unsigned()?));
        one.end()?;
        packages.push(Value::Object(package));
    }
    let mut signatures = Vec::new();
    let mut set = body.expect(SET)?.inside();
    while !set.is_empty() {
        signatures.push(Value::String(STANDARD.encode(set.expect(OCTET_STRING)?.content)));
    }
    body.end()?;
    let mut whole = Map::new();
    whole.insert("packages".into(), Value::Array(packages));
    whole.insert("signatures".into(), Value::Array(signatures));
    Ok(Value::Object(whole))
}
