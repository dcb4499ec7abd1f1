//! Tests answer the API in their own process: the same paths and bodies, straight to the use cases, without the edge.

use crate::api::{Api, Call, Later};
use crate::client::Answer;
use crate::country::{Country, CountrySpec};
use crate::narrator::Silent;
use crate::stage::{Props, Stage};
use crate::wire::{Ask, Document, Evidence, OwnersAnswer};
use crate::world::{SimWorld, WorldConfig};
use simwarden_app::{
    Actor, App, AppConfig, Error, ErrorKind, Given, LineRef, LineSecret, NewOperation, NewOwner, Of, Outcome,
    OwnerAnswer, PartySecret, ProfileSecret, RollBackAnswer, SystemClock, seal, seal_common,
};
use simwarden_guard::{Engine, PackSource};
use simwarden_model::{Clock, DocumentKey, Msisdn, PartyId, ProfileId, ProfileState, Region, SubscriptionId};
use simwarden_store::records::party::Party;
use simwarden_store::records::profile::Profile;
use simwarden_store::records::subject_key::SubjectKeyRow;
use simwarden_store::records::subscription::Subscription;
use simwarden_store::{Indexed, Keyring, Store};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The use cases behind the API's paths.
pub(crate) struct InProcess(pub App);

impl Api for InProcess {
    fn call(&self, call: Call) -> Later<'_, Answer> {
        Box::pin(async move {
            let (status, body) = match self.route(&call).await {
                Ok(body) => (if call.path == "/v1/operations" { 201 } else { 200 }, body),
                Err(error) => {
                    let status = match error.kind {
                        ErrorKind::Unauthenticated => 401,
                        ErrorKind::Forbidden => 403,
                        ErrorKind::NotFound => 404,
                        ErrorKind::Conflict | ErrorKind::State => 409,
                        ErrorKind::Internal => 500,
                        _ => 400,
                    };
                    (
                        status,
                        serde_json::json!({ "code": error.code, "detail": error.to_string() }),
                    )
                }
            };
            Ok(Answer {
                status,
                body: body.to_string().into(),
            })
        })
    }
}

fn bad(why: impl std::fmt::Display) -> Error {
    Error::invalid("body", why.to_string())
}

fn body<'a, T: serde::Deserialize<'a>>(call: &'a Call) -> Result<T, Error> {
    serde_json::from_slice(&call.body).map_err(bad)
}

fn json(value: &impl serde::Serialize) -> Result<serde_json::Value, Error> {
    serde_json::to_value(value).map_err(bad)
}

impl InProcess {
    async fn route(&self, call: &Call) -> Result<serde_json::Value, Error> {
        let app = &self.0;
        let actor = app.authenticate(&call.token).await?;
        let parts: Vec<&str> = call.path.trim_start_matches("/v1/").split('/').collect();
        match (call.post, parts.as_slice()) {
            (true, ["operations"]) => {
                let submitted = app.submit(&actor, order(&body::<Ask>(call)?)?).await?;
                let mut answer = json(&app.operation(&actor, submitted.operation).await?)?;
                answer["match_number"] = serde_json::json!(submitted.match_number);
                Ok(answer)
            }
            (false, ["operations", id]) => json(&app.operation(&actor, id.parse().map_err(bad)?).await?),
            (true, ["operations", id, "evidence"]) => {
                let id = id.parse().map_err(bad)?;
                let evidence: Evidence = body(call)?;
                let given = match evidence.code {
                    Some(code) => Given::Totp(code),
                    None => Given::SecondApprover,
                };
                let outcome = app.give_proof(&actor, id, given).await?;
                self.checked(&actor, outcome, id).await
            }
            (true, ["operations", id, "rollback"]) => {
                let outcome = app.roll_back(&actor, id.parse().map_err(bad)?).await?;
                let word = match outcome {
                    RollBackAnswer::WaitsForSecond => "waits_for_second",
                    RollBackAnswer::Begun => "begun",
                };
                Ok(serde_json::json!({ "outcome": word }))
            }
            (false, ["approvals"]) => Ok(serde_json::json!({ "approvals": app.questions(&actor).await? })),
            (true, ["approvals", id]) => {
                let id = id.parse().map_err(bad)?;
                let said: OwnersAnswer = body(call)?;
                let asked = app.questions(&actor).await?;
                let answer = said.number.map_or(OwnerAnswer::No, OwnerAnswer::Yes);
                let outcome = app.answer(&actor, id, answer).await?;
                let question = asked
                    .iter()
                    .find(|q| q.id == id)
                    .ok_or_else(|| bad("no question"))?;
                self.checked(&actor, outcome, question.operation.id).await
            }
            (true, ["events"]) => json(&app.accept_events(&actor, &call.body).await?),
            _ => Err(bad("no such path")),
        }
    }

    async fn checked(
        &self,
        actor: &Actor,
        outcome: Outcome,
        id: simwarden_model::OperationId,
    ) -> Result<serde_json::Value, Error> {
        let word = match outcome {
            Outcome::Accepted => "accepted",
            Outcome::Wrong => "wrong",
        };
        let operation = self.0.operation(actor, id).await?.summary;
        Ok(serde_json::json!({ "outcome": word, "operation": operation }))
    }
}

