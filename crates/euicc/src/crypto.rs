//! Keys and signatures on NIST P-256, after SGP.22 2.6: ECDSA with SHA-256 as raw `r || s`, ECDH as the x coordinate.
//!
//! Randomness comes in as an argument; a signature is deterministic (RFC 6979).

use crate::error::{EuiccError, Result};
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::elliptic_curve::sec1::ToSec1Point;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use sha2::{Digest, Sha256};
use simwarden_model::Entropy;

/// An uncompressed point: `04 || x || y`.
pub type PublicKey = [u8; 65];

/// A private key. `Debug` hides it; serde writes the scalar, because the state of a simulated chip is its secret.
#[derive(Clone)]
pub struct PrivateKey(p256::SecretKey);

impl PrivateKey {
    /// Draws a key.
    ///
    /// # Panics
    /// Never: of 64 draws one is below the order of the curve unless the source of chance is stuck.
    #[must_use]
    pub fn draw(entropy: &mut dyn Entropy) -> Self {
        let mut scalar = [0; 32];
        for _ in 0..64 {
            entropy.fill(&mut scalar);
            if let Ok(key) = Self::from_scalar(&scalar) {
                return key;
            }
        }
        // A stuck source (all zeros, all ones) must not hang a simulation: fall back to a hash of what it gave.
        scalar = sha256(&[&scalar]);
        scalar[0] &= 0x7F;
        Self(p256::SecretKey::from_slice(&scalar).expect("below the order of the curve and not zero"))
    }

    /// A key from its scalar, 32 bytes, big-endian.
    ///
    /// # Errors
    /// [`EuiccError::Key`] when it is zero, not below the order of the curve, or not 32 bytes.
    pub fn from_scalar(scalar: &[u8]) -> Result<Self> {
        if scalar.len() != 32 {
            return Err(EuiccError::Key("a P-256 scalar has 32 bytes"));
        }
        p256::SecretKey::from_slice(scalar)
            .map(Self)
            .map_err(|_| EuiccError::Key("the scalar is not in the range of the curve"))
    }

    /// The scalar, 32 bytes, big-endian.
    #[must_use]
    pub fn reveal(&self) -> [u8; 32] {
        self.0.to_bytes().into()
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let point = self.0.public_key().to_sec1_point(false);
        point
            .as_bytes()
            .try_into()
            .expect("an uncompressed P-256 point has 65 bytes")
    }

    /// Signs the concatenation of the parts.
    #[must_use]
    pub fn sign(&self, parts: &[&[u8]]) -> [u8; 64] {
        let signature: Signature = self.signer().sign(&parts.concat());
        signature.to_bytes().into()
    }

    /// The shared secret with another's public key: the x coordinate.
    ///
    /// # Errors
    /// [`EuiccError::Key`] when the public key is no uncompressed point on the curve.
    pub fn agree(&self, with: &[u8]) -> Result<[u8; 32]> {
        Ok((*self.0.diffie_hellman(&point(with)?).raw_secret_bytes()).into())
    }

    /// PKCS #8 in PEM, as `openssl` reads it.
    ///
    /// # Errors
    /// [`EuiccError::Key`] when it cannot be encoded; not seen.
    pub fn to_pkcs8_pem(&self) -> Result<String> {
        let pem = self.0.to_pkcs8_pem(LineEnding::LF);
        Ok(pem
            .map_err(|_| EuiccError::Key("it has no PKCS #8 form"))?
            .as_str()
            .to_owned())
    }

    /// From PKCS #8 in PEM, as [`Self::to_pkcs8_pem`] writes it.
    ///
    /// # Errors
    /// [`EuiccError::Key`] when it is no P-256 key in that form.
    pub fn from_pkcs8_pem(pem: &str) -> Result<Self> {
        p256::SecretKey::from_pkcs8_pem(pem)
            .map(Self)
            .map_err(|_| EuiccError::Key("it is no P-256 key in PKCS #8 PEM"))
    }

    pub(crate) fn signer(&self) -> SigningKey {
        SigningKey::from(&self.0)
    }
}

impl core::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("PrivateKey(hidden)")
    }
}

impl serde::Serialize for PrivateKey {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        crate::hex::array::serialize(&self.reveal(), s)
    }
}

impl<'de> serde::Deserialize<'de> for PrivateKey {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::from_scalar(&crate::hex::array::deserialize::<D, 32>(d)?).map_err(serde::de::Error::custom)
    }
}

/// Whether these bytes are an uncompressed point on the curve.
#[must_use]
pub fn is_on_curve(public: &[u8]) -> bool {
    point(public).is_ok()
}

/// Whether `signature` (raw `r || s`) is one of the concatenation of `parts` by `public`.
#[must_use]
pub fn verify(public: &[u8], parts: &[&[u8]], signature: &[u8]) -> bool {
    let (Ok(point), Ok(signature)) = (point(public), Signature::from_slice(signature)) else {
        return false;
    };
    VerifyingKey::from(point)
        .verify(&parts.concat(), &signature)
        .is_ok()
}

/// Whether `signature` (DER, as in a certificate) is one of `message` by `public`.
#[must_use]
pub(crate) fn verify_der(public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(point), Ok(signature)) = (point(public), Signature::from_der(signature)) else {
        return false;
    };
    VerifyingKey::from(point).verify(message, &signature).is_ok()
}

/// SHA-256 of the concatenation of the parts.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

fn point(bytes: &[u8]) -> Result<p256::PublicKey> {
    if bytes.len() != 65 || bytes[0] != 4 {
        return Err(EuiccError::Key("a public key is 04 || x || y, 65 bytes"));
    }
    p256::PublicKey::from_sec1_bytes(bytes).map_err(|_| EuiccError::Key("the point is not on the curve"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_off_the_curve_is_no_key() {
        let key = PrivateKey::from_scalar(&[0x22; 32]).unwrap();
        let mut public = key.public();
        assert!(is_on_curve(&public));
        public[64] ^= 1;
        assert!(!is_on_curve(&public) && key.agree(&public).is_err());
        assert!(!is_on_curve(&[0]) && !is_on_curve(&[4; 65]));
        assert!(PrivateKey::from_scalar(&[0; 32]).is_err() && PrivateKey::from_scalar(&[0xFF; 32]).is_err());
    }

    #[test]
    fn a_signature_is_raw_and_holds_for_its_bytes_only() {
        let key = PrivateKey::from_scalar(&[0x22; 32]).unwrap();
        let signature = key.sign(&[b"one", b"two"]);
        assert!(verify(&key.public(), &[b"onetwo"], &signature));
        assert!(!verify(&key.public(), &[b"onetwO"], &signature));
        assert!(!verify(&key.public(), &[b"onetwo"], &signature[..63]));
        assert!(!format!("{key:?}").contains("22"));
    }
}
