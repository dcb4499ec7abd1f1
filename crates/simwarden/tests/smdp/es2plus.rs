//! An operator's system orders over mutual TLS, and is told how the downloads go.

use crate::world::{EID, World, codes, eid, refusal, shared};
use serde_json::{Value, json};
use simwarden_euicc::crypto::PrivateKey;
use simwarden_euicc::lpa::Outcome;
use simwarden_model::Eid;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring};
use ureq::tls::{Certificate, ClientCert, PrivateKey as ClientKey, TlsConfig};

const LISTEN: [&str; 2] = ["--es2plus-listen", "127.0.0.1:0"];

/// An operator's system.
struct Operator {
    base: String,
    agent: ureq::Agent,
    calls: u32,
}

impl Operator {
    fn new(base: &str, certificate: Option<(&[u8], &[u8])>) -> Self {
        let client = certificate.map(|(certificate, key)| {
            let certificate = Certificate::from_pem(certificate).unwrap();
            ClientCert::new_with_certs(&[certificate], ClientKey::from_pem(key).unwrap())
        });
        let tls = TlsConfig::builder()
            .disable_verification(true)
            .client_cert(client);
        let config = ureq::Agent::config_builder()
            .tls_config(tls.build())
            .http_status_as_error(false);
        Self {
            base: base.to_owned(),
            agent: config.build().new_agent(),
            calls: 0,
        }
    }

    /// With the certificate that the test PKI made for an operator.
    fn of(world: &World) -> Self {
        let read = |name: &str| std::fs::read(world.path("pki").join(name)).unwrap();
        let (certificate, key) = (read("es2plus-client.pem"), read("es2plus-client.key.pem"));
        Self::new(&world.es2plus, Some((&certificate, &key)))
    }

    fn send(&self, function: &str, body: &Value) -> Result<(u16, Value), ureq::Error> {
        let mut answer = self
            .agent
            .post(format!("{}/gsma/rsp2/es2plus/{function}", self.base))
            .header("content-type", "application/json")
            .header("x-admin-protocol", "gsma/rsp/v2.2.2")
            .send(body.to_string())?;
        let body = answer.body_mut().read_to_vec()?;
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Ok((answer.status().as_u16(), body))
    }

    /// A call with a header of its own; its answer, or the codes of its refusal.
    fn call(&mut self, function: &str, mut body: Value) -> Result<Value, (String, String)> {
        self.calls += 1;
        body["header"] =
            json!({ "functionRequesterIdentifier": "op", "functionCallIdentifier": self.calls.to_string() });
        self.again(function, &body)
    }

    fn again(&self, function: &str, body: &Value) -> Result<Value, (String, String)> {
        let (status, answer) = self.send(function, body).unwrap();
        assert_eq!(status, 200, "{function}");
        let told = &answer["header"]["functionExecutionStatus"];
        match told["status"].as_str().unwrap() {
            "Executed-Success" => Ok(answer),
            _ => {
                let text = |name: &str| told["statusCodeData"][name].as_str().unwrap().to_owned();
                Err((text("subjectCode"), text("reasonCode")))
            }
        }
    }
}

/// Where an operator is told of downloads: HTTPS with the SM-DP+'s own certificate. It is away for the first call.
fn callback(world: &World) -> (String, mpsc::Receiver<Value>) {
    let read = |name: &str| std::fs::read(world.path("pki").join(name)).unwrap();
    let chain = CertificateDer::pem_slice_iter(&read("dptls.pem"))
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    let key = PrivateKeyDer::from_pem_slice(&read("dptls.key.pem")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://localhost:{}/ops", listener.local_addr().unwrap().port());
    let (heard, calls) = mpsc::channel();
    std::thread::spawn(move || {
        for (at, stream) in listener.incoming().enumerate() {
            let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = BufReader::new(StreamOwned::new(tls, stream.unwrap()));
            let (mut line, mut path, mut length) = (String::new(), String::new(), 0);
            while stream.read_line(&mut line).is_ok_and(|count| count > 2) {
                let lower = line.to_ascii_lowercase();
                if let Some(value) = lower.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                } else if path.is_empty() {
                    path.clone_from(&line);
                }
                line.clear();
            }
            let mut body = vec![0; length];
            if stream.read_exact(&mut body).is_err()
                || !path.contains("/ops/gsma/rsp2/es2plus/handleDownloadProgressInfo")
            {
                continue;
            }
            let status = if at == 0 { "503 Away" } else { "204 No Content" };
            let answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
            let _ = stream.get_mut().write_all(answer.as_bytes());
            let _ = stream.get_mut().flush();
            if at > 0 && heard.send(serde_json::from_slice(&body).unwrap()).is_err() {
                return;
            }
        }
    });
    (address, calls)
}

