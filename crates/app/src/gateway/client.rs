//! Clients of the gateway: who they are, what they may ask, how often.

use super::Gateway;
use super::write::{Do, GatewayWrite};
use crate::{Actor, Error};
use serde::{Deserialize, Serialize};
use simwarden_model::{Role, Timestamp};
use simwarden_store::Keyring;
use simwarden_store::records::gateway_client::GatewayClientRow;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// How long the list of clients is believed without looking again.
pub(super) const CLIENTS_LIFE: Duration = Duration::from_secs(1);
/// Keys of one client that are tried.
const KEYS_MAX: usize = 16;
/// The window of a client's burst.
const BURST_WINDOW_S: f64 = 10.0;
/// Microseconds of a day.
const DAY_US: i64 = 24 * 3600 * 1_000_000;

/// What a client is registered with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClientSettings {
    /// How it is called towards subscribers.
    #[serde(default)]
    pub name: String,
    /// Its public keys, a JWK Set.
    pub jwks: serde_json::Value,
    /// `client_credentials`, `jwt-bearer`, `ciba`, `authorization_code`.
    pub grants: Vec<String>,
    /// Scopes that it may ask for; `*` for all.
    pub scopes: Vec<String>,
    /// How long its access tokens live.
    #[serde(default = "ttl")]
    pub access_token_ttl_s: u32,
    /// Calls a day; without a limit when absent.
    #[serde(default)]
    pub quota_calls: Option<u64>,
    /// Calls at once; as many more every ten seconds. Without a limit when absent.
    #[serde(default)]
    pub rate_burst: Option<u32>,
    /// Beginnings of addresses that its events may go to; each ends with `/`.
    #[serde(default)]
    pub sinks: Vec<String>,
    /// Where its users may be sent back to.
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// The legal basis on which it asks without the subscriber at hand.
    #[serde(default = "basis")]
    pub basis: String,
}

const fn ttl() -> u32 {
    600
}
fn basis() -> String {
    "legitimate_interest".to_owned()
}

/// A client.
#[derive(Debug, Clone, PartialEq)]
pub struct Client {
    /// Its name, `client_id`.
    pub id: String,
    /// What it is registered with.
    pub settings: ClientSettings,
    /// When it was frozen, if it is.
    pub frozen_at: Option<Timestamp>,
    /// Whether a sandbox seed made it.
    pub sandbox: bool,
}

impl Client {
    /// Whether it may ask for a scope.
    #[must_use]
    pub fn may(&self, scope: &str) -> bool {
        self.settings.scopes.iter().any(|own| own == "*" || own == scope)
    }

    /// Whether it may use a way to tokens.
    #[must_use]
    pub fn has_grant(&self, grant: &str) -> bool {
        self.settings.grants.iter().any(|own| own == grant)
    }

    /// Its keys, the one that is named or all that may be meant.
    pub(super) fn keys(&self, kid: Option<&str>) -> Vec<jsonwebtoken::jwk::Jwk> {
        let keys = self.settings.jwks.get("keys").and_then(|keys| keys.as_array());
        keys.into_iter()
            .flatten()
            .take(KEYS_MAX)
            .filter_map(|key| serde_json::from_value::<jsonwebtoken::jwk::Jwk>(key.clone()).ok())
            .filter(|key| match (kid, &key.common.key_id) {
                (Some(kid), Some(own)) => own == kid,
                _ => true,
            })
            .collect()
    }

    /// The row, vouched for.
    pub(super) fn row(&self, keyring: &Keyring) -> Result<GatewayClientRow, Error> {
        let mut row = GatewayClientRow {
            id: self.id.clone(),
            settings: serde_json::to_string(&self.settings).map_err(Error::internal)?,
            sandbox: self.sandbox,
            frozen_at: self.frozen_at,
            mac: [0; 32],
        };
        row.mac = row.expected_mac(keyring);
        Ok(row)
    }
}

/// The clients as they were read.
#[derive(Default)]
pub(super) struct Clients {
    read_at: Option<Duration>,
    all: HashMap<String, Arc<Client>>,
}

impl Clients {
    pub(super) fn forget(&mut self) {
        self.read_at = None;
    }
}

/// How much a client has asked.
pub(super) struct Usage {
    day: i64,
    calls: u64,
    tokens: f64,
    at: Duration,
}

/// What stands against one more call.
pub(super) enum Enough {
    Quota,
    Burst { retry_after_s: u64 },
}

impl Usage {
    pub(super) const fn new(client: &ClientSettings, at: Duration) -> Self {
        let burst = match client.rate_burst {
            Some(burst) => burst as f64,
            None => 0.0,
        };
        Self {
            day: i64::MIN,
            calls: 0,
            tokens: burst,
            at,
        }
    }

    /// Counts one call.
    pub(super) fn call(
        &mut self,
        client: &ClientSettings,
        now: Timestamp,
        tick: Duration,
    ) -> Result<(), Enough> {
        let day = now.as_micros().div_euclid(DAY_US);
        if self.day != day {
            self.day = day;
            self.calls = 0;
        }
        if client.quota_calls.is_some_and(|quota| self.calls >= quota) {
            return Err(Enough::Quota);
        }
        if let Some(burst) = client.rate_burst {
            let (burst, per_second) = (f64::from(burst), f64::from(burst) / BURST_WINDOW_S);
            let passed = tick.saturating_sub(self.at).as_secs_f64();
            self.tokens = (self.tokens + passed * per_second).min(burst);
            self.at = tick;
            if self.tokens < 1.0 {
                let wait = ((1.0 - self.tokens) / per_second.max(f64::MIN_POSITIVE)).ceil();
                return Err(Enough::Burst {
                    retry_after_s: Duration::try_from_secs_f64(wait).map_or(1, |wait| wait.as_secs().max(1)),
                });
            }
            self.tokens -= 1.0;
        }
        self.calls += 1;
        Ok(())
    }
}

