//! ES9+ CancelSession: the person or the phone ends a session.

use super::rows::{KeptSession, open_order, open_session, transaction_index};
use super::settle::Settle;
use super::{Claimed, STALE_TRIES, Smdp, is_stale, not_now};
use crate::Error;
use crate::committer::Job;
use crate::draft::Draft;
use crate::followup::needs_of;
use crate::shared::Shared;
use crate::world::{Needs, World};
use simwarden_model::OperationId;
use simwarden_rsp::authenticate::NotGranted;
use simwarden_rsp::cancel::{CancelFacts, Verified, claim, verify};
use simwarden_rsp::{Refusal, TransactionId};
use std::sync::Arc;

impl Smdp {
    /// ES9+ CancelSession.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn cancel(&self, transaction: TransactionId, message: &[u8]) -> Result<(), Refusal> {
        let inner = &self.inner;
        for _ in 0..STALE_TRIES {
            let kept = self
                .session(&transaction)
                .await?
                .ok_or(Refusal::UnknownTransaction)?;
            let verified = verify(&inner.server, &kept.session, message, inner.app.now())?;
            let operation = self.operation_of(&kept).await?;
            let job = Cancel {
                shared: inner.app.shared(),
                put_off: self.put_off_since(kept.session.begun_at),
                kept,
                verified,
                operation,
            };
            match inner.app.commit(job).await {
                Ok(Claimed::Granted(())) => return Ok(()),
                Ok(Claimed::Denied(refusal)) => return Err(refusal),
                Ok(Claimed::Stale) => {}
                Err(error) if is_stale(&error) => {}
                Err(error) => return Err(not_now(&error)),
            }
        }
        Err(Refusal::NotNow)
    }
}

struct Cancel {
    shared: Arc<Shared>,
    kept: KeptSession,
    verified: Verified,
    put_off: bool,
    /// The operation behind the order: whose subscriber is told.
    operation: Option<OperationId>,
}

impl Job for Cancel {
    type Answer = Claimed<()>;

    fn needs(&self) -> Needs {
        let tid = transaction_index(&self.shared.keyring, &self.kept.session.transaction);
        let mut needs = match self.operation {
            Some(operation) => needs_of(&self.shared, operation, None),
            None => Needs::default(),
        };
        needs.smdp.sessions.push(tid);
        needs
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<Self::Answer, Error> {
        let keyring = &self.shared.keyring;
        let tid = transaction_index(keyring, &self.kept.session.transaction);
        let row = world.smdp.sessions.get(&tid);
        let order = row
            .and_then(|row| row.order_id)
            .and_then(|id| world.smdp.orders.get(&id));
        let (Some(session), Some(row)) = (row, order) else {
            return Ok(Claimed::Denied(Refusal::UnknownTransaction));
        };
        let mut kept = open_session(keyring, session)?;
        let mut order = open_order(keyring, row)?;
        let Some(eid) = kept.session.authenticated.as_ref().map(|it| it.eid) else {
            return Ok(Claimed::Denied(Refusal::UnknownTransaction));
        };
        let facts = CancelFacts {
            put_off: self.put_off,
            now: draft.now,
        };
        let outcome = claim(&mut kept.session, &mut order, &self.verified, facts);
        let (claimed, effects) = match outcome {
            Ok(granted) => (Claimed::Granted(()), granted.effects),
            Err(NotGranted::Denied(denied)) => (Claimed::Denied(denied.refusal), denied.effects),
            Err(NotGranted::Stale) => return Ok(Claimed::Stale),
        };
        let settle = Settle {
            shared: &self.shared,
            world,
            order: Some((row, &order)),
            session: Some(&kept),
            eid: Some(&eid),
            more: None,
            effects: &effects,
            guessable: false,
        };
        settle.write(draft, Vec::new())?;
        Ok(claimed)
    }
}
