//! Which signatures states put on chips (9303-12 section 4.4), and whether one fits.

use super::der::{Element, Reader, tag};
use ecdsa::signature::hazmat::PrehashVerifier as _;
use rsa::pkcs1::DecodeRsaPublicKey as _;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// Only on old documents.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// By its object identifier, as DER content.
    #[must_use]
    pub fn of(oid: &[u8]) -> Option<Self> {
        const SHA2: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
        if oid == [0x2b, 0x0e, 0x03, 0x02, 0x1a] {
            return Some(Self::Sha1);
        }
        match oid.strip_prefix(SHA2)? {
            [1] => Some(Self::Sha256),
            [2] => Some(Self::Sha384),
            [3] => Some(Self::Sha512),
            [4] => Some(Self::Sha224),
            _ => None,
        }
    }

    /// The digest.
    #[must_use]
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha224 => Sha224::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

/// How a signature was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It fits.
    Fits,
    /// It does not.
    Differs,
    /// An algorithm, curve or key that is not supported.
    Unsupported,
}

/// RSA keys smaller than this are not believed, and larger ones not computed with, in bits.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

enum Scheme {
    Pkcs1(Hash),
    Pss(Hash, usize),
    Ecdsa(Hash),
}

const PKCS1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
const ANSI_SIGNATURES: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];

/// The scheme of an AlgorithmIdentifier; `digest` is what the signer says elsewhere, for those that do not say here.
fn scheme(algorithm: &Element<'_>, digest: Option<Hash>) -> Option<Scheme> {
    let mut reader = algorithm.inside();
    let oid = reader.expect(tag::OID)?.content;
    if let Some(last) = oid.strip_prefix(PKCS1) {
        return match last {
            [1] => digest.map(Scheme::Pkcs1),
            [5] => Some(Scheme::Pkcs1(Hash::Sha1)),
            [10] => pss(reader.next()),
            [11] => Some(Scheme::Pkcs1(Hash::Sha256)),
            [12] => Some(Scheme::Pkcs1(Hash::Sha384)),
            [13] => Some(Scheme::Pkcs1(Hash::Sha512)),
            [14] => Some(Scheme::Pkcs1(Hash::Sha224)),
            _ => None,
        };
    }
    match oid.strip_prefix(ANSI_SIGNATURES)? {
        [1] => Some(Scheme::Ecdsa(Hash::Sha1)),
        [3, 1] => Some(Scheme::Ecdsa(Hash::Sha224)),
        [3, 2] => Some(Scheme::Ecdsa(Hash::Sha256)),
        [3, 3] => Some(Scheme::Ecdsa(Hash::Sha384)),
        [3, 4] => Some(Scheme::Ecdsa(Hash::Sha512)),
        _ => None,
    }
}

/// RSASSA-PSS-params (RFC 4055): absent parts mean SHA-1 and 20 bytes of salt.
fn pss(parameters: Option<Element<'_>>) -> Option<Scheme> {
    let mut reader = parameters?.inside();
    let hash_of = |element: Element<'_>| Hash::of(element.inside().expect(tag::OID)?.content);
    let mut hash = Hash::Sha1;
    if let Some(named) = reader.optional(tag::C0) {
        hash = hash_of(named.inside().expect(tag::SEQUENCE)?)?;
    }
    let mut mask = Hash::Sha1;
    if let Some(named) = reader.optional(tag::C1) {
        let mut named = named.inside().expect(tag::SEQUENCE)?.inside();
        let mgf1 = named.expect(tag::OID)?.content;
        if mgf1.strip_prefix(PKCS1) != Some(&[8]) {
            return None;
        }
        mask = hash_of(named.expect(tag::SEQUENCE)?)?;
    }
    let mut salt = 20;
    if let Some(named) = reader.optional(tag::C2) {
        salt = match named.inside().expect(tag::INTEGER)?.content {
            [one] => usize::from(*one),
            _ => return None,
        };
    }
    // Two different hashes are allowed by the standard and used by no state.
    (hash == mask && reader.is_empty()).then_some(Scheme::Pss(hash, salt))
}

/// Whether a signature over a message fits. `key` is a SubjectPublicKeyInfo, `algorithm` an AlgorithmIdentifier.
#[must_use]
pub fn fits(
    key: &Element<'_>,
    algorithm: &Element<'_>,
    digest: Option<Hash>,
    message: &[u8],
    signature: &[u8],
) -> Fit {
    let Some(scheme) = scheme(algorithm, digest) else {
        return Fit::Unsupported;
    };
    let checked = match scheme {
        Scheme::Pkcs1(hash) => rsa_key(key).map(|key| {
            let hashed = hash.digest(message);
            let scheme = match hash {
                Hash::Sha1 => rsa::Pkcs1v15Sign::new::<Sha1>(),
                Hash::Sha224 => rsa::Pkcs1v15Sign::new::<Sha224>(),
                Hash::Sha256 => rsa::Pkcs1v15Sign::new::<Sha256>(),
                Hash::Sha384 => rsa::Pkcs1v15Sign::new::<Sha384>(),
                Hash::Sha512 => rsa::Pkcs1v15Sign::new::<Sha512>(),
            };
            key.verify(scheme, &hashed, signature).is_ok()
        }),
        Scheme::Pss(hash, salt) => rsa_key(key).map(|key| {
            let hashed = hash.digest(message);
            match hash {
                Hash::Sha1 => key.verify(rsa::Pss::<Sha1>::new_with_salt(salt), &hashed, signature),
                Hash::Sha224 => key.verify(rsa::Pss::<Sha224>::new_with_salt(salt), &hashed, signature),
                Hash::Sha256 => key.verify(rsa::Pss::<Sha256>::new_with_salt(salt), &hashed, signature),
                Hash::Sha384 => key.verify(rsa::Pss::<Sha384>::new_with_salt(salt), &hashed, signature),
                Hash::Sha512 => key.verify(rsa::Pss::<Sha512>::new_with_salt(salt), &hashed, signature),
            }
            .is_ok()
        }),
        Scheme::Ecdsa(hash) => elliptic(key, &hash.digest(message), signature),
    };
    match checked {
        Some(true) => Fit::Fits,
        Some(false) => Fit::Differs,
        None => Fit::Unsupported,
    }
}

