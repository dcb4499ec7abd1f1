//! A gateway with a scene, and clients with keys.

use super::spec::hold;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use simwarden_app::gateway::{
    EventSink, FanOut, Gateway, GatewayConfig, OtpLimits, Seed, SinkAnswer, SinkCall,
};
use simwarden_app::ports::{Answer as PortAnswer, PortError};
use simwarden_app::{App, AppConfig};
use simwarden_guard::{Engine, PackSource};
use simwarden_store::{Keyring, Store};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use tower::ServiceExt as _;

pub(super) const FRAUD: &str = "dpv:FraudPreventionAndDetection";
pub(super) const CORRELATOR: &str = "b4333c46-49c0-4f62-80d7-f0ef930f1c46";
const ISSUER: &str = "https://gateway.example";
const TOKEN: &str = "https://gateway.example/oauth2/token";
pub(super) const PKCS8: &[u8] = &[
    0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06,
    0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04,
    0x20,
];

/// A sink that keeps what it is told.
#[derive(Default)]
pub(super) struct Kept {
    pub calls: Mutex<Vec<SinkCall>>,
    /// What it says to the next calls; that it took them, when empty.
    pub says: Mutex<Vec<Result<SinkAnswer, PortError>>>,
}

impl EventSink for Kept {
    fn deliver<'a>(&'a self, call: &'a SinkCall) -> PortAnswer<'a, SinkAnswer> {
        Box::pin(async move {
            self.calls.lock().unwrap().push(call.clone());
            let mut says = self.says.lock().unwrap();
            if says.is_empty() {
                Ok(SinkAnswer::Taken)
            } else {
                says.remove(0)
            }
        })
    }
}

/// An answer, read to its end and held against the official description.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Status and code of an error in CAMARA's form, or of one of the authorisation server.
    pub fn error(&self) -> (u16, String) {
        let body = self.json();
        if let Some(error) = body["error"].as_str() {
            return (self.status, error.to_owned());
        }
        assert_eq!(body["status"], self.status, "{self:?}");
        assert!(!body["message"].as_str().unwrap().is_empty());
        (
            self.status,
            body["code"]
                .as_str()
                .unwrap_or_else(|| panic!("{self:?}"))
                .to_owned(),
        )
    }

    pub fn is(&self, status: u16, code: &str) {
        assert_eq!(self.error(), (status, code.to_owned()), "{self:?}");
    }

    pub fn says(&self, body: &Value) {
        assert_eq!((self.status, &self.json()), (200, body));
    }
}

pub(super) struct World {
    pub gateway: Gateway,
    pub router: Router,
    pub sink: Arc<Kept>,
    _stop: watch::Sender<bool>,
    _folder: tempfile::TempDir,
}

/// A key by its last byte, and its public half.
pub(super) fn key(of: u8) -> (EncodingKey, Value) {
    let key = EncodingKey::from_ec_der(&[PKCS8, &[0; 31], &[of]].concat());
    let public = Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
    (key, serde_json::to_value(public).unwrap())
}

fn client(id: &str, more: Value) -> Value {
    let mut client = json!({
        "client_id": id, "scopes": "*", "access_token_ttl_s": 600, "jwks": { "keys": [key(7).1] },
        "grants": ["client_credentials", "jwt-bearer", "ciba", "authorization_code"],
        "redirect_uris": ["https://app.example/back"],
    });
    for (name, value) in more.as_object().unwrap() {
        client[name] = value.clone();
    }
    client
}

/// A line like most.
pub(super) fn line(phone: &str, more: Value) -> Value {
    let mut line = json!({
        "phone": phone, "line_class": "consumer",
        "sim": { "state": "active", "activated_hours_ago": 9000, "swaps_hours_ago": [] },
        "device": { "first_seen_hours_ago": 9000, "swaps_hours_ago": [] },
        "holder": { "since_days_ago": 1500, "previous": [], "contract_type": "PAYM" },
        "kyc": null, "kyc_id_document_required": false, "call_forwarding": [], "sms": "ok",
        "consents": [FRAUD],
    });
    for (name, value) in more.as_object().unwrap() {
        line[name] = value.clone();
    }
    line
}

pub(super) const PHONE: &str = "+855120000001";
pub(super) const OTHER: &str = "+855120000002";
pub(super) const MACHINE: &str = "+855120000031";
pub(super) const REFUSING: &str = "+855120000093";
pub(super) const UNKNOWN: &str = "+855129999999";

impl World {
    pub async fn build(lines: Vec<Value>) -> Self {
        Self::with(lines, None, json!([])).await
    }

