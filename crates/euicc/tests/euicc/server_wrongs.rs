//! Everything that a server can do wrong is noticed by the chip, or by the device, with the code of SGP.22.

use crate::seal::Seal;
use crate::server::{Wrong, metadata, other_iccid, package};
use crate::world::World;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use simwarden_euicc::bsp::{SecureChannel, SegmentError};
use simwarden_euicc::lpa::{Download, Outcome};
use simwarden_euicc::tlv;

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
        let (mut download, request) = Download::begin(&mut es10, code, crate::world::device(), None).unwrap();
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
    // In which command the chip stops; after a missing A3 nothing has gone wrong yet.
    for (left_out, stops_in) in [(0xA0_u32, Some(0)), (0xA1, Some(1)), (0xA3, None)] {
        let mut world = World::new();
        world.server.replace_keys = false;
        let package = world.fetch();
        let mut parts = tlv::only(&package, 0xBF36).unwrap().inside();
        let mut kept = Vec::new();
        while let Some(part) = parts.next().unwrap() {
            if part.tag != left_out {
                kept.extend_from_slice(part.raw);
            }
        }
        let result = world
            .chip
            .process(&tlv::tlv(0xBF36, kept), &mut world.chance)
            .unwrap();
        match stops_in {
            None => assert!(result.is_empty()),
            Some(command) => {
                let error = [0xA1, 6, 0x80, 1, command, 0x81, 1, 1];
                assert!(result.windows(8).any(|it| it == error), "{left_out:x}");
            }
        }
        assert!(world.chip.profiles().is_empty(), "{left_out:x}");
    }
}

#[test]
fn nothing_stands_behind_the_end_of_a_profile_and_the_chip_holds_no_more_than_it_can() {
    let mut world = World::new();
    world.server.package.extend([0xB0, 1, 1, 0xAA, 0]);
    assert_eq!(world.download(&[]), load(5, 12));
    // The profile sequence once more, all in one piece.
    let mut world = World::new();
    let package = world.fetch();
    let mut parts = tlv::only(&package, 0xBF36).unwrap().inside();
    let last = std::iter::from_fn(|| parts.next().unwrap()).last().unwrap();
    let inside = tlv::only(&package, 0xBF36).unwrap().value;
    let twice = tlv::join(0xBF36, &[inside, last.raw]);
    let result = world.chip.process(&twice, &mut world.chance).unwrap();
    assert!(
        result
            .windows(8)
            .any(|it| it == [0xA1, 6, 0x80, 1, 5, 0x81, 1, 1])
    );
    assert!(world.chip.profiles().is_empty());
    let mut world = World::new();
    world.chip.settings.profiles_max = 0;
    assert_eq!(world.download(&[]), load(2, 10));
}

#[test]
fn padding_is_at_most_one_block_and_must_be_there() {
    let clear = [[7; 16], [0; 16]];
    let with_end = |at: usize| {
        let mut bytes = clear.concat();
        bytes[at] = 0x80;
        bytes
    };
    for (padded, expected) in [
        (with_end(16), Ok(vec![7; 16])),
        (with_end(31), Ok([&[7; 16][..], &[0; 15]].concat())),
        (with_end(15), Err(SegmentError::Structure)),
        (clear.concat(), Err(SegmentError::Structure)),
        (vec![7; 16], Err(SegmentError::Structure)),
    ] {
        let mut seal = Seal::new([1; 16], [2; 16], [3; 16]);
        let segment = seal.enciphered_as_padded(0x86, &padded);
        let mut channel = SecureChannel::with_keys([1; 16], [2; 16], [3; 16]);
        assert_eq!(
            channel.open(tlv::only(&segment, 0x86).unwrap(), true),
            expected,
            "{padded:02x?}"
        );
    }
}

/// The commands that a device would make of the server's first two answers: `AuthenticateServer`, `PrepareDownload`.
fn first_commands(world: &mut World) -> (Vec<u8>, Vec<u8>) {
    let context = tlv::tlv(
        0xA0,
        [
            tlv::tlv(0x80, "MATCHING-1"),
            tlv::tlv(0xA1, [0x80, 4, 1, 2, 3, 4, 0xA1, 0]),
        ]
        .concat(),
    );
    let mut es10 = |command: &[u8]| world.chip.process(command, &mut world.chance);
    let (_, request) =
        Download::begin(&mut es10, crate::world::code(), crate::world::device(), None).unwrap();
    let call = |server: &mut crate::server::Server, function: &str, body: &Value, fields: &[&str]| {
        let answer: Value = serde_json::from_slice(&server.call(function, body).1).unwrap();
        fields
            .iter()
            .flat_map(|it| STANDARD.decode(answer[it].as_str().unwrap()).unwrap())
            .collect::<Vec<u8>>()
    };
    let fields = [
        "serverSigned1",
        "serverSignature1",
        "euiccCiPKIdToBeUsed",
        "serverCertificate",
    ];
    let first = call(&mut world.server, request.function, &request.body, &fields);
    let authenticate = tlv::join(0xBF38, &[&first, &context]);
    let response = es10(&authenticate).unwrap();
    let body = json!({"authenticateServerResponse": STANDARD.encode(response)});
    let fields = ["smdpSigned2", "smdpSignature2", "smdpCertificate"];
    let second = call(&mut world.server, "authenticateClient", &body, &fields);
    (authenticate, tlv::tlv(0xBF21, second))
}

/// The error code in the chip's answer; `None` when it agreed.
fn code_of(world: &mut World, command: &[u8]) -> Option<u64> {
    let answer = world.chip.process(command, &mut world.chance).unwrap();
    let outer = tlv::Reader::new(&answer).next().unwrap().unwrap();
    let mut error = outer.inside().optional(0xA1).unwrap()?.inside();
    error.expect(0x80).unwrap();
    Some(error.expect(0x02).unwrap().number().unwrap())
}

#[test]
fn a_session_goes_forward_only_and_does_not_outlive_power() {
    let mut world = World::new();
    let (authenticate, prepare) = first_commands(&mut world);
    assert_eq!(
        code_of(&mut world, &authenticate),
        Some(4),
        "a second time in one session"
    );
    assert_eq!(code_of(&mut world, &prepare), None);
    world.chip.power_cycle();
    assert_eq!(code_of(&mut world, &prepare), Some(4));
    assert_eq!(code_of(&mut world, &authenticate), Some(4));
    world.chip.process(&[0xBF, 0x2E, 0], &mut world.chance).unwrap();
    assert_eq!(
        code_of(&mut world, &authenticate),
        Some(6),
        "the challenge is another"
    );
}

#[test]
fn the_chip_itself_looks_at_transaction_and_confirmation_code() {
    let mut world = World::new();
    world.server.wrong = Wrong::SignedTransaction2;
    let (_, prepare) = first_commands(&mut world);
    assert_eq!(code_of(&mut world, &prepare), Some(5));
    let mut world = World::new();
    world.server.confirmation_code = Some("4711".into());
    let (_, prepare) = first_commands(&mut world);
    assert_eq!(
        code_of(&mut world, &prepare),
        Some(127),
        "a code is required and none is there"
    );
}
