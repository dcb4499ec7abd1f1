//! Keys that sign for the server, and one-time keys that agree on a session's secrets.
//!
//! A [`Signer`] may be a file in memory ([`LocalKey`]) or a device; it only ever signs. One-time keys are made from
//! given entropy. The nonce of an ECDSA signature is the library's own affair: it never leaves it, and nothing else
//! here depends on it.

use crate::certificate::Certificate;
use crate::curve::{Curve, Point, PublicKey, Signature};
use aws_lc_rs::agreement::{self, ECDH_P256};
use aws_lc_rs::encoding::{AsBigEndian, EcPrivateKeyBin};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use simwarden_model::Entropy;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Why a key did not sign or could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
    /// The key cannot be reached or refused to sign.
    #[error("the signing key cannot be used now ({0}); see that its device or file is reachable")]
    Unavailable(String),
    /// Bytes that are no key of a supported curve.
    #[error(
        "this is no P-256 private key in PKCS#8 or SEC1 form (DER); convert it with `openssl pkcs8 -topk8 -nocrypt -outform DER`"
    )]
    Unreadable,
    /// Certificate and key do not belong together.
    #[error("the private key is not the one of the certificate; pair them anew")]
    Mismatch,
}

/// Signs for the server: a key in memory, or behind PKCS#11 or a key service.
pub trait Signer: Send + Sync + core::fmt::Debug {
    /// ECDSA with SHA-256 over the message, r and s raw.
    ///
    /// # Errors
    /// [`SignerError`] when the key cannot be used now; nothing is then answered.
    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError>;
    /// The curve that the key is on.
    fn curve(&self) -> Curve;
}

/// A signing key in memory; the library wipes it when it goes.
pub struct LocalKey {
    pair: EcdsaKeyPair,
}

impl LocalKey {
    /// From PKCS#8 or SEC1 (RFC 5915), DER.
    ///
    /// # Errors
    /// [`SignerError::Unreadable`] for anything else.
    pub fn from_der(bytes: &[u8]) -> Result<Self, SignerError> {
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes)
            .or_else(|_| EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes))
            .map(|pair| Self { pair })
            .map_err(|_| SignerError::Unreadable)
    }

    /// From the bare scalar, 32 bytes big-endian.
    ///
    /// # Errors
    /// [`SignerError::Unreadable`] when it is zero or not below the order of the curve.
    pub fn from_scalar(scalar: &[u8; 32]) -> Result<Self, SignerError> {
        let key = OneTimeKey::from_scalar(scalar).ok_or(SignerError::Unreadable)?;
        EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, scalar, key.public())
            .map(|pair| Self { pair })
            .map_err(|_| SignerError::Unreadable)
    }

    /// A new key from given entropy.
    #[must_use]
    pub fn draw(entropy: &mut dyn Entropy) -> Self {
        loop {
            let mut scalar = Zeroizing::new([0; 32]);
            entropy.fill(&mut *scalar);
            if let Ok(key) = Self::from_scalar(&scalar) {
                return key;
            }
        }
    }

    /// The public half, as an uncompressed point.
    #[must_use]
    pub fn public(&self) -> Point {
        let mut point = [0; 65];
        let bytes = self.pair.public_key().as_ref();
        if bytes.len() == point.len() {
            point.copy_from_slice(bytes);
        }
        point
    }

    /// The bare scalar, to be written where keys are kept.
    ///
    /// # Errors
    /// [`SignerError::Unavailable`] when the library does not give it.
    pub fn to_scalar(&self) -> Result<Zeroizing<[u8; 32]>, SignerError> {
        let lost = || SignerError::Unavailable("the scalar cannot be exported".to_owned());
        let bytes: EcPrivateKeyBin<'_> = self.pair.private_key().as_be_bytes().map_err(|_| lost())?;
        let mut scalar = Zeroizing::new([0; 32]);
        let given = bytes.as_ref();
        if given.len() != scalar.len() {
            return Err(lost());
        }
        scalar.copy_from_slice(given);
        Ok(scalar)
    }
}

impl core::fmt::Debug for LocalKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("LocalKey(P-256, private)")
    }
}

