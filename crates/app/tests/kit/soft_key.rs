//! An authenticator in software, with the faults that a real one would not have: it signs for another site, without
//! verifying its user, or with a count that goes backwards. It shares no code with what checks it.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Value, json};

/// A phone or a key.
pub struct SoftKey {
    /// Where the browser stands.
    pub origin: String,
    /// Whether its maker's cloud copies its passkeys.
    pub synced: bool,
    /// Whether it checks finger, face or PIN.
    pub verifies: bool,
    /// The count of the last signature; zero for ever when it does not count.
    pub counter: u32,
    /// Whether it counts.
    pub counts: bool,
    credential: Option<(Vec<u8>, EcdsaKeyPair, Vec<u8>)>,
}

fn bytes(text: &Value) -> Vec<u8> {
    BASE64URL.decode(text.as_str().unwrap()).unwrap()
}

fn text(bytes: &[u8]) -> String {
    BASE64URL.encode(bytes)
}

impl SoftKey {
    pub fn at(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            synced: false,
            verifies: true,
            counter: 0,
            counts: true,
            credential: None,
        }
    }

    fn client_data(&self, kind: &str, challenge: &Value) -> Vec<u8> {
        json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false })
            .to_string()
            .into_bytes()
    }

    fn authenticator_data(&mut self, site: &str, attested: bool) -> Vec<u8> {
        if self.counts {
            self.counter += 1;
        }
        let flags = 0x01
            | if self.verifies { 0x04 } else { 0 }
            | if self.synced { 0x18 } else { 0 }
            | if attested { 0x40 } else { 0 };
        let mut data = digest(&SHA256, site.as_bytes()).as_ref().to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// `navigator.credentials.create`.
    pub fn create(&mut self, options: &Value) -> Value {
        let options = &options["publicKey"];
        let mut id = vec![0; 32];
        aws_lc_rs::rand::fill(&mut id).unwrap();
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let point = pair.public_key().as_ref().to_vec();
        let mut data = self.authenticator_data(options["rp"]["id"].as_str().unwrap(), true);
        data.extend([0; 16]);
        data.extend([0, 32]);
        data.extend(&id);
        // COSE: kty EC2, alg ES256, crv P-256, x, y.
        data.extend([0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(&point[1..33]);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(&point[33..65]);
        let mut object = vec![0xA3, 0x63];
        object.extend(b"fmt");
        object.push(0x64);
        object.extend(b"none");
        object.push(0x67);
        object.extend(b"attStmt");
        object.push(0xA0);
        object.push(0x68);
        object.extend(b"authData");
        object.extend([0x58, u8::try_from(data.len()).unwrap()]);
        object.extend(&data);
        let client = self.client_data("webauthn.create", &options["challenge"]);
        self.credential = Some((id.clone(), pair, bytes(&options["user"]["id"])));
        json!({
            "id": text(&id), "rawId": text(&id), "type": "public-key", "clientExtensionResults": {},
            "response": {
                "attestationObject": text(&object), "clientDataJSON": text(&client), "transports": ["internal"],
            },
        })
    }

    /// `navigator.credentials.get`.
    pub fn get(&mut self, options: &Value) -> Value {
        let options = &options["publicKey"];
        let data = self.authenticator_data(options["rpId"].as_str().unwrap(), false);
        let client = self.client_data("webauthn.get", &options["challenge"]);
        let (id, pair, user) = self.credential.as_ref().unwrap();
        let mut signed = data.clone();
        signed.extend(digest(&SHA256, &client).as_ref());
        let signature = pair.sign(&SystemRandom::new(), &signed).unwrap();
        json!({
            "id": text(id), "rawId": text(id), "type": "public-key", "clientExtensionResults": {},
            "response": {
                "authenticatorData": text(&data), "clientDataJSON": text(&client),
                "signature": text(signature.as_ref()), "userHandle": text(user),
            },
        })
    }
}
