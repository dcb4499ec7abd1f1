//! The published SGP.26 certificates, good and bad, against the checks and their order.

use crate::kit::{ADDRESS, HOST_ID, now, time};
use simwarden_rsp::certificate::{Certificate, CertificateError};
use simwarden_rsp::chain::{OwnCertificateError, Screen, verify};
use simwarden_rsp::key::{Credential, LocalKey, SignerError};
use simwarden_rsp::{Identity, Refusal, Server};
use std::path::PathBuf;
use std::sync::Arc;

/// A file of the published test data; `None`, and a line that says so, where it is not there.
pub fn shared(path: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data")
        .join(path);
    let bytes = std::fs::read(&path).ok();
    if bytes.is_none() {
        println!("skipped: {} is not there", path.display());
    }
    bytes
}

fn scalar(name: &str) -> Option<[u8; 32]> {
    let list: serde_json::Value =
        serde_json::from_slice(&shared("sgp26/published-test-scalars.json")?).unwrap();
    let text = list[name]["d"].as_str().unwrap();
    let byte = |at: usize| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap();
    Some(core::array::from_fn(byte))
}

#[test]
fn the_good_ones_pass_and_each_bad_one_has_its_code() {
    let Some(ci) = shared("sgp26/ci/CERT_CI_ECDSA_NIST.der") else {
        return;
    };
    let ci = Certificate::parse(&ci).unwrap();
    assert_eq!(
        ci.subject_key_id().unwrap().to_string(),
        "F54172BDF98A95D65CBEB88A38A1C11D800A85C3"
    );
    let read = |name: &str| shared(&format!("sgp26/{name}.der")).unwrap();
    let (eum, euicc) = (
        read("eum/CERT_EUM_ECDSA_NIST"),
        read("euicc/CERT_EUICC_ECDSA_NIST"),
    );
    let check = |eum: &[u8], euicc: &[u8]| verify(&ci, eum, euicc, now(), &Screen::default());
    let chip = check(&eum, &euicc).unwrap();
    assert_eq!(chip.eid.reveal(), "89049032123451234512345678901235");
    // A number whose check digits do not fit, yet vouched for: the suite's own.
    let unmatched = check(&eum, &read("invalid/CERT_EUICC_ECDSA_NIST_UNMATCHED_EID")).unwrap();
    assert!(unmatched.eid.reveal().ends_with("299"));
    for (eum_name, euicc_name, refusal) in [
        ("invalid/CERT_EUM_ECDSA_NIST_EXPIRED", "", Refusal::EumExpired),
        ("invalid/CERT_EUM_ECDSA_NIST_INVALID", "", Refusal::EumCertificate),
        (
            "invalid/CERT_EUM_ECDSA_NIST_UNKNOWN_CI",
            "",
            Refusal::UnknownCiKey,
        ),
        ("", "invalid/CERT_EUICC_ECDSA_NIST_EXPIRED", Refusal::EuiccExpired),
        (
            "",
            "invalid/CERT_EUICC_ECDSA_NIST_INVALID",
            Refusal::EuiccCertificate,
        ),
        (
            "",
            "invalid/CERT_EUICC_ECDSA_NIST_INVALID_EID",
            Refusal::EuiccCertificate,
        ),
        ("dpauth/CERT_S_SM_DPauth_ECDSA_NIST", "", Refusal::EumCertificate),
        (
            "",
            "dpauth/CERT_S_SM_DPauth_ECDSA_NIST",
            Refusal::EuiccCertificate,
        ),
    ] {
        let pick = |name: &str, good: &[u8]| {
            if name.is_empty() {
                good.to_vec()
            } else {
                read(name)
            }
        };
        let outcome = check(&pick(eum_name, &eum), &pick(euicc_name, &euicc));
        assert_eq!(outcome.unwrap_err(), refusal, "{eum_name}{euicc_name}");
    }
    // The chip's certificate outlives this server by five thousand years, its maker's does not.
    let late = verify(
        &ci,
        &eum,
        &euicc,
        time("2055-01-01T00:00:00Z"),
        &Screen::default(),
    );
    assert_eq!(late.unwrap_err(), Refusal::EumExpired);
    assert_eq!(check(&eum[..100], &euicc).unwrap_err(), Refusal::EumCertificate);
    assert_eq!(check(&eum, &euicc[..100]).unwrap_err(), Refusal::EuiccCertificate);
    assert_eq!(
        Certificate::parse(&read("euicc/CERT_EUICC_ECDSA_BRP")),
        Err(CertificateError::Key)
    );
    assert_eq!(
        check(&read("eum/CERT_EUM_ECDSA_BRP"), &euicc).unwrap_err(),
        Refusal::EumCertificate
    );
}

#[test]
fn a_server_is_put_together_from_the_published_ones_and_only_rightly() {
    let Some(ci) = shared("sgp26/ci/CERT_CI_ECDSA_NIST.der") else {
        return;
    };
    let ci = Certificate::parse(&ci).unwrap();
    let credential = |file: &str, name: &str| {
        let der = shared(&format!("sgp26/{file}.der")).unwrap();
        let key = LocalKey::from_scalar(&scalar(name).unwrap()).unwrap();
        Credential::new(Certificate::parse(&der).unwrap(), Arc::new(key))
    };
    let auth = credential("dpauth/CERT_S_SM_DPauth_ECDSA_NIST", "S_SM_DPauth_ECDSA_NIST").unwrap();
    let pb = credential("dppb/CERT_S_SM_DPpb_ECDSA_NIST", "S_SM_DPpb_ECDSA_NIST").unwrap();
    let identity = Identity::new(ci.clone(), auth.clone(), pb.clone()).unwrap();
    assert!(
        Server::new(
            ADDRESS,
            HOST_ID,
            vec![identity],
            std::time::Duration::from_secs(60)
        )
        .is_ok()
    );
    assert!(matches!(
        Identity::new(ci.clone(), pb.clone(), auth.clone()),
        Err(OwnCertificateError::Role(_))
    ));
    let other = credential("dppb/CERT_S_SM_DP2pb_ECDSA_NIST", "S_SM_DP2pb_ECDSA_NIST").unwrap();
    assert!(matches!(
        Identity::new(ci, auth, other),
        Err(OwnCertificateError::Oid)
    ));
    let mismatch = credential("dppb/CERT_S_SM_DPpb_ECDSA_NIST", "S_SM_DPauth_ECDSA_NIST");
    assert_eq!(mismatch.unwrap_err(), SignerError::Mismatch);
}
