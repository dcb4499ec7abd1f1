//! What a decision may still ask for: factors, and which combinations of them are enough.
//!
//! The vocabulary is closed. Knowledge questions, call logs, recent payments and an SMS to the new SIM have no word
//! here, so no rule can ask for them and no rule can be satisfied by them.

use crate::facts::{Evidence, Facts};
use crate::span::Span;
use crate::word::serde_as_text;
use std::fmt::Write as _;

/// A factor enrolled, or a channel changed, more recently than this proves nothing: a thief who took over the account
/// has just done it.
pub const SETTLED: Span = Span::hours(72);

/// One proof that can be asked for. Written as in rules: `passkey`, `face(far<=100,pad>=2)`, `fingers(2,chosen,live)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Factor {
    /// A passkey enrolled at least [`SETTLED`] ago.
    Passkey,
    /// An authenticator application enrolled at least [`SETTLED`] ago.
    Totp,
    /// Number-matched approval of the owner on an old device or a settled channel.
    OwnerApproval,
    /// An answer from the old SIM.
    OldSimConfirm,
    /// A call back to the contact of record.
    CallBack,
    /// Presence at the counter.
    InPerson,
    /// A checked identity document.
    Document,
    /// A document whose chip was read and verified.
    DocumentChip,
    /// A live face against the enrolled one, with limits on the matcher (R10).
    Face {
        /// Highest false acceptance rate, in millionths.
        far_ppm_max: Option<u32>,
        /// Highest false rejection rate, in millionths.
        frr_ppm_max: Option<u32>,
        /// Lowest level of presentation attack detection.
        pad_level_min: Option<u32>,
    },
    /// Fingers against the enrolled ones (R9).
    Fingers {
        /// How many must match.
        count: u32,
        /// Whether the system must choose which.
        chosen: bool,
        /// Whether the reader must detect living skin.
        live: bool,
    },
    /// An accredited digital identity.
    DigitalId,
    /// The primary person authorised by a company (R22).
    CorporatePrimary,
    /// A second person authorised by a company (R22).
    CorporateSecondary,
    /// So many approvers who are not the requester (R24).
    SecondApprover {
        /// How many.
        count: u32,
        /// Whether one must work elsewhere and be chosen by the system.
        elsewhere: bool,
    },
    /// The confirmation code sent by another channel.
    ConfirmationCode,
    /// A port authorisation code of the old operator.
    PortCode,
}

impl Factor {
    /// Whether the evidence at hand is this proof. Unknown evidence is none.
    #[must_use]
    pub fn given(self, facts: &Facts) -> bool {
        let e: &Evidence = &facts.evidence;
        let yes = |flag: Option<bool>| flag == Some(true);
        let settled = |age: crate::Age| match age {
            crate::Age::Minutes(minutes) => minutes >= SETTLED.minutes(),
            crate::Age::Never => true,
            crate::Age::Unknown => false,
        };
        let within = |limit: Option<u32>, value: Option<u32>| {
            limit.is_none_or(|max| value.is_some_and(|value| value <= max))
        };
        match self {
            Self::Passkey => yes(e.passkey) && settled(e.passkey_age),
            Self::Totp => yes(e.totp) && settled(e.totp_age),
            Self::OwnerApproval => yes(e.owner_approval) && settled(e.owner_approval_channel_age),
            Self::OldSimConfirm => yes(e.old_sim_confirm),
            Self::CallBack => yes(e.call_back) && settled(facts.line.contact_change_age),
            Self::InPerson => yes(e.in_person),
            Self::Document => yes(e.document) || yes(e.document_chip),
            Self::DocumentChip => yes(e.document_chip),
            Self::Face {
                far_ppm_max,
                frr_ppm_max,
                pad_level_min,
            } => {
                yes(e.face)
                    && within(far_ppm_max, e.face_far_ppm)
                    && within(frr_ppm_max, e.face_frr_ppm)
                    && pad_level_min.is_none_or(|min| e.face_pad_level.is_some_and(|level| level >= min))
            }
            Self::Fingers { count, chosen, live } => {
                e.fingers.is_some_and(|n| n >= count)
                    && (!chosen || yes(e.fingers_system_chosen))
                    && (!live || yes(e.fingers_live))
            }
            Self::DigitalId => yes(e.digital_id),
            Self::CorporatePrimary => yes(e.corporate_primary),
            Self::CorporateSecondary => yes(e.corporate_secondary),
            Self::SecondApprover { count, elsewhere } => {
                facts.actor.approver_is_requester == Some(false)
                    && e.approvers.is_some_and(|n| n >= count)
                    && (!elsewhere || yes(e.approver_elsewhere))
            }
            Self::ConfirmationCode => yes(e.confirmation_code),
            Self::PortCode => yes(e.port_code),
        }
    }

