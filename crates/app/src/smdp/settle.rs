//! Carries out what the core says follows from a function: rows, one ledger entry, history.

use super::progress::queue_progress;
use super::rows::{KeptSession, changed_order, session_row};
use super::tell::{notice_name, tell_subscriber};
use super::world::SmdpWrite;
use crate::Error;
use crate::draft::{About, Draft};
use crate::entry::hex;
use crate::shared::Shared;
use crate::world::World;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use simwarden_model::{Eid, Role};
use simwarden_rsp::Order;
use simwarden_rsp::effect::{Effect, Step};
use simwarden_store::records::smdp_order::SmdpOrder;

/// What a function leaves behind.
pub(crate) struct Settle<'a> {
    pub shared: &'a Shared,
    pub world: &'a World,
    /// The order as it was, and as it is now.
    pub order: Option<(&'a SmdpOrder, &'a Order)>,
    /// The session as it is now.
    pub session: Option<&'a KeptSession>,
    /// The chip, where one has a part in it.
    pub eid: Option<&'a Eid>,
    /// What the entry says besides: of an operator's call, for one.
    pub more: Option<(&'static str, String)>,
    pub effects: &'a [Effect],
    /// Whether the signed bytes are such that their hash could be guessed: then it is keyed.
    pub guessable: bool,
}

impl Settle<'_> {
    /// Writes; nothing when nothing follows. `more` is written with it.
    pub(crate) fn write(self, draft: &mut Draft<'_>, more: Vec<SmdpWrite>) -> Result<(), Error> {
        if self.effects.is_empty() {
            return Ok(());
        }
        let step = self.effects.iter().find_map(|effect| match effect {
            Effect::Record { step, .. } => Some(step.as_str()),
            _ => None,
        });
        let kind = format!("smdp.{}", step.unwrap_or(Step::Refused.as_str()));
        draft.begin_entry(&kind, Role::System, None);
        let detail = self.detail();
        let about = self.name_operation(draft);
        draft.entry().detail = detail.clone();
        if about.operation.is_some() {
            draft.history(&kind.replace('.', "_"), &about, &detail);
        }
        if let Some((before, order)) = self.order {
            let moved = self
                .effects
                .iter()
                .any(|effect| matches!(effect, Effect::OrderMoved { .. } | Effect::OrderTouched));
            let told = tell_subscriber(&self, before, order, draft)?;
            if moved || told != order.told {
                let order = Order {
                    told,
                    ..order.clone()
                };
                let row = changed_order(&self.shared.keyring, before, &order, draft.entropy)?;
                draft.smdp(SmdpWrite::Update(row));
            }
            queue_progress(&self, order, draft)?;
            if self.effects.contains(&Effect::EraseProfile) {
                draft.smdp(SmdpWrite::Erase(before.id));
            }
        }
        if let (Some(session), Some(eid)) = (self.session, self.eid)
            && self.effects.contains(&Effect::SessionChanged)
        {
            let row = session_row(&self.shared.keyring, session, eid, draft.entropy)?;
            draft.smdp(SmdpWrite::Session(row));
        }
        for write in more {
            draft.smdp(write);
        }
        draft.end_entry()?;
        Ok(())
    }

    fn name_operation(&self, draft: &mut Draft<'_>) -> About {
        let mut about = About::default();
        if let Some((row, _)) = self.order {
            draft.entry().operator = Some(row.operator.clone());
            about.operation = row.operation_id;
            draft.entry().operation = row.operation_id;
            if let Some(operation) = row.operation_id.and_then(|id| self.world.operations.get(&id)) {
                about.line = operation.subscription_id;
                let entry = draft.entry();
                entry.line = operation.subscription_id;
                entry.subject = Some(operation.party_id);
            }
        }
        about
    }

    /// What the entry says: random ids, codes and the hash of signed bytes; nothing personal.
    fn detail(&self) -> serde_json::Value {
        let mut detail = serde_json::Map::new();
        let (mut signs, mut told) = (Vec::new(), Vec::new());
        if let Some((row, _)) = self.order {
            detail.insert("order".to_owned(), hex(&row.id).into());
        }
        for effect in self.effects {
            match effect {
                Effect::Record {
                    signed_digest,
                    refusal,
                    reason,
                    ..
                } => {
                    if let Some(digest) = signed_digest {
                        let (name, value) = self.signed(digest);
                        detail.insert(name.to_owned(), BASE64.encode(value).into());
                    }
                    if let Some(refusal) = refusal {
                        detail.insert("refusal".to_owned(), refusal.name().into());
                    }
                    if let Some(reason) = reason {
                        detail.insert("reason".to_owned(), reason.as_str().into());
                    }
                }
                Effect::OrderMoved { from, to } => {
                    detail.insert("from".to_owned(), from.as_str().into());
                    detail.insert("to".to_owned(), to.as_str().into());
                }
                Effect::CloneSign(sign) => signs.push(sign.as_str()),
                Effect::Tell(notice) => told.push(notice_name(*notice)),
                _ => {}
            }
        }
        if let Some((name, value)) = &self.more {
            detail.insert((*name).to_owned(), value.clone().into());
        }
        if !signs.is_empty() {
            tracing::warn!(?signs, "a chip shows signs of a clone");
            detail.insert("clone_signs".to_owned(), signs.into());
        }
        if !told.is_empty() {
            detail.insert("tell".to_owned(), told.into());
        }
        detail.into()
    }

    fn signed(&self, digest: &[u8; 32]) -> (&'static str, [u8; 32]) {
        if self.guessable {
            let keyed = self.shared.keyring.vouch("smdp/signed", digest);
            ("signed_keyed", keyed)
        } else {
            ("signed_sha256", *digest)
        }
    }
}
