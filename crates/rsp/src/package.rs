//! The bound profile package, `BF36` (SGP.22 v2, 2.5.4), in two halves.
//!
//! [`Prepared`] is the costly half: the profile under random keys, made when the order is (A3). [`bind`] is the cheap
//! one, made per download: key agreement, three small segments (A0, A1, A2) that hand the chip those random keys,
//! and one signature. A retry by the same chip with the same one-time key gets A0 to A3 byte for byte.

use crate::bsp::{Channel, PLAIN_PAYLOAD_BYTES_MAX};
use crate::curve::{Point, PublicKey};
use crate::der::{DerError, Tlv, push, push_header, tlv};
use crate::kdf::{SegmentKeys, session_keys};
use crate::key::{Credential, OneTimeKey, SignerError};
use crate::order::Binding;
use crate::session::TransactionId;
use simwarden_model::{Eid, Entropy};
use zeroize::{Zeroize, Zeroizing};

/// A profile under random keys of its own, ready to be bound to a chip. It must be kept sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Prepared {
    id: [u8; 16],
    keys: SegmentKeys,
    segments: Vec<u8>,
}

impl core::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Prepared({} bytes)", self.segments.len())
    }
}

impl Prepared {
    /// Protects an unprotected profile package under fresh keys. Never used for two profiles or two chips.
    #[must_use]
    pub fn make(profile_package: &[u8], entropy: &mut dyn Entropy) -> Self {
        let mut keys = SegmentKeys {
            mcv: [0; 16],
            enc: [0; 16],
            mac: [0; 16],
        };
        let mut id = [0; 16];
        for part in [&mut id, &mut keys.mcv, &mut keys.enc, &mut keys.mac] {
            entropy.fill(part);
        }
        Self::with_keys(id, keys, profile_package)
    }

    pub(crate) fn with_keys(id: [u8; 16], keys: SegmentKeys, profile_package: &[u8]) -> Self {
        let mut segments = Vec::with_capacity(profile_package.len() + profile_package.len() / 32 + 64);
        Channel::new(keys.clone()).encrypt(&mut segments, 0x86, profile_package);
        Self { id, keys, segments }
    }

    /// Which prepared package this is; what a binding remembers.
    #[must_use]
    pub const fn id(&self) -> [u8; 16] {
        self.id
    }

    /// All of it as bytes, keys in the clear: to be sealed before it is written anywhere.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(self.segments.len() + 96));
        for part in [&self.id, &self.keys.mcv, &self.keys.enc, &self.keys.mac] {
            push(&mut out, 0x04, part);
        }
        push(&mut out, 0x30, &self.segments);
        out
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`DerError`] when it is something else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DerError> {
        let mut fields = crate::der::Reader::new(bytes);
        let id = fields.expect(0x04)?.array()?;
        let keys = SegmentKeys {
            mcv: fields.expect(0x04)?.array()?,
            enc: fields.expect(0x04)?.array()?,
            mac: fields.expect(0x04)?.array()?,
        };
        let segments = fields.expect(0x30)?.value.to_vec();
        fields.finish()?;
        Ok(Self { id, keys, segments })
    }
}

/// ConfigureISDPRequest without SM-DP+ proprietary data.
const CONFIGURE_ISDP: [u8; 3] = [0xBF, 0x24, 0x00];

/// Makes A0, A1 and A2 for a chip's one-time key; `None` never happens for keys on one curve.
#[must_use]
pub(crate) fn bind(
    one_time: &OneTimeKey,
    ot_pk_euicc: &PublicKey,
    host_id: &[u8],
    eid: &Eid,
    metadata: &[u8],
    prepared: &Prepared,
) -> Option<Binding> {
    bind_in_parts(
        one_time,
        ot_pk_euicc,
        host_id,
        eid,
        metadata,
        PLAIN_PAYLOAD_BYTES_MAX,
        prepared,
    )
}

