//! Subscriptions to swaps of a line: made, listed, ended. What is sent stands in `events`.

use super::access::Caller;
use super::events::ended;
use super::line::PhoneRule;
use super::write::{Do, GatewayWrite};
use super::{Denied, Gateway};
use crate::entry::hex;
use crate::secrets::{Of, open_common, seal_common};
use crate::world::Needs;
use crate::{Error, OsEntropy};
use serde::{Deserialize, Serialize};
use simwarden_model::{Role, Timestamp};
use simwarden_store::records::gateway_watch::GatewayWatch;

/// Subscriptions of one client to one line, to one sink.
const ALIKE_MAX: usize = 10;
/// Subscriptions of one client.
const OF_CLIENT_MAX: usize = 1_000;

/// A subscription to be made.
#[derive(Debug, Clone, Default)]
pub struct NewWatch {
    /// The number, where the token does not say it.
    pub phone: Option<String>,
    /// Where events go.
    pub sink: String,
    /// What shows the sink that they come from us.
    pub bearer: Option<String>,
    /// Until when that holds.
    pub bearer_expires_at: Option<Timestamp>,
    /// Until when events are wanted.
    pub expires_at: Option<Timestamp>,
    /// After how many they end.
    pub events_max: Option<i64>,
}

/// What of a subscription is sealed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct WatchSecret {
    pub sink: String,
    pub bearer: Option<String>,
    /// The number, with `+`.
    pub phone: String,
    /// As the client gave it, by its own clock.
    pub expires_said: Option<Timestamp>,
}

/// A subscription, as its client sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchView {
    /// Its name.
    pub id: String,
    /// Where events go.
    pub sink: String,
    /// The number; none where the subscriber stands behind it.
    pub phone: Option<String>,
    /// Since when.
    pub starts_at: Timestamp,
    /// Until when, as the client gave it.
    pub expires_at: Option<Timestamp>,
    /// After how many events it ends.
    pub events_max: Option<i64>,
    /// `ACTIVE` …
    pub state: String,
}

/// Whether an address lies below one that was registered. Nothing that is read in two ways passes.
fn below(sink: &str, prefixes: &[String]) -> bool {
    let plain = sink.len() <= 2_048
        && sink.starts_with("https://")
        && sink
            .bytes()
            .all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'@' | b'#' | b'"' | b'<' | b'>'))
        && !sink.contains("/../")
        && !sink.ends_with("/..");
    let whole = |prefix: &&String| prefix.starts_with("https://") && prefix.ends_with('/');
    plain
        && prefixes
            .iter()
            .filter(whole)
            .any(|prefix| sink.starts_with(prefix.as_str()))
}

