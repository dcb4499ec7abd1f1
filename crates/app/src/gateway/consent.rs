//! What subscribers agree to, for one purpose and one client or all; and what happens when they withdraw.

use super::access::Caller;
use super::write::{Do, GatewayWrite};
use super::{Denied, Gateway};
use crate::draft::About;
use crate::world::Needs;
use crate::{Actor, Error};
use serde::Serialize;
use simwarden_model::{Role, SubscriptionId, Timestamp};
use simwarden_store::records::gateway_consent::GatewayConsent;

/// A consent, as the subscriber sees it.
#[derive(Debug, Clone, Serialize)]
pub struct ConsentView {
    /// What for.
    pub purpose: String,
    /// For whom; for everybody when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// `granted`, `denied` or `objected`.
    pub state: String,
    /// The legal basis.
    pub basis: String,
    /// Since when.
    pub changed_at: Timestamp,
}

/// What a client is told about whether it may process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// It may.
    Valid,
    /// Nobody was asked yet.
    Pending,
    /// The subscriber was asked and has not answered.
    Requested,
    /// The subscriber said no, or withdrew.
    Denied,
    /// The subscriber objected.
    Objected,
}

/// The row that counts: what was said to this client before what was said to all.
fn deciding<'a>(rows: &'a [GatewayConsent], purpose: &str, client: &str) -> Option<&'a GatewayConsent> {
    let for_purpose = || rows.iter().filter(|row| row.purpose == purpose);
    for_purpose()
        .find(|row| row.client_id == client)
        .or_else(|| for_purpose().find(|row| row.client_id.is_empty()))
}

impl Gateway {
    /// Whether the subscriber agrees to a purpose of a client.
    pub(super) async fn agrees(
        &self,
        line: SubscriptionId,
        purpose: &str,
        client: &str,
    ) -> Result<bool, Error> {
        let rows = self.app().store().gateway_consents(line).await?;
        Ok(deciding(&rows, purpose, client).is_some_and(|row| row.state == "granted"))
    }

    /// Whether the subscriber said no to a client that asks on a basis of its own.
    pub(super) async fn objects(&self, line: SubscriptionId, caller: &Caller) -> Result<bool, Error> {
        let rows = self.app().store().gateway_consents(line).await?;
        let client = caller.client_id();
        let no = |row: &GatewayConsent| row.state != "granted";
        Ok(match caller.purpose() {
            // A question that names no purpose meets every no, or leaving the purpose out would get round it. Whoever
            // asks what was consented to is told.
            "" => {
                let of_consents = caller.api.starts_with("consent-info");
                rows.iter().any(|row| {
                    (row.client_id == client || row.client_id.is_empty() && !of_consents) && no(row)
                })
            }
            purpose => deciding(&rows, purpose, client).is_some_and(no),
        })
    }

