//! Everything that a server can do wrong is noticed by the chip, or by the device, with the code of SGP.22.

use crate::server::{Wrong, metadata, other_iccid, package};
use crate::world::World;
use simwarden_euicc::lpa::Outcome;

fn authenticate(code: u64) -> Outcome {
    Outcome::ChipRefused {
        function: "AuthenticateServer",
        code,
    }
}

fn prepare(code: u64) -> Outcome {
    Outcome::ChipRefused {
        function: "PrepareDownload",
        code,
    }
}

fn load(command: u64, reason: u64) -> Outcome {
    Outcome::NotInstalled { command, reason }
}

#[test]
fn each_wrong_has_its_code() {
    let table = [
        (Wrong::Signature1, authenticate(2)),
        (Wrong::OtherChallenge, authenticate(6)),
        (
            Wrong::OtherAddress,
            Outcome::DeviceRefused("the signed address is another"),
        ),
        (Wrong::AuthRole, authenticate(1)),
        (Wrong::AuthForeignIssuer, authenticate(1)),
        (Wrong::AuthForged, authenticate(1)),
        (Wrong::AuthKeyUsage, authenticate(1)),
        (Wrong::UnknownCiKeyId, authenticate(7)),
        (Wrong::PbRole, prepare(1)),
        (Wrong::PbOtherOid, prepare(1)),
        (Wrong::Signature2, prepare(2)),
        (Wrong::Signature2OfOtherSession, prepare(2)),
        (
            Wrong::SignedTransaction2,
            Outcome::DeviceRefused("the signed transaction id is another"),
        ),
        (Wrong::SmdpSign, load(0, 2)),
        (Wrong::BppTransaction, load(0, 3)),
        (Wrong::BppKeyType, load(0, 4)),
        (Wrong::BppOperation, load(0, 5)),
        (Wrong::OffCurveKey, load(0, 1)),
        (Wrong::FlippedSegment, load(5, 8)),
        (Wrong::SwappedSegments, load(5, 8)),
        (Wrong::MissingSegment, load(5, 8)),
        (Wrong::LongSegments, load(5, 7)),
        (Wrong::NoEnd, load(5, 12)),
        (
            Wrong::OtherMetadata,
            Outcome::DeviceRefused("the package has other metadata than was shown"),
        ),
    ];
    for (wrong, expected) in table {
        for replace_keys in [true, false] {
            let mut world = World::new();
            world.server.wrong = wrong;
            world.server.replace_keys = replace_keys;
            assert_eq!(world.download(&[]), expected, "{wrong:?}");
            assert!(world.chip.profiles().is_empty(), "{wrong:?}");
            // The chip is none the worse for it.
            world.server.wrong = Wrong::Nothing;
            assert!(
                matches!(world.download(&[]), Outcome::Installed { .. }),
                "{wrong:?}"
            );
        }
    }
}

#[test]
fn the_metadata_and_the_package_must_name_the_same_profile() {
    let mut world = World::new();
    world.server.package = package(&other_iccid(), 100);
    assert_eq!(world.download(&[]), load(5, 13));
    let mut world = World::new();
    world.server.metadata = metadata(&other_iccid(), 0);
    assert_eq!(world.download(&[]), load(5, 13));
}

#[test]
fn long_segments_are_taken_when_the_chip_is_not_strict() {
    let mut world = World::new();
    world.server.wrong = Wrong::LongSegments;
    world.chip.settings.strict_segments = false;
    assert!(matches!(world.download(&[]), Outcome::Installed { .. }));
}

#[test]
fn a_server_of_another_world_is_not_believed() {
    let mut world = World::new();
    world.server.pki = crate::world::pki(9);
    assert_eq!(world.download(&[]), authenticate(7));
}

#[test]
fn the_oid_of_an_activation_code_is_held_against_the_certificate() {
    let mut world = World::new();
    let World { chip, server, chance } = &mut world;
    for (code, good) in [
        ("1$smdp.example.com$MATCHING-1$2.999.10", true),
        ("1$smdp.example.com$MATCHING-1$2.999.11", false),
    ] {
        let mut es10 = |command: &[u8]| chip.process(command, chance);
        let code = simwarden_euicc::ActivationCode::parse(code).unwrap();
        let (mut download, request) =
            simwarden_euicc::lpa::Download::begin(&mut es10, code, crate::world::device(), None).unwrap();
        let (status, body) = server.call(request.function, &request.body);
        let next = download.answer(&mut es10, status, &body).unwrap();
        assert_eq!(matches!(next, simwarden_euicc::lpa::Next::Ask(_)), good);
    }
}

#[test]
fn a_package_may_be_cut_otherwise_but_nothing_may_follow_it() {
    let mut world = World::new();
    let package = world.fetch();
    let result = world.chip.process(&package, &mut world.chance).unwrap();
    assert!(result.starts_with(&[0xBF, 0x37]));
    assert_eq!(world.chip.profiles().len(), 1);

    let mut world = World::new();
    world.server.wrong = Wrong::TrailingBytes;
    let package = world.fetch();
    let result = world.chip.process(&package, &mut world.chance).unwrap();
    assert!(
        result
            .windows(8)
            .any(|it| it == [0xA1, 6, 0x80, 1, 5, 0x81, 1, 1])
    );
    assert!(world.chip.profiles().is_empty());
}

#[test]
fn what_comes_out_of_order_is_refused_without_harm() {
    let mut world = World::new();
    let package = world.fetch();
    let pieces = simwarden_euicc::lpa::segments(&package).unwrap();
    // A piece before its beginning, and a second beginning amid the first.
    assert!(world.chip.process(&pieces[1], &mut world.chance).is_err());
    assert_eq!(world.chip.process(&pieces[0], &mut world.chance), Ok(Vec::new()));
    assert!(world.chip.process(&pieces[0], &mut world.chance).is_err());
    for piece in &pieces[1..pieces.len() - 1] {
        assert_eq!(world.chip.process(piece, &mut world.chance), Ok(Vec::new()));
    }
    let last = world
        .chip
        .process(&pieces[pieces.len() - 1], &mut world.chance)
        .unwrap();
    assert!(last.starts_with(&[0xBF, 0x37]));
    // The same package again finds no session.
    assert!(world.chip.process(&pieces[0], &mut world.chance).is_err());
    assert_eq!(world.chip.profiles().len(), 1);
}

#[test]
fn a_sequence_may_not_be_left_out() {
    for left_out in [0xA0_u32, 0xA1, 0xA3] {
        let mut world = World::new();
        let package = world.fetch();
        let mut parts = simwarden_euicc::tlv::only(&package, 0xBF36).unwrap().inside();
        let mut kept = Vec::new();
        while let Some(part) = parts.next().unwrap() {
            if part.tag != left_out {
                kept.extend_from_slice(part.raw);
            }
        }
        let _ = world
            .chip
            .process(&simwarden_euicc::tlv::tlv(0xBF36, kept), &mut world.chance);
        assert!(world.chip.profiles().is_empty(), "{left_out:x}");
    }
}
