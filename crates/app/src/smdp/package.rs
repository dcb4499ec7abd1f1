//! ES9+ GetBoundProfilePackage: the order is bound to the chip, and only then the package leaves.

use super::gate::{freeze_keys, gate};
use super::rows::{
    KeptSession, eid_index, open_order, open_package, open_session, prepared_write, transaction_index,
};
use super::settle::Settle;
use super::world::SmdpNeeds;
use super::{Claimed, STALE_TRIES, Smdp, counts, is_stale, not_now};
use crate::Error;
use crate::committer::Job;
use crate::draft::Draft;
use crate::entry::hex;
use crate::followup::needs_of;
use crate::shared::Shared;
use crate::world::{Needs, World};
use simwarden_model::{Eid, OperationId};
use simwarden_rsp::authenticate::NotGranted;
use simwarden_rsp::bound_package::{Built, Need, PackageAnswer, Verified, build, claim, end, need, verify};
use simwarden_rsp::{Order, Prepared, Refusal, TransactionId};
use simwarden_store::records::smdp_order::{SmdpOrder, SmdpOrderKey};
use simwarden_store::records::smdp_package::PackageKind;
use std::sync::Arc;

impl Smdp {
    /// ES9+ GetBoundProfilePackage.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn package(
        &self,
        transaction: TransactionId,
        message: &[u8],
    ) -> Result<PackageAnswer, Refusal> {
        let inner = &self.inner;
        let mut too_often = None;
        for _ in 0..STALE_TRIES {
            let now = inner.app.now();
            let kept = self
                .session(&transaction)
                .await?
                .ok_or(Refusal::UnknownTransaction)?;
            let verified = verify(&kept.session, message, now)?;
            let too_often = *too_often.get_or_insert_with(|| {
                kept.session.is_repeated(&verified.signed_digest)
                    && counts(&inner.repeats).is_too_many(transaction)
            });
            let authenticated = kept.session.authenticated.as_ref();
            let (eid, order) = authenticated
                .map(|it| (it.eid, it.order.0))
                .ok_or(Refusal::UnknownTransaction)?;
            let (row, order) = self.order(order).await?;
            let (built, fresh) = self.build(&kept, &order, &verified).await?;
            let job = ClaimPackage {
                shared: inner.app.shared(),
                kept,
                eid,
                verified,
                built,
                fresh,
                order: row.id,
                operation: row.operation_id,
                too_often,
            };
            match inner.app.commit(job).await {
                Ok(Claimed::Granted(answer)) => return Ok(answer),
                Ok(Claimed::Denied(refusal)) => return Err(refusal),
                Ok(Claimed::Stale) => {}
                Err(error) if is_stale(&error) => {}
                Err(error) => return Err(not_now(&error)),
            }
        }
        Err(Refusal::NotNow)
    }

    /// A session in which a chip has proven itself.
    pub(super) async fn session(&self, transaction: &TransactionId) -> Result<Option<KeptSession>, Refusal> {
        let app = &self.inner.app;
        let tid = transaction_index(app.keyring(), transaction);
        let row = app.store().smdp_session(tid).await;
        let row = row.map_err(|error| not_now(&error.into()))?;
        row.map(|row| open_session(app.keyring(), &row))
            .transpose()
            .map_err(|error| not_now(&error))
    }

    /// The operation behind the order of a session.
    pub(super) async fn operation_of(&self, kept: &KeptSession) -> Result<Option<OperationId>, Refusal> {
        match &kept.session.authenticated {
            Some(it) => Ok(self.order(it.order.0).await?.0.operation_id),
            None => Ok(None),
        }
    }

    async fn order(&self, id: [u8; 16]) -> Result<(SmdpOrder, Order), Refusal> {
        let app = &self.inner.app;
        let rows = app.store().smdp_orders(SmdpOrderKey::Ids(vec![id])).await;
        let row = rows.map_err(|error| not_now(&error.into()))?.pop();
        let row = row.ok_or(Refusal::UnknownTransaction)?;
        let order = open_order(app.keyring(), &row).map_err(|error| not_now(&error))?;
        Ok((row, order))
    }

    /// The package on a snapshot of the order, and the prepared one when it had to be made anew.
    async fn build(
        &self,
        kept: &KeptSession,
        order: &Order,
        verified: &Verified,
    ) -> Result<(Result<Built, Refusal>, Option<Prepared>), Refusal> {
        let kind = match need(order, verified) {
            Need::Kept | Need::Same => PackageKind::Prepared,
            Need::Fresh => PackageKind::Profile,
            Need::Refused => return Ok((Err(Refusal::PackageUnavailable), None)),
        };
        let app = &self.inner.app;
        let sealed = app.store().smdp_package(order.reference.0, kind).await;
        let Some(sealed) = sealed.map_err(|error| not_now(&error.into()))? else {
            // Erased with the end of the order; the claim says why.
            return Ok((Err(Refusal::PackageUnavailable), None));
        };
        let bytes = open_package(app.keyring(), kind, &order.reference.0, &sealed);
        let bytes = zeroize::Zeroizing::new(bytes.map_err(|error| not_now(&error))?);
        let mut entropy = self.entropy()?;
        let prepared = match kind {
            PackageKind::Profile => Prepared::make(&bytes, &mut entropy),
            PackageKind::Prepared => Prepared::from_bytes(&bytes).map_err(|error| {
                tracing::error!(%error, "a prepared package does not read");
                Refusal::PackageUnavailable
            })?,
        };
        let built = build(
            &self.inner.server,
            &kept.session,
            order,
            verified,
            &prepared,
            app.now(),
            &mut entropy,
        );
        Ok((built, (kind == PackageKind::Profile).then_some(prepared)))
    }
}

