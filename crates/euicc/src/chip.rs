//! The chip: one command in, one answer out, and what it keeps in between.
//!
//! Commands and answers are the data objects of ES10a, ES10b and ES10c in DER. What SGP.22 gives an error code for is
//! answered with that code; an `Err` is what a chip says with a status word alone. One file of [`crate::commands`]
//! for each function.

use crate::commands;
use crate::error::{EuiccError, Result};
use crate::faults::{Faults, Signed};
use crate::identity::Identity;
use crate::state::{ChipSettings, KeptKey, Notification, Profile, Session};
use crate::tlv;
use serde::{Deserialize, Serialize};
use simwarden_model::{Entropy, Iccid};

/// The longest command that the chip takes, in bytes.
pub const COMMAND_LENGTH_MAX: usize = 64 * 1024;
/// Notifications that the chip keeps; the oldest goes first.
pub(crate) const NOTIFICATIONS_MAX: usize = 256;

/// A simulated eUICC. All of it can be written with serde and read back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Euicc {
    pub(crate) identity: Identity,
    /// How it is built.
    #[serde(default)]
    pub settings: ChipSettings,
    /// What it does wrong.
    #[serde(default)]
    pub faults: Faults,
    pub(crate) profiles: Vec<Profile>,
    pub(crate) notifications: Vec<Notification>,
    pub(crate) next_seq: u64,
    pub(crate) next_isdp: u16,
    pub(crate) default_smdp: Option<String>,
    pub(crate) kept_keys: Vec<KeptKey>,
    pub(crate) session: Option<Session>,
    pub(crate) without_power: bool,
    /// The answers of the session before, for the faults that replay them.
    pub(crate) last_authenticate: Option<String>,
    pub(crate) last_prepare: Option<String>,
}

impl Euicc {
    /// A chip without profiles.
    #[must_use]
    pub fn new(identity: Identity, settings: ChipSettings) -> Self {
        Self {
            identity,
            settings,
            faults: Faults::default(),
            profiles: Vec::new(),
            notifications: Vec::new(),
            next_seq: 1,
            next_isdp: 0x10,
            default_smdp: None,
            kept_keys: Vec::new(),
            session: None,
            without_power: false,
            last_authenticate: None,
            last_prepare: None,
        }
    }

    /// Who it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The profiles on it, in the order of their installation.
    #[must_use]
    pub fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    /// The profile with this number.
    #[must_use]
    pub fn profile(&self, iccid: &Iccid) -> Option<&Profile> {
        self.profiles
            .iter()
            .find(|it| it.metadata.iccid == iccid.to_bcd())
    }

    /// Notifications that wait to be sent, the oldest first.
    #[must_use]
    pub fn notifications(&self) -> &[Notification] {
        &self.notifications
    }

    /// Memory for profiles that is free, in bytes.
    #[must_use]
    pub fn memory_free(&self) -> usize {
        let used: usize = self.profiles.iter().map(Profile::size).sum();
        usize::try_from(self.settings.memory_bytes)
            .unwrap_or(usize::MAX)
            .saturating_sub(used)
    }

    /// Takes power away and gives it back: the session is lost, and a package that was being loaded leaves the
    /// result "interrupted".
    pub fn power_cycle(&mut self) {
        self.without_power = false;
        commands::load::interrupted(self);
        self.session = None;
    }

    /// One command: an ES10 data object, or a piece of a bound profile package as a profile assistant cuts it.
    ///
    /// # Errors
    /// [`EuiccError`] where a chip would answer with a status word only: malformed, unknown, out of order, no power.
    pub fn process(&mut self, command: &[u8], entropy: &mut dyn Entropy) -> Result<Vec<u8>> {
        if self.without_power {
            return Err(EuiccError::NoPower);
        }
        if command.len() > COMMAND_LENGTH_MAX {
            return Err(EuiccError::TooLarge {
                what: "a command, in bytes",
                max: COMMAND_LENGTH_MAX,
            });
        }
        let (tag, ..) = tlv::header(command)?;
        if matches!(tag, 0xBF36 | 0xA0..=0xA3 | 0x86..=0x88) {
            return commands::load::piece(self, command);
        }
        let request = tlv::only(command, tag)?;
        match tag {
            0xBF20 => commands::info::info1(self, request),
            0xBF22 => commands::info::info2_answer(self, request),
            0xBF21 => commands::prepare::answer(self, request, entropy),
            0xBF28 => commands::notifications::list(self, request),
            0xBF29 => commands::nickname::answer(self, request),
            0xBF2B => commands::notifications::retrieve(self, request),
            0xBF2D => commands::list_profiles::answer(self, request),
            0xBF2E => commands::challenge::answer(self, request, entropy),
            0xBF30 => commands::notifications::remove(self, request),
            0xBF31 => commands::enable::answer(self, request),
            0xBF32 => commands::disable::answer(self, request),
            0xBF33 => commands::delete::answer(self, request),
            0xBF34 => commands::reset::answer(self, request),
            0xBF38 => commands::authenticate::answer(self, request),
            0xBF3C => commands::addresses::configured(self, request),
            0xBF3E => commands::eid::answer(self, request),
            0xBF3F => commands::addresses::set_default(self, request),
            0xBF41 => commands::cancel::answer(self, request),
            0xBF43 => commands::rat::answer(self, request),
            other => Err(EuiccError::UnknownFunction(other)),
        }
    }

    /// Signs, and gives the element `5F37`.
    pub(crate) fn sign(&self, what: Signed, parts: &[&[u8]]) -> Vec<u8> {
        let mut signature = self.identity.chip.key.sign(parts);
        if self.faults.wrong_signature == Some(what) {
            signature[63] ^= 1;
        }
        tlv::tlv(0x5F37, signature)
    }

    /// The certificate that it shows.
    pub(crate) fn shown_certificate(&self) -> Vec<u8> {
        let mut der = self.identity.chip.certificate.der().to_vec();
        let own = self
            .identity
            .chip
            .certificate
            .subject_serial()
            .unwrap_or_default();
        if let Some(claimed) = &self.faults.claimed_eid
            && claimed.len() == own.len()
            && !own.is_empty()
            && let Some(at) = der.windows(own.len()).position(|it| it == own.as_bytes())
        {
            der[at..at + own.len()].copy_from_slice(claimed.as_bytes());
        }
        der
    }
}
