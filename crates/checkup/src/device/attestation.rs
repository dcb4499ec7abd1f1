//! Verifies an Android key attestation chain: from a Google root down, every signature, nobody revoked, and the
//! description in the one certificate where it may stand.

use super::certificate::{CERTIFICATE_MAX, CHAIN_MAX, Certificate};
use super::key_description::{EXTENSION, KeyDescription, SecurityLevel};
use super::revocation::Revocations;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

/// Why a chain proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(rename_all = "snake_case", tag = "code", content = "detail")]
pub enum Refusal {
    /// Not certificates.
    #[error("certificate {0} cannot be read: {1}")]
    Malformed(usize, &'static str),
    /// Fewer than two or more than ten.
    #[error("a chain has 2 to {CHAIN_MAX} certificates, this one {0}")]
    ChainLength(usize),
    /// The chain ends in a key that Google uses for emulators and old phones without a chip.
    #[error("the chain ends in a software root: no chip vouches for it")]
    SoftwareRoot,
    /// The chain ends somewhere else.
    #[error("the chain does not end in a known root")]
    UnknownRoot,
    /// A signature is not of the next key.
    #[error("the signature of certificate {0} is wrong")]
    BadSignature(usize),
    /// Names do not fit.
    #[error("certificate {0} names another issuer than the next one")]
    BrokenNames(usize),
    /// A certificate with a description signed another one: the chain was lengthened with a phone's own key.
    #[error("certificate {0} is a phone's own and may not sign others: the chain was lengthened")]
    ChainExtended(usize),
    /// A certificate was taken back.
    #[error("the certificate with serial {0} is revoked")]
    Revoked(String),
    /// The list of revocations is too old to be trusted.
    #[error("the revocation list is {0} days old; load a fresh one")]
    RevocationsStale(i64),
    /// Not valid on the day that was asked for.
    #[error("certificate {0} is not valid on that day")]
    NotValid(usize),
    /// No description of the key.
    #[error("no certificate holds a key description")]
    NoDescription,
    /// The description is not of the form.
    #[error("the key description is malformed: {0}")]
    MalformedDescription(&'static str),
    /// The description was made by the operating system.
    #[error("the description was made in software")]
    SoftwareOnly,
    /// Another challenge than was sent.
    #[error("the answer is to another challenge")]
    WrongChallenge,
}

/// What a chain is held against.
#[derive(Debug, Clone)]
pub struct Trust<'t> {
    /// Keys of the roots (`SubjectPublicKeyInfo`).
    pub roots: &'t Roots,
    /// Who was revoked.
    pub revocations: Option<&'t Revocations>,
    /// Today, in days since 1970.
    pub today: i64,
    /// Whether certificates between root and leaf must be valid today. Chains of phones that fetch theirs anew live for
    /// weeks only: ask for it when a key is enrolled, not later.
    pub valid_today: bool,
    /// What was sent to the phone.
    pub challenge: Option<&'t [u8]>,
}

/// A chain that holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attestation {
    /// What the chip says.
    pub description: KeyDescription,
    /// Serial numbers, the leaf first.
    pub serials: Vec<String>,
}

/// The roots that are trusted.
#[derive(Debug, Clone)]
pub struct Roots(Vec<Vec<u8>>);

const BUILT_IN: &str = include_str!("../../data/android_roots.pem");

impl Roots {
    /// Google's two roots of hardware attestation: RSA of 2016 and P-384 of 2025.
    ///
    /// # Errors
    /// Never for the file as it stands; a test reads it.
    pub fn google() -> Result<Self, Refusal> {
        Self::from_pem(BUILT_IN)
    }

    /// Roots of one's own, for tests and other makers.
    ///
    /// # Errors
    /// When a certificate cannot be read.
    pub fn from_pem(pem: &str) -> Result<Self, Refusal> {
        let mut keys = Vec::new();
        for (at, bytes) in certificates(pem)?.iter().enumerate() {
            let certificate = Certificate::read(bytes).map_err(|e| Refusal::Malformed(at, e.0))?;
            keys.push(certificate.key.to_vec());
        }
        Ok(Self(keys))
    }

    fn know(&self, key: &[u8]) -> bool {
        self.0.iter().any(|known| known == key)
    }
}

