//! A client's own key, for its developers: made, kept as a private JWK, used to sign what the token endpoint asks for.

use super::server_key::{from_secret, public_of};
use crate::entry::hex;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use simwarden_model::{Entropy, Timestamp};

/// How long an assertion lives, in seconds.
const LIFE_S: i64 = 60;

/// A P-256 key.
pub struct ClientKey {
    secret: [u8; 32],
    key: EncodingKey,
    public: Value,
}

impl ClientKey {
    fn of(secret: [u8; 32]) -> Option<Self> {
        let key = from_secret(&secret);
        let public = public_of(&key)?;
        Some(Self { secret, key, public })
    }

    /// Draws a key.
    pub fn draw(entropy: &mut dyn Entropy) -> Self {
        loop {
            let mut secret = [0; 32];
            entropy.fill(&mut secret);
            // A 256-bit number is no P-256 key with a chance of 2^-32.
            if let Some(key) = Self::of(secret) {
                return key;
            }
        }
    }

    /// Reads a private JWK.
    #[must_use]
    pub fn from_private_jwk(jwk: &Value) -> Option<Self> {
        let secret = URL_SAFE_NO_PAD.decode(jwk.get("d")?.as_str()?).ok()?;
        Self::of(secret.try_into().ok()?)
    }

    /// The whole key as a JWK: keep it secret.
    #[must_use]
    pub fn private_jwk(&self) -> Value {
        let mut jwk = self.public.clone();
        jwk["d"] = URL_SAFE_NO_PAD.encode(self.secret).into();
        jwk
    }

    /// The public half as a JWK Set, for the registration.
    #[must_use]
    pub fn jwks(&self) -> Value {
        json!({ "keys": [self.public] })
    }

    /// What shows a token endpoint who the client is; with a subject and scopes, its word about a subscriber. None when
    /// it cannot be signed.
    #[must_use]
    pub fn assertion(
        &self,
        client: &str,
        audience: &str,
        about: Option<(&str, &str)>,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Option<String> {
        let mut jti = [0; 16];
        entropy.fill(&mut jti);
        let mut claims = json!({
            "iss": client, "sub": client, "aud": audience,
            "iat": now.as_secs(), "exp": now.as_secs() + LIFE_S, "jti": hex(&jti),
        });
        if let Some((subject, scope)) = about {
            claims["sub"] = subject.into();
            claims["scope"] = scope.into();
        }
        encode(&Header::new(Algorithm::ES256), &claims, &self.key).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::ClientKey;
    use crate::OsEntropy;

    #[test]
    fn a_key_is_read_back_and_its_set_holds_no_secret() {
        let key = ClientKey::draw(&mut OsEntropy::new().unwrap());
        let again = ClientKey::from_private_jwk(&key.private_jwk()).unwrap();
        assert_eq!(again.jwks(), key.jwks());
        assert!(key.jwks()["keys"][0].get("d").is_none());
        assert!(ClientKey::from_private_jwk(&key.jwks()["keys"][0]).is_none());
    }
}
