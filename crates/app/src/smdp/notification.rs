//! ES9+ HandleNotification: what chips report afterwards. Only what is signed moves a state.

use super::rows::{KeptSession, eid_index, iccid_index, open_order, open_session, transaction_index};
use super::settle::Settle;
use super::world::{SmdpNeeds, SmdpWrite};
use super::{Smdp, not_now};
use crate::committer::Job;
use crate::draft::Draft;
use crate::followup::needs_of;
use crate::shared::Shared;
use crate::world::{Needs, World};
use crate::{Error, ErrorKind};
use simwarden_model::{Eid, OperationId};
use simwarden_rsp::chain::Chip;
use simwarden_rsp::notification::{
    InstallPolicy, InstallResult, OtherReport, Pending, apply_install, apply_other, read, verify_install,
    verify_other,
};
use simwarden_rsp::{Order, Refusal};
use simwarden_store::records::smdp_chip::{NotificationSeen, SmdpNotification};
use simwarden_store::{BlindIndex, Indexed};
use std::sync::Arc;

impl Smdp {
    /// ES9+ HandleNotification. What is unsigned, forged or unknown changes nothing and is answered alike.
    ///
    /// # Errors
    /// [`Refusal::NotNow`] when a good notification could not be written: the phone must send it again.
    pub async fn notify(&self, bytes: &[u8]) -> Result<(), Refusal> {
        let outcome = match read(bytes) {
            Ok(Pending::Install(result)) => self.install(result).await,
            Ok(Pending::Other(report)) => self.other(report).await,
            Err(error) => {
                tracing::debug!(%error, "a notification does not read");
                return Ok(());
            }
        };
        match outcome {
            Err(Refusal::NotNow) => Err(Refusal::NotNow),
            Err(refusal) => {
                tracing::warn!(
                    refusal = refusal.name(),
                    "a notification that no known chip signed"
                );
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    async fn install(&self, result: InstallResult) -> Result<(), Refusal> {
        let inner = &self.inner;
        let transaction = result.transaction.ok_or(Refusal::UnknownTransaction)?;
        let kept = self
            .session(&transaction)
            .await?
            .ok_or(Refusal::UnknownTransaction)?;
        verify_install(&inner.server, &kept.session, &result)?;
        let eid = kept.session.authenticated.as_ref().map(|it| it.eid);
        self.commit_report(Report::Install {
            operation: self.operation_of(&kept).await?,
            kept: Box::new(kept),
            eid: eid.ok_or(Refusal::UnknownTransaction)?,
            result: Box::new(result),
        })
        .await
    }

    async fn other(&self, report: OtherReport) -> Result<(), Refusal> {
        let inner = &self.inner;
        let chip = verify_other(&inner.server, &report, inner.app.now(), &inner.screen)?;
        self.commit_report(Report::Other {
            chip: Box::new(chip),
            report: Box::new(report),
        })
        .await
    }

    async fn commit_report(&self, report: Report) -> Result<(), Refusal> {
        let job = TakeReport {
            shared: self.inner.app.shared(),
            policy: self.inner.install.clone(),
            report,
        };
        match self.inner.app.commit(job).await {
            Ok(()) => Ok(()),
            Err(error) if error.kind == ErrorKind::NotFound => Err(Refusal::UnknownTransaction),
            Err(error) => Err(not_now(&error)),
        }
    }
}

/// A verified report.
enum Report {
    /// How an installation went, in its session.
    Install {
        /// Behind the order: whose subscriber is told.
        operation: Option<OperationId>,
        kept: Box<KeptSession>,
        eid: Eid,
        result: Box<InstallResult>,
    },
    /// Enabled, disabled, deleted.
    Other {
        chip: Box<Chip>,
        report: Box<OtherReport>,
    },
}

struct TakeReport {
    shared: Arc<Shared>,
    policy: InstallPolicy,
    report: Report,
}

impl TakeReport {
    fn eid(&self) -> &Eid {
        match &self.report {
            Report::Install { eid, .. } => eid,
            Report::Other { chip, .. } => &chip.eid,
        }
    }

    fn chip(&self) -> BlindIndex {
        eid_index(&self.shared.keyring, self.eid())
    }

    fn digest(&self) -> BlindIndex {
        let digest = match &self.report {
            Report::Install { result, .. } => &result.signed_digest,
            Report::Other { report, .. } => &report.signed_digest,
        };
        let eid = self.eid().reveal().as_bytes();
        self.shared
            .keyring
            .index(Indexed::Notification, &[eid, &digest[..]].concat())
    }

    fn sequence(&self) -> u32 {
        match &self.report {
            Report::Install { result, .. } => result.head.sequence,
            Report::Other { report, .. } => report.head.sequence,
        }
    }

    fn seen(&self, draft: &Draft<'_>) -> SmdpWrite {
        SmdpWrite::Notification(SmdpNotification {
            eid_idx: self.chip(),
            digest_idx: self.digest(),
            seq: i64::from(self.sequence()),
            at: draft.now,
        })
    }

    /// Whether this very notification came before, and else the count under which the chip has reported another.
    ///
    /// Phones deliver late what waited, so a count below the highest is honest; one that stands for two reports is not.
    fn compare(&self, world: &World) -> (bool, Option<u32>) {
        let seen = world.smdp.notifications.get(&self.digest()).copied();
        (
            seen == Some(NotificationSeen::Same),
            (seen == Some(NotificationSeen::OtherUnderItsCount)).then(|| self.sequence()),
        )
    }
}

impl Job for TakeReport {
    type Answer = ();

    fn needs(&self) -> Needs {
        let keyring = &self.shared.keyring;
        let mut needs = Needs::default();
        let mut smdp = SmdpNeeds {
            chips: vec![self.chip()],
            notifications: vec![(self.chip(), self.digest(), i64::from(self.sequence()))],
            ..SmdpNeeds::default()
        };
        match &self.report {
            Report::Install { kept, operation, .. } => {
                needs = operation.map_or_else(Needs::default, |it| needs_of(&self.shared, it, None));
                smdp.sessions
                    .push(transaction_index(keyring, &kept.session.transaction));
            }
            Report::Other { report, .. } => smdp.iccids.extend(
                report
                    .head
                    .iccid
                    .as_ref()
                    .map(|iccid| iccid_index(keyring, iccid)),
            ),
        }
        Needs { smdp, ..needs }
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        let keyring = &self.shared.keyring;
        let (is_resent, highest) = self.compare(world);
        let (row, mut kept, session) = match &self.report {
            Report::Install { kept, .. } => {
                let tid = transaction_index(keyring, &kept.session.transaction);
                let session = world
                    .smdp
                    .sessions
                    .get(&tid)
                    .ok_or_else(|| Error::not_found("session"))?;
                let row = session.order_id.and_then(|id| world.smdp.orders.get(&id));
                (row, Some(open_session(keyring, session)?), true)
            }
            Report::Other { report, .. } => {
                let index = report.head.iccid.as_ref().map(|it| iccid_index(keyring, it));
                (index.and_then(|it| world.smdp.by_iccid(&it)), None, false)
            }
        };
        let mut order: Option<Order> = row.map(|row| open_order(keyring, row)).transpose()?;
        let effects = match (&self.report, &mut kept, &mut order) {
            (Report::Install { result, .. }, Some(kept), Some(order)) => {
                apply_install(&mut kept.session, order, result, &self.policy, highest, is_resent)
            }
            (Report::Install { .. }, ..) => return Err(Error::not_found("order")),
            (Report::Other { chip, report }, _, order) => {
                apply_other(order.as_mut(), chip, report, highest, is_resent)
            }
        };
        let more = vec![self.seen(draft)];
        let settle = Settle {
            shared: &self.shared,
            world,
            order: row.zip(order.as_ref()),
            session: kept.as_ref(),
            eid: Some(self.eid()),
            more: None,
            effects: &effects,
            // A report names the profile's number and a small count; an install result also 16 random bytes.
            guessable: !session,
        };
        settle.write(draft, more)
    }
}
