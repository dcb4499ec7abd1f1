//! A scene for the sandbox: clients and lines, written as the registry's own rows, with times relative to now.

use super::Gateway;
use super::client::{Client, ClientSettings};
use super::events::SandboxSink;
use super::line::HolderBefore;
use super::sandbox::{made_up_imei, made_up_profile};
use super::write::{Do, GatewayWrite};
use crate::draft::Draft;
use crate::secrets::{LineSecret, Of, PartySecret, seal, subject_key};
use crate::shared::Shared;
use crate::world::{Needs, World};
use crate::{Error, ErrorKind};
use serde::Deserialize;
use simwarden_model::{
    LineKind, PartyClass, PartyId, PartyKind, ProfileState, Role, SubscriptionId, SubscriptionState,
    Timestamp,
};
use simwarden_store::records::gateway_client::GatewayClientRow;
use simwarden_store::records::gateway_consent::GatewayConsent;
use simwarden_store::records::gateway_line::GatewayLine;
use simwarden_store::records::party::Party;
use simwarden_store::records::profile::Profile;
use simwarden_store::records::subject_key::SubjectKeyRow;
use simwarden_store::records::subscription::Subscription;
use simwarden_store::{BlindIndex, Indexed, SubjectKey};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// Lines of one ledger entry, which has a longest size.
const AT_ONCE: usize = 40;
/// Lines and clients of a scene.
const LINES_MAX: usize = 5_000;
const CLIENTS_MAX: usize = 200;
/// The test network's code, ITU-T E.212.
const OPERATOR: &str = "001-01";

