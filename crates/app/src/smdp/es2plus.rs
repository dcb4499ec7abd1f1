//! ES2+ for operators' systems: downloadOrder, confirmOrder, cancelOrder, releaseProfile.
//!
//! Who calls is proven by the client certificate before anything here runs; each caller touches the profiles of its own
//! owner and of nobody else. One call is one transaction with one ledger entry, refused ones included. The same call
//! again (same identifier, same content) gets the same answer and does nothing.

use super::callers::Es2Caller;
use super::gate::{freeze_keys, gate};
use super::rows::{eid_index, iccid_index, matching_index, open_order};
use super::settle::Settle;
use super::world::SmdpNeeds;
use super::{STALE_TRIES, Smdp, is_stale, not_now};
use crate::Error;
use crate::committer::Job;
use crate::draft::Draft;
use crate::entry::hex;
use crate::followup::needs_of;
use crate::shared::Shared;
use crate::world::{Needs, World};
use simwarden_model::{Iccid, ProfileState, Role};
use simwarden_rsp::effect::Effect;
use simwarden_rsp::es2plus::{
    CancelOrder, ConfirmFacts, ConfirmOrder, DownloadOrder, Found, Terms, cancel_order, confirm_order,
    download_order, release_profile,
};
use simwarden_rsp::json::{Caller, Es2Answer};
use simwarden_rsp::{Gate, MatchingId, Order, Refusal};
use simwarden_store::records::idempotency::Remembered;
use simwarden_store::records::smdp_order::{SmdpOrder, SmdpOrderKey};
use simwarden_store::{BlindIndex, Indexed, StoreError};
use std::sync::Arc;

/// What is asked for.
#[derive(Debug, Clone)]
pub enum Es2Request {
    /// downloadOrder.
    Download(DownloadOrder),
    /// confirmOrder.
    Confirm(ConfirmOrder),
    /// cancelOrder.
    Cancel(CancelOrder),
    /// releaseProfile.
    Release(Iccid),
}

impl Es2Request {
    const fn name(&self) -> &'static str {
        match self {
            Self::Download(_) => "download_order",
            Self::Confirm(_) => "confirm_order",
            Self::Cancel(_) => "cancel_order",
            Self::Release(_) => "release_profile",
        }
    }

    fn iccid(&self) -> Option<Iccid> {
        match self {
            Self::Download(it) => it.iccid,
            Self::Confirm(it) => Some(it.iccid),
            Self::Cancel(it) => Some(it.iccid),
            Self::Release(iccid) => Some(*iccid),
        }
    }
}

/// One call.
#[derive(Debug, Clone)]
pub struct Es2Call {
    /// Its header.
    pub header: Caller,
    /// What is asked for.
    pub request: Es2Request,
    /// The body as it came: the same call again has the same.
    pub body: Vec<u8>,
}

impl Smdp {
    /// ES2+, any function of an operator: the body of the answer.
    ///
    /// # Errors
    /// [`Refusal`] of ES2+.
    pub async fn es2(&self, caller: &Es2Caller, call: Es2Call) -> Result<String, Refusal> {
        let app = &self.inner.app;
        let keyring = app.keyring();
        let digest = keyring.vouch(
            "es2plus/call",
            &[call.request.name().as_bytes(), &[0], &call.body].concat(),
        );
        let key = [
            &caller.certificate[..],
            call.header.call.as_bytes(),
            &[0],
            &digest[..],
        ];
        let key = keyring.index(Indexed::Idempotency, &key.concat());
        for _ in 0..STALE_TRIES {
            let before = match call.request.iccid() {
                Some(iccid) => {
                    let key = SmdpOrderKey::Iccids(vec![iccid_index(keyring, &iccid)]);
                    let rows = app.store().smdp_orders(key).await;
                    rows.map_err(|error| not_now(&error.into()))?.pop()
                }
                None => None,
            };
            let job = Es2Job {
                shared: app.shared(),
                caller: caller.clone(),
                request: call.request.clone(),
                key,
                digest,
                before,
                address: self.address().to_owned(),
            };
            match app.commit(job).await {
                Ok(Some(outcome)) => return outcome,
                Ok(None) => {}
                Err(error) if is_stale(&error) => {}
                Err(error) => return Err(not_now(&error)),
            }
        }
        Err(Refusal::NotNow)
    }
}

