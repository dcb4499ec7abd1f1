//! ES9+ AuthenticateClient: the order is claimed for the session.

use super::gate::{freeze_keys, gate};
use super::rows::{
    KeptSession, chip_row, eid_index, matching_index, open_chip, open_order, open_session, transaction_index,
};
use super::settle::Settle;
use super::unknown_codes::Asker;
use super::world::{SmdpNeeds, SmdpWrite, pick_default};
use super::{Claimed, STALE_TRIES, Smdp, counts, is_stale, not_now};
use crate::Error;
use crate::committer::Job;
use crate::draft::Draft;
use crate::entry::hex;
use crate::followup::needs_of;
use crate::shared::Shared;
use crate::world::{Needs, World};
use simwarden_model::{OperationId, ReasonCode, Timestamp};
use simwarden_rsp::authenticate::{
    AuthenticateAnswer, ClaimFacts, Draft as Signed, NotGranted, Verified, Wanted, claim, draft as sign,
    verify,
};
use simwarden_rsp::clone_signs::{CloneSign, Known, compare};
use simwarden_rsp::effect::Effect;
use simwarden_rsp::{Gate, Refusal, Session, TransactionId};
use simwarden_store::BlindIndex;
use simwarden_store::records::smdp_chip::ChipCounts;
use simwarden_store::records::smdp_freeze::SmdpFreeze;
use simwarden_store::records::smdp_order::{SmdpOrder, SmdpOrderKey};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// One EID, two keys: nobody gets anything under it until a person has looked.
const CLONE_SUSPECTED: ReasonCode = ReasonCode::from_static("clone_suspected");

/// How long a session is kept after its end: a phone may report on an installation weeks later.
const KEPT: Duration = Duration::from_secs(90 * 24 * 3600);
/// Old sessions are looked for once in so many ledger entries.
const FORGET_EVERY: i64 = 256;

impl Smdp {
    /// ES9+ AuthenticateClient. `from` is the network that the call came from; none when everybody may stand behind it.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn authenticate(
        &self,
        transaction: TransactionId,
        message: &[u8],
        from: Option<IpAddr>,
    ) -> Result<AuthenticateAnswer, Refusal> {
        let inner = &self.inner;
        let now = inner.app.now();
        let session = Session::reopen(&inner.server, transaction, now).ok_or(Refusal::UnknownTransaction)?;
        let verified = verify(&inner.server, &session, message, now, &inner.screen)?;
        let guesses = !matches!(verified.wanted, Wanted::Default);
        let chip = Asker::Chip(eid_index(inner.app.keyring(), &verified.chip.eid));
        let askers: Vec<Asker> = [chip].into_iter().chain(from.map(Asker::Network)).collect();
        if guesses && !counts(&inner.unknown).allows(&askers, now) {
            tracing::warn!("a chip or an address asks for too many codes that stand for nothing");
            return Err(Refusal::MatchingId);
        }
        let outcome = self.claim_session(&session, &verified).await;
        if guesses && matches!(outcome, Err(Refusal::MatchingId)) {
            counts(&inner.unknown).count(&askers, now);
        }
        outcome
    }

    async fn claim_session(
        &self,
        session: &Session,
        verified: &Verified,
    ) -> Result<AuthenticateAnswer, Refusal> {
        let inner = &self.inner;
        for _ in 0..STALE_TRIES {
            let found = self.find(verified).await.map_err(|error| not_now(&error))?;
            let order = found.as_ref().map(|row| open_order(inner.app.keyring(), row));
            let order = order.transpose().map_err(|error| not_now(&error))?;
            let signed = sign(&inner.server, session, order.as_ref(), verified, inner.app.now());
            let job = ClaimSession {
                shared: inner.app.shared(),
                session: session.clone(),
                verified: verified.clone(),
                signed,
                operation: found.as_ref().and_then(|row| row.operation_id),
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

    async fn find(&self, verified: &Verified) -> Result<Option<SmdpOrder>, Error> {
        let keyring = self.inner.app.keyring();
        let key = match &verified.wanted {
            Wanted::Nothing => return Ok(None),
            Wanted::Id(id) => SmdpOrderKey::Matching(vec![matching_index(keyring, id)]),
            Wanted::Default => SmdpOrderKey::DefaultOf(vec![eid_index(keyring, &verified.chip.eid)]),
        };
        let rows = self.inner.app.store().smdp_orders(key).await?;
        Ok(match verified.wanted {
            Wanted::Default => pick_default(rows.iter()).cloned(),
            _ => rows.into_iter().next(),
        })
    }
}

/// The kind of phone as people write it: eight digits, out of swapped nibbles.
fn tac_digits(tac: [u8; 4]) -> String {
    tac.iter()
        .flat_map(|byte| [byte & 0x0F, byte >> 4])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}

struct ClaimSession {
    shared: Arc<Shared>,
    session: Session,
    verified: Verified,
    signed: Result<Signed, Refusal>,
    /// The operation behind the order that was found.
    operation: Option<OperationId>,
}

impl ClaimSession {
    fn chip(&self) -> BlindIndex {
        eid_index(&self.shared.keyring, &self.verified.chip.eid)
    }

    fn kept(&self) -> KeptSession {
        KeptSession {
            session: self.session.clone(),
            tac: tac_digits(self.verified.device.tac),
            eum: hex(&self.verified.chip.eum.0),
        }
    }

    fn freeze_keys(&self) -> Vec<String> {
        let kept = self.kept();
        let eid = format!("eid:{}", hex(self.chip().as_bytes()));
        freeze_keys(eid, &kept.tac, &kept.eum)
    }

    fn row<'w>(&self, world: &'w World) -> Option<&'w SmdpOrder> {
        match &self.verified.wanted {
            Wanted::Nothing => None,
            Wanted::Id(id) => world.smdp.by_matching(&matching_index(&self.shared.keyring, id)),
            Wanted::Default => world.smdp.default_of(&self.chip()),
        }
    }

    /// What the chip differs in from what is known of it.
    fn clone_signs(&self, world: &World) -> Result<Vec<CloneSign>, Error> {
        let Some(row) = world.smdp.chips.get(&self.chip()) else {
            return Ok(Vec::new());
        };
        let counts = world.smdp.counts.get(&self.chip());
        let count =
            |of: fn(&ChipCounts) -> i64| counts.map_or(0, |it| u32::try_from(of(it)).unwrap_or(u32::MAX));
        let known = Known {
            sighting: open_chip(&self.shared.keyring, row)?,
            open_sessions: count(|it| it.open_sessions),
            unanswered_packages: count(|it| it.unanswered_packages),
        };
        Ok(compare(&known, &self.verified.sighting()))
    }

    /// The chip is remembered as seen, or frozen when its EID came with another key.
    fn chip_writes(&self, is_clone: bool, draft: &mut Draft<'_>) -> Result<Vec<SmdpWrite>, Error> {
        let now: Timestamp = draft.now;
        if is_clone {
            return Ok(vec![SmdpWrite::Freeze(SmdpFreeze {
                key: format!("eid:{}", hex(self.chip().as_bytes())),
                reason: CLONE_SUSPECTED.as_str().to_owned(),
                set_at: now,
            })]);
        }
        let sighting = self.verified.sighting();
        let chip = chip_row(&self.shared.keyring, &sighting, now, draft.entropy)?;
        let mut writes = vec![SmdpWrite::Chip(chip)];
        if draft.index() % FORGET_EVERY == 0 {
            writes.push(SmdpWrite::Forget(now.minus(KEPT)));
        }
        Ok(writes)
    }
}