#[test]
fn what_an_operator_orders_reaches_the_chip_and_the_operator_hears_of_it() {
    let mut world = World::new();
    let (iccid, package) = world.profile(1);
    let (address, told) = callback(&world);
    let pki = world.path("pki");
    let file = |name: &str| pki.join(name).to_str().unwrap().to_owned();
    let certificate = file("es2plus-client.der");
    world.must(&[
        "profile",
        "caller",
        "add",
        &certificate,
        "--owner",
        "456-01",
        "--callback",
        &address,
    ]);
    world.serve_with(&[LISTEN[0], LISTEN[1], "--callback-ca", &file("ci.pem")]);
    let mut operator = Operator::of(&world);
    let ordered = operator
        .call("downloadOrder", json!({ "profileType": "profile-1" }))
        .unwrap();
    assert_eq!(ordered["iccid"], iccid.reveal());
    // The same call again is the same order; another call finds the stock empty.
    let mut again = json!({ "profileType": "profile-1" });
    again["header"] = json!({ "functionRequesterIdentifier": "op", "functionCallIdentifier": "1" });
    assert_eq!(operator.again("downloadOrder", &again).unwrap(), ordered);
    let confirm =
        json!({ "iccid": iccid.reveal(), "eid": EID, "releaseFlag": false, "confirmationCode": "4711" });
    let confirmed = operator.call("confirmOrder", confirm).unwrap();
    assert_eq!(
        (&confirmed["eid"], &confirmed["smdpAddress"]),
        (&json!(EID), &json!("localhost"))
    );
    let matching_id = confirmed["matchingId"].as_str().unwrap().to_owned();
    let mut chip = world.chip(Eid::parse(EID).unwrap());
    let early = world.phone().download(&mut chip, &matching_id, &[]);
    assert_eq!(refusal(&early), codes("8.2", "1.2"));
    operator
        .call("releaseProfile", json!({ "iccid": iccid.reveal() }))
        .unwrap();
    let thief = world
        .phone()
        .download(&mut world.chip(eid(9)), &matching_id, &["4711"]);
    assert_eq!(refusal(&thief), codes("8.1.1", "3.8"));
    let outcome = world.phone().download(&mut chip, &matching_id, &["0000", "4711"]);
    assert!(matches!(outcome, Outcome::Installed { .. }), "{outcome:?}");
    assert_eq!(chip.profile(&iccid).unwrap().package, package);
    let mut points: Vec<(i64, String)> = (0..4)
        .map(|_| {
            let call = told.recv_timeout(Duration::from_secs(30)).unwrap();
            assert_eq!(
                (&call["eid"], &call["iccid"]),
                (&json!(EID), &json!(iccid.reveal()))
            );
            assert_eq!(call["profileType"], "profile-1");
            let status = call["notificationPointStatus"]["status"].as_str().unwrap();
            (call["notificationPointId"].as_i64().unwrap(), status.to_owned())
        })
        .collect();
    points.sort();
    let good = "Executed-Success".to_owned();
    let expected = [
        (1, good.clone()),
        (2, "Failed".to_owned()),
        (3, good.clone()),
        (4, good),
    ];
    assert_eq!(points, expected);
    // A right that is taken away is gone with the next call.
    world.must(&["profile", "caller", "remove", &certificate]);
    let (status, _) = operator.send("releaseProfile", &json!({})).unwrap();
    assert_eq!(status, 403);
    world.kill();
    println!("{}", world.must(&["ledger", "fsck"]));
}

