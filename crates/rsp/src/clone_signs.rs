//! Signs that one EID is used by two chips: a pure comparison of what is known with what is seen (checklist, 6).
//!
//! None of them is proof; what follows from one (alarm, quarantine, a question to the subscriber) is decided
//! elsewhere.

use simwarden_model::{Eid, Imei};

/// One sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloneSign {
    /// Another certificate for the same EID.
    Certificate,
    /// Another key for the same EID.
    Key,
    /// Fixed properties of the chip differ (profile version, platform label, capabilities, SAS number).
    ChipProperties,
    /// The firmware went back.
    FirmwareBack,
    /// Another kind of phone.
    Tac,
    /// Another phone.
    Imei,
    /// Another session of the same EID is open.
    SessionsAtOnce,
    /// A sequence number of the chip's notifications went back or came twice with other content.
    SequenceBack,
    /// The same profile was reported installed twice.
    InstalledTwice,
    /// A package was sent and the chip never said what became of it.
    NoInstallResult,
    /// The package was fetched anew with another one-time key before the chip said what became of the first.
    Rebound,
}

impl CloneSign {
    /// The written name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Key => "key",
            Self::ChipProperties => "chip_properties",
            Self::FirmwareBack => "firmware_back",
            Self::Tac => "tac",
            Self::Imei => "imei",
            Self::SessionsAtOnce => "sessions_at_once",
            Self::SequenceBack => "sequence_back",
            Self::InstalledTwice => "installed_twice",
            Self::NoInstallResult => "no_install_result",
            Self::Rebound => "rebound",
        }
    }

    /// Whether it speaks of the chip itself, and not only of the phone around it: a removable eUICC may move.
    #[must_use]
    pub const fn is_of_chip(self) -> bool {
        !matches!(
            self,
            Self::Tac | Self::Imei | Self::NoInstallResult | Self::Rebound
        )
    }
}

/// What one authenticated session shows of a chip.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sighting {
    /// The chip.
    #[serde(with = "crate::wire::eid")]
    pub eid: Eid,
    /// SHA-256 of its certificate.
    #[serde(with = "crate::wire::bytes")]
    pub certificate_digest: [u8; 32],
    /// SHA-256 of its public key.
    #[serde(with = "crate::wire::bytes")]
    pub key_digest: [u8; 32],
    /// SHA-256 of the properties that no use and no update changes.
    #[serde(with = "crate::wire::bytes")]
    pub properties_digest: [u8; 32],
    /// Its firmware version.
    #[serde(with = "crate::wire::bytes")]
    pub firmware: [u8; 3],
    /// The type of the phone.
    #[serde(with = "crate::wire::bytes")]
    pub tac: [u8; 4],
    /// The phone, when it says so.
    #[serde(with = "crate::wire::imei_optional", default)]
    pub imei: Option<Imei>,
}

/// What is known of a chip from before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The last sighting.
    pub sighting: Sighting,
    /// Its sessions that are open besides this one.
    pub open_sessions: u32,
    /// Packages sent to it more than a day ago that it never reported on.
    pub unanswered_packages: u32,
}

/// Compares a sighting with what is known; the signs, in order, none twice.
#[must_use]
pub fn compare(known: &Known, seen: &Sighting) -> Vec<CloneSign> {
    let before = &known.sighting;
    if before.eid != seen.eid {
        return Vec::new();
    }
    let imei_differs = before
        .imei
        .zip(seen.imei)
        .is_some_and(|(before, seen)| before != seen);
    [
        (
            CloneSign::Certificate,
            before.certificate_digest != seen.certificate_digest,
        ),
        (CloneSign::Key, before.key_digest != seen.key_digest),
        (
            CloneSign::ChipProperties,
            before.properties_digest != seen.properties_digest,
        ),
        (CloneSign::FirmwareBack, seen.firmware < before.firmware),
        (CloneSign::Tac, before.tac != seen.tac),
        (CloneSign::Imei, imei_differs),
        (CloneSign::SessionsAtOnce, known.open_sessions > 0),
        (CloneSign::NoInstallResult, known.unanswered_packages > 0),
    ]
    .into_iter()
    .filter_map(|(sign, present)| present.then_some(sign))
    .collect()
}

/// What a notification's sequence number says, given the highest seen from this chip and whether the very same
/// notification was seen before (a resent one is no sign).
#[must_use]
pub fn compare_sequence(highest_seen: Option<u32>, sequence: u32, is_resent: bool) -> Option<CloneSign> {
    let back = highest_seen.is_some_and(|highest| sequence <= highest);
    (back && !is_resent).then_some(CloneSign::SequenceBack)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut Sighting);

    fn sighting() -> Sighting {
        Sighting {
            eid: Eid::parse("89049032123451234512345678901235").unwrap(),
            certificate_digest: [1; 32],
            key_digest: [2; 32],
            properties_digest: [3; 32],
            firmware: [1, 2, 3],
            tac: [0x35, 0x29, 0x06, 0x11],
            imei: Some(
                Imei::parse("352906111234567")
                    .or_else(|_| Imei::parse("35290611123456"))
                    .unwrap(),
            ),
        }
    }

    #[test]
    fn each_difference_is_its_own_sign_and_none_is_invented() {
        let known = |open, unanswered| Known {
            sighting: sighting(),
            open_sessions: open,
            unanswered_packages: unanswered,
        };
        assert_eq!(compare(&known(0, 0), &sighting()), []);
        assert_eq!(compare(&known(1, 0), &sighting()), [CloneSign::SessionsAtOnce]);
        assert_eq!(compare(&known(0, 2), &sighting()), [CloneSign::NoInstallResult]);
        let cases: [(Change, &[CloneSign]); 8] = [
            (|it| it.certificate_digest[0] ^= 1, &[CloneSign::Certificate]),
            (|it| it.key_digest[0] ^= 1, &[CloneSign::Key]),
            (|it| it.properties_digest[0] ^= 1, &[CloneSign::ChipProperties]),
            (|it| it.firmware = [1, 2, 2], &[CloneSign::FirmwareBack]),
            (|it| it.firmware = [1, 3, 0], &[]),
            (|it| it.tac[3] ^= 1, &[CloneSign::Tac]),
            (
                |it| it.imei = Some(Imei::parse("35290611654321").unwrap()),
                &[CloneSign::Imei],
            ),
            (|it| it.imei = None, &[]),
        ];
        for (change, signs) in cases {
            let mut seen = sighting();
            change(&mut seen);
            assert_eq!(compare(&known(0, 0), &seen), signs);
        }
    }

    #[test]
    fn sequence_numbers_only_go_up_except_for_a_resent_notification() {
        assert_eq!(compare_sequence(None, 0, false), None);
        assert_eq!(compare_sequence(Some(4), 5, false), None);
        assert_eq!(compare_sequence(Some(5), 5, true), None);
        assert_eq!(compare_sequence(Some(5), 5, false), Some(CloneSign::SequenceBack));
        assert_eq!(compare_sequence(Some(5), 3, false), Some(CloneSign::SequenceBack));
    }
}