struct ClaimPackage {
    shared: Arc<Shared>,
    kept: KeptSession,
    eid: Eid,
    verified: Verified,
    built: Result<Built, Refusal>,
    /// A prepared package that was made for this claim.
    fresh: Option<Prepared>,
    order: [u8; 16],
    operation: Option<OperationId>,
    /// The very same request came too often: the session ends.
    too_often: bool,
}

impl ClaimPackage {
    fn freeze_keys(&self) -> Vec<String> {
        let chip = eid_index(&self.shared.keyring, &self.eid);
        let eid = format!("eid:{}", hex(chip.as_bytes()));
        freeze_keys(eid, &self.kept.tac, &self.kept.eum)
    }
}

impl Job for ClaimPackage {
    type Answer = Claimed<PackageAnswer>;

    fn needs(&self) -> Needs {
        let keyring = &self.shared.keyring;
        let mut needs = match self.operation {
            Some(operation) => needs_of(&self.shared, operation, Some(self.eid.reveal())),
            None => Needs::default(),
        };
        needs.smdp = SmdpNeeds {
            sessions: vec![transaction_index(keyring, &self.kept.session.transaction)],
            orders: vec![self.order],
            freezes: self.freeze_keys(),
            // A chip that shows another key in this batch is frozen by it.
            leans_on: vec![eid_index(keyring, &self.eid)],
            ..SmdpNeeds::default()
        };
        needs
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<Self::Answer, Error> {
        let keyring = &self.shared.keyring;
        let tid = transaction_index(keyring, &self.kept.session.transaction);
        let (Some(session), Some(row)) = (world.smdp.sessions.get(&tid), world.smdp.orders.get(&self.order))
        else {
            return Ok(Claimed::Denied(Refusal::UnknownTransaction));
        };
        if row.operation_id != self.operation {
            return Ok(Claimed::Stale);
        }
        let mut kept = open_session(keyring, session)?;
        let mut order = open_order(keyring, row)?;
        let gate = gate(&self.shared, world, row, &self.freeze_keys(), draft.now);
        let outcome = match self.too_often {
            true => Err(NotGranted::Denied(end(&mut kept.session, &self.verified))),
            false => claim(
                &mut kept.session,
                &mut order,
                &self.verified,
                self.built.clone(),
                &gate,
                draft.now,
            ),
        };
        let mut more = Vec::new();
        let (claimed, effects) = match outcome {
            Ok(granted) => {
                if let Some(fresh) = &self.fresh {
                    more.push(prepared_write(keyring, self.order, fresh, draft.entropy));
                }
                (Claimed::Granted(granted.answer), granted.effects)
            }
            Err(NotGranted::Denied(denied)) => (Claimed::Denied(denied.refusal), denied.effects),
            Err(NotGranted::Stale) => return Ok(Claimed::Stale),
        };
        let settle = Settle {
            shared: &self.shared,
            world,
            order: Some((row, &order)),
            session: Some(&kept),
            eid: Some(&self.eid),
            more: None,
            effects: &effects,
            guessable: false,
        };
        settle.write(draft, more)?;
        Ok(claimed)
    }
}