impl Gateway {
    /// A client that may ask. None when it is unknown or frozen.
    pub(super) async fn client(&self, id: &str) -> Result<Option<Arc<Client>>, Error> {
        let tick = self.tick();
        {
            let clients = self.inner.clients.lock().unwrap_or_else(PoisonError::into_inner);
            if clients
                .read_at
                .is_some_and(|at| tick.saturating_sub(at) < CLIENTS_LIFE)
            {
                return Ok(clients.all.get(id).cloned());
            }
        }
        let mut all = HashMap::new();
        for client in self.all_clients().await? {
            if client.frozen_at.is_none() {
                all.insert(client.id.clone(), Arc::new(client));
            }
        }
        let found = all.get(id).cloned();
        let mut clients = self.inner.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.all = all;
        clients.read_at = Some(tick);
        Ok(found)
    }

    /// Every client whose row can be believed.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn all_clients(&self) -> Result<Vec<Client>, Error> {
        let mut clients = Vec::new();
        for row in self.app().store().gateway_clients().await? {
            if row.mac != row.expected_mac(self.app().keyring()) {
                tracing::error!(client = %row.id, "a client's row was made or changed behind the ledger's back");
                continue;
            }
            clients.push(Client {
                settings: serde_json::from_str(&row.settings).map_err(Error::internal)?,
                id: row.id,
                frozen_at: row.frozen_at,
                sandbox: row.sandbox,
            });
        }
        Ok(clients)
    }

    /// Registers a client, or changes its registration.
    ///
    /// # Errors
    /// When the actor is no administrator, or the name is no name.
    pub async fn put_client(&self, actor: &Actor, client: Client) -> Result<(), Error> {
        if !matches!(actor.role, Role::Admin | Role::System) {
            return Err(Error::forbidden(
                "clients of the gateway are registered by an administrator",
            ));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if client.id.is_empty() || client.id.len() > 80 || !client.id.chars().all(plain) {
            return Err(Error::invalid(
                "client_id",
                "a client is named by 1 to 80 letters, digits, `-`, `_` and `.`",
            ));
        }
        if client.settings.access_token_ttl_s == 0 || client.settings.access_token_ttl_s > 86_400 {
            return Err(Error::invalid("ttl", "an access token lives 1 to 86,400 seconds"));
        }
        let row = client.row(self.app().keyring())?;
        let actor = actor.clone();
        let job = Do {
            needs: crate::world::Needs::default(),
            run: move |_: &_, draft: &mut crate::draft::Draft<'_>| {
                let kind = match row.frozen_at {
                    Some(_) => "gateway.client_frozen",
                    None => "gateway.client_registered",
                };
                draft.begin_entry(kind, actor.role, Some(actor.token));
                draft.entry().detail = serde_json::json!({ "client": row.id });
                draft.gateway(GatewayWrite::Client(row.clone()));
                draft.end_entry().map(drop)
            },
        };
        self.app().commit(job).await?;
        self.forget_clients();
        Ok(())
    }

    /// Forgets what is known of clients, so that the next call looks again.
    pub(super) fn forget_clients(&self) {
        let mut clients = self.inner.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.forget();
    }

    /// Counts a call of a client.
    pub(super) fn count(&self, client: &Client) -> Result<(), Enough> {
        let (now, tick) = (self.now(), self.tick());
        let mut usage = self.inner.usage.lock().unwrap_or_else(PoisonError::into_inner);
        usage
            .entry(client.id.clone())
            .or_insert_with(|| Usage::new(&client.settings, tick))
            .call(&client.settings, now, tick)
    }
}

#[cfg(test)]
mod tests {
    use super::{ClientSettings, Enough, Usage};
    use simwarden_model::Timestamp;
    use std::time::Duration;

    fn settings(quota: Option<u64>, burst: Option<u32>) -> ClientSettings {
        serde_json::from_value(serde_json::json!({
            "jwks": { "keys": [] }, "grants": [], "scopes": ["*"], "quota_calls": quota, "rate_burst": burst,
        }))
        .unwrap()
    }

    #[test]
    fn a_quota_lasts_a_day_and_a_burst_comes_back() {
        let at = |s: u64| {
            (
                Timestamp::EPOCH.plus(Duration::from_secs(s)),
                Duration::from_secs(s),
            )
        };
        let quota = settings(Some(3), None);
        let mut usage = Usage::new(&quota, Duration::ZERO);
        let mut call = |s: u64| usage.call(&quota, at(s).0, at(s).1);
        assert!((0..3).all(|s| call(s).is_ok()));
        assert!(matches!(call(4), Err(Enough::Quota)));
        assert!(call(86_400).is_ok());

        let burst = settings(None, Some(3));
        let mut usage = Usage::new(&burst, Duration::ZERO);
        let mut call = |s: u64| usage.call(&burst, at(s).0, at(s).1);
        assert!((0..3).all(|_| call(0).is_ok()));
        assert!(matches!(call(1), Err(Enough::Burst { retry_after_s }) if retry_after_s >= 1));
        assert!(call(5).is_ok());
    }
}