    /// Whether the proof ties the request to the owner, rather than to a clerk or a piece of paper.
    #[must_use]
    pub const fn proves_owner(self) -> bool {
        matches!(
            self,
            Self::Passkey
                | Self::Totp
                | Self::OwnerApproval
                | Self::OldSimConfirm
                | Self::CallBack
                | Self::DocumentChip
                | Self::Face { .. }
                | Self::Fingers { .. }
                | Self::DigitalId
                | Self::CorporatePrimary
        )
    }

    /// Whether whoever gave this proof has given `other` as well.
    #[must_use]
    pub fn implies(self, other: Self) -> bool {
        let below =
            |own: Option<u32>, limit: Option<u32>| limit.is_none_or(|max| own.is_some_and(|n| n <= max));
        match (self, other) {
            (Self::DocumentChip, Self::Document) => true,
            (
                Self::Face {
                    far_ppm_max: far,
                    frr_ppm_max: frr,
                    pad_level_min: pad,
                },
                Self::Face {
                    far_ppm_max,
                    frr_ppm_max,
                    pad_level_min,
                },
            ) => {
                below(far, far_ppm_max)
                    && below(frr, frr_ppm_max)
                    && pad_level_min.is_none_or(|min| pad.is_some_and(|level| level >= min))
            }
            (
                Self::Fingers { count, chosen, live },
                Self::Fingers {
                    count: n,
                    chosen: c,
                    live: l,
                },
            ) => count >= n && chosen >= c && live >= l,
            (
                Self::SecondApprover { count, elsewhere },
                Self::SecondApprover {
                    count: n,
                    elsewhere: e,
                },
            ) => count >= n && elsewhere >= e,
            (one, two) => one == two,
        }
    }

    /// The bare name, without limits.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passkey => "passkey",
            Self::Totp => "totp",
            Self::OwnerApproval => "owner_approval",
            Self::OldSimConfirm => "old_sim_confirm",
            Self::CallBack => "call_back",
            Self::InPerson => "in_person",
            Self::Document => "document",
            Self::DocumentChip => "document_chip",
            Self::Face { .. } => "face",
            Self::Fingers { .. } => "fingers",
            Self::DigitalId => "digital_id",
            Self::CorporatePrimary => "corporate_primary",
            Self::CorporateSecondary => "corporate_secondary",
            Self::SecondApprover { .. } => "second_approver",
            Self::ConfirmationCode => "confirmation_code",
            Self::PortCode => "port_code",
        }
    }
}

impl std::fmt::Display for Factor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut limits = Vec::new();
        match *self {
            Self::Face {
                far_ppm_max,
                frr_ppm_max,
                pad_level_min,
            } => {
                limits.extend(far_ppm_max.map(|n| format!("far<={n}ppm")));
                limits.extend(frr_ppm_max.map(|n| format!("frr<={n}ppm")));
                limits.extend(pad_level_min.map(|n| format!("pad>={n}")));
            }
            Self::Fingers { count, chosen, live } => {
                limits.push(count.to_string());
                limits.extend(chosen.then(|| "chosen".to_owned()));
                limits.extend(live.then(|| "live".to_owned()));
            }
            Self::SecondApprover { count, elsewhere } => {
                limits.extend((count != 1).then(|| count.to_string()));
                limits.extend(elsewhere.then(|| "elsewhere".to_owned()));
            }
            _ => {}
        }
        f.write_str(self.name())?;
        if limits.is_empty() {
            Ok(())
        } else {
            write!(f, "({})", limits.join(","))
        }
    }
}

