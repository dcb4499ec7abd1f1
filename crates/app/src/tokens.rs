//! Access tokens and second factors: making them, taking them back, recognising them.

use crate::accounts::{Happened, tell_holder};
use crate::committer::Job;
use crate::draft::{About, Draft, Rare};
use crate::secrets::{Of, seal, subject_key};
use crate::shared::Shared;
use crate::world::{Needs, World};
use crate::{Actor, Error, ErrorKind};
use sha2::{Digest as _, Sha256};
use simwarden_model::{FactorId, PartyId, Role, Timestamp, TokenId};
use simwarden_store::records::factor::Factor;
use simwarden_store::records::token::Token;
use std::sync::Arc;
use std::time::Duration;

/// Every token begins with this, so that scanners for leaked secrets find it.
pub const TOKEN_PREFIX: &str = "swt_";
/// The longest life of a token.
pub const LIFE_MAX: Duration = Duration::from_secs(400 * 24 * 3600);

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What it may do.
    pub role: Role,
    /// MCC-MNC of the operator it is bound to.
    pub operator: Option<String>,
    /// Whom it is given to.
    pub name: String,
    /// The subscriber, for that role.
    pub party: Option<PartyId>,
    /// The shop, for agents.
    pub shop: Option<String>,
    /// The terminal, for agents.
    pub terminal: Option<String>,
    /// How long it lives.
    pub life: Duration,
    /// Since when the device behind it has been known; now, unless a migration says otherwise.
    pub since: Option<Timestamp>,
}

/// The hash by which a token is stored and found. A token has 256 random bits, so a plain hash suffices.
#[must_use]
pub fn token_hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Whether somebody may make a token of a role.
fn may_make(actor: &Actor, new: &NewToken) -> Result<(), Error> {
    let allowed = match actor.role {
        Role::System => true,
        Role::Admin => new.role != Role::System,
        _ => false,
    };
    let own = actor.operator.is_none() || actor.operator == new.operator;
    if !allowed || !own {
        return Err(Error::forbidden(
            "tokens are made by an administrator, for their own operator",
        ));
    }
    let bound = matches!(
        new.role,
        Role::Subscriber | Role::Agent | Role::Supervisor | Role::FraudAnalyst | Role::Hotline | Role::Feed
    );
    if bound && new.operator.is_none() {
        return Err(Error::invalid(
            "operator_missing",
            format!("a token of role `{}` is bound to an operator", new.role),
        ));
    }
    if (new.role == Role::Subscriber) != new.party.is_some() {
        return Err(Error::invalid(
            "party_missing",
            "a subscriber's token, and only that, names its party",
        ));
    }
    if new.name.trim().is_empty() || new.name.chars().count() > 80 {
        return Err(Error::invalid(
            "name",
            "give the token a name of 1 to 80 characters",
        ));
    }
    if new.since.is_some() && actor.role != Role::System {
        // An administrator who could make an old device could make a thief's yes count.
        return Err(Error::forbidden(
            "only a migration at the installation itself says since when a device exists",
        ));
    }
    if new.life > LIFE_MAX || new.life.is_zero() {
        return Err(Error::invalid(
            "life",
            "a token lives between one second and 400 days",
        ));
    }
    Ok(())
}

pub(crate) struct MakeToken {
    pub shared: Arc<Shared>,
    pub actor: Actor,
    pub new: NewToken,
    pub hash: [u8; 32],
}

impl Job for MakeToken {
    type Answer = TokenId;

