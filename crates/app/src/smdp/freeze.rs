//! Freezes: what gets no profile from this SM-DP+, inside running sessions too.

use super::rows::eid_index;
use super::world::{SmdpNeeds, SmdpWrite, number_key, operator_key};
use crate::committer::Job;
use crate::draft::Draft;
use crate::entry::hex;
use crate::world::{Needs, World};
use crate::{Actor, App, Error};
use simwarden_model::{Eid, Msisdn, Plmn, ReasonCode, Region, Role};
use simwarden_store::records::smdp_freeze::SmdpFreeze;
use simwarden_store::{Indexed, Keyring};

/// What is frozen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FreezeTarget {
    /// Every download.
    All,
    /// The profiles of one operator.
    Operator(Plmn),
    /// One chip.
    Eid(Eid),
    /// The chips of one maker, by the key id of its certificate, hexadecimal.
    Eum(String),
    /// One kind of phone, eight digits.
    Tac(String),
    /// One number, in orders that belong to an operation.
    Number(Msisdn),
}

impl FreezeTarget {
    /// Reads `all`, `operator:456-01`, `eid:<32 digits>`, `eum:<40 hexadecimal digits>`, `tac:<8 digits>`,
    /// `number:+855…`.
    ///
    /// # Errors
    /// What it must look like.
    pub fn parse(text: &str, region: Region) -> Result<Self, String> {
        let (scope, value) = text.split_once(':').unwrap_or((text, ""));
        let digits = |count: usize, radix| value.len() == count && value.chars().all(|c| c.is_digit(radix));
        match scope {
            "all" if value.is_empty() => Ok(Self::All),
            "operator" => Plmn::parse(value)
                .map(Self::Operator)
                .map_err(|e| e.to_string()),
            "eid" => Eid::parse_vouched(value)
                .map(|it| Self::Eid(it.0))
                .map_err(|e| e.to_string()),
            "eum" if digits(40, 16) => Ok(Self::Eum(value.to_ascii_lowercase())),
            "tac" if digits(8, 10) => Ok(Self::Tac(value.to_owned())),
            "number" => Msisdn::parse(value, region)
                .map(Self::Number)
                .map_err(|e| e.to_string()),
            _ => Err(
                "give `all`, `operator:456-01`, `eid:` and 32 digits, `eum:` and 40 hexadecimal digits, `tac:` and 8 \
                 digits, or `number:` and a phone number"
                    .to_owned(),
            ),
        }
    }

    fn key(&self, keyring: &Keyring) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Operator(plmn) => operator_key(&plmn.to_string()),
            Self::Eid(eid) => format!("eid:{}", hex(eid_index(keyring, eid).as_bytes())),
            Self::Eum(id) => format!("eum:{id}"),
            Self::Tac(tac) => format!("tac:{tac}"),
            Self::Number(number) => number_key(&keyring.index(Indexed::Msisdn, number.reveal().as_bytes())),
        }
    }
}

/// A freeze to be set, or lifted.
#[derive(Debug, Clone)]
pub struct Freeze {
    /// What.
    pub target: FreezeTarget,
    /// Why; none lifts it.
    pub reason: Option<ReasonCode>,
}

impl App {
    /// Sets or lifts a freeze. It holds from the next call of every session on.
    ///
    /// # Errors
    /// When nothing can be written, or the actor may not.
    pub async fn freeze_downloads(&self, actor: &Actor, freeze: &Freeze) -> Result<(), Error> {
        if !matches!(actor.role, Role::System | Role::Admin | Role::FraudAnalyst) {
            return Err(Error::forbidden(
                "downloads are frozen by a fraud analyst or an administrator",
            ));
        }
        let key = freeze.target.key(self.keyring());
        self.commit(SetFreeze {
            actor: actor.clone(),
            key,
            reason: freeze.reason.clone(),
        })
        .await
    }
}

struct SetFreeze {
    actor: Actor,
    key: String,
    reason: Option<ReasonCode>,
}

impl Job for SetFreeze {
    type Answer = ();

    fn needs(&self) -> Needs {
        Needs {
            smdp: SmdpNeeds {
                freezes: vec![self.key.clone()],
                sets_freezes: true,
                ..SmdpNeeds::default()
            },
            ..Needs::default()
        }
    }

    fn run(&self, _: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        // The scope alone: the key of a number or chip says nothing to a reader, yet would link entries.
        let scope = self.key.split(':').next().unwrap_or_default().to_owned();
        let kind = if self.reason.is_some() {
            "smdp.frozen"
        } else {
            "smdp.thawed"
        };
        draft.begin_entry(kind, self.actor.role, Some(self.actor.token));
        draft.entry().detail = serde_json::json!({ "scope": scope, "reason": self.reason });
        draft.smdp(match &self.reason {
            Some(reason) => SmdpWrite::Freeze(SmdpFreeze {
                key: self.key.clone(),
                reason: reason.as_str().to_owned(),
                set_at: draft.now,
            }),
            None => SmdpWrite::Lift(self.key.clone()),
        });
        draft.end_entry()?;
        Ok(())
    }
}