#[test]
fn each_refusal_has_its_codes_and_changes_nothing() {
    let mut world = World::new();
    let own: Vec<_> = (1..=3).map(|n| world.profile(n).0).collect();
    let foreign = world.profile_of(9, "456-02").0;
    world.serve_with(&[LISTEN[0], LISTEN[1], "--es2plus-owner", "456-01"]);
    let mut op = Operator::of(&world);
    let mut refused = |function: &str, body: Value| op.call(function, body).unwrap_err();
    let (first, second) = (own[0].reveal(), own[1].reveal());
    let other_eid = eid(5);
    for (function, body, expected) in [
        ("downloadOrder", json!({}), ("1.3", "2.2")),
        ("downloadOrder", json!({ "iccid": "12" }), ("1.3", "2.1")),
        (
            "downloadOrder",
            json!({ "iccid": "8985501999999999999" }),
            ("8.2.1", "3.9"),
        ),
        (
            "downloadOrder",
            json!({ "profileType": "none" }),
            ("8.2.5", "3.9"),
        ),
        (
            "downloadOrder",
            json!({ "profileType": "profile-9" }),
            ("8.2.5", "1.2"),
        ),
        (
            "downloadOrder",
            json!({ "iccid": foreign.reveal() }),
            ("8.2.1", "1.2"),
        ),
        (
            "downloadOrder",
            json!({ "iccid": first, "profileType": "profile-2" }),
            ("8.2.5", "3.8"),
        ),
        (
            "confirmOrder",
            json!({ "iccid": first, "releaseFlag": true }),
            ("8.2.1", "3.3"),
        ),
        ("releaseProfile", json!({ "iccid": first }), ("8.2.1", "3.5")),
        (
            "releaseProfile",
            json!({ "iccid": foreign.reveal() }),
            ("8.2.1", "1.2"),
        ),
    ] {
        assert_eq!(
            refused(function, body.clone()),
            codes(expected.0, expected.1),
            "{function} {body}"
        );
    }
    op.call("downloadOrder", json!({ "iccid": first, "eid": EID }))
        .unwrap();
    op.call("downloadOrder", json!({ "iccid": second })).unwrap();
    let mut refused = |function: &str, body: Value| op.call(function, body).unwrap_err();
    for (function, body, expected) in [
        ("downloadOrder", json!({ "iccid": first }), ("8.2.1", "3.3")),
        (
            "downloadOrder",
            json!({ "profileType": "profile-1" }),
            ("8.2.5", "3.7"),
        ),
        (
            "confirmOrder",
            json!({ "iccid": first, "eid": other_eid.reveal(), "releaseFlag": true }),
            ("8.1.1", "3.10"),
        ),
        (
            "confirmOrder",
            json!({ "iccid": second, "matchingId": "", "releaseFlag": true }),
            ("8.1.1", "2.2"),
        ),
        (
            "confirmOrder",
            json!({ "iccid": first, "smdsAddress": "smds.example", "releaseFlag": true }),
            ("8.9", "5.1"),
        ),
    ] {
        assert_eq!(
            refused(function, body.clone()),
            codes(expected.0, expected.1),
            "{function} {body}"
        );
    }
    let confirm = |iccid: &str| json!({ "iccid": iccid, "matchingId": "TAKEN-0001", "releaseFlag": true });
    op.call("confirmOrder", confirm(first)).unwrap();
    assert_eq!(
        op.call("confirmOrder", confirm(second)).unwrap_err(),
        codes("8.2.6", "3.3")
    );
    let cancel =
        json!({ "iccid": first, "matchingId": "OTHER-0001", "finalProfileStatusIndicator": "Available" });
    assert_eq!(
        op.call("cancelOrder", cancel).unwrap_err(),
        codes("8.2.6", "3.10")
    );
    let cancel = json!({ "iccid": first, "eid": EID, "matchingId": "TAKEN-0001", "finalProfileStatusIndicator": "Available" });
    op.call("cancelOrder", cancel).unwrap();
    op.call("downloadOrder", json!({ "iccid": first })).unwrap();
    // Without a header, and to a function that is none.
    let (status, answer) = op.send("releaseProfile", &json!({ "iccid": first })).unwrap();
    let data = &answer["header"]["functionExecutionStatus"]["statusCodeData"];
    assert_eq!((status, &data["reasonCode"]), (200, &json!("2.2")));
    assert_eq!(op.send("handleNotification", &json!({})).unwrap().0, 404);
}

#[test]
fn nobody_orders_without_a_certificate_that_was_let_in() {
    let mut world = World::new();
    world.serve_with(&LISTEN);
    let body = json!({});
    assert!(
        Operator::new(&world.es2plus, None)
            .send("downloadOrder", &body)
            .is_err()
    );
    let stranger = World::new();
    let read = |name: &str| std::fs::read(stranger.path("pki").join(name)).unwrap();
    let theirs = (read("es2plus-client.pem"), read("es2plus-client.key.pem"));
    let forged = Operator::new(&world.es2plus, Some((&theirs.0, &theirs.1)));
    assert!(forged.send("downloadOrder", &body).is_err());
    // Under the right root, but entered for nobody.
    assert_eq!(Operator::of(&world).send("downloadOrder", &body).unwrap().0, 403);
    // The chips' listener asks for no certificate and knows no orders.
    assert_eq!(
        world
            .phone()
            .raw("/gsma/rsp2/es2plus/downloadOrder", b"{}")
            .status,
        404
    );
}

#[test]
fn the_operator_of_sgp_26_orders_too() {
    let Some(folder) = shared("sgp26") else { return };
    let mut world = World::new();
    world.profile(1);
    let scalars = std::fs::read(folder.join("published-test-scalars.json")).unwrap();
    let scalars: Value = serde_json::from_slice(&scalars).unwrap();
    let Some(scalar) = scalars["MNO_ECDSA_NIST"]["d"].as_str() else {
        println!("SKIPPED: no key of the operator");
        return;
    };
    let key = PrivateKey::from_scalar(&simwarden_euicc::hex::decode(scalar).unwrap()).unwrap();
    let certificate = folder.join("mno/CERT_MNO_ECDSA_NIST_reissued.der");
    let ci = folder.join("ci/CERT_CI_ECDSA_NIST.der");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    world.must(&[
        "profile",
        "caller",
        "add",
        &text(&certificate),
        "--owner",
        "456-01",
    ]);
    world.serve_with(&[LISTEN[0], LISTEN[1], "--es2plus-ca", &text(&ci)]);
    let parsed = simwarden_euicc::certificate::Certificate::from_der(&std::fs::read(&certificate).unwrap());
    let credential = simwarden_euicc::pki::Credential {
        certificate: parsed.unwrap(),
        key,
    };
    let pem = credential.certificate_pem();
    let key = credential.key.to_pkcs8_pem().unwrap();
    let mut operator = Operator::new(&world.es2plus, Some((pem.as_bytes(), key.as_bytes())));
    operator
        .call("downloadOrder", json!({ "profileType": "profile-1" }))
        .unwrap();
}
