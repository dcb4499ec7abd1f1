//! Operations order from our own SM-DP+: the port of the worker, in process, without a detour over ES2+.
//!
//! The decisions are those of ES2+ (`rsp::es2plus`); the caller is the operator of the operation. Each order names the
//! chip and the operation: it goes out only while that stands approved at its release.

use super::Smdp;
use super::gate::{freeze_keys, gate};
use super::rows::{eid_index, iccid_index, open_order};
use super::settle::Settle;
use super::world::SmdpNeeds;
use crate::committer::Job;
use crate::draft::Draft;
use crate::entry::hex;
use crate::followup::needs_of;
use crate::ports::{Answer, PortError, ProfileOrder, SmDpPlus};
use crate::shared::Shared;
use crate::world::{Needs, World};
use crate::{Error, ErrorKind};
use simwarden_model::{Eid, Iccid, OperationId, OutboxId, ProfileState};
use simwarden_rsp::effect::Effect;
use simwarden_rsp::es2plus::{
    ConfirmFacts, ConfirmOrder, DownloadOrder, Found, Terms, bar_profile, confirm_order, download_order,
    release_profile,
};
use simwarden_rsp::{Gate, Order, Refusal};
use simwarden_store::records::smdp_order::{SmdpOrder, SmdpOrderKey};
use std::sync::Arc;

/// Orders of operations at our own SM-DP+; those for profiles that it does not have go to another.
pub struct OwnOrders {
    smdp: Smdp,
    other: Arc<dyn SmDpPlus>,
}

/// What is to be done with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Order,
    Release,
    Bar,
}

/// An order whose identifiers read.
#[derive(Debug, Clone)]
struct Wanted {
    iccid: Iccid,
    eid: Option<Eid>,
    operator: String,
    operation: Option<OperationId>,
}

fn never(why: impl std::fmt::Display) -> PortError {
    PortError::Permanent(why.to_string())
}

fn again(error: &Error) -> PortError {
    PortError::Temporary(format!("our own SM-DP+ cannot do this now: {error}"))
}

impl Wanted {
    fn read(order: &ProfileOrder) -> Result<Self, PortError> {
        let iccid = Iccid::parse_vouched(&order.iccid).map_err(never)?.0;
        let eid = order
            .eid
            .as_deref()
            .map(|eid| Eid::parse_vouched(eid).map(|it| it.0));
        Ok(Self {
            iccid,
            eid: eid.transpose().map_err(never)?,
            operator: order.operator.clone(),
            operation: order.operation,
        })
    }
}

impl OwnOrders {
    /// `other` gets the orders for profiles that our own SM-DP+ does not have.
    #[must_use]
    pub fn new(smdp: Smdp, other: Arc<dyn SmDpPlus>) -> Self {
        Self { smdp, other }
    }

    async fn row(&self, iccid: &Iccid) -> Result<Option<SmdpOrder>, PortError> {
        let app = &self.smdp.inner.app;
        let key = SmdpOrderKey::Iccids(vec![iccid_index(app.keyring(), iccid)]);
        let rows = app.store().smdp_orders(key).await;
        Ok(rows.map_err(|error| again(&error.into()))?.pop())
    }

    /// Does it here; `None` when the profile is another's.
    async fn here(&self, order: &ProfileOrder, act: Act) -> Result<Option<()>, PortError> {
        let wanted = Wanted::read(order)?;
        if self.row(&wanted.iccid).await?.is_none() {
            return Ok(None);
        }
        let app = &self.smdp.inner.app;
        let job = OwnOrder {
            shared: app.shared(),
            wanted,
            act,
        };
        match app.commit(job).await {
            Ok(outcome) => outcome.map(Some),
            Err(error) if error.kind == ErrorKind::Internal => Err(never(&error)),
            Err(error) => Err(again(&error)),
        }
    }
}

impl SmDpPlus for OwnOrders {
    fn order<'a>(&'a self, name: OutboxId, order: &'a ProfileOrder) -> Answer<'a, ()> {
        Box::pin(async move {
            match self.here(order, Act::Order).await? {
                Some(()) => Ok(()),
                None => self.other.order(name, order).await,
            }
        })
    }

    fn release<'a>(&'a self, name: OutboxId, order: &'a ProfileOrder) -> Answer<'a, ()> {
        Box::pin(async move {
            match self.here(order, Act::Release).await? {
                Some(()) => Ok(()),
                None => self.other.release(name, order).await,
            }
        })
    }

    fn is_installed<'a>(&'a self, order: &'a ProfileOrder) -> Answer<'a, bool> {
        Box::pin(async move {
            let wanted = Wanted::read(order)?;
            let Some(row) = self.row(&wanted.iccid).await? else {
                return self.other.is_installed(order).await;
            };
            let app = &self.smdp.inner.app;
            let order = open_order(app.keyring(), &row).map_err(never)?;
            match order.state {
                ProfileState::Installed | ProfileState::Enabled => Ok(true),
                ProfileState::Released | ProfileState::Downloaded if order.check_time(app.now()).is_ok() => {
                    Ok(false)
                }
                ProfileState::Released | ProfileState::Downloaded => {
                    Err(never("the chip did not fetch the profile in time"))
                }
                state => Err(never(format!(
                    "the download ended: the order is {}",
                    state.as_str()
                ))),
            }
        })
    }