/// As [`bind`], the metadata cut into parts of at most `part_bytes_max`.
pub(crate) fn bind_in_parts(
    one_time: &OneTimeKey,
    ot_pk_euicc: &PublicKey,
    host_id: &[u8],
    eid: &Eid,
    metadata: &[u8],
    part_bytes_max: usize,
    prepared: &Prepared,
) -> Option<Binding> {
    let secret = one_time.agree(ot_pk_euicc)?;
    let mut channel = Channel::new(session_keys(&secret, host_id, eid));
    let mut head = Vec::with_capacity(metadata.len() + 192);
    let mut segments = Vec::with_capacity(metadata.len() + 64);
    channel.encrypt(&mut segments, 0x87, &CONFIGURE_ISDP);
    push(&mut head, 0xA0, &segments);
    segments.clear();
    channel.authenticate(&mut segments, 0x88, metadata, part_bytes_max);
    push(&mut head, 0xA1, &segments);
    segments.clear();
    let keys = &prepared.keys;
    let mut replace = Zeroizing::new(Vec::with_capacity(64));
    push_header(&mut replace, 0xBF26, 54);
    for (tag, key) in [(0x80, &keys.mcv), (0x81, &keys.enc), (0x82, &keys.mac)] {
        push(&mut replace, tag, key);
    }
    channel.encrypt(&mut segments, 0x87, &replace);
    push(&mut head, 0xA2, &segments);
    Some(Binding {
        ot_pk_euicc: *ot_pk_euicc.point(),
        ot_pk_dp: *one_time.public(),
        head,
        prepared: prepared.id,
        device: [0; 32],
    })
}

/// Puts the package together: BF23 signed for this session, then A0 to A3 as they are.
///
/// # Errors
/// [`SignerError`] when the key of DPpb cannot be used now.
pub(crate) fn assemble(
    dp_pb: &Credential,
    host_id: &[u8],
    transaction: &TransactionId,
    binding: &Binding,
    prepared: &Prepared,
) -> Result<Vec<u8>, SignerError> {
    let message = channel_to_sign(host_id, transaction, &binding.ot_pk_dp, &binding.ot_pk_euicc);
    let signature = dp_pb.sign(&message)?;
    let own = &message[..message.len() - OT_PK_TLV_BYTES];
    let initialise = tlv(0xBF23, &[own, &tlv(0x5F37, &[&signature])]);
    let mut sequence = Vec::with_capacity(8);
    push_header(&mut sequence, 0xA3, prepared.segments.len());
    Ok(tlv(
        0xBF36,
        &[&initialise, &binding.head, &sequence, &prepared.segments],
    ))
}

const OT_PK_TLV_BYTES: usize = 3 + 65;

/// What smdpSign signs: the fields of BF23 (without its header), then the chip's one-time key.
pub(crate) fn channel_to_sign(
    host_id: &[u8],
    transaction: &TransactionId,
    ot_pk_dp: &Point,
    ot_pk_euicc: &Point,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(192);
    push(&mut out, 0x82, &[0x01]);
    push(&mut out, 0x80, transaction.as_bytes());
    let mut control = vec![0x80, 0x01, 0x88, 0x81, 0x01, 0x10];
    push(&mut control, 0x84, host_id);
    push(&mut out, 0xA6, &control);
    push(&mut out, 0x5F49, ot_pk_dp);
    push(&mut out, 0x5F49, ot_pk_euicc);
    out
}

/// Checks a package from outside for its form: the order of its parts, and that no segment is too long.
///
/// # Errors
/// [`DerError`] of the first part that is wrong.
pub fn check_form(package: &[u8]) -> Result<(), DerError> {
    let mut parts = Tlv::parse_as(package, 0xBF36)?.inner();
    crate::der::check_tree(&parts.expect(0xBF23)?)?;
    check_segments(parts.expect(0xA0)?, 0x87)?;
    check_segments(parts.expect(0xA1)?, 0x88)?;
    if let Some(keys) = parts.optional(0xA2)? {
        check_segments(keys, 0x87)?;
    }
    check_segments(parts.expect(0xA3)?, 0x86)?;
    parts.finish()
}

fn check_segments(part: Tlv<'_>, tag: u32) -> Result<(), DerError> {
    let mut segments = part.inner();
    if segments.is_empty() {
        return Err(DerError::Truncated);
    }
    while !segments.is_empty() {
        if segments.expect(tag)?.raw.len() > crate::bsp::SEGMENT_BYTES_MAX {
            return Err(DerError::TooLarge);
        }
    }
    Ok(())
}

impl Drop for Prepared {
    fn drop(&mut self) {
        self.keys.zeroize();
    }
}