fn order(ask: &Ask) -> Result<NewOperation, Error> {
    let number = |text: &String| Msisdn::parse(text, Region::KH).map_err(bad);
    let document =
        |d: &Document| DocumentKey::new(&d.country, d.kind.parse().map_err(bad)?, &d.number).map_err(bad);
    fn named<T: std::str::FromStr<Err: std::fmt::Display>>(
        text: &Option<String>,
    ) -> Result<Option<T>, Error> {
        text.as_ref().map(|text| text.parse().map_err(bad)).transpose()
    }
    Ok(NewOperation {
        kind: ask.operation.parse().map_err(bad)?,
        channel: ask.channel.parse().map_err(bad)?,
        line: LineRef::Number(number(ask.msisdn.as_ref().ok_or_else(|| bad("msisdn"))?)?),
        claim: named(&ask.claim)?,
        eid: named(&ask.eid)?,
        imei: named(&ask.imei)?,
        contact_phone: ask
            .contact_phone
            .as_ref()
            .map(number)
            .transpose()?
            .map(|n| n.reveal().to_owned()),
        contact_email: None,
        forward_to: ask.forward_to.as_ref().map(number).transpose()?,
        lock_scope: named(&ask.lock_scope)?,
        new_owner: match &ask.new_owner {
            Some(owner) => Some(NewOwner {
                name: owner.name.clone(),
                document: document(&owner.document)?,
            }),
            None => None,
        },
        document_shown: ask.document_shown.as_ref().map(document).transpose()?,
        context: ask.context.clone(),
        idempotency_key: None,
    })
}

/// A server without an edge: a small country in a database of its own, with its worker.
pub(crate) struct Scratch {
    pub stage: Stage,
    stop: watch::Sender<bool>,
    worker: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Scratch {
    pub(crate) async fn open(seed: u64) -> Self {
        let country = Arc::new(Country::generate(CountrySpec {
            seed,
            people: 600,
            stock: 40,
        }));
        let folder = tempfile::tempdir().unwrap();
        let address = format!("sqlite:{}", folder.path().join("drill.db").display());
        let store = Store::open(&address).await.unwrap();
        let keyring = Keyring::new([7; 32]);
        seed_rows(&store, &keyring, &country).await;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let app = App::open(AppConfig {
            store,
            keyring,
            engine: Engine::load(&PackSource::built_in("kh-default").unwrap()).unwrap(),
            limits: simwarden_app::Limits::default(),
            clock: Some(Arc::clone(&clock)),
            entropy: None,
            accept_clock: false,
        })
        .await
        .unwrap();
        let config = WorldConfig {
            install: Duration::ZERO,
        };
        let world = SimWorld::populated(&country, Arc::clone(&clock), config);
        let (stop, stopped) = watch::channel(false);
        // Without a log every entry counts as published at once.
        let (_, published) = watch::channel(i64::MAX);
        let worker = tokio::spawn(simwarden_app::worker::work(
            app.clone(),
            world.ports(),
            published,
            stopped,
        ));
        let stage = Stage::new(Props {
            country,
            world,
            app: app.clone(),
            api: Arc::new(InProcess(app)),
            clock,
            narrator: Arc::new(Silent),
            console: None,
        });
        Self {
            stage,
            stop,
            worker,
            _folder: folder,
        }
    }

    pub(crate) async fn close(self) {
        self.stop.send_replace(true);
        self.worker.await.unwrap();
    }
}

/// Writes the country into the database as an import would.
async fn seed_rows(store: &Store, keyring: &Keyring, country: &Country) {
    let mut dice = crate::chance::Dice::new(country.spec.seed, "rows");
    let now = simwarden_model::Timestamp::from_millis(1_780_000_000_000);
    let index = |of, value: &str| keyring.index(of, value.as_bytes());
    let mut owners: HashMap<(u32, u32), PartyId> = HashMap::new();
    let (mut keys, mut parties, mut lines, mut profiles) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut open = HashMap::new();
    for line in &country.lines {
        let person = &country.people[line.owner as usize];
        let operator = country.operators[line.operator as usize].code.clone();
        let party = *owners.entry((line.owner, line.operator)).or_insert_with(|| {
            let id = PartyId::draw(now, &mut dice);
            let (key, wrapped) = keyring.new_subject_key(id.as_bytes(), &mut dice);
            keys.push(SubjectKeyRow {
                party_id: id,
                wrapped: Some(wrapped),
                retain_until: None,
                destroyed_at: None,
            });
            let secret = PartySecret {
                name: person.name.clone(),
                ..PartySecret::default()
            };
            let document = DocumentKey::new(
                &person.document_country,
                person.document_kind.parse().unwrap(),
                &person.document_number,
            )
            .unwrap();
            parties.push(Party {
                id,
                operator: operator.clone(),
                kind: person.kind,
                class: person.class,
                doc_idx: Some(index(Indexed::Document, &document.reveal())),
                sealed: Some(seal(&key, Of::Party, id.as_bytes(), &secret, &mut dice).unwrap()),
                flagged: false,
                created_at: now,
                version: 1,
                import_id: None,
            });
            open.insert(id, key);
            id
        });
        let id = SubscriptionId::draw(now, &mut dice);
        let secret = LineSecret {
            msisdn: line.msisdn.clone(),
            contact_phone: line.contact_phone.clone(),
            contact_email: person.email.clone(),
            language: Some(person.language.clone()),
            ..LineSecret::default()
        };
        lines.push(Subscription {
            msisdn_idx: Some(index(Indexed::Msisdn, &line.msisdn)),
            kind: line.kind,
            sealed: Some(seal(&open[&party], Of::Line, id.as_bytes(), &secret, &mut dice).unwrap()),
            ..Subscription::fresh(id, operator.clone(), party, line.activated_at)
        });
        let profile = ProfileId::draw(now, &mut dice);
        let secret = ProfileSecret {
            iccid: line.iccid.clone(),
            imsi: Some(line.imsi.clone()),
            eid: Some(line.eid.clone()),
            imei: Some(line.imei.clone()),
        };
        profiles.push(Profile {
            id: profile,
            operator,
            subscription_id: Some(id),
            iccid_idx: index(Indexed::Iccid, &line.iccid),
            imsi_idx: Some(index(Indexed::Imsi, &line.imsi)),
            eid_idx: Some(index(Indexed::Eid, &line.eid)),
            imei_idx: Some(index(Indexed::Imei, &line.imei)),
            state: ProfileState::Enabled,
            live: true,
            sealed: Some(seal(&open[&party], Of::Profile, profile.as_bytes(), &secret, &mut dice).unwrap()),
            created_at: now,
            version: 1,
            import_id: None,
        });
    }
    for stock in &country.stock {
        let id = ProfileId::draw(now, &mut dice);
        let secret = ProfileSecret {
            iccid: stock.iccid.clone(),
            imsi: Some(stock.imsi.clone()),
            ..ProfileSecret::default()
        };
        profiles.push(Profile {
            id,
            operator: country.operators[stock.operator as usize].code.clone(),
            subscription_id: None,
            iccid_idx: index(Indexed::Iccid, &stock.iccid),
            imsi_idx: Some(index(Indexed::Imsi, &stock.imsi)),
            eid_idx: None,
            imei_idx: None,
            state: ProfileState::Available,
            live: false,
            sealed: Some(seal_common(keyring, Of::Profile, id.as_bytes(), &secret, &mut dice).unwrap()),
            created_at: now,
            version: 1,
            import_id: None,
        });
    }
    let mut tx = store.begin().await.unwrap();
    tx.insert_subject_keys(&keys).await.unwrap();
    tx.insert_parties(&parties).await.unwrap();
    tx.insert_subscriptions(&lines).await.unwrap();
    tx.insert_profiles(&profiles).await.unwrap();
    tx.commit().await.unwrap();
}

mod tests {
    use super::Scratch;
    use crate::DrillError;
    use crate::demo::play_all;
    use crate::scenarios::SCENARIOS;