    fn needs(&self) -> Needs {
        Needs {
            parties: self.new.party.into_iter().collect(),
            ..Needs::default()
        }
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<TokenId, Error> {
        may_make(&self.actor, &self.new)?;
        if let Some(party) = self.new.party {
            let known = world
                .parties
                .get(&party)
                .ok_or_else(|| Error::not_found("party"))?;
            if Some(known.operator.as_str()) != self.new.operator.as_deref() {
                return Err(Error::not_found("party"));
            }
        }
        let id = TokenId::draw(draft.now, draft.entropy);
        draft.begin_entry("token.made", self.actor.role, Some(self.actor.token));
        let entry = draft.entry();
        entry.operator.clone_from(&self.new.operator);
        entry.subject = self.new.party;
        entry.detail = serde_json::json!({ "token": id, "role": self.new.role });
        let mut token = Token {
            id,
            hash: self.hash,
            role: self.new.role,
            operator: self.new.operator.clone(),
            name: self.new.name.trim().to_owned(),
            party_id: self.new.party,
            shop: self.new.shop.clone(),
            terminal: self.new.terminal.clone(),
            created_at: self.new.since.map_or(draft.now, |since| since.min(draft.now)),
            expires_at: draft.now.plus(self.new.life),
            mac: [0; 32],
            revoked_at: None,
        };
        token.mac = token.expected_mac(&self.shared.keyring);
        draft.token(token);
        draft.end_entry()?;
        Ok(id)
    }
}

pub(crate) struct RevokeToken {
    pub actor: Actor,
    pub token: TokenId,
    pub operator: Option<String>,
}

impl Job for RevokeToken {
    type Answer = ();

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn run(&self, _: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        let own = self.token == self.actor.token;
        let admin = self.actor.role == Role::Admin
            && (self.actor.operator.is_none() || self.actor.operator == self.operator);
        if !own && !admin && self.actor.role != Role::System {
            return Err(Error::forbidden(
                "a token is taken back by its holder or an administrator",
            ));
        }
        draft.begin_entry("token.revoked", self.actor.role, Some(self.actor.token));
        draft.entry().detail = serde_json::json!({ "token": self.token });
        draft.rare(Rare::RevokeToken(self.token));
        draft.end_entry()?;
        Ok(())
    }
}

/// Enrols an authenticator application for a party.
pub(crate) struct EnrolTotp {
    pub shared: Arc<Shared>,
    pub actor: Actor,
    pub party: PartyId,
    pub secret: Vec<u8>,
    /// Since when it has existed; now, unless a migration says otherwise.
    pub since: Option<Timestamp>,
    /// The party's lines, whose holders are told.
    pub lines: Vec<simwarden_model::SubscriptionId>,
}

impl Job for EnrolTotp {
    type Answer = FactorId;

    fn needs(&self) -> Needs {
        Needs {
            parties: vec![self.party],
            lines: self.lines.clone(),
            ..Needs::default()
        }
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<FactorId, Error> {
        let party = world
            .parties
            .get(&self.party)
            .ok_or_else(|| Error::not_found("party"))?;
        let own = self.actor.role == Role::Subscriber && self.actor.party == Some(self.party);
        let admin = matches!(self.actor.role, Role::Admin | Role::System)
            && self.actor.sees_operator(&party.operator);
        if !own && !admin {
            return Err(Error::not_found("party"));
        }
        // Else one administrator could give himself a factor that counts at once.
        if self.since.is_some() && self.actor.role != Role::System {
            return Err(Error::forbidden(
                "only a migration on the server itself says since when a factor exists",
            ));
        }
        let key = subject_key(&self.shared.keyring, world.keys.get(&self.party))?;
        let id = FactorId::draw(draft.now, draft.entropy);
        draft.begin_entry("factor.added", self.actor.role, Some(self.actor.token));
        let entry = draft.entry();
        entry.subject = Some(self.party);
        entry.operator = Some(party.operator.clone());
        entry.detail = serde_json::json!({ "kind": "totp" });
        draft.history(
            "factor_added",
            &About::default(),
            &serde_json::json!({ "kind": "totp" }),
        );
        let sealed = seal(&key, Of::Factor, id.as_bytes(), &self.secret, draft.entropy)?;
        draft.factor(Factor {
            id,
            party_id: self.party,
            kind: "totp".to_owned(),
            sealed,
            added_at: self.since.map_or(draft.now, |since| since.min(draft.now)),
            last_step: -1,
            removed_at: None,
        });
        if self.actor.role != Role::System {
            tell_holder(&self.shared, world, Some(self.party), Happened::TotpAdded, draft)?;
        }
        draft.end_entry()?;
        Ok(id)
    }
}

/// Erases a person: their key, their factors, every index of theirs. The ledger still verifies.
pub(crate) struct Erase {
    pub actor: Actor,
    pub party: PartyId,
    pub lines: Vec<simwarden_model::SubscriptionId>,
}

impl Job for Erase {
    type Answer = ();

