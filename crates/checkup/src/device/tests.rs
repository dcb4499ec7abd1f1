//! The real chains of Google's test data, where they lie beside the repository, and how they are weighed.

use super::*;
use crate::texts::Language;
use std::path::{Path, PathBuf};

fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/android-attestation");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("left out: no android-attestation data beside the repository");
    None
}

fn chain(folder: &Path, name: &str) -> Vec<Vec<u8>> {
    certificates(&std::fs::read_to_string(folder.join("testdata").join(name)).unwrap()).unwrap()
}

fn trust(roots: &Roots) -> Trust<'_> {
    Trust {
        roots,
        revocations: None,
        today: day_of(2026, 8, 1),
        valid_today: false,
        challenge: None,
    }
}

const GOOD: &[&str] = &[
    "akita/sdk34/SB_RSA_NONE",
    "akita/sdk34/TEE_EC_NONE",
    "akita/sdk34/TEE_RSA_BASE+IMEI",
    "akita/sdk34/TEE_RSA_NONE",
    "akita/sdk34/TEE_RSA_NONE_USERAUTH",
    "blueline/sdk28/SB_RSA_NONE",
    "blueline/sdk28/SB_RSA_NONE_USERAUTH",
    "blueline/sdk28/TEE_EC_NONE",
    "blueline/sdk28/TEE_RSA_BASE+IMEI",
    "blueline/sdk28/TEE_RSA_NONE",
    "caiman/sdk36/SB_EC_RKP",
    "caiman/sdk36/TEE_EC_RKP",
    "sony-xperia10-iii/sdk33/TEE_EC",
    "tegu/sdk36/SB_EC_2026_ROOT",
    "tegu/sdk36/TEE_EC_2026_ROOT",
    "tegu/sdk37/TEE_MAX_USAGE_COUNT",
    "tegu/sdk37/TEE_TRUSTED_CONF",
    "tokay/sdk37/TEE_MLDSA_FACTORY",
    "tokay/sdk37/TEE_MLDSA_RKP",
];

/// Some of the files carry remarks between the lines.
fn expected(folder: &Path, name: &str) -> serde_json::Value {
    let text = std::fs::read_to_string(folder.join("testdata").join(format!("{name}.json"))).unwrap();
    let lines = text.lines().filter(|l| !l.trim_start().starts_with("//"));
    let mut whole: serde_json::Value = serde_json::from_str(&lines.collect::<Vec<_>>().join("\n")).unwrap();
    // Only the newer files say it.
    for list in ["softwareEnforced", "hardwareEnforced"] {
        whole[list]
            .as_object_mut()
            .unwrap()
            .insert("areTagsOrdered".into(), true.into());
    }
    whole
}

#[test]
fn nineteen_real_chains_hold_field_by_field() {
    let Some(folder) = folder() else { return };
    let roots = Roots::google().unwrap();
    for name in GOOD {
        let found = verify(&chain(&folder, &format!("{name}.pem")), &trust(&roots))
            .unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        let found = serde_json::to_value(&found.description).unwrap();
        assert_eq!(found, expected(&folder, name), "{name}");
    }
}

#[test]
fn the_others_are_refused_for_their_reason() {
    let Some(folder) = folder() else { return };
    let roots = Roots::google().unwrap();
    let refusal = |name: &str| verify(&chain(&folder, name), &trust(&roots)).unwrap_err();
    assert!(matches!(
        refusal("invalid/malformed_rot_device_locked.pem"),
        Refusal::MalformedDescription(_)
    ));
    assert_eq!(
        refusal("invalid/tags_not_in_ascending_order.pem"),
        Refusal::BadSignature(0)
    );
    assert_eq!(refusal("marlin/sdk29/TEE_EC_NONE.pem"), Refusal::SoftwareRoot);
    assert_eq!(refusal("marlin/sdk29/TEE_RSA_NONE.pem"), Refusal::SoftwareRoot);
    assert_eq!(refusal("p256_sha384_intermediate.pem"), Refusal::UnknownRoot);
    assert_eq!(refusal("allow_while_on_body.pem"), Refusal::ChainLength(1));
    let own = std::fs::read_to_string(folder.join("testdata/p256_sha384_intermediate.pem")).unwrap();
    let own = Roots::from_pem(&own[own.rfind("-----BEGIN").unwrap()..]).unwrap();
    let own = verify(&chain(&folder, "p256_sha384_intermediate.pem"), &trust(&own));
    assert!(
        !matches!(own, Err(Refusal::UnknownRoot | Refusal::BadSignature(_))),
        "{own:?}"
    );
}

