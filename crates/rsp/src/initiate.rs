//! ES9+ InitiateAuthentication: the server proves itself and opens a session (SGP.22 v2, 5.6.1).

use crate::certificate::KeyId;
use crate::chip_info::EuiccInfo1;
use crate::der::{push, push_header, tlv};
use crate::server::Server;
use crate::session::{Session, TransactionId, begin};
use crate::status::Refusal;
use simwarden_model::{Entropy, Timestamp};

/// The request, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitiateRequest {
    /// The server that the client means.
    pub smdp_address: String,
    /// 16 random bytes of the chip.
    pub euicc_challenge: Vec<u8>,
    /// `BF20`.
    pub euicc_info1: Vec<u8>,
}

/// The answer, as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitiateAnswer {
    /// The session.
    pub transaction: TransactionId,
    /// `30 …`.
    pub server_signed1: Vec<u8>,
    /// `5F37 40 …`.
    pub server_signature1: Vec<u8>,
    /// `04 14 …`: the root that the chip's certificates must lead to.
    pub ci_key_id: Vec<u8>,
    /// CERT.DPauth.
    pub server_certificate: Vec<u8>,
}

/// Opens a session.
///
/// # Errors
/// [`Refusal`], in this order: another address, malformed parameters, unsupported version, no common root for the
/// chip's certificates, none for ours, signing failed.
pub fn initiate(
    server: &Server,
    request: &InitiateRequest,
    now: Timestamp,
    entropy: &mut dyn Entropy,
) -> Result<(InitiateAnswer, Session), Refusal> {
    if !request.smdp_address.eq_ignore_ascii_case(server.address()) {
        return Err(Refusal::WrongAddress);
    }
    let challenge: [u8; 16] = request.euicc_challenge[..]
        .try_into()
        .map_err(|_| Refusal::Malformed)?;
    let info = EuiccInfo1::parse(&request.euicc_info1)?;
    if info.svn[0] != 2 {
        return Err(Refusal::UnsupportedVersion);
    }
    let (ci, ours) = choose(server, &info)?;
    let identity = &server.identities()[ours];
    // A server that cannot say when it is begins nothing.
    let session = begin(server, (ci, ours), now, entropy).ok_or(Refusal::NotNow)?;
    let transaction = session.transaction;
    let server_signed1 = server_signed1(
        &transaction,
        &challenge,
        server.address(),
        &session.server_challenge,
    );
    let signature = identity.dp_auth().sign(&server_signed1)?;
    let answer = InitiateAnswer {
        transaction,
        server_signed1,
        server_signature1: tlv(0x5F37, &[&signature]),
        ci_key_id: tlv(0x04, &[&session.ci]),
        server_certificate: identity.dp_auth().certificate().der().to_vec(),
    };
    Ok((answer, session))
}

/// The places of the root for the chip's certificates and of the one for ours: by the chip's preference, and under one
/// root where that can be.
fn choose(server: &Server, info: &EuiccInfo1) -> Result<(usize, usize), Refusal> {
    let place = |id: &KeyId| server.identities().iter().position(|it| it.ci_key_id() == *id);
    let (ci, id) = info
        .signing
        .iter()
        .find_map(|id| place(id).map(|at| (at, id)))
        .ok_or(Refusal::UnknownIssuer)?;
    let ours = match info.verification.contains(id) {
        true => Some(ci),
        false => info.verification.iter().find_map(place),
    };
    Ok((ci, ours.ok_or(Refusal::NoCertificate)?))
}

/// serverSigned1, the bytes that are signed.
pub(crate) fn server_signed1(
    transaction: &TransactionId,
    euicc_challenge: &[u8; 16],
    address: &str,
    server_challenge: &[u8; 16],
) -> Vec<u8> {
    let mut fields = Vec::with_capacity(64 + address.len());
    push(&mut fields, 0x80, transaction.as_bytes());
    push(&mut fields, 0x81, euicc_challenge);
    push(&mut fields, 0x83, address.as_bytes());
    push(&mut fields, 0x84, server_challenge);
    let mut signed = Vec::with_capacity(fields.len() + 4);
    push_header(&mut signed, 0x30, fields.len());
    signed.extend_from_slice(&fields);
    signed
}