/// The factors that a rule may name, for messages.
const FACTORS: &str = "passkey, totp, owner_approval, old_sim_confirm, call_back, in_person, document, \
     document_chip, face(far<=100ppm,frr<=50000ppm,pad>=2), fingers(2,chosen,live), digital_id, \
     corporate_primary, corporate_secondary, second_approver(2,elsewhere), confirmation_code, port_code";

/// Words for proofs that never suffice, and what they are.
const FORBIDDEN: &[(&str, &str)] = &[
    ("kba", "knowledge questions"),
    ("knowledge", "knowledge questions"),
    ("security_question", "knowledge questions"),
    ("pin", "a number that can be told to a stranger"),
    ("call_log", "call logs"),
    ("recent_payment", "recent payments"),
    ("sms", "a code by SMS"),
    ("sms_otp", "a code by SMS"),
    ("sms_new_sim", "an SMS to the new SIM"),
    ("sms_to_new_sim", "an SMS to the new SIM"),
    ("device_numbers", "numbers printed on the device"),
];

impl std::str::FromStr for Factor {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, limits) = match text.split_once('(') {
            Some((name, rest)) => (
                name,
                rest.strip_suffix(')')
                    .ok_or_else(|| format!("`{text}` lacks its closing parenthesis"))?,
            ),
            None => (text, ""),
        };
        let limits: Vec<&str> = limits
            .split(',')
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .collect();
        let plain = |factor: Self| match limits.first() {
            None => Ok(factor),
            Some(limit) => Err(format!("`{name}` takes no limit, but has `{limit}`")),
        };
        match name {
            "passkey" => plain(Self::Passkey),
            "totp" => plain(Self::Totp),
            "owner_approval" => plain(Self::OwnerApproval),
            "old_sim_confirm" => plain(Self::OldSimConfirm),
            "call_back" => plain(Self::CallBack),
            "in_person" => plain(Self::InPerson),
            "document" => plain(Self::Document),
            "document_chip" => plain(Self::DocumentChip),
            "digital_id" => plain(Self::DigitalId),
            "corporate_primary" => plain(Self::CorporatePrimary),
            "corporate_secondary" => plain(Self::CorporateSecondary),
            "confirmation_code" => plain(Self::ConfirmationCode),
            "port_code" => plain(Self::PortCode),
            "face" => face(&limits),
            "fingers" => fingers(&limits),
            "second_approver" => second_approver(&limits),
            other => match FORBIDDEN.iter().find(|(word, _)| *word == other) {
                Some((_, what)) => Err(format!(
                    "`{other}` ({what}) never suffices for an operation and cannot be asked for; use one of: {FACTORS}"
                )),
                None => Err(format!("`{other}` is no factor; use one of: {FACTORS}")),
            },
        }
    }
}

fn count(limit: &str) -> Option<u32> {
    limit.parse().ok().filter(|n| (1..=10).contains(n))
}

fn face(limits: &[&str]) -> Result<Factor, String> {
    let (mut far_ppm_max, mut frr_ppm_max, mut pad_level_min) = (None, None, None);
    for limit in limits {
        let ppm = |text: &str| text.strip_suffix("ppm").and_then(|n| n.parse::<u32>().ok());
        let slot = if let Some(n) = limit.strip_prefix("far<=").and_then(ppm) {
            far_ppm_max.replace(n)
        } else if let Some(n) = limit.strip_prefix("frr<=").and_then(ppm) {
            frr_ppm_max.replace(n)
        } else if let Some(n) = limit.strip_prefix("pad>=").and_then(count) {
            pad_level_min.replace(n)
        } else {
            return Err(format!(
                "`{limit}` is no limit of `face`; write far<=100ppm, frr<=50000ppm or pad>=2"
            ));
        };
        if slot.is_some() {
            return Err(format!("`{limit}` limits the same thing twice; keep one"));
        }
    }
    Ok(Factor::Face {
        far_ppm_max,
        frr_ppm_max,
        pad_level_min,
    })
}

