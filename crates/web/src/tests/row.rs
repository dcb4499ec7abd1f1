//! Rows for the tests of other modules.

use simwarden_model::{
    Channel, OperationId, OperationKind, OperationState, PartyId, Role, Timestamp, TokenId,
};
use simwarden_store::records::operation::Operation;

/// An operation whose last entry is this one.
pub(crate) fn operation_row(entry: i64) -> Operation {
    Operation {
        id: OperationId::from_bytes([7; 16]),
        operator: "999-01".to_owned(),
        subscription_id: None,
        party_id: PartyId::from_bytes([1; 16]),
        kind: OperationKind::Replace,
        channel: Channel::Shop,
        actor_role: Role::Agent,
        actor: TokenId::from_bytes([2; 16]),
        shop: None,
        terminal: None,
        claim: None,
        state: OperationState::Held,
        exclusive: false,
        verdict: "hold".to_owned(),
        reasons: "[]".to_owned(),
        rules: "[]".to_owned(),
        requirements: "[]".to_owned(),
        policy_hash: Vec::new(),
        hold_until: None,
        on_timeout: None,
        context: "{}".to_owned(),
        evidence: "[]".to_owned(),
        steps: "[]".to_owned(),
        line_masked: "+855•••••678".to_owned(),
        sealed: None,
        requested_at: Timestamp::EPOCH,
        updated_at: Timestamp::EPOCH,
        entry,
        version: 1,
    }
}
