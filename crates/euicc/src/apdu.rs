//! The APDU face of the chip (ISO 7816-4, ETSI TS 102 221, SGP.22 5.7.2): SELECT of the ISD-R, logical channels,
//! STORE DATA in blocks, GET RESPONSE.
//!
//! No file system, no PIN, no proactive commands: a device cannot go on a network with it.

use crate::chip::{COMMAND_LENGTH_MAX, Euicc};
use crate::error::{EuiccError, Result};
use crate::tlv;
use simwarden_model::Entropy;

/// The application identifier of the ISD-R, the part of a chip that speaks ES10.
pub const ISD_R: [u8; 16] = [
    0xA0, 0x00, 0x00, 0x05, 0x59, 0x10, 0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0x89, 0x00, 0x00, 0x01, 0x00,
];
/// The basic channel and three more.
pub const CHANNELS: usize = 4;

type Status = [u8; 2];
const OK: Status = [0x90, 0x00];
const WRONG_LENGTH: Status = [0x67, 0x00];
const CHANNEL_NOT_SUPPORTED: Status = [0x68, 0x81];
const CONDITIONS_NOT_SATISFIED: Status = [0x69, 0x85];
const WRONG_DATA: Status = [0x6A, 0x80];
const NOT_SUPPORTED: Status = [0x6A, 0x81];
const NOT_FOUND: Status = [0x6A, 0x82];
const NO_MEMORY: Status = [0x6A, 0x84];
const WRONG_P1_P2: Status = [0x6A, 0x86];
const DATA_NOT_FOUND: Status = [0x6A, 0x88];
const UNKNOWN_INS: Status = [0x6D, 0x00];
const UNKNOWN_CLA: Status = [0x6E, 0x00];

#[derive(Debug, Clone, Default)]
struct Channel {
    open: bool,
    isd_r: bool,
    /// Blocks of a command that is not whole yet, and the number that the next one must have.
    incoming: Vec<u8>,
    next_block: u8,
    /// What GET RESPONSE fetches.
    outgoing: Vec<u8>,
}

/// A chip in a card reader.
#[derive(Debug, Clone)]
pub struct Card {
    chip: Euicc,
    channels: [Channel; CHANNELS],
    changed: bool,
}

struct Apdu<'a> {
    cla: u8,
    ins: u8,
    p1: u8,
    p2: u8,
    data: &'a [u8],
    /// How many bytes are wanted at most, if any are.
    wanted: Option<usize>,
}

impl Card {
    /// Puts a chip into the reader.
    #[must_use]
    pub fn new(chip: Euicc) -> Self {
        let mut this = Self {
            chip,
            channels: Default::default(),
            changed: false,
        };
        this.reset();
        this
    }

    /// The chip.
    #[must_use]
    pub fn chip(&self) -> &Euicc {
        &self.chip
    }

    /// The chip, to set faults or settings.
    pub fn chip_mut(&mut self) -> &mut Euicc {
        &mut self.chip
    }

    /// Takes the chip out.
    #[must_use]
    pub fn into_chip(self) -> Euicc {
        self.chip
    }

    /// Power off and on: every channel but the basic one is closed, the session is lost.
    pub fn reset(&mut self) {
        self.changed |= self.chip.session.is_some();
        self.chip.power_cycle();
        self.channels = Default::default();
        self.channels[0].open = true;
    }

    /// Whether something that outlives a loss of power may have changed since this was last asked.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Opens a further channel and selects an application on it: its number, 1 to 3.
    ///
    /// # Errors
    /// [`EuiccError::Channel`] when none is free or there is no such application.
    pub fn open_channel(&mut self, aid: &[u8]) -> Result<u8> {
        let number = self
            .free_channel()
            .ok_or_else(|| EuiccError::Channel("no logical channel is free".into()))?;
        let channel = &mut self.channels[usize::from(number)];
        if !is_isd_r(aid) {
            return Err(EuiccError::Channel(
                "no such application: the ISD-R is the only one".into(),
            ));
        }
        *channel = Channel {
            open: true,
            isd_r: true,
            ..Channel::default()
        };
        Ok(number)
    }

