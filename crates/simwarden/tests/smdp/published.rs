//! With published material, where it is there: TS.48 test profiles and the SGP.26 test PKI.

use crate::world::{EID, World, chance, shared};
use serde_json::{Value, json};
use simwarden_euicc::crypto::PrivateKey;
use simwarden_euicc::lpa::Outcome;
use simwarden_euicc::pki::Credential;
use simwarden_euicc::{ChipSettings, Euicc, Identity};
use simwarden_model::Eid;
use std::path::Path;

fn packages(world: &World, folder: &Path, count: usize) -> Vec<(String, Vec<u8>)> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with("UNIQUE.der"))
        .collect();
    names.sort();
    names.truncate(count);
    for name in &names {
        let file = folder.join(name);
        let file = file.to_str().unwrap();
        assert!(
            !world.run(&["profile", "import", file]).status.success(),
            "never for a subscriber"
        );
        world.must(&["profile", "import", file, "--test"]);
    }
    let read = |name: &String| {
        let stem = name.trim_end_matches(".der").to_owned();
        (stem, std::fs::read(folder.join(name)).unwrap())
    };
    names.iter().map(read).collect()
}

fn download_all(world: &mut World, chip: &mut Euicc, packages: &[(String, Vec<u8>)]) {
    let orders: Vec<Value> = packages
        .iter()
        .enumerate()
        .map(|(n, (name, _))| match n % 2 {
            0 => json!({ "profile_type": name, "matching_id": format!("TS48-{n}") }),
            _ => json!({ "profile_type": name, "matching_id": format!("TS48-{n}"), "confirmation_code": "1234" }),
        })
        .collect();
    world.orders(&orders);
    world.serve();
    let phone = world.phone();
    for (n, (name, package)) in packages.iter().enumerate() {
        let outcome = phone.download(chip, &format!("TS48-{n}"), &["1234"]);
        assert!(
            matches!(outcome, Outcome::Installed { .. }),
            "{name}: {outcome:?}"
        );
        assert_eq!(&chip.profiles().last().unwrap().package, package, "{name}");
    }
    phone.deliver(chip);
}

#[test]
fn test_profiles_of_ts_48_come_through_unchanged() {
    let Some(folder) = shared("ts48") else { return };
    let mut world = World::new();
    let packages = packages(&world, &folder, 6);
    let mut chip = world.chip(Eid::parse(EID).unwrap());
    download_all(&mut world, &mut chip, &packages);
}

#[test]
fn the_pki_of_sgp_26_works_like_our_own() {
    let (Some(folder), Some(ts48)) = (shared("sgp26"), shared("ts48")) else {
        return;
    };
    let own = World::new();
    let temporary = tempfile::TempDir::new().unwrap();
    let pki = temporary.path().join("pki");
    std::fs::create_dir(&pki).unwrap();
    for file in std::fs::read_dir(own.path("pki")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), pki.join(file.file_name())).unwrap();
    }
    let mut world = World::with_pki(temporary);
    let scalars = std::fs::read(folder.join("published-test-scalars.json")).unwrap();
    let scalars: Value = serde_json::from_slice(&scalars).unwrap();
    let key = |name: &str| {
        let hex = scalars[name]["d"].as_str().unwrap();
        PrivateKey::from_scalar(&simwarden_euicc::hex::decode(hex).unwrap()).unwrap()
    };
    let der = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let ci = der("ci/CERT_CI_ECDSA_NIST.der");
    std::fs::write(pki.join("ci.der"), &ci).unwrap();
    for (name, file, scalar) in [
        (
            "dpauth",
            "dpauth/CERT_S_SM_DPauth_ECDSA_NIST.der",
            "S_SM_DPauth_ECDSA_NIST",
        ),
        (
            "dppb",
            "dppb/CERT_S_SM_DPpb_ECDSA_NIST.der",
            "S_SM_DPpb_ECDSA_NIST",
        ),
    ] {
        std::fs::write(pki.join(format!("{name}.der")), der(file)).unwrap();
        let pem = key(scalar).to_pkcs8_pem().unwrap();
        std::fs::write(pki.join(format!("{name}.key.pem")), pem.as_bytes()).unwrap();
    }
    let certificate = |name: &str| simwarden_euicc::certificate::Certificate::from_der(&der(name)).unwrap();
    let identity = Identity::new(
        vec![certificate("ci/CERT_CI_ECDSA_NIST.der")],
        certificate("eum/CERT_EUM_ECDSA_NIST.der"),
        Credential {
            certificate: certificate("euicc/CERT_EUICC_ECDSA_NIST.der"),
            key: key("EUICC_ECDSA_NIST"),
        },
    );
    let mut chip = Euicc::new(identity.unwrap(), ChipSettings::default());
    let packages = packages(&world, &ts48, 2);
    download_all(&mut world, &mut chip, &packages);
    // A chip of another root gets nothing from this server.
    let mut stranger = own
        .pki
        .chip(Eid::parse(EID).unwrap(), &mut chance())
        .map(|identity| Euicc::new(identity, ChipSettings::default()));
    let outcome = world.phone().download(stranger.as_mut().unwrap(), "TS48-0", &[]);
    assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
}
