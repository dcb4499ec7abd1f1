//! ES10c: `GetProfilesInfo` (SGP.22 5.7.15): what is on the chip.

use crate::chip::Euicc;
use crate::error::{EuiccError, Result};
use crate::state::Profile;
use crate::tlv::{Tlv, bits, join, number, tlv};

/// What is told when nothing in particular is asked for.
const DEFAULT_TAGS: [u32; 9] = [0x5A, 0x4F, 0x9F70, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95];

/// The profiles that fit the search, each with the fields asked for.
pub(crate) fn answer(chip: &Euicc, request: Tlv<'_>) -> Result<Vec<u8>> {
    let mut fields = request.inside();
    let by = match fields.optional(0xA0)? {
        Some(search) => search.inside().next()?,
        None => None,
    };
    let tags = match fields.optional(0x5C)? {
        Some(list) => read_tags(list.value)?,
        None => DEFAULT_TAGS.to_vec(),
    };
    fields.end()?;
    let fits = |profile: &&Profile| match by {
        None => true,
        Some(Tlv { tag: 0x5A, value, .. }) => profile.metadata.iccid == value,
        Some(Tlv { tag: 0x4F, value, .. }) => profile.aid == value,
        Some(Tlv { tag: 0x95, value, .. }) => value == [profile.metadata.class],
        Some(_) => false,
    };
    let found = chip.profiles.iter().filter(fits);
    let entries: Vec<u8> = found.flat_map(|it| entry(it, &tags)).collect();
    Ok(tlv(0xBF2D, tlv(0xA0, entries)))
}

fn entry(profile: &Profile, tags: &[u32]) -> Vec<u8> {
    let fields: Vec<u8> = tags.iter().flat_map(|tag| field(profile, *tag)).collect();
    tlv(0xE3, fields)
}

/// One field; nothing when the profile has none of it.
fn field(profile: &Profile, tag: u32) -> Vec<u8> {
    let about = &profile.metadata;
    let present = |it: &[u8]| if it.is_empty() { Vec::new() } else { tlv(tag, it) };
    match tag {
        0x5A => tlv(tag, about.iccid),
        0x4F => tlv(tag, profile.aid),
        0x9F70 => number(tag, u64::from(profile.enabled)),
        0x90 => present(profile.nickname.as_deref().unwrap_or_default().as_bytes()),
        0x91 => tlv(tag, &about.provider),
        0x92 => tlv(tag, &about.name),
        0x93 => about
            .icon_type
            .map(|it| number(tag, u64::from(it)))
            .unwrap_or_default(),
        0x94 => present(&about.icon),
        0x95 => number(tag, u64::from(about.class)),
        0xB6 if !about.notify.is_empty() => {
            let recipient =
                |(events, address): &(u8, String)| join(0x30, &[&bits(0x80, *events), &tlv(0x81, address)]);
            tlv(tag, about.notify.iter().flat_map(recipient).collect::<Vec<_>>())
        }
        0xB7 => present(&about.owner),
        0x99 if about.policy_rules != 0 => bits(tag, about.policy_rules),
        _ => Vec::new(),
    }
}

/// A list of tags, one after the other, each of one to three bytes.
fn read_tags(mut list: &[u8]) -> Result<Vec<u32>> {
    let mut tags = Vec::new();
    while let Some((first, rest)) = list.split_first() {
        let mut tag = u32::from(*first);
        list = rest;
        let mut more = first & 0x1F == 0x1F;
        while more {
            let Some((next, rest)) = list.split_first().filter(|_| tag <= 0xFFFF) else {
                return Err(EuiccError::Malformed("a tag list that is cut off"));
            };
            tag = tag << 8 | u32::from(*next);
            list = rest;
            more = next & 0x80 != 0;
        }
        tags.push(tag);
    }
    Ok(tags)
}
