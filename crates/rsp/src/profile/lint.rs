//! What speaks against giving a profile to a subscriber: public keys, keys shared by several, test profiles.

use super::{ProfilePackage, element};
use crate::der::{Reader, Tlv};
use crate::effect::digest;
use crate::metadata::ProfileClass;
use std::collections::HashSet;

/// What a profile is to be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// A subscriber's number in a live network.
    Live,
    /// A laboratory.
    Test,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// An authentication key that is published or trivial: anyone can clone the line.
    PublicAuthenticationKey,
    /// The test algorithm of the network authentication: it protects nothing.
    TestAlgorithm,
    /// A remote-management key that is published or trivial: anyone can change the profile over the air.
    PublicRemoteKey,
    /// A remote-management key that another profile has too: who opens one chip manages all.
    SharedRemoteKey,
    /// A generic test profile of TS.48.
    GenericTestProfile,
    /// The metadata says it is for tests (or provisioning is all it is for).
    TestClass,
    /// The network of the IMSI is the test network 001.
    TestNetwork,
}

/// One thing found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// Whether the profile must not be used so; otherwise it is a warning.
    pub refuses: bool,
}

impl FindingKind {
    /// One sentence for the person who imports.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::PublicAuthenticationKey => {
                "an authentication key is public or trivial: personalise the profile with a secret one"
            }
            Self::TestAlgorithm => "it authenticates with the test algorithm: use Milenage or TUAK",
            Self::PublicRemoteKey => {
                "a remote-management key is public: remove remote management (RAM, RFM) or give it secret keys"
            }
            Self::SharedRemoteKey => {
                "a remote-management key is shared with another profile: draw one for each profile"
            }
            Self::GenericTestProfile => "it is a generic test profile of TS.48: never for a subscriber",
            Self::TestClass => "its metadata says that it is for tests",
            Self::TestNetwork => "its IMSI belongs to the test network 001",
        }
    }
}

/// Keys that are printed in public documents (TS.48, TS 35.208, SIM tools).
const PUBLIC_KEYS: &[[u8; 16]] = &[
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    0x0123_4567_89AB_CDEF_0123_4567_89AB_CDEF_u128.to_be_bytes(),
    0x0011_2233_4455_6677_8899_AABB_CCDD_EEFF_u128.to_be_bytes(),
    0x4041_4243_4445_4647_4849_4A4B_4C4D_4E4F_u128.to_be_bytes(),
    0x465B_5CE8_B199_B49F_AA5F_0A2E_E238_A6BC_u128.to_be_bytes(),
    0x1122_3344_5566_7788_99AA_BBCC_DDEE_FF10_u128.to_be_bytes(),
    0x8BAF_473F_2F8F_D094_87CC_CBD7_097C_6862_u128.to_be_bytes(),
];

fn is_public(key: &[u8]) -> bool {
    // A public key turned round is public too: generic test profiles do that.
    let turned = |public: &[u8; 16], part: &[u8]| public.repeat(2).windows(16).any(|it| it == part);
    let known = |part: &[u8]| PUBLIC_KEYS.iter().any(|public| turned(public, part));
    key.is_empty()
        || key.windows(2).all(|pair| pair[0] == pair[1])
        || key.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1))
        || (key.len().is_multiple_of(16) && key.chunks(16).all(known))
}

/// Looks a package through. `seen_remote_keys` holds the digests of other profiles' keys, see
/// [`remote_key_digests`].
#[must_use]
pub fn lint(
    package: &ProfilePackage<'_>,
    class: ProfileClass,
    used_for: Use,
    seen_remote_keys: &HashSet<[u8; 32]>,
) -> Vec<Finding> {
    let mut kinds = Vec::new();
    let mut add = |kind, present| {
        if present && !kinds.contains(&kind) {
            kinds.push(kind);
        }
    };
    for element in package.elements() {
        match element.tag {
            element::AKA_PARAMETER => {
                let (algorithm, keys) = aka_keys(element);
                add(FindingKind::TestAlgorithm, algorithm == Some(3));
                add(
                    FindingKind::PublicAuthenticationKey,
                    keys.first().is_some_and(|key| is_public(key)),
                );
            }
            element::CDMA_PARAMETER => {
                let key = element.inner().find(0x82).ok().flatten();
                add(
                    FindingKind::PublicAuthenticationKey,
                    key.is_some_and(|it| is_public(it.value)),
                );
            }
            element::SECURITY_DOMAIN => {
                for key in remote_keys(element) {
                    add(FindingKind::PublicRemoteKey, is_public(key));
                    let shared = seen_remote_keys.contains(&digest(key));
                    add(FindingKind::SharedRemoteKey, shared && !is_public(key));
                }
            }
            element::USIM => add(FindingKind::TestNetwork, imsi_begins_with_001(element)),
            _ => {}
        }
    }
    let generic = ["GSMA Generic", "Generic eUICC Test", "TS.48", "TS48"];
    add(
        FindingKind::GenericTestProfile,
        generic.iter().any(|name| package.profile_type().contains(name)),
    );
    add(FindingKind::TestClass, class == ProfileClass::Test);
    // In a laboratory everything may be public; a secret key in two profiles is a mistake there too.
    let refuses = |kind: FindingKind| used_for == Use::Live || kind == FindingKind::SharedRemoteKey;
    kinds
        .into_iter()
        .map(|kind| Finding {
            kind,
            refuses: refuses(kind),
        })
        .collect()
}

/// Digests of the remote-management keys of a package, to be kept and compared with other profiles'.
#[must_use]
pub fn remote_key_digests(package: &ProfilePackage<'_>) -> HashSet<[u8; 32]> {
    let domains = package
        .elements()
        .iter()
        .filter(|it| it.tag == element::SECURITY_DOMAIN);
    domains.flat_map(remote_keys).map(digest).collect()
}

/// Algorithm, then key and OPc, out of an akaParameter; empty where they come from elsewhere.
pub(super) fn aka_keys<'a>(aka: &Tlv<'a>) -> (Option<u32>, Vec<&'a [u8]>) {
    let read = || -> Option<(Option<u32>, Vec<&'a [u8]>)> {
        let mut parameter = aka.inner().find(0xA1).ok()??.inner().find(0xA1).ok()??.inner();
        let algorithm = parameter.expect(0x80).ok()?.unsigned().ok();
        parameter.optional(0x81).ok()?;
        let keys = [
            parameter.expect(0x82).ok()?.value,
            parameter.expect(0x83).ok()?.value,
        ];
        Some((algorithm, keys.to_vec()))
    };
    read().unwrap_or_default()
}

/// The key data in the key list of a security domain.
fn remote_keys<'a>(domain: &Tlv<'a>) -> Vec<&'a [u8]> {
    let mut found = Vec::new();
    if let Ok(Some(list)) = domain.inner().find(0xA2) {
        each(list.inner(), &mut |key| {
            if let Ok(Some(components)) = key.inner().find(0x30) {
                each(components.inner(), &mut |component| {
                    if let Ok(Some(data)) = component.inner().find(0x86) {
                        found.push(data.value);
                    }
                });
            }
        });
    }
    found
}

fn each<'a>(mut reader: Reader<'a>, visit: &mut dyn FnMut(Tlv<'a>)) {
    while let Ok(tlv) = reader.read() {
        visit(tlv);
    }
}

fn imsi_begins_with_001(usim: &Tlv<'_>) -> bool {
    let content = || usim.inner().find(0xA3).ok()??.inner().find(0x83).ok()?;
    content()
        .is_some_and(|it| matches!(it.value, [_, first, second, ..] if first >> 4 == 0 && *second == 0x10))
}