    /// The same stories, each with its own outcome, so that one broken rule names its story.
    #[tokio::test(flavor = "multi_thread")]
    async fn every_theft_is_stopped_and_every_honest_person_served() {
        let scratch = Scratch::open(855).await;
        let report = play_all(&scratch.stage).await;
        assert!(report.all_well(), "\n{}", report.table());
        assert_eq!(
            report.played.iter().filter(|(s, _)| s.attack.is_some()).count(),
            6
        );
        let notices: usize = report
            .played
            .iter()
            .filter_map(|(_, o)| o.as_ref().ok())
            .map(|o| o.effects.notices)
            .sum();
        assert!(notices > 10, "people were told");
        println!("{}", report.table());
        scratch.close().await;
    }

    /// All at once: what one story does must not reach another, and no profile may go to two chips.
    #[tokio::test(flavor = "multi_thread")]
    async fn stories_told_at_the_same_time_end_the_same() {
        let scratch = Scratch::open(11).await;
        let mut tasks = tokio::task::JoinSet::new();
        for scenario in SCENARIOS {
            let stage = scratch.stage.clone();
            tasks.spawn(async move { (scenario.play)(&stage).await });
        }
        let mut wrong = Vec::new();
        while let Some(done) = tasks.join_next().await {
            match done.unwrap() {
                Ok(outcome) if outcome.stopped => {}
                Ok(outcome) => wrong.push(format!("{}: {}", outcome.slug, outcome.wrong.join("; "))),
                Err(error) => wrong.push(error.to_string()),
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        scratch.close().await;
    }

    #[tokio::test]
    async fn a_refusal_reaches_the_story_as_such() {
        let scratch = Scratch::open(3).await;
        let feed = scratch.stage.feed(0).await.unwrap();
        let refused = feed.questions().await.unwrap_err();
        assert!(
            matches!(refused, DrillError::Refused { status: 403, .. }),
            "{refused}"
        );
        scratch.close().await;
    }
}