    /// Closes a channel; the basic one stays open.
    pub fn close_channel(&mut self, number: u8) {
        if let Some(channel) = self.channels.get_mut(usize::from(number)).filter(|_| number != 0) {
            *channel = Channel::default();
        }
    }

    /// One command APDU in, one response APDU out, its status word at the end.
    ///
    /// # Errors
    /// [`EuiccError::NoPower`] when the chip does not answer at all.
    pub fn transmit(&mut self, command: &[u8], entropy: &mut dyn Entropy) -> Result<Vec<u8>> {
        let Some(apdu) = parse(command) else {
            return Ok(WRONG_LENGTH.to_vec());
        };
        // First interindustry and its proprietary twin, channels 0 to 3 (TS 102 221 10.1.1).
        if apdu.cla & 0x7C != 0 {
            return Ok(UNKNOWN_CLA.to_vec());
        }
        let at = usize::from(apdu.cla & 3);
        if !self.channels[at].open {
            return Ok(CHANNEL_NOT_SUPPORTED.to_vec());
        }
        if apdu.ins != 0xC0 {
            self.channels[at].outgoing.clear();
        }
        match apdu.ins {
            0x70 => Ok(self.manage_channel(&apdu)),
            0xA4 => Ok(self.select(at, &apdu)),
            0xC0 => Ok(self.get_response(at, &apdu)),
            0xE2 => self.store_data(at, &apdu, entropy),
            // TERMINAL CAPABILITY: the device says what it can do; nothing here depends on it.
            0xAA => Ok(OK.to_vec()),
            _ => Ok(UNKNOWN_INS.to_vec()),
        }
    }

    fn free_channel(&self) -> Option<u8> {
        let at = self.channels.iter().position(|it| !it.open)?;
        u8::try_from(at).ok()
    }

    fn manage_channel(&mut self, apdu: &Apdu<'_>) -> Vec<u8> {
        match (apdu.p1, apdu.p2) {
            (0x00, 0x00) => match self.free_channel() {
                Some(number) => {
                    self.channels[usize::from(number)].open = true;
                    [&[number][..], &OK].concat()
                }
                None => NOT_SUPPORTED.to_vec(),
            },
            (0x80, number) if (1..CHANNELS).contains(&usize::from(number)) => {
                self.close_channel(number);
                OK.to_vec()
            }
            _ => WRONG_P1_P2.to_vec(),
        }
    }

    fn select(&mut self, at: usize, apdu: &Apdu<'_>) -> Vec<u8> {
        if apdu.p1 != 0x04 || !is_isd_r(apdu.data) {
            return NOT_FOUND.to_vec();
        }
        self.channels[at] = Channel {
            open: true,
            isd_r: true,
            ..Channel::default()
        };
        let control = tlv::tlv(0x6F, tlv::tlv(0x84, ISD_R));
        self.respond(at, control, apdu.wanted)
    }