struct Es2Job {
    shared: Arc<Shared>,
    caller: Es2Caller,
    request: Es2Request,
    /// Stands for the call, and a keyed digest of what it says.
    key: BlindIndex,
    digest: [u8; 32],
    /// The profile as it was right before: whose operation and chip are to be read.
    before: Option<SmdpOrder>,
    address: String,
}

type Decided = Result<(String, Vec<Effect>), Refusal>;

impl Es2Job {
    fn eid(&self) -> Option<BlindIndex> {
        let keyring = &self.shared.keyring;
        let asked = match &self.request {
            Es2Request::Download(it) => it.eid.as_ref(),
            Es2Request::Confirm(it) => it.eid.as_ref(),
            Es2Request::Cancel(_) | Es2Request::Release(_) => None,
        };
        let asked = asked.map(|eid| eid_index(keyring, eid));
        self.before.as_ref().and_then(|row| row.eid_idx).or(asked)
    }

    fn freeze_keys(&self) -> Vec<String> {
        let eid = self.eid().map(|eid| hex(eid.as_bytes())).unwrap_or_default();
        freeze_keys(format!("eid:{eid}"), "", "")
    }

    fn matching(&self) -> Option<MatchingId> {
        match &self.request {
            Es2Request::Confirm(it) => it
                .matching_id
                .as_deref()
                .and_then(|text| MatchingId::parse(text).ok()),
            _ => None,
        }
    }

    fn context(&self) -> Vec<u8> {
        [b"es2plus answer", &self.key.as_bytes()[..]].concat()
    }

    /// The answer that was given to this very call before.
    fn remembered(&self, world: &World) -> Result<Option<String>, Error> {
        let Some(before) = world.remembered.get(&self.key) else {
            return Ok(None);
        };
        let plain = self.shared.keyring.open_common(&self.context(), &before.subject);
        let plain = plain.map_err(StoreError::Key)?;
        String::from_utf8(plain).map(Some).map_err(Error::internal)
    }

    /// The profile that is meant.
    fn row<'w>(&self, world: &'w World) -> Option<&'w SmdpOrder> {
        match (&self.request, self.request.iccid()) {
            (_, Some(iccid)) => world.smdp.by_iccid(&iccid_index(&self.shared.keyring, &iccid)),
            (Es2Request::Download(it), None) => {
                let name = (
                    it.profile_type.clone().unwrap_or_default(),
                    self.caller.owner.clone(),
                );
                world.smdp.types.get(&name).and_then(|(_, free)| free.as_ref())
            }
            _ => None,
        }
    }

    fn download(&self, wanted: &DownloadOrder, order: Option<&mut Order>, world: &World) -> Decided {
        let found = match (order, wanted.iccid, &wanted.profile_type) {
            (Some(order), ..) => Found::Profile(order),
            (None, Some(_), _) => Found::UnknownIccid,
            (None, None, wanted) => {
                let name = (wanted.clone().unwrap_or_default(), self.caller.owner.clone());
                let owners = world.smdp.types.get(&name).map_or(&[][..], |it| &it.0);
                match owners.contains(&self.caller.owner) {
                    true => Found::NoneLeft,
                    false if owners.is_empty() => Found::UnknownType,
                    false => Found::ForeignType,
                }
            }
        };
        let (iccid, effects) = download_order(&self.caller.owner, found, wanted)?;
        Ok((Es2Answer::Downloaded(iccid).to_json(), effects))
    }

    fn confirm(
        &self,
        wanted: &ConfirmOrder,
        order: Option<&mut Order>,
        gate: &Gate,
        world: &World,
        draft: &mut Draft<'_>,
    ) -> Decided {
        let row = self.row(world).map(|row| row.id);
        let another = |it: Option<&SmdpOrder>| it.is_some_and(|it| Some(it.id) != row);
        let matching_taken = match &wanted.matching_id {
            None => false,
            Some(text) if text.is_empty() => another(
                self.eid()
                    .and_then(|chip| world.smdp.default_of(&chip))
                    .filter(|it| !it.state.is_terminal() && it.state.is_pending()),
            ),
            Some(_) => another(
                self.matching()
                    .and_then(|id| world.smdp.by_matching(&matching_index(&self.shared.keyring, &id))),
            ),
        };
        let facts = ConfirmFacts {
            matching_taken,
            gate,
            terms: Terms::default(),
            now: draft.now,
        };
        let (confirmed, effects) = confirm_order(&self.caller.owner, order, wanted, facts, draft.entropy)?;
        Ok((Es2Answer::Confirmed(&confirmed, &self.address).to_json(), effects))
    }

    fn decide(&self, order: Option<&mut Order>, world: &World, draft: &mut Draft<'_>) -> Decided {
        let owner = &self.caller.owner;
        let gate = match self.row(world) {
            Some(row) => gate(&self.shared, world, row, &self.freeze_keys(), draft.now),
            None => Gate::Open,
        };
        match &self.request {
            Es2Request::Download(wanted) => self.download(wanted, order, world),
            Es2Request::Confirm(wanted) => self.confirm(wanted, order, &gate, world, draft),
            Es2Request::Cancel(wanted) => {
                let effects = cancel_order(owner, order, wanted)?;
                Ok((Es2Answer::Done.to_json(), effects))
            }
            Es2Request::Release(iccid) => {
                let effects = release_profile(owner, order, iccid, &gate)?;
                Ok((Es2Answer::Done.to_json(), effects))
            }
        }
    }

    fn refused(&self, refusal: Refusal, row: Option<&SmdpOrder>, draft: &mut Draft<'_>) -> Result<(), Error> {
        draft.begin_entry("es2plus.refused", Role::System, None);
        let own = row.filter(|row| row.operator == self.caller.owner);
        draft.entry().operator = Some(self.caller.owner.clone());
        draft.entry().detail = serde_json::json!({
            "function": self.request.name(),
            "caller": hex(&self.caller.certificate),
            "refusal": refusal.name(),
            "order": own.map(|row| hex(&row.id)),
        });
        draft.end_entry()?;
        Ok(())
    }
}

