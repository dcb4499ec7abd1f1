//! Parsers of outside bytes: never a panic, and no valid certificate survives a change.

use crate::kit::{EID, World};
use proptest::prelude::*;
use simwarden_rsp::certificate::Certificate;
use simwarden_rsp::chain::{Screen, verify};
use simwarden_rsp::{EuiccInfo1, notification, package};
use std::sync::LazyLock;

static WORLD: LazyLock<World> = LazyLock::new(World::new);

proptest! {
    #[test]
    fn no_changed_certificate_vouches_for_a_chip(at in any::<prop::sample::Index>(), bit in 0..8_u8, of_chip in any::<bool>()) {
        let chip = WORLD.chip(EID, 1);
        let mut changed = if of_chip { chip.certificate.clone() } else { chip.eum.clone() };
        let at = at.index(changed.len());
        changed[at] ^= 1 << bit;
        let (eum, euicc) = if of_chip { (&chip.eum, &changed) } else { (&changed, &chip.certificate) };
        prop_assert!(verify(&WORLD.ci, eum, euicc, crate::kit::now(), &Screen::default()).is_err());
        prop_assert!(Certificate::parse(&changed[..at]).is_err());
    }

    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400), tag in prop::sample::select(vec![0x30_u32, 0xBF20, 0xBF36, 0xBF37])) {
        let wrapped = simwarden_rsp::der::tlv(tag, &[&bytes]);
        let _ = Certificate::parse(&wrapped);
        let _ = EuiccInfo1::parse(&wrapped);
        let _ = notification::read(&wrapped);
        let _ = package::check_form(&wrapped);
        let _ = simwarden_rsp::Prepared::from_bytes(&bytes);
    }
}