/// The content of a BIT STRING of whole bytes.
fn bits<'a>(element: &Element<'a>) -> Option<&'a [u8]> {
    element.content.strip_prefix(&[0])
}

fn rsa_key(key: &Element<'_>) -> Option<rsa::RsaPublicKey> {
    use rsa::traits::PublicKeyParts as _;
    let mut reader = key.inside();
    let oid = reader.expect(tag::SEQUENCE)?.inside().expect(tag::OID)?.content;
    // rsaEncryption, or a key kept to RSASSA-PSS.
    if !matches!(oid.strip_prefix(PKCS1)?, [1] | [10]) {
        return None;
    }
    let key = rsa::RsaPublicKey::from_pkcs1_der(bits(&reader.expect(tag::BIT_STRING)?)?).ok()?;
    RSA_BITS.contains(&(key.size() * 8)).then_some(key)
}

/// The curves, by name or, as many states still write them, by their prime. Only the prime is taken from the
/// certificate: generator and order are the named curve's own, so a crafted generator gains nothing.
#[derive(Clone, Copy)]
enum Curve {
    P256,
    P384,
    P521,
    Brainpool256,
    Brainpool384,
}

const BRAINPOOL: &[u8] = &[0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01];

fn curve(parameters: &Element<'_>) -> Option<Curve> {
    if parameters.tag == tag::OID {
        return match parameters.content {
            [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07] => Some(Curve::P256),
            [0x2b, 0x81, 0x04, 0x00, 0x22] => Some(Curve::P384),
            [0x2b, 0x81, 0x04, 0x00, 0x23] => Some(Curve::P521),
            oid => match oid.strip_prefix(BRAINPOOL)? {
                [7] => Some(Curve::Brainpool256),
                [11] => Some(Curve::Brainpool384),
                _ => None,
            },
        };
    }
    let mut reader = parameters.inside();
    reader.expect(tag::INTEGER)?;
    let mut field = reader.expect(tag::SEQUENCE)?.inside();
    field.expect(tag::OID)?;
    let prime = field.expect(tag::INTEGER)?.content;
    let prime = prime.strip_prefix(&[0]).unwrap_or(prime);
    // Size and first bytes tell these primes apart; a key on another curve is then no point of this one.
    match (prime.len(), prime.first()?, prime.get(1)?) {
        (32, 0xff, 0xff) => Some(Curve::P256),
        (48, 0xff, 0xff) => Some(Curve::P384),
        (66, 0x01, 0xff) => Some(Curve::P521),
        (32, 0xa9, 0xfb) => Some(Curve::Brainpool256),
        (48, 0x8c, 0xb9) => Some(Curve::Brainpool384),
        _ => None,
    }
}

fn elliptic(key: &Element<'_>, hashed: &[u8], signature: &[u8]) -> Option<bool> {
    const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
    let mut reader = key.inside();
    let mut algorithm = reader.expect(tag::SEQUENCE)?.inside();
    if algorithm.expect(tag::OID)?.content != EC_PUBLIC_KEY {
        return None;
    }
    let curve = curve(&algorithm.next()?)?;
    let element = reader.expect(tag::BIT_STRING)?;
    let point = bits(&element)?;
    macro_rules! on {
        ($curve:ty) => {{
            let key = ecdsa::VerifyingKey::<$curve>::from_sec1_bytes(point).ok()?;
            match ecdsa::Signature::<$curve>::from_der(signature) {
                Ok(signature) => key.verify_prehash(hashed, &signature).is_ok(),
                Err(_) => false,
            }
        }};
    }
    Some(match curve {
        Curve::P256 => on!(p256::NistP256),
        Curve::P384 => on!(p384::NistP384),
        Curve::P521 => on!(p521::NistP521),
        Curve::Brainpool256 => on!(bp256::BrainpoolP256r1),
        Curve::Brainpool384 => on!(bp384::BrainpoolP384r1),
    })
}

/// The signature of a certificate or revocation list: what was signed, how, and the signature.
#[must_use]
pub fn signed<'a>(whole: &Element<'a>) -> Option<(Element<'a>, Element<'a>, &'a [u8])> {
    let mut reader: Reader<'a> = whole.inside();
    let body = reader.expect(tag::SEQUENCE)?;
    let algorithm = reader.expect(tag::SEQUENCE)?;
    let signature = bits(&reader.expect(tag::BIT_STRING)?)?;
    reader.is_empty().then_some((body, algorithm, signature))
}