/// A scene. Fields that are not known are left aside.
#[derive(Debug, Clone, Deserialize)]
pub struct Seed {
    #[serde(default)]
    clients: Vec<SeedClient>,
    #[serde(default)]
    lines: Vec<SeedLine>,
    #[serde(default)]
    sink_prefix: Option<String>,
    #[serde(default)]
    sink_ca_pem: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct SeedClient {
    client_id: String,
    #[serde(default)]
    scopes: serde_json::Value,
    #[serde(flatten)]
    rest: serde_json::Map<String, serde_json::Value>,
}

#[derive(Debug, Clone, Deserialize)]
struct SeedLine {
    phone: String,
    #[serde(default)]
    line_class: Option<String>,
    #[serde(default)]
    sim: SeedSim,
    #[serde(default)]
    device: SeedDevice,
    #[serde(default)]
    holder: SeedHolder,
    #[serde(default)]
    kyc: Option<BTreeMap<String, serde_json::Value>>,
    #[serde(default)]
    kyc_id_document_required: bool,
    #[serde(default)]
    call_forwarding: Vec<String>,
    #[serde(default)]
    sms: Option<String>,
    #[serde(default)]
    consents: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct SeedSim {
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    activated_hours_ago: Option<f64>,
    #[serde(default)]
    swaps_hours_ago: Vec<f64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct SeedDevice {
    #[serde(default)]
    first_seen_hours_ago: Option<f64>,
    #[serde(default)]
    swaps_hours_ago: Vec<f64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct SeedHolder {
    #[serde(default)]
    since_days_ago: Option<f64>,
    #[serde(default)]
    previous: Vec<SeedBefore>,
    #[serde(default)]
    contract_type: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct SeedBefore {
    since_days_ago: f64,
    until_days_ago: f64,
}

fn ago(now: Timestamp, hours: f64) -> Timestamp {
    let span = Duration::try_from_secs_f64(hours.max(0.0) * 3600.0).unwrap_or(Duration::MAX);
    now.minus(span)
}

/// The most recent of several times ago.
fn newest(now: Timestamp, hours: &[f64]) -> Option<Timestamp> {
    hours.iter().map(|hours| ago(now, *hours)).max()
}

impl SeedClient {
    fn client(self) -> Result<Client, Error> {
        let scopes: Vec<String> = match self.scopes {
            serde_json::Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
            serde_json::Value::Array(list) => list
                .iter()
                .filter_map(|s| s.as_str().map(str::to_owned))
                .collect(),
            _ => vec!["*".to_owned()],
        };
        let mut settings = self.rest;
        settings.insert("scopes".to_owned(), scopes.into());
        for (name, empty) in [
            ("grants", serde_json::json!(["client_credentials"])),
            ("jwks", serde_json::json!({ "keys": [] })),
        ] {
            settings.entry(name.to_owned()).or_insert(empty);
        }
        let settings: ClientSettings = serde_json::from_value(settings.into())
            .map_err(|_| Error::invalid("clients", format!("client `{}` cannot be read", self.client_id)))?;
        Ok(Client {
            id: self.client_id,
            settings,
            frozen_at: None,
            sandbox: true,
        })
    }
}

impl SeedLine {
    fn digits(&self) -> Result<&str, Error> {
        let digits = self.phone.strip_prefix('+').unwrap_or("");
        let plain = (5..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        if plain {
            Ok(digits)
        } else {
            Err(Error::invalid("phone", "`phone` is `+` and 5 to 15 digits"))
        }
    }

    /// The rows of the registry and of the gateway.
    fn rows(
        &self,
        line: Subscription,
        shared: &Shared,
        key: &SubjectKey,
        now: Timestamp,
        draft: &mut Draft<'_>,
    ) -> Result<(Subscription, GatewayLine), Error> {
        let activated = self.sim.activated_hours_ago.map(|hours| ago(now, hours));
        let since = ago(now, self.holder.since_days_ago.unwrap_or(0.0) * 24.0);
        let secret = LineSecret {
            msisdn: self.digits()?.to_owned(),
            language: Some("en".to_owned()),
            ..LineSecret::default()
        };
        let row = Subscription {
            kind: match self.holder.contract_type.as_deref() {
                _ if self.line_class.as_deref() == Some("m2m") => LineKind::Iot,
                Some("PAYG") => LineKind::Prepaid,
                Some("Business") => LineKind::Corporate,
                _ => LineKind::Postpaid,
            },
            state: SubscriptionState::Active,
            msisdn_idx: Some(shared.keyring.index(Indexed::Msisdn, self.digits()?.as_bytes())),
            sealed: Some(seal(key, Of::Line, line.id.as_bytes(), &secret, draft.entropy)?),
            frozen_at: None,
            opened_at: since,
            swapped_at: newest(now, &self.sim.swaps_hours_ago),
            device_changed_at: newest(now, &self.device.swaps_hours_ago),
            owner_changed_at: None,
            port_at: None,
            forwarding_at: (!self.call_forwarding.is_empty()).then_some(since),
            ..line
        };
        let holders: Vec<HolderBefore> = self
            .holder
            .previous
            .iter()
            .map(|before| HolderBefore {
                from: ago(now, before.since_days_ago * 24.0).as_micros(),
                until: ago(now, before.until_days_ago * 24.0).as_micros(),
            })
            .collect();
        let kyc = match &self.kyc {
            Some(kyc) => Some(seal(
                key,
                Of::GatewayKyc,
                row.id.as_bytes(),
                &texts(kyc),
                draft.entropy,
            )?),
            None => None,
        };
        let extra = GatewayLine {
            subscription_id: row.id,
            class: self.line_class.clone().unwrap_or_else(|| "consumer".to_owned()),
            activated_at: activated,
            device_first_seen_at: self.device.first_seen_hours_ago.map(|hours| ago(now, hours)),
            holder_since_at: Some(since),
            holders: serde_json::to_string(&holders).map_err(Error::internal)?,
            contract: self.holder.contract_type.clone(),
            id_document_required: self.kyc_id_document_required,
            forwarding: self.call_forwarding.join(" "),
            sms: self.sms.clone().unwrap_or_else(|| "ok".to_owned()),
            sealed: kyc,
            sandbox: true,
        };
        Ok((row, extra))
    }

    /// Writes one line: over the one that the scene before had, or a new one.
    fn write(
        &self,
        shared: &Shared,
        made_up: &HashSet<SubscriptionId>,
        now: Timestamp,
        world: &World,
        draft: &mut Draft<'_>,
    ) -> Result<(), Error> {
        let index = shared.keyring.index(Indexed::Msisdn, self.digits()?.as_bytes());
        let before = world.numbers.get(&index).and_then(|id| world.lines.get(id));
        if before.is_some_and(|row| !made_up.contains(&row.id)) {
            return Err(not_ours(
                "a number of the scene belongs to a line that is not the sandbox's; it is left alone",
            ));
        }
        let (key, line) = match before {
            Some(row) => (
                subject_key(&shared.keyring, world.keys.get(&row.party_id))?,
                row.clone(),
            ),
            None => self.new_line(shared, draft)?,
        };
        let (row, extra) = self.rows(line, shared, &key, now, draft)?;
        match before {
            Some(_) => draft.change_subscription(row.clone()),
            None => draft.add_subscription(row.clone()),
        }
        for profile in world
            .profiles
            .get(&row.id)
            .into_iter()
            .flatten()
            .filter(|p| p.live)
        {
            draft.change_profile(Profile {
                live: false,
                state: ProfileState::Deleted,
                ..profile.clone()
            });
        }
        let state = self.sim.state.as_deref().unwrap_or("active");
        if state != "none" {
            let imei = match state {
                "never_connected" => None,
                _ => Some(made_up_imei(draft)?),
            };
            let profile = made_up_profile(&shared.keyring, &key, &row, imei, draft)?;
            draft.add_profile(profile);
        }
        draft.gateway(GatewayWrite::DropOf(row.id));
        for purpose in &self.consents {
            draft.gateway(GatewayWrite::Consent(GatewayConsent {
                subscription_id: row.id,
                purpose: purpose.clone(),
                client_id: String::new(),
                state: "granted".to_owned(),
                basis: "consent".to_owned(),
                changed_at: now,
            }));
        }
        draft.gateway(GatewayWrite::Line(extra));
        Ok(())
    }

    /// A person out of nowhere and the beginnings of their line.
    fn new_line(&self, shared: &Shared, draft: &mut Draft<'_>) -> Result<(SubjectKey, Subscription), Error> {
        let party = PartyId::draw(draft.now, draft.entropy);
        let (key, wrapped) = shared.keyring.new_subject_key(party.as_bytes(), draft.entropy);
        let name = self.kyc.as_ref().and_then(|kyc| kyc.get("name")?.as_str());
        let secret = PartySecret {
            name: name.unwrap_or("Sandbox").to_owned(),
            ..PartySecret::default()
        };
        draft.subject_key(SubjectKeyRow {
            party_id: party,
            wrapped: Some(wrapped),
            retain_until: None,
            destroyed_at: None,
        });
        let sealed = seal(&key, Of::Party, party.as_bytes(), &secret, draft.entropy)?;
        draft.add_party(Party {
            id: party,
            operator: OPERATOR.to_owned(),
            kind: PartyKind::Person,
            class: PartyClass::Ordinary,
            doc_idx: None,
            sealed: Some(sealed),
            flagged: false,
            created_at: draft.now,
            version: 1,
            import_id: None,
        });
        let line = Subscription {
            kind: LineKind::Postpaid,
            ..Subscription::fresh(
                SubscriptionId::draw(draft.now, draft.entropy),
                OPERATOR.to_owned(),
                party,
                draft.now,
            )
        };
        Ok((key, line))
    }
}

fn texts(kyc: &BTreeMap<String, serde_json::Value>) -> BTreeMap<String, String> {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Null => None,
        other => Some(other.to_string()),
    };
    kyc.iter()
        .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
        .collect()
}

impl Gateway {
    /// Begins a new scene: what was seeded before is replaced, tokens, codes and questions are gone, the clock is right.
    ///
    /// # Errors
    /// When there is no sandbox, the scene cannot be read, or a number in it belongs to a person.
    pub async fn sandbox_seed(&self, seed: Seed) -> Result<(), Error> {
        let sandbox = self.sandbox()?;
        if seed.lines.len() > LINES_MAX || seed.clients.len() > CLIENTS_MAX {
            return Err(Error::invalid(
                "too_many",
                "a scene has at most 5,000 lines and 200 clients",
            ));
        }
        let mut clients = Vec::new();
        for client in seed.clients {
            clients.push(client.client()?.row(self.app().keyring())?);
        }
        for known in self.all_clients().await? {
            if !known.sandbox && clients.iter().any(|row: &GatewayClientRow| row.id == known.id) {
                return Err(not_ours(
                    "a client of the scene is registered by an administrator; it is left alone",
                ));
            }
        }
        let mut numbers: HashSet<BlindIndex> = HashSet::new();
        for line in &seed.lines {
            let index = self
                .app()
                .keyring()
                .index(Indexed::Msisdn, line.digits()?.as_bytes());
            if !numbers.insert(index) {
                return Err(Error::invalid("lines", "a number stands twice in the scene"));
            }
        }
        // A scene without sinks may leave the placeholder of the example.
        let prefix = seed.sink_prefix.as_deref().and_then(local);
        if prefix.is_none() && seed.sink_prefix.is_some() {
            tracing::warn!("sink_prefix is not https://127.0.0.1:PORT/…: no sink is allowed");
        }
        sandbox.begin(prefix.map(|prefix| SandboxSink {
            prefix,
            ca_pem: seed.sink_ca_pem.unwrap_or_default(),
        }));
        self.forget_scene();
        let job = Do {
            needs: Needs::default(),
            run: move |_: &_, draft: &mut Draft<'_>| {
                draft.begin_entry("gateway.sandbox_seeded", Role::System, None);
                draft.entry().detail = serde_json::json!({ "clients": clients.len() });
                draft.gateway(GatewayWrite::DropSandboxClients);
                for client in &clients {
                    draft.gateway(GatewayWrite::Client(client.clone()));
                }
                draft.end_entry().map(drop)
            },
        };
        self.app().commit(job).await?;
        self.seed_lines(seed.lines, &numbers).await?;
        self.forget_clients();
        Ok(())
    }

    async fn seed_lines(&self, lines: Vec<SeedLine>, numbers: &HashSet<BlindIndex>) -> Result<(), Error> {
        let rows = self.app().store().sandbox_lines().await?;
        let made_up: HashSet<SubscriptionId> = rows.into_iter().map(|row| row.subscription_id).collect();
        for id in &made_up {
            let row = self.app().store().subscription(*id).await?;
            let stays = |row: &Subscription| row.msisdn_idx.is_some_and(|index| numbers.contains(&index));
            if row.is_some_and(|row| !row.state.is_terminal() && !stays(&row)) {
                self.close_line(*id).await?;
            }
        }
        let made_up = Arc::new(made_up);
        let now = self.now();
        for chunk in lines.chunks(AT_ONCE) {
            let (chunk, shared, made_up) = (chunk.to_vec(), self.app().shared(), Arc::clone(&made_up));
            let index =
                |line: &SeedLine| Ok(shared.keyring.index(Indexed::Msisdn, line.digits()?.as_bytes()));
            let job = Do {
                needs: Needs {
                    numbers: chunk.iter().map(index).collect::<Result<_, Error>>()?,
                    ..Needs::default()
                },
                run: move |world: &World, draft: &mut Draft<'_>| {
                    draft.begin_entry("gateway.sandbox_lines", Role::System, None);
                    draft.entry().detail = serde_json::json!({ "lines": chunk.len() });
                    for line in &chunk {
                        line.write(&shared, &made_up, now, world, draft)?;
                    }
                    draft.end_entry().map(drop)
                },
            };
            self.app().commit(job).await?;
        }
        Ok(())
    }
}

fn not_ours(what: &'static str) -> Error {
    Error::new(ErrorKind::Conflict, "not_of_the_sandbox", what)
}

/// A sink's prefix on this machine, ended by a slash so that no other port begins with it.
fn local(prefix: &str) -> Option<String> {
    let rest = prefix.strip_prefix("https://127.0.0.1:")?;
    let (port, _) = rest.split_once('/').unwrap_or((rest, ""));
    port.parse::<u16>().ok()?;
    Some(if rest.contains('/') {
        prefix.to_owned()
    } else {
        format!("{prefix}/")
    })
}
