//! Profile packages: the public generic test profiles, personalised ones, samples.

use crate::chain::shared;
use crate::kit::Seed;
use proptest::prelude::*;
use simwarden_model::{Iccid, Imsi};
use simwarden_rsp::der::{Tlv, tlv};
use simwarden_rsp::metadata::{Metadata, ProfileClass};
use simwarden_rsp::profile::{
    FindingKind, Personalisation, ProfileError, ProfilePackage, SecretKey, Use, lint, personalise,
    remote_key_digests, sample,
};
use std::collections::{BTreeSet, HashSet};
use zeroize::Zeroizing;

fn iccid() -> Iccid {
    Iccid::parse_without_check("898550123456789012").unwrap()
}

fn imsi() -> Imsi {
    Imsi::parse("456011234567890").unwrap()
}

fn kinds(
    package: &[u8],
    class: ProfileClass,
    used_for: Use,
    seen: &HashSet<[u8; 32]>,
) -> BTreeSet<(FindingKind, bool)> {
    let package = ProfilePackage::parse(package).unwrap();
    lint(&package, class, used_for, seen)
        .into_iter()
        .map(|it| (it.kind, it.refuses))
        .collect()
}

#[test]
fn a_sample_is_a_package_fit_for_a_live_number() {
    let package = sample(&iccid(), &imsi(), &mut Seed::new(1)).unwrap();
    let read = ProfilePackage::parse(&package).unwrap();
    assert_eq!(*read.iccid(), iccid());
    assert_eq!(read.version(), (2, 3));
    assert_eq!(
        kinds(&package, ProfileClass::Operational, Use::Live, &HashSet::new()),
        BTreeSet::new()
    );
    let metadata = Metadata::new(iccid(), "Operator", "Prepaid", "smdp.example.com");
    assert!(read.check_metadata(&metadata.to_der().unwrap()).is_ok());
    let other = Iccid::parse("8949449999999990155").unwrap();
    let other = Metadata::new(other, "Operator", "Prepaid", "smdp.example.com")
        .to_der()
        .unwrap();
    assert_eq!(read.check_metadata(&other), Err(ProfileError::IccidMismatch));
    let again = sample(&iccid(), &imsi(), &mut Seed::new(2)).unwrap();
    assert_ne!(package, again, "other keys each time");
    assert_eq!(package.len(), again.len());
    // EF-IMSI as TS 31.102 has it: 8 bytes, odd number of digits.
    let file = [0x08, 0x49, 0x65, 0x10, 0x21, 0x43, 0x65, 0x87, 0x09];
    assert!(package.windows(9).any(|it| it == file));
    assert_eq!(
        kinds(&package, ProfileClass::Test, Use::Live, &HashSet::new()),
        BTreeSet::from([(FindingKind::TestClass, true)])
    );
}

#[test]
fn a_package_must_be_whole() {
    let package = sample(&iccid(), &imsi(), &mut Seed::new(1)).unwrap();
    let joined = [&package[..], &package].concat();
    assert!(matches!(ProfilePackage::parse(&joined), Err(ProfileError::End)));
    assert!(matches!(
        ProfilePackage::parse(&package[..package.len() - 9]),
        Err(ProfileError::End)
    ));
    assert!(ProfilePackage::parse(&package[..package.len() - 1]).is_err());
    let headless = &package[Tlv::parse(&package).map_or(0, |_| 0)..];
    let header = simwarden_rsp::der::Reader::new(headless)
        .read()
        .unwrap()
        .raw
        .len();
    assert!(matches!(
        ProfilePackage::parse(&package[header..]),
        Err(ProfileError::Header)
    ));
}

const TS48: [&str; 7] = [
    "TS48V1-A-UNIQUE",
    "TS48V2-SAIP2-1-BERTLV-UNIQUE",
    "TS48V3-SAIP2-3-NOBERTLV-UNIQUE",
    "TS48V4-SAIP2-1A-NOBERTLV-UNIQUE",
    "TS48V5-SAIP2-3-BERTLV-SUCI-UNIQUE",
    "TS48_V7.0_eSIM_GTP_SAIP2.3_NoBERTLV",
    // Without remote management; its security domain has public keys all the same.
    "TS48_V7.0_eSIM_GTP_SAIP2.3_BERTLV_SUCI_NoRAMRFM",
];

#[test]
fn generic_test_profiles_are_read_warned_of_in_a_laboratory_and_refused_for_a_subscriber() {
    for name in TS48 {
        let Some(package) = shared(&format!("ts48/{name}.der")) else {
            return;
        };
        let live = kinds(&package, ProfileClass::Operational, Use::Live, &HashSet::new());
        assert!(live.iter().all(|(_, refuses)| *refuses));
        let found: BTreeSet<_> = live.iter().map(|(kind, _)| *kind).collect();
        for kind in [
            FindingKind::PublicAuthenticationKey,
            FindingKind::TestAlgorithm,
            FindingKind::GenericTestProfile,
            FindingKind::PublicRemoteKey,
        ] {
            assert!(found.contains(&kind), "{name}: {kind:?}");
        }
        let test = kinds(&package, ProfileClass::Test, Use::Test, &HashSet::new());
        assert!(test.iter().all(|(_, refuses)| !refuses), "{name}");
        let parsed = ProfilePackage::parse(&package).unwrap();
        assert!(!remote_key_digests(&parsed).is_empty());
        for cut in [1, 8, 100] {
            assert!(ProfilePackage::parse(&package[..package.len() - cut]).is_err());
        }
    }
}