impl Gateway {
    /// Makes a subscription.
    ///
    /// # Errors
    /// [`Denied::Sink`] and what [`Self::persons_line`] has.
    pub async fn watch(&self, caller: &Caller, new: NewWatch) -> Result<WatchView, Denied> {
        let mut prefixes = caller.client.settings.sinks.clone();
        if caller.client.sandbox
            && let Some(sandbox) = &self.inner.sandbox
        {
            prefixes.extend(sandbox.sink_prefix());
        }
        if !below(&new.sink, &prefixes) {
            return Err(Denied::Sink);
        }
        let wall = self.wall();
        if new.expires_at.is_some_and(|at| at <= wall) {
            return Err(Denied::Argument(
                "`subscriptionExpireTime` lies in the past".to_owned(),
            ));
        }
        if new.bearer_expires_at.is_some_and(|at| at <= wall) {
            return Err(Denied::Argument(
                "`accessTokenExpiresUtc` lies in the past".to_owned(),
            ));
        }
        let line = self
            .persons_line(caller, new.phone.as_deref(), PhoneRule::LeftOut)
            .await?;
        let others = self.app().store().gateway_watches_of(caller.client_id()).await?;
        if others.len() >= OF_CLIENT_MAX {
            return Err(Denied::Quota);
        }
        let mut alike = 0;
        for other in others.iter().filter(|other| other.subscription_id == line.id) {
            alike += usize::from(self.opened(other)?.sink == new.sink);
        }
        if alike >= ALIKE_MAX {
            return Err(Denied::AlreadyExists);
        }
        let row = self.watch_row(caller, &line, new)?;
        let view = self.view(&row)?;
        let job = Do {
            needs: Needs::default(),
            run: move |_: &_, draft: &mut crate::draft::Draft<'_>| {
                draft.begin_entry("gateway.watch_made", Role::System, None);
                draft.entry().line = Some(row.subscription_id);
                draft.entry().detail = serde_json::json!({ "client": row.client_id, "watch": hex(&row.id) });
                draft.gateway(GatewayWrite::Watch(row.clone()));
                draft.end_entry().map(drop)
            },
        };
        self.app().commit(job).await?;
        Ok(view)
    }

    fn watch_row(
        &self,
        caller: &Caller,
        line: &super::line::LineFacts,
        new: NewWatch,
    ) -> Result<GatewayWatch, Error> {
        let id = self.draw::<16>();
        let secret = WatchSecret {
            sink: new.sink,
            bearer: new.bearer,
            phone: line.phone.clone(),
            expires_said: new.expires_at,
        };
        let mut entropy = OsEntropy::new().map_err(Error::internal)?;
        // Clients live by the world's clock, also where a sandbox moves its own.
        let ours = |at: Timestamp| self.now().plus(at.since(self.wall()));
        Ok(GatewayWatch {
            id,
            client_id: caller.client_id().to_owned(),
            subscription_id: line.id,
            three_legged: caller.is_three_legged(),
            sealed: seal_common(self.app().keyring(), Of::GatewayWatch, &id, &secret, &mut entropy)?,
            starts_at: self.now(),
            expires_at: new.expires_at.map(ours),
            token_expires_at: new.bearer_expires_at.map(ours),
            events_max: new.events_max,
            events_sent: 0,
            seen_at: line.row.swapped_at.unwrap_or(Timestamp::EPOCH),
            state: "ACTIVE".to_owned(),
        })
    }

    pub(super) fn opened(&self, row: &GatewayWatch) -> Result<WatchSecret, Error> {
        open_common(self.app().keyring(), Of::GatewayWatch, &row.id, &row.sealed)
    }

    fn view(&self, row: &GatewayWatch) -> Result<WatchView, Error> {
        let secret = self.opened(row)?;
        Ok(WatchView {
            id: hex(&row.id),
            sink: secret.sink,
            phone: (!row.three_legged).then_some(secret.phone),
            starts_at: row.starts_at,
            expires_at: secret.expires_said,
            events_max: row.events_max,
            state: row.state.clone(),
        })
    }

    /// The caller's subscriptions; with a subscriber's token, those about that subscriber.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn watches(&self, caller: &Caller) -> Result<Vec<WatchView>, Denied> {
        let mut views = Vec::new();
        for row in self.app().store().gateway_watches_of(caller.client_id()).await? {
            if owns(caller, &row) {
                views.push(self.view(&row)?);
            }
        }
        Ok(views)
    }

    /// One of them.
    ///
    /// # Errors
    /// [`Denied::NotFound`], for others' too.
    pub async fn one_watch(&self, caller: &Caller, id: &str) -> Result<WatchView, Denied> {
        Ok(self.view(&self.own_watch(caller, id).await?)?)
    }

    async fn own_watch(&self, caller: &Caller, id: &str) -> Result<GatewayWatch, Denied> {
        let none = Denied::NotFound("there is no such subscription");
        let Some(id) = unhex(id) else { return Err(none) };
        let row = self.app().store().gateway_watch(id).await?;
        row.filter(|row| row.state == "ACTIVE" && owns(caller, row))
            .ok_or(none)
    }

    /// Ends a subscription; its sink is told.
    ///
    /// # Errors
    /// [`Denied::NotFound`], for others' too.
    pub async fn unwatch(&self, caller: &Caller, id: &str) -> Result<(), Denied> {
        let mut row = self.own_watch(caller, id).await?;
        row.state = "DELETED".to_owned();
        let event = ended(self, &row, "SUBSCRIPTION_DELETED")?;
        let job = Do {
            needs: Needs::default(),
            run: move |_: &_, draft: &mut crate::draft::Draft<'_>| {
                draft.begin_entry("gateway.watch_ended", Role::System, None);
                draft.entry().line = Some(row.subscription_id);
                draft.entry().detail = serde_json::json!({ "client": row.client_id, "watch": hex(&row.id) });
                draft.gateway(GatewayWrite::Watch(row.clone()));
                draft.gateway(GatewayWrite::Event(event.clone()));
                draft.end_entry().map(drop)
            },
        };
        Ok(self.app().commit(job).await?)
    }
}

/// Whether a caller may know of a subscription: its client's, and with a subscriber behind the token only theirs.
fn owns(caller: &Caller, row: &GatewayWatch) -> bool {
    row.client_id == caller.client_id()
        && caller
            .access
            .subject
            .as_ref()
            .is_none_or(|subject| subject.line == row.subscription_id)
}

fn unhex(text: &str) -> Option<[u8; 16]> {
    let digits = text.as_bytes();
    if digits.len() != 32
        || !digits
            .iter()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b))
    {
        return None;
    }
    let mut id = [0; 16];
    for (byte, pair) in id.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::{below, unhex};

    #[test]
    fn a_sink_lies_below_what_was_registered() {
        let prefixes = [
            "https://bank.example/hooks/".to_owned(),
            "https://whole.example".to_owned(),
        ];
        assert!(below("https://bank.example/hooks/a?b=c", &prefixes));
        for outside in [
            "http://bank.example/hooks/a",
            "https://bank.example/hooks",
            "https://bank.example/hooks/../admin",
            "https://bank.example@evil.example/hooks/",
            "https://bank.example/hooks/@evil",
            "https://bank.example\\@evil/hooks/",
            "https://whole.example.evil.example/",
            "https://127.0.0.1/hooks/",
            "https://bank.example/hooks/ a",
        ] {
            assert!(!below(outside, &prefixes), "{outside}");
        }
    }

    #[test]
    fn a_name_is_read_back() {
        assert_eq!(
            unhex("000102030405060708090a0b0c0d0e0f"),
            Some(std::array::from_fn(|n| u8::try_from(n).unwrap()))
        );
        assert_eq!(unhex("00"), None);
        assert_eq!(unhex("zz0102030405060708090a0b0c0d0e0f"), None);
    }
}
