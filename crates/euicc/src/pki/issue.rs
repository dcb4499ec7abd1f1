//! One certificate: which fields and extensions each kind of holder gets (SGP.22 4.5.2, SGP.26 variant O).

use super::{Credential, PkiOptions};
use crate::certificate::{Certificate, CertificateRole};
use crate::crypto::{PrivateKey, sha256};
use crate::error::{EuiccError, Result};
use crate::tlv::{join, tlv};
use simwarden_model::{Eid, Entropy, Timestamp};
use std::time::Duration;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder, CertificateBuilder};
use x509_cert::certificate::TbsCertificate;
use x509_cert::der::asn1::{GeneralizedTime, OctetString};
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{DateTime, Decode, Encode};
use x509_cert::ext::Extension;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{SubjectPublicKeyInfo, SubjectPublicKeyInfoRef};
use x509_cert::time::{Time, Validity};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
const EUM_ORGANISATION: &str = "Test EUM";

/// Whose certificate it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// The manufacturer of chips, allowed the EIDs that begin with the prefix of the options.
    Eum,
    /// A chip.
    Euicc(Eid),
    /// The SM-DP+ as the one who opens sessions.
    DpAuth,
    /// The SM-DP+ as the one who binds profiles.
    DpPb,
    /// The SM-DP+ as a TLS server.
    DpTls,
    /// An operator as a TLS client.
    Es2PlusClient,
}

/// What is wrong with a certificate, everything else being right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// It ran out a day before the PKI was made.
    Expired,
    /// It begins a year after the PKI was made.
    NotYetValid,
    /// It carries the policy of another role.
    Role(CertificateRole),
    /// Another issuer, with another name and key id, signed it.
    ForeignIssuer,
    /// It names the right issuer, but another key signed it.
    ForgedSignature,
    /// It names another SM-DP+.
    SmdpOid(String),
    /// It names no SM-DP+.
    NoSmdpOid,
    /// Its key must not sign.
    KeyUsage,
    /// It says that it may issue certificates.
    Authority,
    /// It has a critical extension that nobody knows.
    UnknownCritical,
    /// The right key signed it, but it names another issuer.
    IssuerName,
}

/// The self-signed root.
pub(super) fn root(options: &PkiOptions, entropy: &mut dyn Entropy) -> Result<Credential> {
    named_root(options, "Test CI", entropy)
}

fn named_root(options: &PkiOptions, name: &str, entropy: &mut dyn Entropy) -> Result<Credential> {
    let key = PrivateKey::draw(entropy);
    let subject = name_of(&[
        attribute(0x03, 0x0C, name),
        attribute(0x0B, 0x0C, "TESTCERT"),
        attribute(0x0A, 0x0C, "RSPTEST"),
    ]);
    let extensions = vec![
        extension("2.5.29.14", false, &tlv(0x04, key_id(&key)))?,
        extension("2.5.29.19", true, &tlv(0x30, tlv(0x01, [0xFF])))?,
        policy(CertificateRole::Ci, true)?,
        extension("2.5.29.15", true, &tlv(0x03, [0x01, 0x06]))?,
        extension("2.5.29.17", false, &tlv(0x30, registered_id("2.999.1")?))?,
    ];
    let blank = Blank {
        issuer: subject.clone(),
        subject,
        extensions,
    };
    sign(blank, options.now, Some(35 * YEAR), &key, &key, entropy)
        .map(|certificate| Credential { certificate, key })
}