    fn store_data(&mut self, at: usize, apdu: &Apdu<'_>, entropy: &mut dyn Entropy) -> Result<Vec<u8>> {
        let channel = &mut self.channels[at];
        if !channel.isd_r || apdu.cla & 0x80 == 0 {
            return Ok(CONDITIONS_NOT_SATISFIED.to_vec());
        }
        // Block 0 begins anew, unless the count has just come round.
        if apdu.p2 == 0 && channel.next_block != 0 {
            channel.incoming.clear();
            channel.next_block = 0;
        }
        if !matches!(apdu.p1, 0x11 | 0x91) || apdu.p2 != channel.next_block {
            channel.incoming.clear();
            channel.next_block = 0;
            return Ok(WRONG_P1_P2.to_vec());
        }
        if channel.incoming.len() + apdu.data.len() > COMMAND_LENGTH_MAX {
            channel.incoming.clear();
            channel.next_block = 0;
            return Ok(NO_MEMORY.to_vec());
        }
        channel.incoming.extend_from_slice(apdu.data);
        channel.next_block = channel.next_block.wrapping_add(1);
        if apdu.p1 == 0x11 {
            return Ok(OK.to_vec());
        }
        channel.next_block = 0;
        let command = std::mem::take(&mut channel.incoming);
        let answer = self.chip.process(&command, entropy);
        self.changed |=
            outlives_power(&command) || answer.as_ref().is_ok_and(|it| it.starts_with(&[0xBF, 0x37]));
        let status = match answer {
            Ok(answer) => return Ok(self.respond(at, answer, apdu.wanted)),
            Err(EuiccError::NoPower) => return Err(EuiccError::NoPower),
            Err(EuiccError::UnknownFunction(_)) => DATA_NOT_FOUND,
            Err(EuiccError::OutOfOrder(_)) => CONDITIONS_NOT_SATISFIED,
            Err(EuiccError::TooLarge { .. }) => NO_MEMORY,
            Err(_) => WRONG_DATA,
        };
        Ok(status.to_vec())
    }

    fn get_response(&mut self, at: usize, apdu: &Apdu<'_>) -> Vec<u8> {
        let waiting = self.channels[at].outgoing.len();
        let wanted = apdu.wanted.unwrap_or(256);
        match u8::try_from(waiting) {
            Ok(0) => CONDITIONS_NOT_SATISFIED.to_vec(),
            Ok(all) if wanted > waiting => vec![0x6C, all],
            _ => {
                let answer = std::mem::take(&mut self.channels[at].outgoing);
                self.respond(at, answer, Some(wanted))
            }
        }
    }

    /// As much of the answer as is wanted; the rest waits, and `61xx` says how much of it.
    fn respond(&mut self, at: usize, mut answer: Vec<u8>, wanted: Option<usize>) -> Vec<u8> {
        let rest = answer.split_off(answer.len().min(wanted.unwrap_or(0)));
        let status = match u8::try_from(rest.len()) {
            Ok(0) => OK,
            Ok(left) => [0x61, left],
            Err(_) => [0x61, 0],
        };
        self.channels[at].outgoing = rest;
        answer.extend(status);
        answer
    }
}

/// A device may leave bytes of an AID off its end; at least the registered provider must be there.
fn is_isd_r(aid: &[u8]) -> bool {
    aid.len() >= 5 && ISD_R.starts_with(aid)
}

/// Commands that change what the chip keeps without power.
fn outlives_power(command: &[u8]) -> bool {
    let changing = [0x21, 0x29, 0x2E, 0x30, 0x31, 0x32, 0x33, 0x34, 0x3F, 0x41];
    matches!(command, [0xBF, second, ..] if changing.contains(second))
}

/// The four cases of ISO 7816-3, short and extended.
fn parse(command: &[u8]) -> Option<Apdu<'_>> {
    let [cla, ins, p1, p2, body @ ..] = command else {
        return None;
    };
    let short = |byte: u8| if byte == 0 { 256 } else { usize::from(byte) };
    let long = |high: u8, low: u8| match usize::from(u16::from_be_bytes([high, low])) {
        0 => 65_536,
        other => other,
    };
    let (data, wanted) = match body {
        [] => (&[][..], None),
        [le] => (&[][..], Some(short(*le))),
        [0, high, low] => (&[][..], Some(long(*high, *low))),
        [0, high, low, rest @ ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            match rest.split_at_checked(length)? {
                (data, []) => (data, None),
                (data, [high, low]) => (data, Some(long(*high, *low))),
                _ => return None,
            }
        }
        [length, rest @ ..] => match rest.split_at_checked(usize::from(*length))? {
            (data, []) => (data, None),
            (data, [le]) => (data, Some(short(*le))),
            _ => return None,
        },
    };
    Some(Apdu {
        cla: *cla,
        ins: *ins,
        p1: *p1,
        p2: *p2,
        data,
        wanted,
    })
}
