//! The gateway's own key: signs identity tokens.
//!
//! It is derived from the installation's master key, so it needs no place of its own and outlives restarts.

use crate::Error;
use crate::entry::hex;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;
use simwarden_store::Keyring;

/// A P-256 key in PKCS #8 (RFC 5958, RFC 5915) before its 32 bytes.
const PKCS8: &[u8] = &[
    0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06,
    0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04,
    0x20,
];
const ALGORITHM: Algorithm = Algorithm::ES256;

/// The key and its public half.
pub(super) struct ServerKey {
    key: EncodingKey,
    kid: String,
    public: serde_json::Value,
}

impl ServerKey {
    pub(super) fn of(keyring: &Keyring) -> Result<Self, Error> {
        // A 256-bit number is no P-256 key with a chance of 2^-32; then the next one is taken.
        for attempt in 0_u8..8 {
            let secret = keyring.vouch("gateway identity token key", &[attempt]);
            let key = from_secret(&secret);
            let Some(mut public) = public_of(&key) else {
                continue;
            };
            let kid = hex(&keyring.vouch("gateway identity token key id", &[attempt])[..8]);
            public["kid"] = kid.clone().into();
            public["use"] = "sig".into();
            public["alg"] = "ES256".into();
            return Ok(Self { key, kid, public });
        }
        Err(Error::internal("no key for identity tokens could be derived"))
    }

    /// The public half, a JWK Set.
    pub(super) fn jwks(&self) -> serde_json::Value {
        serde_json::json!({ "keys": [self.public] })
    }

    /// Signs claims.
    pub(super) fn sign<T: Serialize>(&self, claims: &T) -> Result<String, Error> {
        let mut header = Header::new(ALGORITHM);
        header.kid = Some(self.kid.clone());
        encode(&header, claims, &self.key).map_err(Error::internal)
    }
}

/// A P-256 key out of its number.
pub(super) fn from_secret(secret: &[u8; 32]) -> EncodingKey {
    EncodingKey::from_ec_der(&[PKCS8, secret].concat())
}

/// Its public half, a JWK; none when the number is no key.
pub(super) fn public_of(key: &EncodingKey) -> Option<serde_json::Value> {
    let public = Jwk::from_encoding_key(key, ALGORITHM).ok()?;
    serde_json::to_value(public).ok()
}

/// A subscriber's name towards one client: tells nobody anything, and another client gets another one.
pub(super) fn pairwise(keyring: &Keyring, client: &str, line: &[u8; 16]) -> String {
    let code = keyring.vouch(
        "gateway pairwise subject",
        &[client.as_bytes(), &[0], line].concat(),
    );
    URL_SAFE_NO_PAD.encode(code)
}

#[cfg(test)]
mod tests {
    use super::{ServerKey, pairwise};
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
    use simwarden_store::Keyring;

    #[test]
    fn what_it_signs_its_public_half_verifies() {
        let ring = Keyring::new([3; 32]);
        let key = ServerKey::of(&ring).unwrap();
        let token = key.sign(&serde_json::json!({ "sub": "a" })).unwrap();
        let public = serde_json::from_value(key.jwks()["keys"][0].clone()).unwrap();
        let mut validation = Validation::new(Algorithm::ES256);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        let public = DecodingKey::from_jwk(&public).unwrap();
        assert!(decode::<serde_json::Value>(&token, &public, &validation).is_ok());
        assert!(key.jwks()["keys"][0].get("d").is_none());
        // The same after a restart, another for another installation.
        assert_eq!(key.jwks(), ServerKey::of(&ring).unwrap().jwks());
        assert_ne!(key.jwks(), ServerKey::of(&Keyring::new([4; 32])).unwrap().jwks());
        assert_ne!(pairwise(&ring, "a", &[1; 16]), pairwise(&ring, "b", &[1; 16]));
    }
}
