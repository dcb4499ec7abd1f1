//! Personal data at rest: sealed under a key of the person's own, found by keyed blind indexes.
//!
//! One master key lives outside the database. From it come, by HMAC-SHA-256 with a purpose each: the key that wraps
//! the subjects' keys, one key per blind index, and one for what belongs to no subject yet (events). Everything is
//! sealed with XChaCha20-Poly1305, whose 192-bit nonces may be drawn at random without counting.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use simwarden_model::Entropy;
use zeroize::{Zeroize, ZeroizeOnDrop};

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

/// A key that is missing, wrong or gone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The ciphertext was not sealed under this key, or was changed.
    #[error(
        "sealed data do not open: the master key is not the one they were sealed with, or they were changed"
    )]
    DoesNotOpen,
    /// The person was erased: the key is destroyed for good.
    #[error("this person's data were erased; their key no longer exists")]
    Destroyed,
    /// The text of a master key is malformed.
    #[error("the master key is malformed: expected `simwarden-master-key-v1 ` and 64 hex digits")]
    Malformed,
}

/// A keyed blind index: the first 16 bytes of HMAC-SHA-256 under a key of the column's own. Without the key, a stolen
/// database cannot be searched by guessing numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlindIndex([u8; 16]);

impl BlindIndex {
    /// The bytes, as stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
    /// From the bytes that were stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

/// What a blind index is an index of. Each has a key of its own, so equal digits in two columns look unrelated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Indexed {
    /// A phone number, E.164 digits without `+`.
    Msisdn,
    /// A profile's number.
    Iccid,
    /// A subscriber identity.
    Imsi,
    /// A chip's number.
    Eid,
    /// A phone's number.
    Imei,
    /// An identity document: `country/kind/number`.
    Document,
    /// An idempotency key together with its sender.
    Idempotency,
    /// The matching id of a download order.
    MatchingId,
    /// The transaction id of a chip's session.
    Transaction,
    /// A remote-management key in a profile.
    RemoteKey,
    /// The signed bytes of a chip's notification.
    Notification,
    /// What somebody signs in with: a name, a mail address, a number.
    Login,
    /// A code that lets its holder do one thing once: an invitation, a link, a recovery code.
    OneTimeCode,
    /// A passkey's credential id.
    Credential,
    /// Where and on what somebody signs in: an address, its network, a device's mark.
    Whereabouts,
}

/// The keys of one installation.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Keyring {
    master: [u8; KEY_BYTES],
    wrap: [u8; KEY_BYTES],
    common: [u8; KEY_BYTES],
    #[zeroize(skip)]
    indexes: [Hmac<Sha256>; 15],
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyring(…)")
    }
}

fn derive(master: &[u8; KEY_BYTES], purpose: &str) -> [u8; KEY_BYTES] {
    let mut mac = keyed(master);
    mac.update(b"simwarden/v1/");
    mac.update(purpose.as_bytes());
    mac.finalize().into_bytes().into()
}

fn keyed(key: &[u8; KEY_BYTES]) -> Hmac<Sha256> {
    <Hmac<Sha256>>::new_from_slice(key).expect("HMAC takes keys of any length")
}

impl Keyring {
    /// From the 32 bytes of the master key.
    #[must_use]
    pub fn new(master: [u8; KEY_BYTES]) -> Self {
        let index = |name: &str| keyed(&derive(&master, &format!("index/{name}")));
        Self {
            wrap: derive(&master, "wrap"),
            common: derive(&master, "common"),
            indexes: [
                index("msisdn"),
                index("iccid"),
                index("imsi"),
                index("eid"),
                index("imei"),
                index("document"),
                index("idempotency"),
                index("matching_id"),
                index("transaction"),
                index("remote_key"),
                index("notification"),
                index("login"),
                index("one_time_code"),
                index("credential"),
                index("whereabouts"),
            ],
            master,
        }
    }

    /// Reads the text form that [`Self::to_text`] writes.
    ///
    /// # Errors
    /// [`KeyError::Malformed`].
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let hex = text
            .trim()
            .strip_prefix("simwarden-master-key-v1 ")
            .ok_or(KeyError::Malformed)?;
        if hex.len() != 2 * KEY_BYTES || !hex.is_ascii() {
            return Err(KeyError::Malformed);
        }
        let mut master = [0; KEY_BYTES];
        for (byte, pair) in master.iter_mut().zip(hex.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| KeyError::Malformed)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| KeyError::Malformed)?;
        }
        Ok(Self::new(master))
    }

    /// The text to keep in a file outside the database.
    #[must_use]
    pub fn to_text(&self) -> String {
        let hex: String = self.master.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("simwarden-master-key-v1 {hex}\n")
    }

    /// The blind index of a value.
    #[must_use]
    pub fn index(&self, of: Indexed, value: &[u8]) -> BlindIndex {
        let mut mac = self.indexes[of as usize].clone();
        mac.update(value);
        let full: [u8; 32] = mac.finalize().into_bytes().into();
        let mut short = [0; 16];
        short.copy_from_slice(&full[..16]);
        BlindIndex(short)
    }

    /// A code over some bytes that only a holder of the master key can make; `purpose` keeps codes for one thing from
    /// being taken for another.
    #[must_use]
    pub fn vouch(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        let mut mac = keyed(&derive(&self.master, &format!("vouch/{purpose}")));
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }

    /// Draws a new key for a subject and wraps it; `context` is the subject's id and is bound to the wrapping.
    pub fn new_subject_key(&self, context: &[u8], entropy: &mut dyn Entropy) -> (SubjectKey, Vec<u8>) {
        let mut key = [0; KEY_BYTES];
        entropy.fill(&mut key);
        let key = SubjectKey(key);
        let wrapped = self.wrap_subject_key(context, &key, entropy);
        (key, wrapped)
    }

    /// Wraps a subject's key; `context` is the subject's id and is bound to the wrapping.
    pub fn wrap_subject_key(&self, context: &[u8], key: &SubjectKey, entropy: &mut dyn Entropy) -> Vec<u8> {
        seal(&self.wrap, context, &key.0, entropy)
    }

    /// Opens a wrapped subject key.
    ///
    /// # Errors
    /// [`KeyError::DoesNotOpen`] with another master key or context.
    pub fn unwrap_subject_key(&self, context: &[u8], wrapped: &[u8]) -> Result<SubjectKey, KeyError> {
        let mut plain = open(&self.wrap, context, wrapped)?;
        let key = <[u8; KEY_BYTES]>::try_from(plain.as_slice()).map_err(|_| KeyError::DoesNotOpen);
        plain.zeroize();
        Ok(SubjectKey(key?))
    }

    /// Seals what belongs to no subject.
    pub fn seal_common(&self, context: &[u8], plain: &[u8], entropy: &mut dyn Entropy) -> Vec<u8> {
        seal(&self.common, context, plain, entropy)
    }

    /// Opens what [`Self::seal_common`] sealed.
    ///
    /// # Errors
    /// [`KeyError::DoesNotOpen`].
    pub fn open_common(&self, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, KeyError> {
        open(&self.common, context, sealed)
    }
}