/// A certificate for `holder` by `issuer`.
pub(super) fn issue(
    options: &PkiOptions,
    holder: &Holder,
    flaw: Option<Flaw>,
    issuer: &Credential,
    entropy: &mut dyn Entropy,
) -> Result<Credential> {
    let foreign = match flaw {
        Some(Flaw::ForeignIssuer) => Some(named_root(options, "Foreign CI", entropy)?),
        _ => None,
    };
    let issuer = foreign.as_ref().unwrap_or(issuer);
    let key = PrivateKey::draw(entropy);
    let blank = Blank {
        issuer: match flaw {
            Some(Flaw::IssuerName) => name_of(&[attribute(0x03, 0x0C, "Another CI")]),
            _ => issuer.certificate.subject().to_vec(),
        },
        subject: subject(options, holder),
        extensions: extensions(options, holder, flaw.as_ref(), issuer, &key)?,
    };
    let (begin, lasting) = validity(options.now, holder, flaw.as_ref());
    let signer = match flaw {
        Some(Flaw::ForgedSignature) => PrivateKey::draw(entropy),
        _ => issuer.key.clone(),
    };
    let certificate = sign(blank, begin, lasting, &key, &signer, entropy)?;
    Ok(Credential { certificate, key })
}

/// When it begins, and how long it lasts; a chip's lasts for ever, which X.509 writes as the year 7496 here.
fn validity(now: Timestamp, holder: &Holder, flaw: Option<&Flaw>) -> (Timestamp, Option<Duration>) {
    let lasting = match holder {
        Holder::Eum => Some(34 * YEAR),
        Holder::Euicc(_) => None,
        Holder::DpAuth | Holder::DpPb => Some(3 * YEAR),
        Holder::DpTls | Holder::Es2PlusClient => Some(397 * DAY),
    };
    match flaw {
        Some(Flaw::Expired) => {
            let begin = now.as_micros() - micros(2 * YEAR);
            (Timestamp::from_micros(begin), Some(2 * YEAR - DAY))
        }
        Some(Flaw::NotYetValid) => (now.plus(YEAR), lasting),
        _ => (now, lasting),
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn subject(options: &PkiOptions, holder: &Holder) -> Vec<u8> {
    let country = || attribute(0x06, 0x13, "KH");
    let organisation = |name| attribute(0x0A, 0x0C, name);
    let common = |name| attribute(0x03, 0x0C, name);
    match holder {
        Holder::Eum => name_of(&[country(), organisation(EUM_ORGANISATION), common("Test EUM")]),
        Holder::Euicc(eid) => name_of(&[
            country(),
            organisation(EUM_ORGANISATION),
            attribute(0x05, 0x13, eid.reveal()),
            common("Test eUICC"),
        ]),
        Holder::DpAuth | Holder::DpPb => name_of(&[organisation("Test SM-DP+"), common("Test SM-DP+")]),
        Holder::DpTls => name_of(&[organisation("Test SM-DP+"), common(&options.smdp_host)]),
        Holder::Es2PlusClient => name_of(&[
            country(),
            organisation("Test Operator"),
            common(&options.operator_host),
        ]),
    }
}

fn extensions(
    options: &PkiOptions,
    holder: &Holder,
    flaw: Option<&Flaw>,
    issuer: &Credential,
    key: &PrivateKey,
) -> Result<Vec<Extension>> {
    let authority = issuer.certificate.key_id().unwrap_or_default();
    let role = |own| match flaw {
        Some(Flaw::Role(other)) => *other,
        _ => own,
    };
    let smdp_oid = match flaw {
        Some(Flaw::SmdpOid(other)) => other,
        _ => &options.smdp_oid,
    };
    let usage = |own: [u8; 2]| {
        let bits = if flaw == Some(&Flaw::KeyUsage) {
            [0x03, 0x08]
        } else {
            own
        };
        extension("2.5.29.15", true, &tlv(0x03, bits))
    };
    let mut all = vec![
        extension("2.5.29.35", false, &tlv(0x30, tlv(0x80, authority)))?,
        extension("2.5.29.14", false, &tlv(0x04, key_id(key)))?,
    ];
    match flaw {
        Some(Flaw::Authority) => all.push(extension("2.5.29.19", true, &tlv(0x30, tlv(0x01, [0xFF])))?),
        Some(Flaw::UnknownCritical) => all.push(extension("1.3.6.1.4.1.32473.1", true, &[5, 0])?),
        _ => {}
    }
    match holder {
        Holder::Eum => {
            let range = name_of(&[
                attribute(0x0A, 0x0C, EUM_ORGANISATION),
                attribute(0x05, 0x13, &options.eid_prefix),
            ]);
            let permitted = tlv(0x30, tlv(0xA0, tlv(0x30, tlv(0xA4, range))));
            all.push(usage([0x02, 0x04])?);
            all.push(policy(role(CertificateRole::Eum), true)?);
            all.push(extension(
                "2.5.29.17",
                false,
                &tlv(0x30, registered_id("2.999.5")?),
            )?);
            all.push(extension(
                "2.5.29.19",
                true,
                &join(0x30, &[&[1, 1, 0xFF], &[2, 1, 0]]),
            )?);
            all.push(extension("2.5.29.30", true, &permitted)?);
        }
        Holder::Euicc(_) => {
            all.push(usage([0x07, 0x80])?);
            all.push(policy(role(CertificateRole::Euicc), true)?);
        }
        Holder::DpAuth | Holder::DpPb => {
            let own = match holder {
                Holder::DpAuth => CertificateRole::DpAuth,
                _ => CertificateRole::DpPb,
            };
            if flaw != Some(&Flaw::NoSmdpOid) {
                let names = tlv(0x30, registered_id(smdp_oid)?);
                all.push(extension("2.5.29.17", false, &names)?);
            }
            all.push(usage([0x07, 0x80])?);
            all.push(policy(role(own), true)?);
        }
        Holder::DpTls => {
            let names = join(0x30, &[&tlv(0x82, &options.smdp_host), &registered_id(smdp_oid)?]);
            all.push(usage([0x07, 0x80])?);
            all.push(extended_usage(&["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"])?);
            all.push(policy(role(CertificateRole::DpTls), false)?);
            all.push(extension("2.5.29.17", false, &names)?);
        }
        Holder::Es2PlusClient => {
            all.push(usage([0x07, 0x80])?);
            all.push(extended_usage(&["1.3.6.1.5.5.7.3.2"])?);
            all.push(extension(
                "2.5.29.17",
                false,
                &tlv(0x30, tlv(0x82, &options.operator_host)),
            )?);
        }
    }
    Ok(all)
}

/// What goes into the builder: names and extensions are ours to the byte, since SGP.22 wants some that general
/// profiles do not make (an OID below 2.999 among them).
struct Blank {
    issuer: Vec<u8>,
    subject: Vec<u8>,
    extensions: Vec<Extension>,
}

struct Filled {
    issuer: Name,
    subject: Name,
    extensions: Vec<Extension>,
}

impl BuilderProfile for Filled {
    fn get_issuer(&self, _subject: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        _key: SubjectPublicKeyInfoRef<'_>,
        _issuer_key: SubjectPublicKeyInfoRef<'_>,
        _tbs: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        Ok(self.extensions.clone())
    }
}

fn sign(
    blank: Blank,
    begin: Timestamp,
    lasting: Option<Duration>,
    key: &PrivateKey,
    signer: &PrivateKey,
    entropy: &mut dyn Entropy,
) -> Result<Certificate> {
    let mut serial = [0; 16];
    entropy.fill(&mut serial);
    serial[0] = serial[0] & 0x7F | 0x40;
    let end = match lasting {
        Some(lasting) => time(begin.plus(lasting)),
        None => DateTime::new(7496, 1, 24, 9, 48, 58)
            .map(|it| Time::GeneralTime(GeneralizedTime::from_date_time(it))),
    };
    let make = || -> x509_cert::builder::Result<Vec<u8>> {
        let profile = Filled {
            issuer: Name::from_der(&blank.issuer)?,
            subject: Name::from_der(&blank.subject)?,
            extensions: blank.extensions,
        };
        let validity = Validity::new(time(begin)?, end?);
        let spki = SubjectPublicKeyInfo::from_key(key.signer().verifying_key())?;
        let builder = CertificateBuilder::new(profile, SerialNumber::new(&serial)?, validity, spki)?;
        let made = builder.build::<_, p256::ecdsa::DerSignature>(&signer.signer())?;
        Ok(made.to_der()?)
    };
    Certificate::from_der(&make().map_err(|e| EuiccError::Certificate(e.to_string()))?)
}

fn time(at: Timestamp) -> x509_cert::der::Result<Time> {
    let since = Duration::from_micros(u64::try_from(at.as_micros()).unwrap_or(0));
    let whole = Duration::from_secs(since.as_secs());
    DateTime::from_unix_duration(whole).map(|it| Time::GeneralTime(GeneralizedTime::from_date_time(it)))
}

/// The key identifier: the first 160 bits of SHA-256 over the point (RFC 7093, method 1).
fn key_id(key: &PrivateKey) -> [u8; 20] {
    let mut id = [0; 20];
    id.copy_from_slice(&sha256(&[&key.public()])[..20]);
    id
}

fn attribute(kind: u8, text_tag: u32, text: &str) -> Vec<u8> {
    let pair = join(0x30, &[&tlv(0x06, [0x55, 0x04, kind]), &tlv(text_tag, text)]);
    tlv(0x31, pair)
}

fn name_of(attributes: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, attributes.concat())
}

fn extension(oid: &str, critical: bool, value: &[u8]) -> Result<Extension> {
    let refuse = |e: String| EuiccError::Certificate(e);
    Ok(Extension {
        extn_id: ObjectIdentifier::new(oid).map_err(|e| refuse(e.to_string()))?,
        critical,
        extn_value: OctetString::new(value).map_err(|e| refuse(e.to_string()))?,
    })
}

fn policy(role: CertificateRole, critical: bool) -> Result<Extension> {
    let id = tlv(0x06, oid_content(role.policy())?);
    extension("2.5.29.32", critical, &tlv(0x30, tlv(0x30, id)))
}

fn extended_usage(purposes: &[&str]) -> Result<Extension> {
    let mut value = Vec::new();
    for purpose in purposes {
        value.extend(tlv(0x06, oid_content(purpose)?));
    }
    extension("2.5.29.37", true, &tlv(0x30, value))
}

fn registered_id(oid: &str) -> Result<Vec<u8>> {
    Ok(tlv(0x88, oid_content(oid)?))
}

/// The content bytes of an OBJECT IDENTIFIER from its dotted form (X.690 8.19): the first two arcs share a number.
///
/// # Errors
/// [`EuiccError::Certificate`] when it is no OID or an arc is over 28 bits.
pub(crate) fn oid_content(dotted: &str) -> Result<Vec<u8>> {
    let wrong = || EuiccError::Certificate(format!("{dotted} is no OID"));
    let arcs: Vec<u32> = dotted
        .split('.')
        .map(|arc| arc.parse().ok().filter(|it| *it < 1 << 28))
        .collect::<Option<_>>()
        .ok_or_else(wrong)?;
    let [first, second, rest @ ..] = arcs.as_slice() else {
        return Err(wrong());
    };
    if *first > 2 || *first < 2 && *second > 39 {
        return Err(wrong());
    }
    let mut content = Vec::new();
    for arc in std::iter::once(first * 40 + second).chain(rest.iter().copied()) {
        for shift in [28, 21, 14, 7, 0] {
            let high = arc >> shift;
            if high != 0 || shift == 0 {
                let more = if shift == 0 { 0 } else { 0x80 };
                content.push(high.to_le_bytes()[0] & 0x7F | more);
            }
        }
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::oid_content;

    #[test]
    fn writes_oids_as_published() {
        assert_eq!(oid_content("2.999.10").unwrap(), [0x88, 0x37, 0x0A]);
        assert_eq!(
            oid_content("2.23.146.1.2.1.2").unwrap(),
            [0x67, 0x81, 0x12, 1, 2, 1, 2]
        );
        assert_eq!(
            oid_content("1.2.840.10045.4.3.2").unwrap(),
            [0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2]
        );
        assert!(oid_content("1").is_err() && oid_content("1.40").is_err() && oid_content("3.1").is_err());
    }
}
