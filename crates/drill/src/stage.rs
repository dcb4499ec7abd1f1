//! The stage on which scenarios play: the country, the outside world, a server, and tokens for whoever acts.

use crate::DrillError;
use crate::api::{Api, Session};
use crate::country::{CAST, Country, Line, Person};
use crate::narrator::Narrator;
use crate::wire::{Document, Owner};
use crate::world::SimWorld;
use simwarden_app::{Actor, App, NewToken, RequestContext};
use simwarden_model::{Clock, PartyId, Role, Timestamp};
use simwarden_store::Indexed;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many scenarios get people of their own.
const SLOTS: u32 = 20;
/// For how long a demonstration's tokens live.
const TOKEN_LIFE: Duration = Duration::from_secs(24 * 3600);
/// One day.
pub const DAY: Duration = Duration::from_secs(24 * 3600);

/// What a stage is made of.
pub struct Props {
    /// The country that was imported into the server.
    pub country: Arc<Country>,
    /// The outside world that the server's worker acts on.
    pub world: SimWorld,
    /// The use cases behind the server: for tokens and for finding people, never for what the stories are about.
    pub app: App,
    /// The way to the server.
    pub api: Arc<dyn Api>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who tells.
    pub narrator: Arc<dyn Narrator>,
    /// The console's address, for links; none prints no links.
    pub console: Option<String>,
}

/// The stage. Cheap to clone.
#[derive(Clone)]
pub struct Stage {
    props: Arc<Props>,
    feeds: Arc<Mutex<HashMap<String, Session>>>,
    phones: Arc<AtomicU32>,
    events: Arc<AtomicU32>,
    run: u64,
}

/// People for one scenario, all with the same operator.
#[derive(Debug, Clone)]
pub struct Cast {
    lines: Vec<u32>,
    /// Index of the operator.
    pub operator: u32,
}

impl Cast {
    /// The nth line.
    ///
    /// # Errors
    /// When the cast is smaller.
    pub fn line(&self, nth: usize) -> Result<u32, DrillError> {
        self.lines
            .get(nth)
            .copied()
            .ok_or_else(|| DrillError::Setup(format!("the cast has {} people only", self.lines.len())))
    }
}

/// What a careful shop's system says of a request.
#[must_use]
pub fn at_the_counter() -> RequestContext {
    RequestContext {
        interaction_authenticated: Some(true),
        customer_present: Some(true),
        has_ticket: Some(true),
        looked_before_authenticated: Some(false),
        in_geofence: Some(true),
        in_shift: Some(true),
        terminal_known: Some(true),
        out_of_district: Some(false),
        ..RequestContext::default()
    }
}

impl Stage {
    /// Sets the stage.
    #[must_use]
    pub fn new(props: Props) -> Self {
        let run = u64::try_from(props.clock.now().as_micros()).unwrap_or(0);
        Self {
            props: Arc::new(props),
            feeds: Arc::default(),
            phones: Arc::default(),
            events: Arc::default(),
            run,
        }
    }

    /// The country.
    #[must_use]
    pub fn country(&self) -> &Country {
        &self.props.country
    }

    /// The outside world.
    #[must_use]
    pub fn world(&self) -> &SimWorld {
        &self.props.world
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.props.clock.now()
    }

    /// Who tells.
    #[must_use]
    pub fn narrator(&self) -> &dyn Narrator {
        &*self.props.narrator
    }

    /// The page of an operation.
    #[must_use]
    pub fn link(&self, operation: &str) -> Option<String> {
        let console = self.props.console.as_ref()?;
        Some(format!(
            "{}/console/operations/{operation}",
            console.trim_end_matches('/')
        ))
    }

    /// Whether a rule gives a reason. Invariants are named after theirs.
    #[must_use]
    pub fn gives(&self, rule: &str, reason: &str) -> bool {
        match self.props.app.engine().rule(rule) {
            Some(rule) => rule.reason.as_ref().is_some_and(|own| own.as_str() == reason),
            None => rule
                .strip_prefix("invariant/")
                .is_some_and(|name| reason.starts_with(name) || reason.ends_with(name)),
        }
    }