impl Job for ClaimSession {
    type Answer = Claimed<AuthenticateAnswer>;

    fn needs(&self) -> Needs {
        let keyring = &self.shared.keyring;
        let mut needs = match self.operation {
            Some(operation) => needs_of(&self.shared, operation, Some(self.verified.chip.eid.reveal())),
            None => Needs::default(),
        };
        needs.smdp = SmdpNeeds {
            sessions: vec![transaction_index(keyring, &self.session.transaction)],
            chips: vec![self.chip()],
            counted: vec![self.chip()],
            freezes: self.freeze_keys(),
            ..SmdpNeeds::default()
        };
        match &self.verified.wanted {
            Wanted::Nothing => {}
            Wanted::Id(id) => needs.smdp.matching.push(matching_index(keyring, id)),
            Wanted::Default => needs.smdp.default_of.push(self.chip()),
        }
        needs
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<Self::Answer, Error> {
        let keyring = &self.shared.keyring;
        let tid = transaction_index(keyring, &self.session.transaction);
        // A session that has a row went on: its phase there says so.
        let mut kept = match world.smdp.sessions.get(&tid) {
            Some(row) => open_session(keyring, row)?,
            None => self.kept(),
        };
        let row = self.row(world);
        if row.and_then(|row| row.operation_id) != self.operation {
            return Ok(Claimed::Stale);
        }
        let mut order = row.map(|row| open_order(keyring, row)).transpose()?;
        let signs = self.clone_signs(world)?;
        let is_clone = signs
            .iter()
            .any(|sign| matches!(sign, CloneSign::Certificate | CloneSign::Key));
        let gate = match row {
            Some(_) if is_clone => Gate::closed(CLONE_SUSPECTED),
            Some(row) => gate(&self.shared, world, row, &self.freeze_keys(), draft.now),
            None => Gate::Open,
        };
        let facts = ClaimFacts {
            gate: &gate,
            profiles_on_chip: None,
            now: draft.now,
        };
        let signed = self.signed.clone();
        let outcome = claim(&mut kept.session, order.as_mut(), &self.verified, signed, facts);
        let (claimed, mut effects) = match outcome {
            Ok(granted) => (Claimed::Granted(granted.answer), granted.effects),
            Err(NotGranted::Denied(denied)) => (Claimed::Denied(denied.refusal), denied.effects),
            Err(NotGranted::Stale) => return Ok(Claimed::Stale),
        };
        if effects.is_empty() {
            return Ok(claimed);
        }
        effects.extend(signs.into_iter().map(Effect::CloneSign));
        let more = self.chip_writes(is_clone, draft)?;
        let settle = Settle {
            shared: &self.shared,
            world,
            order: row.zip(order.as_ref()),
            session: Some(&kept),
            eid: Some(&self.verified.chip.eid),
            more: None,
            effects: &effects,
            guessable: false,
        };
        settle.write(draft, more)?;
        Ok(claimed)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_tac_reads_as_people_write_it() {
        assert_eq!(super::tac_digits([0x53, 0x92, 0x60, 0x11]), "35290611");
    }
}