    pub async fn with(mut lines: Vec<Value>, monitored_days: Option<u32>, more_clients: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let app = App::open(AppConfig {
            store: Store::open(&format!(
                "sqlite:{}",
                folder.path().join("simwarden.db").display()
            ))
            .await
            .unwrap(),
            keyring: Keyring::new([7; 32]),
            engine: Engine::load(&PackSource::built_in("kh-default").unwrap()).unwrap(),
            limits: simwarden_app::Limits::default(),
            clock: None,
            entropy: None,
            accept_clock: false,
        })
        .await
        .unwrap();
        let sink = Arc::new(Kept::default());
        let config = GatewayConfig {
            issuer: ISSUER.to_owned(),
            monitored_days,
            otp: OtpLimits::default(),
            fan_out: FanOut::default(),
            sink: sink.clone(),
            sandbox: true,
        };
        let gateway = Gateway::open(app, config).unwrap();
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(gateway.clone().run(stopped));
        lines.extend([
            line(PHONE, json!({})),
            line(OTHER, json!({})),
            line(MACHINE, json!({ "line_class": "m2m" })),
            line(REFUSING, json!({ "consents": [] })),
        ]);
        let mut clients = vec![
            client("bank", json!({})),
            client("shop", json!({})),
            client("brief", json!({ "access_token_ttl_s": 1 })),
            client("quota", json!({ "quota_calls": 3 })),
            client("burst", json!({ "rate_burst": 3 })),
            client(
                "narrow",
                json!({ "scopes": ["sim-swap:check"], "grants": ["client_credentials"] }),
            ),
        ];
        clients.extend(more_clients.as_array().unwrap().clone());
        let world = Self {
            router: crate::gateway_router(gateway.clone(), false, Router::new()),
            gateway,
            sink,
            _stop: stop,
            _folder: folder,
        };
        world
            .seed(json!({ "clients": clients, "lines": lines, "sink_prefix": "https://127.0.0.1:9443/" }))
            .await;
        world
    }

    pub async fn seed(&self, scene: Value) {
        let seed: Seed = serde_json::from_value(scene).unwrap();
        self.gateway.sandbox_seed(seed).await.unwrap();
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        if !path.starts_with("/oauth2") && !path.starts_with("/.well-known") {
            assert!(parts.headers.contains_key("x-correlator"), "{path}");
            if parts.status != StatusCode::NO_CONTENT {
                assert_eq!(parts.headers["content-type"], "application/json", "{path}");
            }
            if method != "HEAD" {
                hold(method.as_str(), &path, parts.status.as_u16(), &text);
            }
        }
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text,
        }
    }

    pub async fn call(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("x-correlator", CORRELATOR);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let answer = self.send(request.body(body).unwrap()).await;
        assert_eq!(answer.headers["x-correlator"], CORRELATOR);
        answer
    }

    pub async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.call("POST", path, token, Some(body)).await
    }

    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form.finish()))
            .unwrap();
        self.send(request).await
    }

    /// Seconds since 1970, by the world's clock.
    pub fn seconds(&self) -> i64 {
        self.gateway.app().now().as_secs()
    }

    /// The claims of a client's assertion.
    pub fn claims(&self, client: &str) -> Value {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let now = self.seconds();
        json!({
            "iss": client, "sub": client, "aud": TOKEN, "iat": now, "exp": now + 60,
            "jti": format!("jti-{}", NEXT.fetch_add(1, Ordering::Relaxed)),
        })
    }

    pub fn sign(claims: &Value, by: u8) -> String {
        encode(&Header::new(Algorithm::ES256), claims, &key(by).0).unwrap()
    }

    /// The token endpoint, with a client that proves who it is.
    pub async fn token(&self, client: &str, fields: &[(&str, &str)]) -> Answer {
        self.authenticated("/oauth2/token", client, fields).await
    }

    pub async fn authenticated(&self, path: &str, client: &str, fields: &[(&str, &str)]) -> Answer {
        let assertion = Self::sign(&self.claims(client), 7);
        let mut all = vec![
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", assertion.as_str()),
        ];
        all.extend(fields);
        self.form(path, &all).await
    }

    /// A token of a client alone.
    pub async fn two_legged(&self, client: &str, scope: &str) -> String {
        let answer = self
            .token(client, &[("grant_type", "client_credentials"), ("scope", scope)])
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// What a client gets for its word about a subscriber.
    pub async fn signed_word(&self, client: &str, hint: &str, scope: &str) -> Answer {
        let mut claims = self.claims(client);
        claims["sub"] = hint.into();
        claims["scope"] = scope.into();
        self.form(
            "/oauth2/token",
            &[
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", &Self::sign(&claims, 7)),
            ],
        )
        .await
    }

    /// A token that stands for a subscriber.
    pub async fn three_legged(&self, client: &str, hint: &str, scope: &str) -> String {
        let answer = self
            .signed_word(client, hint, &format!("openid {FRAUD} {scope}"))
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// A token by the network's word.
    pub async fn by_network(&self, client: &str, phone: &str, scope: &str) -> String {
        let word = self.gateway.sandbox_operator_token(phone).await.unwrap();
        self.three_legged(client, &format!("operatortoken:{word}"), scope)
            .await
    }

    /// Waits for so many events.
    pub async fn events(&self, count: usize) -> Vec<(SinkCall, Value)> {
        for _ in 0..400 {
            let calls = self.sink.calls.lock().unwrap().clone();
            if calls.len() >= count {
                return calls
                    .into_iter()
                    .map(|call| {
                        let body = serde_json::from_str(&call.body).unwrap();
                        (call, body)
                    })
                    .collect();
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!(
            "only {} of {count} events came",
            self.sink.calls.lock().unwrap().len()
        );
    }
}