    /// The people of a scenario: the same ones in every run, and nobody else's.
    #[must_use]
    pub fn cast(&self, slot: u32) -> Cast {
        let mine = || (0..CAST).filter(|at| at % SLOTS == slot % SLOTS);
        let of = |operator: u32| {
            mine()
                .filter(|at| self.line(*at).operator == operator)
                .collect::<Vec<_>>()
        };
        let operator = (0..3).max_by_key(|operator| of(*operator).len()).unwrap_or(0);
        Cast {
            lines: of(operator),
            operator,
        }
    }

    /// A line of the country.
    #[must_use]
    pub fn line(&self, at: u32) -> &Line {
        &self.props.country.lines[at as usize]
    }

    /// Its owner.
    #[must_use]
    pub fn owner(&self, at: u32) -> &Person {
        &self.props.country.people[self.line(at).owner as usize]
    }

    /// A number as people write it.
    #[must_use]
    pub fn number(&self, at: u32) -> String {
        format!("+{}", self.line(at).msisdn)
    }

    /// The owner's document.
    #[must_use]
    pub fn document(&self, at: u32) -> Document {
        document(self.owner(at))
    }

    /// The owner as somebody to be registered.
    #[must_use]
    pub fn person(&self, person: u32) -> Owner {
        let person = &self.props.country.people[person as usize];
        Owner {
            name: person.name.clone(),
            document: document(person),
        }
    }

    /// Chip and phone that nobody has used before.
    #[must_use]
    pub fn new_phone(&self) -> (String, String) {
        let nth = self.phones.fetch_add(1, Ordering::Relaxed);
        // A demonstration that is played again on the same data needs other phones than last time.
        let base = u32::try_from(self.run / 1_000_000 % 8_000).unwrap_or(0) * 1_000;
        self.props.country.new_phone(base + nth)
    }

    async fn token(&self, new: NewToken) -> Result<Session, DrillError> {
        let name = new.name.clone();
        let (_, secret) = self.props.app.make_token(&Actor::system(), new).await?;
        Ok(Session::new(Arc::clone(&self.props.api), secret, name))
    }

    /// The party behind a line.
    ///
    /// # Errors
    /// When the country was not imported.
    pub async fn party(&self, at: u32) -> Result<PartyId, DrillError> {
        let app = &self.props.app;
        let index = app
            .keyring()
            .index(Indexed::Msisdn, self.line(at).msisdn.as_bytes());
        let rows = app.store().subscriptions_by_msisdn(&[index]).await?;
        let row = rows
            .first()
            .ok_or_else(|| DrillError::Setup(format!("line {at} of the country was not imported")))?;
        Ok(row.party_id)
    }

    /// A session of the line's owner, or of whoever holds the account, on a device known for so long.
    ///
    /// # Errors
    /// When the token cannot be made.
    pub async fn subscriber(
        &self,
        at: u32,
        device: &str,
        known_for: Duration,
    ) -> Result<Session, DrillError> {
        let now = self.now();
        self.token(NewToken {
            role: Role::Subscriber,
            operator: Some(self.operator_code(self.line(at).operator)),
            name: device.chars().take(80).collect(),
            party: Some(self.party(at).await?),
            shop: None,
            terminal: None,
            life: TOKEN_LIFE,
            since: Some(now.minus(known_for)),
        })
        .await
    }

    /// A member of staff at one of the operator's shops: 0 is the operator's own, 1 to 7 are dealers'.
    ///
    /// # Errors
    /// When the token cannot be made.
    pub async fn staff(&self, operator: u32, shop: usize, role: Role) -> Result<Session, DrillError> {
        let country = &self.props.country;
        let (place, shop) = country
            .shops
            .iter()
            .enumerate()
            .filter(|(_, s)| s.operator == operator)
            .nth(shop)
            .ok_or_else(|| DrillError::Setup("there is no such shop".to_owned()))?;
        let supervisor = role == Role::Supervisor;
        let name = country
            .staff
            .iter()
            .find(|s| s.shop as usize == place && s.supervisor == supervisor)
            .map_or_else(|| "staff".to_owned(), |s| s.name.clone());
        self.token(NewToken {
            role,
            operator: Some(self.operator_code(operator)),
            name,
            party: None,
            shop: Some(shop.code.clone()),
            terminal: Some(format!("{}-t1", shop.code)),
            life: TOKEN_LIFE,
            since: Some(self.now().minus(DAY * 300)),
        })
        .await
    }