impl Signer for LocalKey {
    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        let failed = || SignerError::Unavailable("the signature failed".to_owned());
        let signature = self
            .pair
            .sign(&SystemRandom::new(), message)
            .map_err(|_| failed())?;
        signature.as_ref().try_into().map_err(|_| failed())
    }

    fn curve(&self) -> Curve {
        Curve::P256
    }
}

/// A certificate of the server with the key that signs for it.
#[derive(Debug, Clone)]
pub struct Credential {
    certificate: Arc<Certificate>,
    signer: Arc<dyn Signer>,
}

impl Credential {
    /// Pairs certificate and key; that they belong together is tried by one signature.
    ///
    /// # Errors
    /// [`SignerError::Mismatch`] when they do not, or the signer's own error.
    pub fn new(certificate: Certificate, signer: Arc<dyn Signer>) -> Result<Self, SignerError> {
        let probe = b"simwarden: do this key and this certificate belong together?";
        let signature = signer.sign(probe)?;
        if !certificate.public_key().verify(probe, &signature) {
            return Err(SignerError::Mismatch);
        }
        Ok(Self {
            certificate: Arc::new(certificate),
            signer,
        })
    }

    /// The certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Signs.
    ///
    /// # Errors
    /// The signer's.
    pub fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        self.signer.sign(message)
    }
}

/// A one-time private key for ECDH (otSK.DP); used once and wiped by the library.
pub struct OneTimeKey {
    key: agreement::PrivateKey,
    public: Point,
}

impl OneTimeKey {
    /// Draws a key from given entropy.
    #[must_use]
    pub fn draw(entropy: &mut dyn Entropy) -> Self {
        loop {
            let mut scalar = Zeroizing::new([0; 32]);
            entropy.fill(&mut *scalar);
            if let Some(key) = Self::from_scalar(&scalar) {
                return key;
            }
        }
    }

    /// From its scalar; `None` when it is zero or not below the order of the curve.
    #[must_use]
    pub fn from_scalar(scalar: &[u8; 32]) -> Option<Self> {
        let key = agreement::PrivateKey::from_private_key(&ECDH_P256, scalar).ok()?;
        let public = key.compute_public_key().ok()?.as_ref().try_into().ok()?;
        Some(Self { key, public })
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &Point {
        &self.public
    }

    /// The x coordinate of the shared point; `None` never happens for a checked peer on the same curve.
    #[must_use]
    pub fn agree(&self, peer: &PublicKey) -> Option<Zeroizing<[u8; 32]>> {
        let peer = agreement::UnparsedPublicKey::new(&ECDH_P256, peer.point());
        agreement::agree(&self.key, peer, (), |secret| {
            secret.try_into().map(Zeroizing::new).map_err(|_| ())
        })
        .ok()
    }
}

impl core::fmt::Debug for OneTimeKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("OneTimeKey(P-256, private)")
    }
}

#[cfg(test)]
mod tests {
    use super::{LocalKey, OneTimeKey, Signer};
    use crate::curve::{Curve, PublicKey};

    #[test]
    fn signs_what_its_public_half_verifies_and_keeps_silent_about_itself() {
        let key = LocalKey::draw(&mut crate::testkit::Seed::new(7));
        let again = LocalKey::from_scalar(&key.to_scalar().unwrap()).unwrap();
        let public = PublicKey::parse(Curve::P256, &again.public()).unwrap();
        let signature = key.sign(b"message").unwrap();
        assert!(public.verify(b"message", &signature));
        assert!(!public.verify(b"messagf", &signature));
        assert!(!public.verify(b"message", &signature[..63]));
        assert_eq!(format!("{key:?}"), "LocalKey(P-256, private)");
        assert!(LocalKey::from_scalar(&[0; 32]).is_err() && LocalKey::from_scalar(&[0xFF; 32]).is_err());
        assert!(LocalKey::from_der(b"no key").is_err());
    }

    #[test]
    fn both_sides_agree() {
        let (ours, theirs) = (
            OneTimeKey::from_scalar(&[0x11; 32]).unwrap(),
            OneTimeKey::from_scalar(&[0x22; 32]).unwrap(),
        );
        let public = |key: &OneTimeKey| PublicKey::parse(Curve::P256, key.public()).unwrap();
        assert_eq!(ours.agree(&public(&theirs)), theirs.agree(&public(&ours)));
        assert!(ours.agree(&public(&theirs)).is_some());
    }
}