    fn needs(&self) -> Needs {
        Needs {
            parties: vec![self.party],
            lines: self.lines.clone(),
            ..Needs::default()
        }
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        let mut party = world
            .parties
            .get(&self.party)
            .cloned()
            .ok_or_else(|| Error::not_found("party"))?;
        if self.actor.role != Role::Admin || !self.actor.sees_operator(&party.operator) {
            return Err(Error::forbidden(
                "a person is erased by an administrator of their operator",
            ));
        }
        let key = world
            .keys
            .get(&self.party)
            .ok_or_else(|| Error::not_found("party"))?;
        if let Some(until) = key.retain_until
            && until > draft.now
        {
            return Err(Error::new(
                ErrorKind::State,
                "retained_by_law",
                format!("the law keeps these data until {until}; they cannot be erased before"),
            ));
        }
        if key.wrapped.is_none() {
            return Err(Error::new(
                ErrorKind::State,
                "erased",
                "this person's data were erased already",
            ));
        }
        let open_lines = self
            .lines
            .iter()
            .filter_map(|id| world.lines.get(id))
            .any(|line| !line.state.is_terminal());
        if open_lines {
            return Err(Error::new(
                ErrorKind::State,
                "lines_open",
                "this person still has lines; end them first, then erase",
            ));
        }
        draft.begin_entry("subject.erased", self.actor.role, Some(self.actor.token));
        let entry = draft.entry();
        entry.subject = Some(self.party);
        entry.operator = Some(party.operator.clone());
        party.doc_idx = None;
        party.sealed = None;
        draft.change_party(party);
        for id in &self.lines {
            if let Some(mut line) = world.lines.get(id).cloned() {
                line.msisdn_idx = None;
                line.sealed = None;
                draft.change_subscription(line);
            }
            for mut profile in world.profiles.get(id).cloned().unwrap_or_default() {
                profile.imsi_idx = None;
                profile.imei_idx = None;
                profile.sealed = None;
                draft.change_profile(profile);
            }
        }
        draft.rare(Rare::Erase(self.party));
        draft.end_entry()?;
        Ok(())
    }
}

/// Sets until when the law forbids erasing a person.
pub(crate) struct Retain {
    pub actor: Actor,
    pub party: PartyId,
    pub until: Option<Timestamp>,
}

impl Job for Retain {
    type Answer = ();

    fn needs(&self) -> Needs {
        Needs {
            parties: vec![self.party],
            ..Needs::default()
        }
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        let party = world
            .parties
            .get(&self.party)
            .ok_or_else(|| Error::not_found("party"))?;
        if !matches!(self.actor.role, Role::Admin | Role::Regulator)
            || !self.actor.sees_operator(&party.operator)
        {
            return Err(Error::forbidden(
                "an administrator or the regulator says how long data are kept",
            ));
        }
        draft.begin_entry("subject.retained", self.actor.role, Some(self.actor.token));
        let entry = draft.entry();
        entry.subject = Some(self.party);
        entry.operator = Some(party.operator.clone());
        entry.detail = serde_json::json!({ "until": self.until });
        draft.rare(Rare::Retain(self.party, self.until));
        draft.end_entry()?;
        Ok(())
    }
}
