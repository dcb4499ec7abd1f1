//! ES10b: `GetEUICCInfo` (SGP.22 5.7.8): what the chip can do, short and long.

use crate::chip::Euicc;
use crate::error::Result;
use crate::faults::Info2Fault;
use crate::tlv::{Tlv, bits, join, number, tlv};

/// Profile package version (SIMalliance) that the chip takes.
const PACKAGE_VERSION: [u8; 3] = [2, 3, 1];
/// USIM, ISIM, Milenage, TUAK, Java Card and further, as a BIT STRING with its count of unused bits.
const UICC_CAPABILITY: [u8; 4] = [0x06, 0x7F, 0x36, 0xC0];
const ADDITIONAL_PROFILE: u8 = 0x80;
const TEST_PROFILES: u8 = 0x10;
const CATEGORY_MEDIUM: u64 = 2;
const FREE_RAM_BYTES: u64 = 16 * 1024;

/// `EUICCInfo1`: enough to find a certificate in common.
pub(crate) fn info1(chip: &Euicc, request: Tlv<'_>) -> Result<Vec<u8>> {
    request.inside().end()?;
    let ids = key_ids(chip);
    Ok(join(
        0xBF20,
        &[&tlv(0x82, chip.settings.svn), &tlv(0xA9, &ids), &tlv(0xAA, &ids)],
    ))
}

/// `EUICCInfo2`, as asked by the device.
pub(crate) fn info2_answer(chip: &Euicc, request: Tlv<'_>) -> Result<Vec<u8>> {
    request.inside().end()?;
    Ok(info2(chip))
}

/// `EUICCInfo2`: as it is signed for a server.
pub(crate) fn info2(chip: &Euicc) -> Vec<u8> {
    let settings = &chip.settings;
    let firmware = match chip.faults.info2 {
        Some(Info2Fault::Firmware(claimed)) => claimed,
        _ => settings.firmware,
    };
    let free = chip.memory_free() as u64;
    let resources = [
        number(0x81, chip.profiles.len() as u64),
        number(0x82, free),
        number(0x83, FREE_RAM_BYTES),
    ];
    let room = chip.profiles.len() < settings.profiles_max;
    let capability = TEST_PROFILES | if room { ADDITIONAL_PROFILE } else { 0 };
    let ids = key_ids(chip);
    let forbidden = match settings.forbidden_policy_rules {
        0 => Vec::new(),
        rules => bits(0x99, rules),
    };
    join(
        0xBF22,
        &[
            &tlv(0x81, PACKAGE_VERSION),
            &tlv(0x82, settings.svn),
            &tlv(0x83, firmware),
            &tlv(0x84, resources.concat()),
            &tlv(0x85, UICC_CAPABILITY),
            &bits(0x88, capability),
            &tlv(0xA9, &ids),
            &tlv(0xAA, &ids),
            &number(0x8B, CATEGORY_MEDIUM),
            &forbidden,
            &tlv(0x04, [1, 0, 0]),
            &tlv(0x0C, "SIMULATED-0000"),
        ],
    )
}

fn key_ids(chip: &Euicc) -> Vec<u8> {
    let ids = chip.identity.ci_key_ids();
    ids.iter().flat_map(|id| tlv(0x04, id)).collect()
}