#[test]
fn no_mutant_is_accepted() {
    let Some(folder) = folder() else { return };
    let roots = Roots::google().unwrap();
    // A debug build does a part; the long run sets the number.
    let wanted: usize = std::env::var("SIMWARDEN_MUTANTS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1_500);
    let mut random = 0x1234_5678_9abc_def1_u64;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % u64::try_from(below).unwrap()).unwrap()
    };
    let chains: Vec<_> = GOOD
        .iter()
        .map(|name| chain(&folder, &format!("{name}.pem")))
        .collect();
    for _ in 0..wanted {
        let mut mutant = chains[next(chains.len())].clone();
        let certificate = next(mutant.len());
        let byte = next(mutant[certificate].len());
        let bit = next(8);
        mutant[certificate][byte] ^= 1 << bit;
        let refused = verify(&mutant, &trust(&roots)).is_err();
        assert!(refused, "certificate {certificate}, byte {byte}, bit {bit}");
    }
}

#[test]
fn chains_are_not_cut_lengthened_or_mixed() {
    let Some(folder) = folder() else { return };
    let roots = Roots::google().unwrap();
    let good = chain(&folder, "caiman/sdk36/TEE_EC_RKP.pem");
    let other = chain(&folder, "akita/sdk34/TEE_EC_NONE.pem");
    assert!(verify(&good[..4], &trust(&roots)).is_err());
    assert_eq!(
        verify(&good[1..], &trust(&roots)).unwrap_err(),
        Refusal::NoDescription
    );
    let mut mixed = good.clone();
    mixed[0] = other[0].clone();
    assert!(verify(&mixed, &trust(&roots)).is_err());
    let mut longer = good.clone();
    longer.insert(0, other[0].clone());
    assert!(verify(&longer, &trust(&roots)).is_err());
    let challenge = Trust {
        challenge: Some(b"another"),
        ..trust(&roots)
    };
    assert_eq!(verify(&good, &challenge).unwrap_err(), Refusal::WrongChallenge);
    let late = Trust {
        valid_today: true,
        ..trust(&roots)
    };
    assert!(matches!(verify(&good, &late).unwrap_err(), Refusal::NotValid(_)));
    let then = Trust {
        valid_today: true,
        today: day_of(2025, 9, 28),
        ..trust(&roots)
    };
    assert!(verify(&good, &then).is_ok());
}

#[test]
fn revoked_is_refused_and_a_stale_list_fails_closed() {
    let Some(folder) = folder() else { return };
    let roots = Roots::google().unwrap();
    let good = chain(&folder, "caiman/sdk36/TEE_EC_RKP.pem");
    let today = day_of(2026, 8, 1);
    let google = std::fs::read_to_string(folder.join("status.json")).unwrap();
    let list = Revocations::read(&google, today - 1, 2).unwrap();
    let fresh = Trust {
        revocations: Some(&list),
        ..trust(&roots)
    };
    let serial = verify(&good, &fresh).unwrap().serials[1].clone();
    let stale = Trust {
        today: today + 5,
        ..fresh.clone()
    };
    assert_eq!(verify(&good, &stale).unwrap_err(), Refusal::RevocationsStale(6));
    let future = Trust {
        today: today - 30,
        ..fresh
    };
    assert!(matches!(
        verify(&good, &future).unwrap_err(),
        Refusal::RevocationsStale(_)
    ));
    let list = format!(
        r#"{{"entries":{{"{}":{{"status":"REVOKED"}}}}}}"#,
        serial.to_uppercase()
    );
    let list = Revocations::read(&list, today, 2).unwrap();
    let revoked = Trust {
        revocations: Some(&list),
        ..trust(&roots)
    };
    assert_eq!(verify(&good, &revoked).unwrap_err(), Refusal::Revoked(serial));
    assert!(Revocations::read("{}", today, 2).is_err());
}