    /// Whether processing is allowed now, and if not, why.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn validity(
        &self,
        line: SubscriptionId,
        purpose: &str,
        client: &str,
    ) -> Result<Validity, Denied> {
        let rows = self.app().store().gateway_consents(line).await?;
        let asked = || {
            self.asks_of(&[line])
                .iter()
                .any(|ask| ask.client == client && ask.purpose == purpose)
        };
        Ok(
            match deciding(&rows, purpose, client).map(|row| row.state.as_str()) {
                Some("granted") => Validity::Valid,
                Some("objected") => Validity::Objected,
                Some(_) => Validity::Denied,
                None if asked() => Validity::Requested,
                None => Validity::Pending,
            },
        )
    }

    /// Writes what a subscriber decided, on the ledger too.
    pub(super) async fn put_consent(
        &self,
        line: SubscriptionId,
        purpose: &str,
        client: &str,
        state: &'static str,
        basis: &'static str,
    ) -> Result<(), Error> {
        let row = GatewayConsent {
            subscription_id: line,
            purpose: purpose.to_owned(),
            client_id: client.to_owned(),
            state: state.to_owned(),
            basis: basis.to_owned(),
            changed_at: self.now(),
        };
        let job = Do {
            needs: Needs::default(),
            run: move |_: &_, draft: &mut crate::draft::Draft<'_>| {
                draft.begin_entry("gateway.consent", Role::Subscriber, None);
                let detail = serde_json::json!({
                    "purpose": row.purpose, "client": row.client_id, "state": row.state, "basis": row.basis,
                });
                draft.entry().line = Some(row.subscription_id);
                draft.entry().detail = detail.clone();
                let about = About {
                    line: Some(row.subscription_id),
                    ..About::default()
                };
                draft.history("gateway_consent", &about, &detail);
                draft.gateway(GatewayWrite::Consent(row.clone()));
                draft.end_entry().map(drop)
            },
        };
        self.app().commit(job).await
    }

    /// The lines of the subscriber who asks.
    async fn own(&self, actor: &Actor, line: SubscriptionId) -> Result<(), Error> {
        let row = self.app().store().subscription(line).await?;
        match (row, actor.role, actor.party) {
            (Some(row), Role::Subscriber, Some(party)) if row.party_id == party => Ok(()),
            _ => Err(Error::not_found("line")),
        }
    }

    /// What the subscriber of a line agreed to.
    ///
    /// # Errors
    /// When the line is not theirs.
    pub async fn consents(&self, actor: &Actor, line: SubscriptionId) -> Result<Vec<ConsentView>, Error> {
        self.own(actor, line).await?;
        let rows = self.app().store().gateway_consents(line).await?;
        Ok(rows
            .into_iter()
            .map(|row| ConsentView {
                purpose: row.purpose,
                client: Some(row.client_id).filter(|client| !client.is_empty()),
                state: row.state,
                basis: row.basis,
                changed_at: row.changed_at,
            })
            .collect())
    }

    /// The subscriber agrees or withdraws. A withdrawal takes every token back that stood on it, at once.
    ///
    /// # Errors
    /// When the line is not theirs, or the purpose is none.
    pub async fn decide_consent(
        &self,
        actor: &Actor,
        line: SubscriptionId,
        purpose: &str,
        client: Option<&str>,
        agree: bool,
    ) -> Result<(), Error> {
        self.own(actor, line).await?;
        if !super::scope::is_purpose(purpose) {
            return Err(Error::invalid("purpose", "name a purpose: `dpv:` and a term"));
        }
        let client = client.unwrap_or("");
        if !client.is_empty() && self.client(client).await?.is_none() {
            return Err(Error::not_found("client"));
        }
        let state = if agree { "granted" } else { "denied" };
        if !agree && client.is_empty() {
            // Withdrawn from everybody is withdrawn from each who was agreed to alone.
            for row in self.app().store().gateway_consents(line).await? {
                if row.purpose == purpose && !row.client_id.is_empty() && row.state == "granted" {
                    self.put_consent(line, purpose, &row.client_id, state, "consent")
                        .await?;
                }
            }
        }
        self.put_consent(line, purpose, client, state, "consent").await?;
        if !agree {
            self.drop_tokens(|_, access| {
                let of_line = access
                    .subject
                    .as_ref()
                    .is_some_and(|subject| subject.line == line);
                let same = access.purpose.as_deref() == Some(purpose)
                    && (client.is_empty() || access.client == client);
                !(of_line && same)
            });
        }
        Ok(())
    }

    /// Who asked about a line, for its subscriber, the newest first.
    ///
    /// # Errors
    /// When the line is not theirs.
    pub async fn who_asked(
        &self,
        actor: &Actor,
        line: SubscriptionId,
    ) -> Result<Vec<super::asked::AskedView>, Error> {
        self.own(actor, line).await?;
        self.asked_about(line).await
    }

    /// Questions that wait for this subscriber.
    ///
    /// # Errors
    /// When the actor is no subscriber.
    pub async fn own_asks(&self, actor: &Actor) -> Result<Vec<super::ciba::AskView>, Error> {
        Ok(self.asks_of(&self.own_lines(actor).await?))
    }

    /// The subscriber answers one of them.
    ///
    /// # Errors
    /// When it is not theirs, or over.
    pub async fn answer_own_ask(&self, actor: &Actor, id: &str, approve: bool) -> Result<(), Error> {
        let lines = self.own_lines(actor).await?;
        self.answer_ask(id, &lines, approve).await
    }

    async fn own_lines(&self, actor: &Actor) -> Result<Vec<SubscriptionId>, Error> {
        let party = match (actor.role, actor.party) {
            (Role::Subscriber, Some(party)) => party,
            _ => return Err(Error::forbidden("questions are answered by the owner")),
        };
        let rows = self.app().store().subscriptions_of(party).await?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }
}
