//! A small country to test in: one operator, a few people, a token for every role.

use crate::{LogView, ProofParts, ReceiptError, Receipts, Soon, WebConfig, WebLimits, WebState};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;
use simwarden_app::{
    Actor, App, AppConfig, LineSecret, NewToken, Of, OsEntropy, PartySecret, ProfileSecret, seal, seal_common,
};
use simwarden_guard::{Engine, PackSource};
use simwarden_model::{
    Iccid, PartyClass, PartyId, PartyKind, ProfileId, ProfileState, Region, Role, SubscriptionId, Timestamp,
    TokenId,
};
use simwarden_store::records::party::Party;
use simwarden_store::records::profile::Profile;
use simwarden_store::records::subject_key::SubjectKeyRow;
use simwarden_store::records::subscription::Subscription;
use simwarden_store::{Indexed, Keyring, Store, SubjectKey};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tower::ServiceExt as _;

pub(crate) const OPERATOR: &str = "999-01";
pub(crate) const EID: &str = "89049032123451234512345678901235";

/// The edge with all that stands behind it.
pub(crate) struct World {
    pub app: App,
    pub state: WebState,
    pub router: Router,
    pub stop: watch::Sender<bool>,
    _folder: tempfile::TempDir,
}

/// A person with one line.
pub(crate) struct Person {
    pub party: PartyId,
    pub line: SubscriptionId,
    pub number: String,
    pub profile: ProfileId,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn code(&self) -> String {
        let problem: crate::shapes::ProblemDetails = self.json();
        assert_eq!(problem.status, self.status.as_u16());
        assert_eq!(problem.request_id, self.headers["x-request-id"].to_str().unwrap());
        assert_eq!(self.headers["content-type"], "application/problem+json");
        problem.code
    }
}

/// Receipts of a log that has published its first hundred entries.
struct Hundred;

impl Receipts for Hundred {
    fn proof(&self, entry: i64) -> Soon<'_, ProofParts> {
        Box::pin(async move {
            if entry >= 100 {
                return Err(ReceiptError::NotYet);
            }
            Ok(ProofParts {
                index: entry,
                entry: "AA==".to_owned(),
                hashes: vec![],
                checkpoint: "note".to_owned(),
                log_vkey: "log+00000000+AA==".to_owned(),
                witness_vkeys: vec![],
                published: true,
            })
        })
    }

    fn receipt(&self, entry: i64) -> Soon<'_, String> {
        Box::pin(async move { Ok(format!("c2sp.org/tlog-proof@v1\nindex {entry}\n")) })
    }
}

impl World {
    pub(crate) async fn build() -> Self {
        Self::with(WebLimits::default(), false).await
    }