fn fingers(limits: &[&str]) -> Result<Factor, String> {
    let (mut n, mut chosen, mut live) = (1, false, false);
    for limit in limits {
        match (*limit, count(limit)) {
            (_, Some(fingers)) => n = fingers,
            ("chosen", None) => chosen = true,
            ("live", None) => live = true,
            (other, None) => {
                return Err(format!(
                    "`{other}` is no limit of `fingers`; write a number from 1 to 10, chosen, live"
                ));
            }
        }
    }
    Ok(Factor::Fingers {
        count: n,
        chosen,
        live,
    })
}

fn second_approver(limits: &[&str]) -> Result<Factor, String> {
    let (mut n, mut elsewhere) = (1, false);
    for limit in limits {
        match (*limit, count(limit)) {
            (_, Some(approvers)) => n = approvers,
            ("elsewhere", None) => elsewhere = true,
            (other, None) => {
                return Err(format!(
                    "`{other}` is no limit of `second_approver`; write a number from 1 to 10, elsewhere"
                ));
            }
        }
    }
    Ok(Factor::SecondApprover { count: n, elsewhere })
}

serde_as_text!(Factor);

/// Alternatives, each a combination of factors: `passkey|document+face` asks for a passkey, or for both others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requirement(Vec<Vec<Factor>>);

impl Requirement {
    /// The alternatives; each is enough, and each needs all of its factors. Neither list is empty.
    #[must_use]
    pub fn alternatives(&self) -> &[Vec<Factor>] {
        &self.0
    }

    /// Whether the evidence at hand is enough.
    #[must_use]
    pub fn met(&self, facts: &Facts) -> bool {
        self.0
            .iter()
            .any(|all| all.iter().all(|factor| factor.given(facts)))
    }

    /// Whether whatever meets this meets `other` as well, so that `other` need not be asked for beside it.
    #[must_use]
    pub fn implies(&self, other: &Self) -> bool {
        self.0.iter().all(|given| {
            other.0.iter().any(|all| {
                all.iter()
                    .all(|asked| given.iter().any(|factor| factor.implies(*asked)))
            })
        })
    }

    /// A requirement known when the program is built: any one of these factors.
    pub(crate) fn any_of(factors: &[Factor]) -> Self {
        Self(factors.iter().map(|factor| vec![*factor]).collect())
    }

    /// One more alternative: all of these factors together.
    pub(crate) fn or(mut self, all: &[Factor]) -> Self {
        self.0.push(all.to_vec());
        self
    }
}

impl std::fmt::Display for Requirement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, all) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_char('|')?;
            }
            for (j, factor) in all.iter().enumerate() {
                if j > 0 {
                    f.write_char('+')?;
                }
                write!(f, "{factor}")?;
            }
        }
        Ok(())
    }
}

impl std::str::FromStr for Requirement {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let alternatives = text
            .split('|')
            .map(|all| all.split('+').map(|factor| factor.trim().parse()).collect())
            .collect::<Result<Vec<Vec<Factor>>, String>>()?;
        Ok(Self(alternatives))
    }
}

serde_as_text!(Requirement);

#[cfg(test)]
mod tests {
    use super::Requirement;

    #[test]
    fn reads_what_it_writes() {
        for text in [
            "passkey",
            "passkey|in_person+document_chip+face(far<=100ppm,frr<=50000ppm,pad>=2)",
            "fingers(2,chosen,live)+second_approver(2,elsewhere)",
            "second_approver|fingers(1)|face",
        ] {
            assert_eq!(text.parse::<Requirement>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_stronger_requirement_covers_a_weaker_one() {
        let implies =
            |one: &str, two: &str| one.parse::<Requirement>().unwrap().implies(&two.parse().unwrap());
        assert!(implies("passkey", "passkey|totp"));
        assert!(!implies("passkey|totp", "passkey"));
        assert!(implies("in_person+document_chip", "document"));
        assert!(implies("face(far<=10ppm,pad>=2)", "face(far<=100ppm)"));
        assert!(!implies("face(far<=100ppm)", "face(far<=10ppm)"));
        assert!(!implies("face", "face(pad>=1)"));
        assert!(implies("second_approver(2,elsewhere)", "second_approver"));
        assert!(!implies("second_approver(2)", "second_approver(elsewhere)"));
        assert!(implies("fingers(2,chosen,live)", "fingers(1)"));
    }
}
