//! A small house to test in: a database in a temporary folder, one operator, a few people.

mod rows;

use simwarden_app::{
    Actor, App, AppConfig, Error, LineRef, NewOperation, NewToken, Passkeys, RequestContext, Submitted,
};
use simwarden_guard::{Engine, PackSource};
use simwarden_identity::passwords::Cost;
use simwarden_model::{
    Channel, Claim, Clock, DocumentKey, DocumentKind, Eid, LockScope, Msisdn, OperationKind, PartyId, Role,
    SubscriptionId, Timestamp,
};
use simwarden_store::{Keyring, Store};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const OPERATOR: &str = "999-01";

pub struct House {
    pub app: App,
    folder: tempfile::TempDir,
}

/// A clock that stands until a test moves it.
#[derive(Debug)]
pub struct TestClock {
    forward: Mutex<Duration>,
}

impl TestClock {
    pub fn start() -> Arc<Self> {
        Arc::new(Self {
            forward: Mutex::new(Duration::from_secs(1)),
        })
    }

    pub fn forward(&self, by: Duration) {
        *self.forward.lock().unwrap() += by;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_790_000_000_000).plus(self.monotonic())
    }
    fn monotonic(&self) -> Duration {
        // A little passes with every look, as it does on a real one.
        let mut forward = self.forward.lock().unwrap();
        *forward += Duration::from_micros(1);
        *forward
    }
}

pub struct Person {
    pub party: PartyId,
    pub line: SubscriptionId,
    pub number: Msisdn,
}

impl House {
    pub async fn build() -> Self {
        Self::under("kh-default").await
    }

    /// A house that decides by another pack of rules.
    pub async fn under(pack: &str) -> Self {
        Self::with(None, None, pack).await
    }

    /// A house at an address, with a clock that the test moves.
    pub async fn with(site: Option<&str>, clock: Option<Arc<TestClock>>, pack: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!(
            "sqlite:{}",
            folder.path().join("simwarden.db").display()
        ))
        .await
        .unwrap();
        let engine = Engine::load(&PackSource::built_in(pack).unwrap()).unwrap();
        let config = AppConfig {
            store,
            keyring: Keyring::new([7; 32]),
            engine,
            limits: simwarden_app::Limits {
                // A thousandth of what a real one pays: what is tested here is who pays.
                password_cost: Cost {
                    memory_kib: 64,
                    passes: 1,
                },
                ..simwarden_app::Limits::default()
            },
            clock: clock.map(|clock| clock as Arc<dyn Clock>),
            entropy: None,
            accept_clock: false,
        };
        let app = App::open(config).await.unwrap();
        if let Some(site) = site {
            app.open_site(Passkeys::new(site, &[]).unwrap()).unwrap();
        }
        Self { app, folder }
    }

    /// Every byte of the database's files.
    pub fn raw_files(&self) -> Vec<u8> {
        std::fs::read_dir(self.folder.path())
            .unwrap()
            .flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
            .collect()
    }

    /// A person with one active line, entered a year ago, whose chip is live.
    pub async fn person(&self, name: &str, number: &str) -> Person {
        let at = self.app.now().minus(Duration::from_secs(365 * 24 * 3600));
        let (party, line) = rows::enter(&self.app, OPERATOR, name, number, at).await.unwrap();
        Person {
            party,
            line,
            number: Msisdn::from_e164(number).unwrap(),
        }
    }

    pub async fn staff(&self, role: Role, shop: &str) -> Actor {
        self.token(role, None, Some(shop), None).await
    }

    /// A device that the owner has used for a year.
    pub async fn device_of(&self, person: &Person) -> Actor {
        let since = self.app.now().minus(Duration::from_secs(365 * 24 * 3600));
        self.token(Role::Subscriber, Some(person.party), None, Some(since))
            .await
    }

    async fn token(
        &self,
        role: Role,
        party: Option<PartyId>,
        shop: Option<&str>,
        since: Option<Timestamp>,
    ) -> Actor {
        let new = NewToken {
            role,
            operator: Some(OPERATOR.to_owned()),
            name: format!("{role} of a test"),
            party,
            shop: shop.map(str::to_owned),
            terminal: shop.map(|shop| format!("{shop}-terminal")),
            life: Duration::from_secs(3600),
            since,
        };
        let (_, secret) = self.app.make_token(&Actor::system(), new).await.unwrap();
        self.app.authenticate(&secret).await.unwrap()
    }

    pub async fn ask(
        &self,
        actor: &Actor,
        kind: OperationKind,
        channel: Channel,
        of: &Person,
    ) -> Result<Submitted, Error> {
        let context = RequestContext {
            interaction_authenticated: Some(true),
            customer_present: Some(true),
            has_ticket: Some(true),
            in_geofence: Some(true),
            in_shift: Some(true),
            terminal_known: Some(true),
            ..RequestContext::default()
        };
        let order = NewOperation {
            kind,
            channel,
            line: LineRef::Number(of.number),
            claim: Some(Claim::Upgrade),
            eid: Some(Eid::parse("89049032123451234512345678901235").unwrap()),
            imei: None,
            contact_phone: Some("85598765432".to_owned()),
            contact_email: None,
            forward_to: None,
            lock_scope: Some(LockScope::All),
            new_owner: None,
            document_shown: DocumentKey::new("KHM", DocumentKind::NationalId, of.number.reveal()).ok(),
            context,
            idempotency_key: None,
        };
        self.app.submit(actor, order).await
    }
}
