//! Evidence that was given for one operation: which kind, when, by whom. Never the secret itself.
//!
//! A proof counts for the operation it was given for and for no other, and only for a day.

use serde::{Deserialize, Serialize};
use simwarden_guard::{Age, Facts};
use simwarden_model::{PartyId, Timestamp, TokenId};

/// One proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Which kind.
    pub kind: ProofKind,
    /// When it was given.
    pub at: Timestamp,
    /// By which token.
    pub by: TokenId,
    /// In which shop that token works.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub shop: Option<String>,
    /// Since when the factor or the channel has existed.
    pub since: Timestamp,
    /// The person behind it, if it is a subscriber.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub party: Option<PartyId>,
    /// Of a passkey: whether it may be copied to other devices.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub synced: bool,
}

/// The kinds of proof that can be checked. Documents and biometrics join here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofKind {
    /// A passkey of the owner signed this very request.
    Passkey,
    /// A code of the owner's authenticator application.
    Totp,
    /// The owner's number-matched yes on an old device.
    OwnerApproval,
    /// A second member of staff.
    SecondApprover,
    /// The old SIM answered.
    OldSimConfirm,
}

/// How long a proof counts.
const FRESH: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

/// Enters the proofs into the facts. `requester` is who asked for the operation, `shop` where.
pub(crate) fn enter(
    proofs: &[Proof],
    requester: TokenId,
    shop: Option<&str>,
    now: Timestamp,
    facts: &mut Facts,
) {
    let fresh: Vec<&Proof> = proofs
        .iter()
        .filter(|p| now.since(p.at) < FRESH && p.at <= now)
        .collect();
    let newest = |kind| fresh.iter().filter(|p| p.kind == kind).max_by_key(|p| p.at);
    let evidence = &mut facts.evidence;
    // Of several the one that cannot be copied.
    let best = fresh
        .iter()
        .filter(|p| p.kind == ProofKind::Passkey)
        .max_by_key(|p| (!p.synced, std::cmp::Reverse(p.since)));
    if let Some(proof) = best {
        evidence.passkey = Some(true);
        evidence.passkey_age = Age::at(now, Some(proof.since));
        evidence.passkey_synced = Some(proof.synced);
    }
    if let Some(proof) = newest(ProofKind::Totp) {
        evidence.totp = Some(true);
        evidence.totp_age = Age::at(now, Some(proof.since));
    }
    if let Some(proof) = newest(ProofKind::OwnerApproval) {
        evidence.owner_approval = Some(true);
        evidence.owner_approval_channel_age = Age::at(now, Some(proof.since));
    }
    if newest(ProofKind::OldSimConfirm).is_some() {
        evidence.old_sim_confirm = Some(true);
    }
    let mut approvers: Vec<TokenId> = fresh
        .iter()
        .filter(|p| p.kind == ProofKind::SecondApprover)
        .map(|p| p.by)
        .collect();
    approvers.sort();
    approvers.dedup();
    facts.actor.approver_is_requester = Some(approvers.contains(&requester));
    approvers.retain(|approver| *approver != requester);
    evidence.approvers = Some(u32::try_from(approvers.len()).unwrap_or(u32::MAX));
    evidence.approver_elsewhere = Some(fresh.iter().any(|p| {
        p.kind == ProofKind::SecondApprover
            && p.by != requester
            && p.shop.is_some()
            && p.shop.as_deref() != shop
    }));
}
