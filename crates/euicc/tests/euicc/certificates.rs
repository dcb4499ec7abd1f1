//! The test PKI, judged by OpenSSL where it is installed, and by the chip's own reader.

use crate::chance::Seed;
use crate::server::HOST;
use crate::world::{EID, pki};
use simwarden_euicc::certificate::{Certificate, CertificateRole, NotBelieved};
use simwarden_euicc::pki::{Flaw, Holder};
use simwarden_model::Eid;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder of its own for each test, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("simwarden-euicc-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Exit and output, or `None` where OpenSSL is not installed.
fn openssl(arguments: &[&str]) -> Option<(bool, String)> {
    let Ok(output) = Command::new("openssl").args(arguments).output() else {
        println!("openssl is not installed: skipped");
        return None;
    };
    let text = [output.stdout, output.stderr].concat();
    Some((
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    ))
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let files = |seed| pki(seed).files().unwrap();
    assert_eq!(files(4), files(4));
    assert_ne!(files(4), files(5));
    assert_eq!(files(4).len(), 18);
}

#[test]
fn a_pki_is_taken_up_from_its_files() {
    let made = pki(4);
    let files = made.files().unwrap();
    let options = || simwarden_euicc::pki::PkiOptions::new(simwarden_model::Timestamp::EPOCH, HOST);
    let mut read = |name: &str| files.iter().find(|it| it.0 == name).map(|it| it.1.clone());
    let again = simwarden_euicc::pki::Pki::from_files(options(), &mut read).unwrap();
    assert_eq!(again.files().unwrap(), files);
    let chip = again.chip(Eid::parse(EID).unwrap(), &mut Seed(1)).unwrap();
    assert_eq!(chip.ci_key_ids(), [made.ci.certificate.key_id().unwrap()]);
    assert!(simwarden_euicc::pki::Pki::from_files(options(), &mut |_| None).is_err());
    let mut crossed = |name: &str| read(&name.replace("dppb.key", "dpauth.key"));
    assert!(simwarden_euicc::pki::Pki::from_files(options(), &mut crossed).is_err());
}

#[test]
fn openssl_verifies_every_chain_and_key() {
    let pki = pki(1);
    let folder = Folder::new("verify");
    let files: Vec<(String, PathBuf)> = pki
        .files()
        .unwrap()
        .into_iter()
        .map(|(name, content)| (name.clone(), folder.write(&name, &content)))
        .collect();
    let at = |name: &str| path(&files.iter().find(|it| it.0 == name).unwrap().1);
    // 2026-06-01: within all of them.
    let time = "1780272000";
    for name in ["ci", "eum", "dpauth", "dppb", "dptls", "es2plus-client"] {
        let certificate = format!("{name}.pem");
        let verify = [
            "verify",
            "-attime",
            time,
            "-CAfile",
            at("ci.pem"),
            at(&certificate),
        ];
        let Some((good, text)) = openssl(&verify) else {
            return;
        };
        assert!(good, "{name}: {text}");
        let key = format!("{name}.key.pem");
        let (_, public) = openssl(&["pkey", "-in", at(&key), "-pubout"]).unwrap();
        let (_, certified) = openssl(&["x509", "-in", at(&certificate), "-noout", "-pubkey"]).unwrap();
        assert_eq!(public, certified, "{name}");
    }
    let tls = [
        "verify",
        "-attime",
        time,
        "-purpose",
        "sslserver",
        "-verify_hostname",
        HOST,
        "-CAfile",
    ];
    let (good, text) = openssl(&[&tls[..], &[at("ci.pem"), at("dptls.pem")]].concat()).unwrap();
    assert!(good, "{text}");
    let client = [
        "verify",
        "-attime",
        time,
        "-purpose",
        "sslclient",
        "-CAfile",
        at("ci.pem"),
        at("es2plus-client.pem"),
    ];
    let (good, text) = openssl(&client).unwrap();
    assert!(good, "{text}");
}

#[test]
fn openssl_reads_the_fields_of_variant_o() {
    let pki = pki(1);
    let folder = Folder::new("text");
    let chip = pki
        .issue(&Holder::Euicc(Eid::parse(EID).unwrap()), None, &mut Seed(3))
        .unwrap();
    let table: [(&str, &Certificate, &[&str]); 4] = [
        (
            "eum",
            &pki.eum.certificate,
            &[
                "serialNumber = 89049032",
                "Policy: 2.23.146.1.2.1.2",
                "Certificate Sign",
                "CA:TRUE, pathlen:0",
            ],
        ),
        (
            "chip",
            &chip.certificate,
            &["Policy: 2.23.146.1.2.1.1", EID, "7496 GMT", "Digital Signature"],
        ),
        (
            "dppb",
            &pki.dppb.certificate,
            &["Policy: 2.23.146.1.2.1.5", "Registered ID:2.999.10"],
        ),
        (
            "dptls",
            &pki.dptls.certificate,
            &[
                "Policy: 2.23.146.1.2.1.3",
                "DNS:smdp.example.com",
                "TLS Web Server Authentication",
            ],
        ),
    ];
    for (name, certificate, wanted) in table {
        let file = folder.write(name, certificate.der());
        let Some((good, text)) = openssl(&["x509", "-inform", "der", "-in", path(&file), "-noout", "-text"])
        else {
            return;
        };
        assert!(good);
        for wanted in wanted {
            assert!(text.contains(wanted), "{name} lacks {wanted}:\n{text}");
        }
    }
}

#[test]
fn a_flaw_is_the_one_asked_for() {
    let pki = pki(1);
    let ci = &pki.ci.certificate;
    let issue = |flaw| {
        pki.issue(&Holder::DpAuth, flaw, &mut Seed(8))
            .unwrap()
            .certificate
    };
    let believed = |it: &Certificate| it.believe_server(ci, CertificateRole::DpAuth);
    assert_eq!(believed(&issue(None)), Ok(()));
    for flaw in [
        Flaw::Role(CertificateRole::DpTls),
        Flaw::ForeignIssuer,
        Flaw::ForgedSignature,
        Flaw::KeyUsage,
        Flaw::NoSmdpOid,
        Flaw::Authority,
        Flaw::UnknownCritical,
        Flaw::IssuerName,
    ] {
        assert_eq!(
            believed(&issue(Some(flaw.clone()))),
            Err(NotBelieved::Invalid),
            "{flaw:?}"
        );
    }
    assert_eq!(
        issue(Some(Flaw::SmdpOid("2.999.7".into()))).registered_id(),
        Some(vec![0x88, 0x37, 7])
    );
    // A chip has no clock: dates are for servers to look at. OpenSSL does.
    let folder = Folder::new("dates");
    let ca = folder.write("ca.pem", pki.ci.certificate_pem().as_bytes());
    for (flaw, words) in [(Flaw::Expired, "expired"), (Flaw::NotYetValid, "not yet valid")] {
        let flawed = pki.issue(&Holder::DpAuth, Some(flaw), &mut Seed(8)).unwrap();
        assert_eq!(believed(&flawed.certificate), Ok(()));
        let file = folder.write("flawed.pem", flawed.certificate_pem().as_bytes());
        let Some((good, text)) = openssl(&[
            "verify",
            "-attime",
            "1780272000",
            "-CAfile",
            path(&ca),
            path(&file),
        ]) else {
            return;
        };
        assert!(!good && text.contains(words), "{text}");
    }
}

#[test]
fn a_manufacturer_numbers_only_its_own_range() {
    let pki = pki(1);
    let outside = Eid::parse_vouched("89033023123451234512345678901235").unwrap().0;
    assert!(pki.chip(outside, &mut Seed(1)).is_err());
    let rogue = pki.flawed_chip(outside, None, &mut Seed(1)).unwrap();
    assert_eq!(rogue.parse_eid(), Ok(outside));
    assert_eq!(pki.eum.certificate.permitted_eid_prefixes(), ["89049032"]);
}