/// A package with one security domain that has this key.
fn with_remote_key(key: &[u8]) -> Vec<u8> {
    let package = sample(&iccid(), &imsi(), &mut Seed::new(1)).unwrap();
    let end = package.len() - 9;
    assert_eq!(package[end], 0xAA);
    let component = tlv(0x30, &[&[0x80, 1, 0x88], &tlv(0x86, &[key])]);
    let entry = tlv(
        0x30,
        &[
            &[0x95, 1, 0x18, 0x82, 1, 1, 0x83, 1, 1],
            &tlv(0x30, &[&component]),
        ],
    );
    let domain = tlv(0xA6, &[&tlv(0xA1, &[&[0x4F, 1, 1]]), &tlv(0xA2, &[&entry])]);
    [&package[..end], &domain, &package[end..]].concat()
}

#[test]
fn a_secret_remote_key_in_two_profiles_is_refused_everywhere() {
    let key = [9, 1, 8, 2, 7, 3, 6, 4, 5, 5, 4, 6, 3, 7, 2, 8];
    let package = with_remote_key(&key);
    let seen = remote_key_digests(&ProfilePackage::parse(&package).unwrap());
    assert_eq!(seen.len(), 1);
    for used_for in [Use::Live, Use::Test] {
        assert_eq!(
            kinds(&package, ProfileClass::Operational, used_for, &HashSet::new()),
            BTreeSet::new()
        );
        assert_eq!(
            kinds(&package, ProfileClass::Operational, used_for, &seen),
            BTreeSet::from([(FindingKind::SharedRemoteKey, true)])
        );
    }
    for public in [
        vec![0xAA; 16],
        (0..16).collect(),
        (0..16).chain(0..16).collect::<Vec<u8>>(),
    ] {
        let package = with_remote_key(&public);
        assert_eq!(
            kinds(&package, ProfileClass::Operational, Use::Live, &HashSet::new()),
            BTreeSet::from([(FindingKind::PublicRemoteKey, true)])
        );
    }
}

fn personal(ki: u8) -> Personalisation {
    Personalisation {
        iccid: iccid(),
        imsi: imsi(),
        ki: SecretKey(core::array::from_fn(|at| ki ^ u8::try_from(at * at).unwrap())),
        opc: SecretKey([7, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 6]),
        pin: Some(Zeroizing::new("4711".to_owned())),
        puk: Some(Zeroizing::new("12345678".to_owned())),
        adm: Some(Zeroizing::new([1, 9, 2, 8, 3, 7, 4, 6])),
    }
}

#[test]
fn a_real_template_becomes_one_subscribers_and_nothing_else_changes() {
    let Some(template) = shared("ts48/TS48_V7.0_eSIM_GTP_SAIP2.3_NoBERTLV_NoRAMRFM.der") else {
        return;
    };
    let data = personal(0x55);
    let package = personalise(&template, &data).unwrap();
    let (before, after) = (
        ProfilePackage::parse(&template).unwrap(),
        ProfilePackage::parse(&package).unwrap(),
    );
    assert_eq!(*after.iccid(), iccid());
    assert_eq!(before.elements().len(), after.elements().len());
    for (old, new) in before.elements().iter().zip(after.elements()) {
        let may_change = [0xA0, 0xB0, 0xA2, 0xA3, 0xA4, 0xB3].contains(&old.tag);
        assert!(may_change || old.raw == new.raw, "{:X}", old.tag);
    }
    let contains = |bytes: &[u8]| package.windows(bytes.len()).any(|it| it == bytes);
    assert!(contains(&iccid().to_bcd()) && contains(&data.ki.0) && contains(b"4711\xFF\xFF\xFF\xFF"));
    assert!(!contains(&(0..16).collect::<Vec<u8>>()) || !contains(&[0x82, 0x10, 0, 1, 2, 3]));
    let found = kinds(&package, ProfileClass::Operational, Use::Live, &HashSet::new());
    assert!(
        found
            .iter()
            .all(|(kind, _)| !matches!(kind, FindingKind::TestAlgorithm | FindingKind::TestNetwork))
    );
    assert_eq!(format!("{:?}", data.ki), "SecretKey(…)");
}

#[test]
fn a_template_without_a_place_is_refused() {
    let mut data = personal(1);
    data.pin = Some(Zeroizing::new("12".to_owned()));
    let template = sample(&iccid(), &imsi(), &mut Seed::new(1)).unwrap();
    assert!(
        personalise(&template, &data)
            .unwrap_err()
            .to_string()
            .contains("PIN")
    );
    let header = tlv(0xA0, &[&[0x80, 1, 2, 0x81, 1, 3], &tlv(0x83, &[&[0x89; 10]])]);
    let bare = [header, tlv(0xAA, &[&[0xA0, 0]])].concat();
    assert!(
        personalise(&bare, &personal(1))
            .unwrap_err()
            .to_string()
            .contains("EF-ICCID")
    );
}

proptest! {
    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let _ = ProfilePackage::parse(&bytes);
        let mut package = sample(&iccid(), &imsi(), &mut Seed::new(1)).unwrap().to_vec();
        let at = at.index(package.len());
        package[at] ^= 1 << bit;
        if let Ok(read) = ProfilePackage::parse(&package) {
            let _ = lint(&read, ProfileClass::Operational, Use::Live, &HashSet::new());
            let _ = personalise(&package, &personal(2));
        }
    }
}