#[test]
fn real_phones_are_weighed_as_they_should() {
    let Some(folder) = folder() else { return };
    let roots = Roots::google().unwrap();
    let policy = PhonePolicy::built_in().unwrap();
    let look = |name: &str, before: Option<PatchLevels>, today: (i64, i64)| {
        let proof = verify(&chain(&folder, name), &trust(&roots));
        assess(
            Some(proof),
            &Posture::default(),
            before,
            today,
            &policy,
            Language::En,
        )
    };
    let reasons = |report: &PhoneReport| report.findings.iter().map(|f| f.reason).collect::<Vec<_>>();
    let report = look("caiman/sdk36/TEE_EC_RKP.pem", None, (2026, 3));
    assert_eq!((report.level, report.score), (PhoneLevel::Well, 0));
    let report = look("sony-xperia10-iii/sdk33/TEE_EC.pem", None, (2026, 8));
    assert_eq!(
        (report.level, reasons(&report)),
        (PhoneLevel::AtRisk, vec![PhoneReason::PatchOld])
    );
    assert_eq!(report.findings[0].detail.as_deref(), Some("37 months"));
    for name in ["akita/sdk34/TEE_EC_NONE.pem", "blueline/sdk28/TEE_EC_NONE.pem"] {
        let report = look(name, None, (2026, 8));
        assert_eq!(report.level, PhoneLevel::Dangerous);
        assert!(
            reasons(&report).contains(&PhoneReason::BootloaderUnlocked),
            "{name}"
        );
    }
    let before = PatchLevels {
        os: Some(202_601),
        vendor: Some(20_260_105),
        boot: Some(20_260_105),
    };
    let report = look("caiman/sdk36/TEE_EC_RKP.pem", Some(before), (2026, 3));
    assert_eq!(
        (report.level, reasons(&report)),
        (PhoneLevel::Dangerous, vec![PhoneReason::RolledBack])
    );
    let report = look("marlin/sdk29/TEE_EC_NONE.pem", None, (2026, 3));
    assert_eq!(report.level, PhoneLevel::Dangerous);
}

#[test]
fn what_a_phone_says_of_itself_is_marked_and_never_well() {
    let policy = PhonePolicy::built_in().unwrap();
    let look = |posture: &Posture| assess(None, posture, None, (2026, 8), &policy, Language::Km);
    let report = look(&Posture::default());
    assert_eq!((report.level, report.score), (PhoneLevel::Unproven, 0));
    let bad = Posture {
        os_patch: Some("2024-01".into()),
        screen_lock: Some(false),
        accessibility: vec!["com.fake.bank/.Service".into()],
        packages: vec!["com.anydesk.anydeskandroid".into(), "com.topjohnwu.magisk".into()],
        ..Posture::default()
    };
    let report = look(&bad);
    assert_eq!(report.level, PhoneLevel::Dangerous);
    assert!(
        report
            .findings
            .iter()
            .all(|f| !f.proven && f.advice != f.reason.word())
    );
    assert_eq!(report.findings.len(), 6);
    let reader = Posture {
        accessibility: vec!["com.google.android.marvin.talkback".into()],
        ..Posture::default()
    };
    assert_eq!(look(&reader).score, 0);
}

#[test]
fn going_back_in_any_part_is_a_rollback() {
    let level = |os, vendor, boot| PatchLevels { os, vendor, boot };
    let before = level(Some(202_601), Some(20_260_105), None);
    assert!(!rolled_back(before, before));
    assert!(!rolled_back(
        before,
        level(Some(202_602), Some(20_260_105), Some(20_260_105))
    ));
    assert!(rolled_back(before, level(Some(202_602), Some(20_251_205), None)));
    assert!(rolled_back(before, level(Some(202_602), None, None)));
}