    pub(crate) async fn with(limits: WebLimits, https: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("simwarden.db");
        let app = App::open(AppConfig {
            store: Store::open(&format!("sqlite:{}", file.display())).await.unwrap(),
            keyring: Keyring::new([7; 32]),
            engine: Engine::load(&PackSource::built_in("kh-default").unwrap()).unwrap(),
            limits: simwarden_app::Limits::default(),
            clock: None,
            entropy: None,
            accept_clock: false,
        })
        .await
        .unwrap();
        let log = folder.path().join("log");
        std::fs::create_dir_all(log.join("tile/0")).unwrap();
        std::fs::create_dir_all(log.join("tile/entries")).unwrap();
        std::fs::write(log.join("checkpoint"), "origin\n1\nroot\n").unwrap();
        std::fs::write(log.join("tile/0/000"), [1; 8192]).unwrap();
        std::fs::write(log.join("tile/entries/000"), [2; 9]).unwrap();
        std::fs::write(folder.path().join("secret"), "secret").unwrap();
        let (_, published) = watch::channel(1_000_000);
        let (stop, stopped) = watch::channel(false);
        let state = WebState::start(WebConfig {
            app: app.clone(),
            log: Some(LogView {
                folder: log,
                published,
                receipts: Arc::new(Hundred),
            }),
            limits,
            region: "KH".parse::<Region>().unwrap(),
            https,
            stop: stopped,
        })
        .unwrap();
        Self {
            router: crate::router(state.clone()),
            app,
            state,
            stop,
            _folder: folder,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(request("GET", token, path).body(Body::empty()).unwrap())
            .await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: serde_json::Value) -> Answer {
        self.raw(token, path, body.to_string()).await
    }

    pub(crate) async fn raw(&self, token: &str, path: &str, body: impl Into<Body>) -> Answer {
        let request = request("POST", token, path).header("content-type", "application/json");
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn token(&self, role: Role, shop: Option<&str>, party: Option<PartyId>) -> String {
        self.token_with(role, shop, party, Duration::from_secs(3600))
            .await
            .1
    }

    pub(crate) async fn token_with(
        &self,
        role: Role,
        shop: Option<&str>,
        party: Option<PartyId>,
        life: Duration,
    ) -> (TokenId, String) {
        let new = NewToken {
            role,
            operator: Some(OPERATOR.to_owned()),
            name: format!("{role} of a test"),
            party,
            shop: shop.map(str::to_owned),
            terminal: shop.map(|shop| format!("{shop}-terminal")),
            life,
            since: Some(self.year_ago()),
        };
        self.app.make_token(&Actor::system(), new).await.unwrap()
    }

    fn year_ago(&self) -> Timestamp {
        self.app.now().minus(Duration::from_secs(365 * 24 * 3600))
    }

    /// A person with one active line, entered a year ago, whose chip is live; and one profile more in stock.
    pub(crate) async fn person(&self, name: &str, number: &str) -> Person {
        self.entered(name, number, None).await
    }

    /// The same, whose contact of record is a mail address.
    pub(crate) async fn person_with_mail(&self, name: &str, number: &str, mail: &str) -> Person {
        self.entered(name, number, Some(mail)).await
    }

    /// The link that says no, in the mail that waits for this person.
    pub(crate) async fn link_in_mail(&self, person: &Person) -> String {
        let rows = self.app.store().subject_keys(&[person.party]).await.unwrap();
        let key = simwarden_app::subject_key(self.app.keyring(), rows.first()).unwrap();
        let due = self
            .app
            .store()
            .outbox_due(self.app.now(), i64::MAX, 100)
            .await
            .unwrap();
        due.iter()
            .filter_map(|item| {
                let sealed = item.sealed.as_ref()?;
                let notice: simwarden_app::ports::Notice =
                    simwarden_app::open(&key, Of::Notice, item.id.as_bytes(), sealed).ok()?;
                assert!(
                    notice.email.is_some() || !notice.text.contains("http"),
                    "no link in an SMS"
                );
                notice
                    .text
                    .lines()
                    .find(|line| line.starts_with("https://"))
                    .map(str::to_owned)
            })
            .next()
            .expect("a mail with a link")
    }

    async fn entered(&self, name: &str, number: &str, mail: Option<&str>) -> Person {
        let at = self.year_ago();
        let mut entropy = OsEntropy::new().unwrap();
        let ring = self.app.keyring();
        let (party_id, line_id) = (
            PartyId::draw(at, &mut entropy),
            SubscriptionId::draw(at, &mut entropy),
        );
        let (key, wrapped) = ring.new_subject_key(party_id.as_bytes(), &mut entropy);
        let secret = PartySecret {
            name: name.to_owned(),
            ..PartySecret::default()
        };
        let party = Party {
            id: party_id,
            operator: OPERATOR.to_owned(),
            kind: PartyKind::Person,
            class: PartyClass::Ordinary,
            doc_idx: Some(ring.index(Indexed::Document, format!("KHM:national_id:{number}").as_bytes())),
            sealed: Some(seal(&key, Of::Party, party_id.as_bytes(), &secret, &mut entropy).unwrap()),
            flagged: false,
            created_at: at,
            version: 1,
            import_id: None,
        };
        let line = line_row(
            &self.app,
            &key,
            party_id,
            line_id,
            (number, mail),
            at,
            &mut entropy,
        );
        let live = self.profile(
            &format!("8985501{number}"),
            Some((&key, line_id)),
            at,
            &mut entropy,
        );
        let stock = self.profile(&format!("8985502{number}"), None, at, &mut entropy);
        let profile = live.id;
        let mut tx = self.app.store().begin().await.unwrap();
        let keys = SubjectKeyRow {
            party_id,
            wrapped: Some(wrapped),
            retain_until: None,
            destroyed_at: None,
        };
        tx.insert_subject_keys(&[keys]).await.unwrap();
        tx.insert_parties(&[party]).await.unwrap();
        tx.insert_subscriptions(&[line]).await.unwrap();
        tx.insert_profiles(&[live, stock]).await.unwrap();
        tx.commit().await.unwrap();
        Person {
            party: party_id,
            line: line_id,
            number: number.to_owned(),
            profile,
        }
    }

    fn profile(
        &self,
        digits: &str,
        of: Option<(&SubjectKey, SubscriptionId)>,
        at: Timestamp,
        entropy: &mut OsEntropy,
    ) -> Profile {
        let ring = self.app.keyring();
        let iccid = Iccid::parse_without_check(digits).unwrap();
        let id = ProfileId::draw(at, entropy);
        let secret = ProfileSecret {
            iccid: iccid.reveal().to_owned(),
            ..ProfileSecret::default()
        };
        let sealed = match of {
            Some((key, _)) => seal(key, Of::Profile, id.as_bytes(), &secret, entropy),
            None => seal_common(ring, Of::Profile, id.as_bytes(), &secret, entropy),
        };
        Profile {
            id,
            operator: OPERATOR.to_owned(),
            subscription_id: of.map(|(_, line)| line),
            iccid_idx: ring.index(Indexed::Iccid, iccid.reveal().as_bytes()),
            imsi_idx: None,
            eid_idx: None,
            imei_idx: None,
            state: match of {
                Some(_) => ProfileState::Enabled,
                None => ProfileState::Available,
            },
            live: of.is_some(),
            sealed: Some(sealed.unwrap()),
            created_at: at,
            version: 1,
            import_id: None,
        }
    }
}

fn line_row(
    app: &App,
    key: &SubjectKey,
    party_id: PartyId,
    id: SubscriptionId,
    (number, mail): (&str, Option<&str>),
    at: Timestamp,
    entropy: &mut OsEntropy,
) -> Subscription {
    let secret = LineSecret {
        msisdn: number.to_owned(),
        contact_phone: mail.is_none().then(|| "85511000000".to_owned()),
        contact_email: mail.map(str::to_owned),
        language: Some("en".to_owned()),
        ..LineSecret::default()
    };
    Subscription {
        msisdn_idx: Some(app.keyring().index(Indexed::Msisdn, number.as_bytes())),
        sealed: Some(seal(key, Of::Line, id.as_bytes(), &secret, entropy).unwrap()),
        ..Subscription::fresh(id, OPERATOR.to_owned(), party_id, at)
    }
}

pub(crate) fn request(method: &str, token: &str, path: &str) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(path);
    if token.is_empty() {
        request
    } else {
        request.header("authorization", format!("Bearer {token}"))
    }
}

/// A request for a new profile at a dealer's counter, as a careful shop sends it.
pub(crate) fn replace(person: &Person) -> serde_json::Value {
    serde_json::json!({
        "operation": "replace", "channel": "shop", "msisdn": format!("+{}", person.number), "claim": "upgrade",
        "eid": EID,
        "document_shown": { "country": "KHM", "kind": "national_id", "number": person.number },
        "context": {
            "interaction_authenticated": true, "customer_present": true, "has_ticket": true, "in_geofence": true,
            "in_shift": true, "terminal_known": true,
        },
    })
}

/// An SM-DP+ with a throw-away PKI.
pub(crate) fn smdp(app: &App) -> simwarden_app::smdp::Smdp {
    use simwarden_rsp::certificate::{Certificate, Role as CertificateRole};
    use simwarden_rsp::key::{Credential, LocalKey};
    use simwarden_rsp::pki::{Spec, issue};
    let mut entropy = OsEntropy::new().unwrap();
    let (from, to) = ("2020-01-01T00:00:00Z", "2060-01-01T00:00:00Z");
    let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
    let root = LocalKey::draw(&mut entropy);
    let ci = issue(
        &Spec::new(CertificateRole::Ci, "CI", root.public(), from, to),
        None,
        &root,
    );
    let ci = Certificate::parse(&ci.unwrap()).unwrap();
    let mut credential = |role| {
        let key = LocalKey::draw(&mut entropy);
        let mut spec = Spec::new(role, "SM-DP+", key.public(), from, to);
        spec.smdp_oid = Some(&[0x88, 0x37, 0x0A]);
        let certificate = issue(&spec, Some(&ci), &root).unwrap();
        Credential::new(Certificate::parse(&certificate).unwrap(), Arc::new(key)).unwrap()
    };
    let (auth, pb) = (
        credential(CertificateRole::DpAuth),
        credential(CertificateRole::DpPb),
    );
    let identity = simwarden_rsp::Identity::new(ci, auth, pb).unwrap();
    let life = Duration::from_secs(60);
    let server = simwarden_rsp::Server::new("localhost", b"simwarden", vec![identity], life).unwrap();
    simwarden_app::smdp::Smdp::new(app.clone(), server, simwarden_rsp::chain::Screen::default())
}
