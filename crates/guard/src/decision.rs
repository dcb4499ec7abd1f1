//! The answer of the guard.

use crate::requirement::Requirement;
use crate::span::Span;
use crate::word::{serde_as_text, words};
use serde::{Deserialize, Serialize};
use simwarden_model::{ReasonCode, Timestamp};
use std::sync::Arc;

words! {
    /// What may happen now, from the loosest to the strictest.
    Verdict("verdict") {
        /// Go on.
        Allow = "allow",
        /// Go on once the requirements are met.
        StepUp = "step_up",
        /// Wait; the requirements must be met as well.
        Hold = "hold",
        /// Not at all.
        Deny = "deny",
    }
}

words! {
    /// What becomes of a held operation when its time is over and nobody answered.
    OnTimeout("outcome of a hold; write `default cancel` or `default proceed`") {
        /// It is decided again without the hold.
        Proceed = "proceed",
        /// It ends.
        Cancel = "cancel",
    }
}

words! {
    /// A service that can be restricted. Emergency calls are not in this list, so nothing can restrict them.
    Service("service") {
        /// Short messages.
        Sms = "sms",
        /// Calls other than emergency calls.
        Voice = "voice",
        /// Mobile data.
        Data = "data",
        /// Forwarding of calls.
        Forwarding = "forwarding",
        /// Use in foreign networks.
        Roaming = "roaming",
    }
}

words! {
    /// The direction of a restriction.
    Direction("direction") {
        /// Towards the line.
        In = "in",
        /// From the line.
        Out = "out",
        /// Both.
        Both = "both",
    }
}

words! {
    /// Who can help where the guard cannot.
    Referral("place to refer to") {
        /// A shop of the operator's own.
        OwnedShop = "owned_shop",
        /// The operator's fraud desk.
        FraudDesk = "fraud_desk",
        /// The authority that keeps the identity.
        Authority = "authority",
        /// The subscriber's application.
        App = "app",
    }
}

words! {
    /// Who hears of the operation.
    Notify("recipient of a notice") {
        /// The old SIM, by SMS.
        OldSim = "old_sim",
        /// The application on registered devices.
        App = "app",
        /// The mail address of record.
        Email = "email",
        /// The contact of record.
        Contact = "contact",
        /// The contact of record before it was changed.
        OldContact = "old_contact",
        /// The persons authorised by a company.
        CorporateMasters = "corporate_masters",
        /// The operator's fraud desk.
        FraudDesk = "fraud_desk",
        /// The requesting agent's supervisor.
        Supervisor = "supervisor",
        /// The regulator.
        Regulator = "regulator",
    }
}

/// The name of a rule: `<pack>/<slug>` of its file, or `invariant/<slug>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(Arc<str>);

impl RuleId {
    pub(crate) fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is one of the guard's own invariants.
    #[must_use]
    pub fn is_invariant(&self) -> bool {
        self.0.starts_with("invariant/")
    }
}

impl std::fmt::Display for RuleId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

impl std::str::FromStr for RuleId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let good = |part: &str| {
            !part.is_empty()
                && part.len() <= 64
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
        };
        match text.split_once('/') {
            Some((pack, slug)) if good(pack) && good(slug) => Ok(Self::new(text)),
            _ => Err(format!(
                "`{}` is no name of a rule; write <pack>/<slug> with a-z, 0-9, - and _",
                text.chars().take(140).collect::<String>()
            )),
        }
    }
}

serde_as_text!(RuleId);

/// A service that stays restricted after the operation, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restriction {
    /// What is restricted.
    pub service: Service,
    /// In which direction.
    pub direction: Direction,
    /// Begins so long after the operation; at once when absent.
    pub from: Option<Span>,
    /// Lasts so long; until met when absent.
    pub lasts: Option<Span>,
    /// Ends as soon as this is met.
    pub until: Option<Requirement>,
    /// Only bulk messages of banks and the like are restricted, not those of people.
    pub a2p_only: bool,
}

/// The line ends by itself unless something happens first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// So long after the operation.
    pub after: Span,
    /// Unless this is met before.
    pub unless: Requirement,
}

/// The answer of the guard: one merged from every rule and invariant that applies.
///
/// It holds for the facts it was made of. When evidence arrives, when `decide_again_at` comes, and at the point of use,
/// it is recomputed, never carried over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// What may happen now.
    pub verdict: Verdict,
    /// What is still asked for; every one must be met.
    pub requirements: Vec<Requirement>,
    /// The earliest time at which it could go on by itself; present exactly when the verdict is `hold`.
    pub hold_until: Option<Timestamp>,
    /// What becomes of the hold when nobody answers.
    pub on_timeout: Option<OnTimeout>,
    /// What would end the holds before their time; every one must be met. Empty means: only time.
    pub released_by: Vec<Requirement>,
    /// When the decision may change by time alone, so when to decide again at the latest.
    pub decide_again_at: Option<Timestamp>,
    /// What is restricted once the operation is carried out.
    pub restrictions: Vec<Restriction>,
    /// Deadlines after which the line ends by itself.
    pub endings: Vec<Ending>,
    /// Where the person can get help.
    pub refer: Vec<Referral>,
    /// Why, the most serious first.
    pub reasons: Vec<ReasonCode>,
    /// Who is told before anything is carried out.
    pub notify: Vec<Notify>,
    /// The owner is told only over channels that nobody else in the household can see.
    pub notify_discreetly: bool,
    /// Every rule and invariant that applied, those whose requirements are already met included.
    pub rules: Vec<RuleId>,
    /// Rules that would have applied but are disarmed because they hit too many lines.
    pub disarmed: Vec<RuleId>,
    /// How many days the record of this decision is kept, at least.
    pub record_days: u32,
    /// SHA-256 over the rules that decided, in lower-case hexadecimal.
    pub policy_hash: Arc<str>,
}