impl Job for Es2Job {
    /// None when what was read before does not hold any more.
    type Answer = Option<Result<String, Refusal>>;

    fn needs(&self) -> Needs {
        let keyring = &self.shared.keyring;
        let mut needs = match self.before.as_ref().and_then(|row| row.operation_id) {
            Some(operation) => needs_of(&self.shared, operation, None),
            None => Needs::default(),
        };
        needs.remembered.push(self.key);
        needs.smdp = SmdpNeeds {
            iccids: self
                .request
                .iccid()
                .iter()
                .map(|it| iccid_index(keyring, it))
                .collect(),
            matching: self
                .matching()
                .iter()
                .map(|id| matching_index(keyring, id))
                .collect(),
            freezes: self.freeze_keys(),
            ..SmdpNeeds::default()
        };
        match &self.request {
            Es2Request::Confirm(it) if it.matching_id.as_deref() == Some("") => {
                needs.smdp.default_of.extend(self.eid());
            }
            Es2Request::Download(it) if it.iccid.is_none() => {
                let name = it.profile_type.clone().unwrap_or_default();
                needs.smdp.types.push((name, self.caller.owner.clone()));
            }
            _ => {}
        }
        needs
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<Self::Answer, Error> {
        if let Some(answer) = self.remembered(world)? {
            return Ok(Some(Ok(answer)));
        }
        let keyring = &self.shared.keyring;
        let row = self.row(world);
        let facts = |row: &SmdpOrder| (row.operation_id, row.eid_idx);
        if self.request.iccid().is_some() && row.map(facts) != self.before.as_ref().map(facts) {
            return Ok(None);
        }
        let mut order = row.map(|row| open_order(keyring, row)).transpose()?;
        let (answer, effects) = match self.decide(order.as_mut(), world, draft) {
            Ok(decided) => decided,
            Err(refusal) => {
                self.refused(refusal, row, draft)?;
                return Ok(Some(Err(refusal)));
            }
        };
        let sealed = keyring.seal_common(&self.context(), answer.as_bytes(), draft.entropy);
        draft.remember(Remembered {
            key: self.key,
            request: self.digest,
            subject: sealed,
            at: draft.now,
        });
        // What goes back to the stock belongs to no operation any more.
        let in_stock = order
            .as_ref()
            .is_some_and(|it| it.state == ProfileState::Available);
        let before = row.map(|row| SmdpOrder {
            operation_id: row.operation_id.filter(|_| !in_stock),
            ..row.clone()
        });
        let settle = Settle {
            shared: &self.shared,
            world,
            order: before.as_ref().zip(order.as_ref()),
            session: None,
            eid: order.as_ref().and_then(|order| order.eid.as_ref()),
            more: Some(("caller", hex(&self.caller.certificate))),
            effects: &effects,
            guessable: false,
        };
        settle.write(draft, Vec::new())?;
        Ok(Some(Ok(answer)))
    }
}