/// One subject's data key, in the clear for as long as it is needed.
#[derive(Clone, ZeroizeOnDrop)]
pub struct SubjectKey([u8; KEY_BYTES]);

impl std::fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SubjectKey(…)")
    }
}

impl SubjectKey {
    /// Out of 32 bytes that nobody can guess.
    #[must_use]
    pub const fn from_bytes(key: [u8; KEY_BYTES]) -> Self {
        Self(key)
    }

    /// Seals a text; `context` (what and whose it is) must be given again to open it.
    pub fn seal(&self, context: &[u8], plain: &[u8], entropy: &mut dyn Entropy) -> Vec<u8> {
        seal(&self.0, context, plain, entropy)
    }

    /// Opens what [`Self::seal`] sealed.
    ///
    /// # Errors
    /// [`KeyError::DoesNotOpen`].
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, KeyError> {
        open(&self.0, context, sealed)
    }
}

fn seal(key: &[u8; KEY_BYTES], context: &[u8], plain: &[u8], entropy: &mut dyn Entropy) -> Vec<u8> {
    let mut nonce = [0; NONCE_BYTES];
    entropy.fill(&mut nonce);
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    let body = cipher
        .encrypt(
            &XNonce::from(nonce),
            Payload {
                msg: plain,
                aad: context,
            },
        )
        .expect("messages are far below the cipher's limit of 256 GiB");
    let mut sealed = Vec::with_capacity(NONCE_BYTES + body.len());
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&body);
    sealed
}

fn open(key: &[u8; KEY_BYTES], context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, KeyError> {
    if sealed.len() < NONCE_BYTES + TAG_BYTES {
        return Err(KeyError::DoesNotOpen);
    }
    let (nonce, body) = sealed.split_at(NONCE_BYTES);
    let nonce = <[u8; NONCE_BYTES]>::try_from(nonce).map_err(|_| KeyError::DoesNotOpen)?;
    XChaCha20Poly1305::new(&Key::from(*key))
        .decrypt(
            &XNonce::from(nonce),
            Payload {
                msg: body,
                aad: context,
            },
        )
        .map_err(|_| KeyError::DoesNotOpen)
}

#[cfg(test)]
mod tests {
    use super::{Indexed, KeyError, Keyring};

    struct Counter(u8);
    impl simwarden_model::Entropy for Counter {
        fn fill(&mut self, bytes: &mut [u8]) {
            for byte in bytes {
                self.0 = self.0.wrapping_add(1);
                *byte = self.0;
            }
        }
    }

    #[test]
    fn what_is_sealed_opens_only_with_key_and_context() {
        let ring = Keyring::new([7; 32]);
        let mut entropy = Counter(0);
        let (key, wrapped) = ring.new_subject_key(b"party", &mut entropy);
        let sealed = key.seal(b"name", "សុខ".as_bytes(), &mut entropy);
        let again = ring.unwrap_subject_key(b"party", &wrapped).unwrap();
        assert_eq!(again.open(b"name", &sealed).unwrap(), "សុខ".as_bytes());
        assert_eq!(again.open(b"document", &sealed), Err(KeyError::DoesNotOpen));
        assert!(ring.unwrap_subject_key(b"other", &wrapped).is_err());
        assert!(
            Keyring::new([8; 32])
                .unwrap_subject_key(b"party", &wrapped)
                .is_err()
        );
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert_eq!(
                again.open(b"name", &bent),
                Err(KeyError::DoesNotOpen),
                "byte {at}"
            );
        }
    }

    #[test]
    fn equal_digits_in_two_columns_look_unrelated_and_the_text_form_round_trips() {
        let ring = Keyring::new([7; 32]);
        let a = ring.index(Indexed::Msisdn, b"85512345678");
        assert_ne!(a, ring.index(Indexed::Imsi, b"85512345678"));
        assert_ne!(a, Keyring::new([8; 32]).index(Indexed::Msisdn, b"85512345678"));
        assert_eq!(
            a,
            Keyring::from_text(&ring.to_text())
                .unwrap()
                .index(Indexed::Msisdn, b"85512345678")
        );
        for bad in [
            "",
            "simwarden-master-key-v1 00",
            "simwarden-master-key-v1 សសសសសសសសសសសសសសសសសសសសស1",
        ] {
            assert_eq!(Keyring::from_text(bad).unwrap_err(), KeyError::Malformed);
        }
    }
}
