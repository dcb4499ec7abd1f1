//! No bytes make the chip, its APDU face, its certificate reader or the assistant panic.

use crate::chance::Seed;
use crate::world::World;
use proptest::prelude::*;
use simwarden_euicc::ActivationCode;
use simwarden_euicc::apdu::Card;
use simwarden_euicc::certificate::Certificate;
use simwarden_euicc::lpa;
use simwarden_euicc::metadata::Metadata;
use simwarden_euicc::tlv::tlv;

const TAGS: [u32; 26] = [
    0xBF20, 0xBF21, 0xBF22, 0xBF28, 0xBF29, 0xBF2B, 0xBF2D, 0xBF2E, 0xBF30, 0xBF31, 0xBF32, 0xBF33, 0xBF34,
    0xBF36, 0xBF38, 0xBF3C, 0xBF3E, 0xBF3F, 0xBF41, 0xBF43, 0xA0, 0xA1, 0xA3, 0x86, 0x87, 0x88,
];
const INNER: [u32; 15] = [
    0x30, 0x80, 0x81, 0x82, 0x83, 0x84, 0x5A, 0x4F, 0x5C, 0x5F37, 0x04, 0xA0, 0xA1, 0xBF23, 0x90,
];

fn element() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..20),
        (
            prop::sample::select(INNER.to_vec()),
            proptest::collection::vec(any::<u8>(), 0..20)
        )
            .prop_map(|(tag, value)| tlv(tag, value)),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        (
            prop::sample::select(INNER.to_vec()),
            proptest::collection::vec(inner, 0..5),
        )
            .prop_map(|(tag, parts)| tlv(tag, parts.concat()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn commands(pieces in proptest::collection::vec((prop::sample::select(TAGS.to_vec()), proptest::collection::vec(element(), 0..4)), 1..8)) {
        let mut world = World::new();
        for (tag, parts) in pieces {
            let _ = world.chip.process(&tlv(tag, parts.concat()), &mut world.chance);
        }
        prop_assert!(world.chip.profiles().is_empty());
    }

    #[test]
    fn bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[ -~]{0,40}") {
        let mut world = World::new();
        let _ = world.chip.process(&bytes, &mut world.chance);
        let _ = Certificate::from_der(&bytes);
        let _ = Metadata::parse(&bytes);
        let _ = lpa::segments(&bytes);
        let _ = lpa::sent_metadata(&bytes);
        let _ = ActivationCode::parse(&text);
    }

    #[test]
    fn apdus(apdus in proptest::collection::vec((0_u8..=255, prop::sample::select(vec![0x70_u8, 0xA4, 0xC0, 0xE2, 0xAA, 0x00]), any::<(u8, u8)>(), proptest::collection::vec(any::<u8>(), 0..40)), 1..20)) {
        let mut card = Card::new(World::new().chip);
        let _ = card.open_channel(&simwarden_euicc::apdu::ISD_R);
        for (cla, ins, (p1, p2), body) in apdus {
            let answer = card.transmit(&[&[cla, ins, p1, p2][..], &body].concat(), &mut Seed(3)).unwrap();
            prop_assert!(answer.len() >= 2);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// One bit changed anywhere in a package: nothing is installed.
    #[test]
    fn one_bit_of_a_package(bit in 0_usize..8, place in 0_usize..1_000_000) {
        let mut world = World::new();
        world.server.package = crate::server::package(&crate::server::iccid(), 1200);
        let mut package = world.fetch();
        let at = place % package.len();
        package[at] ^= 1 << bit;
        for piece in lpa::segments(&package).unwrap_or_default() {
            match world.chip.process(&piece, &mut world.chance) {
                Ok(answer) if answer.is_empty() => {}
                _ => break,
            }
        }
        prop_assert!(world.chip.profiles().is_empty(), "bit {bit} of byte {at}");
    }
}