/// The certificates of a PEM file.
///
/// # Errors
/// When the file is too long, or what stands between the lines is not base64.
pub fn certificates(pem: &str) -> Result<Vec<Vec<u8>>, Refusal> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let mut found = Vec::new();
    let mut rest = pem;
    while let Some((_, after)) = rest.split_once(BEGIN) {
        let at = found.len();
        if at == CHAIN_MAX {
            return Err(Refusal::ChainLength(at + 1));
        }
        let (body, next) = after
            .split_once(END)
            .ok_or(Refusal::Malformed(at, "its end is missing"))?;
        if body.len() > CERTIFICATE_MAX * 2 {
            return Err(Refusal::Malformed(at, "it is too long"));
        }
        let body: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        found.push(
            STANDARD
                .decode(body)
                .map_err(|_| Refusal::Malformed(at, "it is not base64"))?,
        );
        rest = next;
    }
    Ok(found)
}

/// Verifies a chain, the leaf first.
///
/// # Errors
/// With the first reason found, looking from the root down.
pub fn verify(chain: &[Vec<u8>], trust: &Trust<'_>) -> Result<Attestation, Refusal> {
    if chain.len() < 2 || chain.len() > CHAIN_MAX {
        return Err(Refusal::ChainLength(chain.len()));
    }
    let mut read = Vec::with_capacity(chain.len());
    for (at, bytes) in chain.iter().enumerate() {
        read.push(Certificate::read(bytes).map_err(|e| Refusal::Malformed(at, e.0))?);
    }
    let root = &read[read.len() - 1];
    if !trust.roots.know(root.key) {
        let software =
            contains(root.subject, b"Software Attestation Root") || contains(root.subject, b"Android");
        return Err(if software {
            Refusal::SoftwareRoot
        } else {
            Refusal::UnknownRoot
        });
    }
    signatures(&read, trust)?;
    revocations(&read, trust)?;
    description(&read, trust)
}

/// Names, signatures and validity. Who may sign is not read from the certificates: makers' own ones say `CA:FALSE` (the
/// Sony chain of the test data does). A phone's key that signs gives itself away by its description.
fn signatures(chain: &[Certificate<'_>], trust: &Trust<'_>) -> Result<(), Refusal> {
    let last = chain.len() - 1;
    for at in (0..=last).rev() {
        let (certificate, issuer) = (&chain[at], &chain[(at + 1).min(last)]);
        if certificate.issuer != issuer.subject {
            return Err(Refusal::BrokenNames(at));
        }
        if !certificate.signed_by(issuer.key) {
            return Err(Refusal::BadSignature(at));
        }
        let (from, until) = certificate.days;
        if trust.valid_today && at > 0 && at < last && !(from..=until).contains(&trust.today) {
            return Err(Refusal::NotValid(at));
        }
    }
    Ok(())
}

fn revocations(chain: &[Certificate<'_>], trust: &Trust<'_>) -> Result<(), Refusal> {
    let Some(list) = trust.revocations else {
        return Ok(());
    };
    let age = list.age(trust.today);
    if age > list.days_max() || age < -1 {
        return Err(Refusal::RevocationsStale(age));
    }
    match chain.iter().find(|c| list.names(&c.serial)) {
        Some(certificate) => Err(Refusal::Revoked(certificate.serial.clone())),
        None => Ok(()),
    }
}

/// The description that counts is the one nearest to the root; below it stands whatever the phone's own key signed.
fn description(chain: &[Certificate<'_>], trust: &Trust<'_>) -> Result<Attestation, Refusal> {
    let holder = chain.iter().rposition(|c| c.extension(EXTENSION).is_some());
    let value = match holder {
        Some(0) => chain[0].extension(EXTENSION).ok_or(Refusal::NoDescription)?,
        Some(at) => return Err(Refusal::ChainExtended(at)),
        None => return Err(Refusal::NoDescription),
    };
    let description = KeyDescription::read(value).map_err(|e| Refusal::MalformedDescription(e.0))?;
    if description.attestation_security_level == SecurityLevel::Software {
        return Err(Refusal::SoftwareOnly);
    }
    if trust
        .challenge
        .is_some_and(|sent| STANDARD.encode(sent) != description.attestation_challenge)
    {
        return Err(Refusal::WrongChallenge);
    }
    Ok(Attestation {
        description,
        serials: chain.iter().map(|c| c.serial.clone()).collect(),
    })
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