    fn operator_code(&self, operator: u32) -> String {
        self.props.country.operators[operator as usize].code.clone()
    }

    /// An authenticator that the owner has used for so long; gives its secret.
    ///
    /// # Errors
    /// When it cannot be enrolled.
    pub async fn authenticator(&self, at: u32, known_for: Duration) -> Result<Vec<u8>, DrillError> {
        let party = self.party(at).await?;
        let since = self.now().minus(known_for);
        let (_, secret) = self
            .props
            .app
            .enrol_totp(&Actor::system(), party, Some(since))
            .await?;
        Ok(secret)
    }

    /// Tells the server what the network or a portal saw of a line, so long ago.
    ///
    /// # Errors
    /// When the server does not take it.
    pub async fn event(
        &self,
        at: u32,
        kind: &str,
        ago: Duration,
        more: serde_json::Value,
    ) -> Result<(), DrillError> {
        let event = self.event_of(at, kind, ago, more);
        let feed = self.feed(self.line(at).operator).await?;
        let taken = feed.deliver(&[event]).await?;
        if taken.accepted == 1 {
            Ok(())
        } else {
            Err(DrillError::Turn(format!(
                "the event `{kind}` was not taken: {taken:?}"
            )))
        }
    }

    /// One event as JSON.
    #[must_use]
    pub fn event_of(&self, at: u32, kind: &str, ago: Duration, more: serde_json::Value) -> serde_json::Value {
        let nth = self.events.fetch_add(1, Ordering::Relaxed);
        let line = self.line(at);
        let mut event = serde_json::json!({
            "ts": self.now().minus(ago).as_millis(),
            "id": format!("{}-{nth}", self.run),
            "type": kind,
            "msisdn": line.msisdn,
            "imsi": line.imsi,
        });
        if let (Some(event), serde_json::Value::Object(more)) = (event.as_object_mut(), more) {
            event.extend(more);
        }
        event
    }

    /// The feed of an operator.
    ///
    /// # Errors
    /// When its token cannot be made.
    pub async fn feed(&self, operator: u32) -> Result<Session, DrillError> {
        let code = self.operator_code(operator);
        let known = self
            .feeds
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&code)
            .cloned();
        if let Some(feed) = known {
            return Ok(feed);
        }
        let feed = self
            .token(NewToken {
                role: Role::Feed,
                operator: Some(code.clone()),
                name: format!(
                    "network of {}",
                    self.props.country.operators[operator as usize].name
                ),
                party: None,
                shop: None,
                terminal: None,
                life: TOKEN_LIFE,
                since: None,
            })
            .await?;
        self.feeds
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(code, feed.clone());
        Ok(feed)
    }
}

fn document(person: &Person) -> Document {
    Document {
        country: person.document_country.clone(),
        kind: person.document_kind.clone(),
        number: person.document_number.clone(),
    }
}

/// The code that an authenticator shows (RFC 6238: SHA-1, six digits, 30 seconds).
///
/// # Errors
/// When the secret is none.
pub fn code_of(secret: &[u8], at: Timestamp) -> Result<String, DrillError> {
    let totp = totp_rs::Builder::new()
        .with_algorithm(totp_rs::Algorithm::SHA1)
        .with_digits(6)
        .with_skew(0)
        .with_step_duration(30)
        .with_secret(secret.to_vec())
        .build()
        .map_err(|why| DrillError::Setup(why.to_string()))?;
    let seconds = u64::try_from(at.as_secs()).unwrap_or(0);
    Ok(totp.generate(seconds).to_string())
}
