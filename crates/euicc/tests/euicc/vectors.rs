//! Published vectors and recorded sessions of other implementations, where the folder with them lies beside.

use crate::chance::Seed;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use simwarden_euicc::bsp::SecureChannel;
use simwarden_euicc::certificate::{Certificate, CertificateRole, NotBelieved};
use simwarden_euicc::crypto::{PrivateKey, verify};
use simwarden_euicc::lpa::{segments, sent_metadata};
use simwarden_euicc::tlv::{self, tlv as el};
use simwarden_euicc::{ChipSettings, Euicc, Identity, hex};
use std::path::PathBuf;

fn shared(name: &str) -> Option<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let content = std::fs::read(folder.join(name)).ok();
    if content.is_none() {
        println!("{name} is not here: skipped");
    }
    content
}

fn hexed(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn array<const N: usize>(bytes: Vec<u8>) -> [u8; N] {
    bytes.try_into().unwrap()
}

fn test_chip() -> Option<Identity> {
    let scalars: Value = serde_json::from_slice(&shared("sgp26/published-test-scalars.json")?).unwrap();
    let identity = Identity::from_der(
        &shared("sgp26/ci/CERT_CI_ECDSA_NIST.der")?,
        &shared("sgp26/eum/CERT_EUM_ECDSA_NIST.der")?,
        &shared("sgp26/euicc/CERT_EUICC_ECDSA_NIST.der")?,
        &hexed(&scalars["EUICC_ECDSA_NIST"]["d"]),
    );
    Some(identity.unwrap())
}

/// Opens a package segment by segment: metadata, and profile.
fn open(channel: &mut SecureChannel, package: &[u8], strict: bool) -> (Vec<u8>, Vec<u8>) {
    let mut parts = tlv::only(package, 0xBF36).unwrap().inside();
    parts.expect(0xBF23).unwrap();
    let mut sequence = |tag: u32, channel: &mut SecureChannel| {
        let mut clear = Vec::new();
        if let Some(part) = parts.optional(tag).unwrap() {
            let mut inside = part.inside();
            while let Some(segment) = inside.next().unwrap() {
                clear.extend(channel.open(segment, strict).unwrap());
            }
        }
        clear
    };
    assert_eq!(sequence(0xA0, channel)[..2], [0xBF, 0x24]);
    let metadata = sequence(0xA1, channel);
    let keys = sequence(0xA2, channel);
    if !keys.is_empty() {
        let mut fields = tlv::only(&keys, 0xBF26).unwrap().inside();
        let mut key = |tag| fields.expect(tag).unwrap().array().unwrap();
        let (chaining, enc, mac) = (key(0x80), key(0x81), key(0x82));
        *channel = SecureChannel::with_keys(enc, mac, chaining);
    }
    let profile = sequence(0xA3, channel);
    (metadata, profile)
}

#[test]
fn the_known_answer_of_a_package() {
    let Some(kat) = shared("vectors/bpp-kat.json") else {
        return;
    };
    let kat: Value = serde_json::from_slice(&kat).unwrap();
    let Some(upp) = shared(&format!("ts48/{}", kat["uppFile"].as_str().unwrap())) else {
        return;
    };
    let key = PrivateKey::from_scalar(&hexed(&kat["otSkEuicc"])).unwrap();
    assert_eq!(key.public().to_vec(), hexed(&kat["otPkEuicc"]));
    let secret = key.agree(&hexed(&kat["otPkDp"])).unwrap();
    assert_eq!(secret.to_vec(), hexed(&kat["Z"]));
    let eid = array(hexed(&kat["eid"]));
    let mut channel = SecureChannel::derive(&secret, &hexed(&kat["hostId"]), &eid);
    let (chaining, enc, mac) = channel.reveal();
    assert_eq!(chaining.to_vec(), hexed(&kat["initialMcv"]));
    assert_eq!(
        (enc.to_vec(), mac.to_vec()),
        (hexed(&kat["sEnc"]), hexed(&kat["sMac"]))
    );
    let Some(dppb) = shared("sgp26/dppb/CERT_S_SM_DPpb_ECDSA_NIST.der") else {
        return;
    };
    let dppb = Certificate::from_der(&dppb).unwrap();
    let initialise = hexed(&kat["BF23"]);
    let mut fields = tlv::only(&initialise, 0xBF23).unwrap().inside();
    let signature = loop {
        match fields.next().unwrap().unwrap() {
            it if it.tag == 0x5F37 => break it,
            _ => {}
        }
    };
    assert!(verify(
        dppb.public_key(),
        &[&hexed(&kat["smdpSignInput"])],
        signature.value
    ));

    // The sealing side of the tests makes the same segments, so that A3 need not be in the vector.
    let ppk = |name: &str| array(hexed(&kat["ppk"][name]));
    let mut seal = crate::seal::Seal::new(ppk("enc"), ppk("mac"), ppk("mcv"));
    let sealed = seal.all(0x86, &upp, 1007);
    assert_eq!(sealed[0], hexed(&kat["firstSegment"]));
    assert_eq!(sealed[sealed.len() - 1], hexed(&kat["lastSegment"]));
    let package = el(
        0xBF36,
        [
            initialise,
            hexed(&kat["A0"]),
            hexed(&kat["A1"]),
            hexed(&kat["A2"]),
            el(0xA3, sealed.concat()),
        ]
        .concat(),
    );
    assert_eq!(sent_metadata(&package).unwrap(), hexed(&kat["metadata"]));
    let (metadata, profile) = open(&mut channel, &package, true);
    assert_eq!(metadata, hexed(&kat["metadata"]));
    assert!(profile == upp, "the profile differs from the file");
    assert_eq!(segments(&package).unwrap().concat(), package);
}

#[test]
fn a_session_of_a_c_implementation() {
    let read = |name: &str| shared(&format!("vectors/session/{name}"));
    let (Some(initiate), Some(answer)) = (read("initiate-response.der"), read("auth-server-response.der"))
    else {
        return;
    };
    // serverSignature1, by a certificate that the chip believes.
    let Some(ci) = shared("sgp26/ci/CERT_CI_ECDSA_NIST.der") else {
        return;
    };
    let ci = Certificate::from_der(&ci).unwrap();
    let mut fields = tlv::only(&initiate, 0x30).unwrap().inside();
    fields.expect(0x80).unwrap();
    let signed = fields.expect(0x30).unwrap();
    let signature = fields.expect(0x5F37).unwrap();
    assert_eq!(fields.expect(0x04).unwrap().value, ci.key_id().unwrap());
    let dpauth = Certificate::from_der(fields.expect(0x30).unwrap().raw).unwrap();
    assert_eq!(dpauth.believe_server(&ci, CertificateRole::DpAuth), Ok(()));
    assert!(verify(dpauth.public_key(), &[signed.raw], signature.value));
    // smdpSignature2 over smdpSigned2 and the chip's first signature.
    let mut ok = tlv::only(&answer, 0xBF38)
        .unwrap()
        .inside()
        .expect(0xA0)
        .unwrap()
        .inside();
    ok.expect(0x30).unwrap();
    let euicc_signature1 = ok.expect(0x5F37).unwrap();
    let response = read("authenticate-response.der").unwrap();
    let mut offer = tlv::only(&response, 0xBF3B)
        .unwrap()
        .inside()
        .expect(0xA0)
        .unwrap()
        .inside();
    offer.expect(0x80).unwrap();
    let metadata = offer.expect(0xBF25).unwrap();
    assert_eq!(metadata.raw, read("store-metadata.der").unwrap());
    let signed2 = offer.expect(0x30).unwrap();
    let signature2 = offer.expect(0x5F37).unwrap();
    let dppb = Certificate::from_der(offer.expect(0x30).unwrap().raw).unwrap();
    assert_eq!(dppb.believe_server(&ci, CertificateRole::DpPb), Ok(()));
    assert!(verify(
        dppb.public_key(),
        &[signed2.raw, euicc_signature1.raw],
        signature2.value
    ));
    // The package, with the server's one-time key in place of the chip's, which was not recorded.
    let package = read("bound-profile-package.der").unwrap();
    let prepared = read("prepare-download-response.der").unwrap();
    let mut ok = tlv::only(&prepared, 0xBF21)
        .unwrap()
        .inside()
        .expect(0xA0)
        .unwrap()
        .inside();
    let mut signed = ok.expect(0x30).unwrap().inside();
    signed.expect(0x80).unwrap();
    let euicc_key = signed.expect(0x5F49).unwrap();
    let server_key = PrivateKey::from_scalar(&read("otsk-dp.bin").unwrap()).unwrap();
    let secret = server_key.agree(euicc_key.value).unwrap();
    let eid = array(hex::decode("89049032123451234512345678901235").unwrap());
    let mut channel = SecureChannel::derive(&secret, b"euicc-rsp", &eid);
    assert_eq!(
        hex::encode(&channel.reveal().0),
        "9A8D4DC5D8C2BA3FCCBB7F69036FD09F"
    );
    let (metadata, profile) = open(&mut channel, &package, true);
    assert_eq!(metadata, read("store-metadata.der").unwrap());
    assert_eq!(profile, read("upp.der").unwrap());
}

#[test]
fn a_recorded_download_from_another_server() {
    let Some(recorded) = shared("vectors/osmo-smdpp-session.json") else {
        return;
    };
    let recorded: Value = serde_json::from_slice(&recorded).unwrap();
    let Some(upp) = shared(&format!("ts48/{}", recorded["uppFile"].as_str().unwrap())) else {
        return;
    };
    let response = &recorded["messages"][2]["response"];
    let package = STANDARD
        .decode(response["boundProfilePackage"].as_str().unwrap())
        .unwrap();
    let mut parts = tlv::only(&package, 0xBF36).unwrap().inside();
    let mut initialise = parts.expect(0xBF23).unwrap().inside();
    initialise.expect(0x82).unwrap();
    initialise.expect(0x80).unwrap();
    let mut control = initialise.expect(0xA6).unwrap().inside();
    control.expect(0x80).unwrap();
    control.expect(0x81).unwrap();
    let host = control.expect(0x84).unwrap().value;
    let server_key = initialise.expect(0x5F49).unwrap().value;
    let key = PrivateKey::from_scalar(&hexed(&recorded["euiccOtsk"])).unwrap();
    let eid = array(hexed(&recorded["eid"]));
    let derive = || SecureChannel::derive(&key.agree(server_key).unwrap(), host, &eid);
    let (chaining, enc, mac) = derive().reveal();
    let keys = &recorded["sessionKeys"];
    assert_eq!(chaining.to_vec(), hexed(&keys["initialMacChainingValue"]));
    assert_eq!(
        (enc.to_vec(), mac.to_vec()),
        (hexed(&keys["sEnc"]), hexed(&keys["sMac"]))
    );
    let (_, profile) = open(&mut derive(), &package, false);
    assert!(profile == upp, "the profile differs from the file");
    // Its segments are longer than the standard allows: a strict chip refuses them.
    let mut sequence = parts;
    let long = std::iter::from_fn(|| sequence.next().unwrap())
        .find(|it| it.tag == 0xA3)
        .and_then(|it| it.inside().next().unwrap())
        .unwrap();
    assert_eq!(long.raw.len(), 1036);
    let mut fresh = SecureChannel::with_keys([0; 16], [0x11; 16], [0x22; 16]);
    assert!(fresh.open(long, true).is_err());
}

#[test]
fn the_published_test_chip_downloads_every_generic_test_profile() {
    let Some(identity) = test_chip() else { return };
    let scalars: Value =
        serde_json::from_slice(&shared("sgp26/published-test-scalars.json").unwrap()).unwrap();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/ts48");
    let credential = |kind: &str, file: &str, scalar: &str| simwarden_euicc::pki::Credential {
        certificate: Certificate::from_der(&shared(&format!("sgp26/{kind}/{file}.der")).unwrap()).unwrap(),
        key: PrivateKey::from_scalar(&hexed(&scalars[scalar]["d"])).unwrap(),
    };
    let mut world = crate::world::World::new();
    world.server.pki.ci = credential("ci", "CERT_CI_ECDSA_NIST", "CI_ECDSA_NIST");
    world.server.pki.dpauth = credential("dpauth", "CERT_S_SM_DPauth_ECDSA_NIST", "S_SM_DPauth_ECDSA_NIST");
    world.server.pki.dppb = credential("dppb", "CERT_S_SM_DPpb_ECDSA_NIST", "S_SM_DPpb_ECDSA_NIST");
    world.chip = Euicc::new(identity, ChipSettings::default());
    world.chance = Seed(12);
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|it| it != "der") {
            continue;
        }
        let package = std::fs::read(&path).unwrap();
        let mut header = tlv::Reader::new(&package).next().unwrap().unwrap().inside();
        let packed = std::iter::from_fn(|| header.next().unwrap())
            .find(|it| it.tag == 0x83)
            .unwrap();
        let (iccid, _) = simwarden_model::Iccid::from_packed(packed.array().unwrap()).unwrap();
        world.server.metadata = crate::server::metadata(&iccid, 0);
        world.server.package = package.clone();
        let outcome = world.download(&[]);
        let installed = simwarden_euicc::lpa::Outcome::Installed {
            iccid: iccid.to_bcd(),
        };
        assert_eq!(outcome, installed, "{}", path.display());
        assert!(world.chip.profile(&iccid).unwrap().package == package);
        assert_eq!(
            world.with_chip(|es10| simwarden_euicc::lpa::delete(es10, &iccid)),
            0
        );
        count += 1;
    }
    assert!(count >= 20, "{count}");
}

#[test]
fn certificates_on_another_curve_are_named_as_such() {
    let (Some(ci), Some(dpauth)) = (
        shared("sgp26/ci/CERT_CI_ECDSA_BRP.der"),
        shared("sgp26/dpauth/CERT_S_SM_DPauth_ECDSA_BRP.der"),
    ) else {
        return;
    };
    let (ci, dpauth) = (
        Certificate::from_der(&ci).unwrap(),
        Certificate::from_der(&dpauth).unwrap(),
    );
    assert_eq!(
        dpauth.believe_server(&ci, CertificateRole::DpAuth),
        Err(NotBelieved::Curve)
    );
}