    fn bar<'a>(&'a self, name: OutboxId, order: &'a ProfileOrder) -> Answer<'a, ()> {
        Box::pin(async move {
            match self.here(order, Act::Bar).await? {
                Some(()) => Ok(()),
                None => self.other.bar(name, order).await,
            }
        })
    }
}

/// One step of an operation at our own SM-DP+.
struct OwnOrder {
    shared: Arc<Shared>,
    wanted: Wanted,
    act: Act,
}

impl OwnOrder {
    fn freeze_keys(&self) -> Vec<String> {
        let chip = self
            .wanted
            .eid
            .as_ref()
            .map(|eid| eid_index(&self.shared.keyring, eid));
        let eid = chip.map(|chip| hex(chip.as_bytes())).unwrap_or_default();
        freeze_keys(format!("eid:{eid}"), "", "")
    }

    fn order(&self, order: &mut Order, draft: &mut Draft<'_>) -> Result<Vec<Effect>, PortError> {
        let refused = |refusal: Refusal| never(refusal);
        let Some(eid) = self.wanted.eid else {
            return Err(never("an operation orders for a chip that it names"));
        };
        let wanted = DownloadOrder {
            eid: Some(eid),
            iccid: Some(order.iccid),
            profile_type: None,
        };
        let owner = order.owner.clone();
        let from = order.state;
        download_order(&owner, Found::Profile(order), &wanted).map_err(refused)?;
        let confirm = ConfirmOrder {
            iccid: order.iccid,
            eid: Some(eid),
            matching_id: None,
            confirmation_code: None,
            smds_address: None,
            release: false,
        };
        let facts = ConfirmFacts {
            matching_taken: false,
            gate: &Gate::Open,
            terms: Terms::default(),
            now: draft.now,
        };
        let (_, mut effects) =
            confirm_order(&owner, Some(order), &confirm, facts, draft.entropy).map_err(refused)?;
        for effect in &mut effects {
            if let Effect::OrderMoved { from: before, .. } = effect {
                *before = from;
            }
        }
        Ok(effects)
    }

    /// What follows; nothing when it was done before.
    fn act(
        &self,
        before: &SmdpOrder,
        order: &mut Order,
        world: &World,
        draft: &mut Draft<'_>,
    ) -> Result<Vec<Effect>, PortError> {
        let ours = before.operation_id.is_some() && before.operation_id == self.wanted.operation;
        let is_free = order.state == ProfileState::Available;
        match self.act {
            Act::Order if is_free => self.order(order, draft),
            Act::Bar if is_free => Ok(Vec::new()),
            _ if !ours => Err(never("the profile was ordered for something else")),
            Act::Order => Ok(Vec::new()),
            Act::Release if order.state == ProfileState::Confirmed => {
                let gate = gate(&self.shared, world, before, &self.freeze_keys(), draft.now);
                if let Gate::Closed { reason, .. } = &gate {
                    return Err(PortError::Temporary(format!("the release is held: {reason}")));
                }
                let (owner, iccid) = (order.owner.clone(), order.iccid);
                release_profile(&owner, Some(order), &iccid, &gate).map_err(never)
            }
            Act::Release if order.state.is_pending() => Ok(Vec::new()),
            Act::Release => Err(never(format!(
                "the order is {} and cannot be released",
                order.state.as_str()
            ))),
            Act::Bar => Ok(bar_profile(order)),
        }
    }
}

impl Job for OwnOrder {
    type Answer = Result<(), PortError>;

    fn needs(&self) -> Needs {
        let mut needs = match self.wanted.operation {
            Some(operation) => needs_of(
                &self.shared,
                operation,
                self.wanted.eid.as_ref().map(|eid| eid.reveal()),
            ),
            None => Needs::default(),
        };
        needs.smdp = SmdpNeeds {
            iccids: vec![iccid_index(&self.shared.keyring, &self.wanted.iccid)],
            freezes: self.freeze_keys(),
            ..SmdpNeeds::default()
        };
        needs
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<Self::Answer, Error> {
        let keyring = &self.shared.keyring;
        let index = iccid_index(keyring, &self.wanted.iccid);
        let row = world
            .smdp
            .by_iccid(&index)
            .ok_or_else(|| Error::not_found("profile"))?;
        if row.operator != self.wanted.operator {
            return Ok(Err(never("the profile belongs to another operator")));
        }
        let mut order = open_order(keyring, row)?;
        let effects = match self.act(row, &mut order, world, draft) {
            Ok(effects) => effects,
            Err(error) => return Ok(Err(error)),
        };
        let before = match self.act {
            Act::Order => SmdpOrder {
                operation_id: self.wanted.operation,
                ..row.clone()
            },
            Act::Release | Act::Bar => row.clone(),
        };
        let settle = Settle {
            shared: &self.shared,
            world,
            order: Some((&before, &order)),
            session: None,
            eid: self.wanted.eid.as_ref(),
            more: None,
            effects: &effects,
            guessable: false,
        };
        settle.write(draft, Vec::new())?;
        Ok(Ok(()))
    }
}
