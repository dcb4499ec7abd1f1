//! One story while it is told: who acts, what simwarden answers, and what is kept for the table at the end.

use crate::DrillError;
use crate::api::Session;
use crate::narrator::{Said, Tone};
use crate::stage::Stage;
use crate::wire::Operation;
use crate::world::Text;
use simwarden_model::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Duration;

/// How long something may take that the server does by itself.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often one looks.
const LOOK: Duration = Duration::from_millis(60);

static REASONS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../content/en/reasons.json")).unwrap_or_default()
});

/// How a story ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// File name of the scenario.
    pub slug: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// The attack's number in the catalogue; none for honest life.
    pub attack: Option<&'static str>,
    /// The thief got nothing; or, in honest life, the person got what the rules promise.
    pub stopped: bool,
    /// Rules that decided, `pack/slug`.
    pub by_rules: Vec<String>,
    /// Those of them that the story turns on.
    pub decisive: Vec<String>,
    /// Their reason codes.
    pub reasons: Vec<String>,
    /// From the thief's first request to the answer that ended the last one.
    pub after: Duration,
    /// What left for the outside world on this account.
    pub effects: Effects,
    /// What is different from what it should be; empty when all is well.
    pub wrong: Vec<String>,
}

/// What left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effects {
    /// Profiles released to the chip in question.
    pub profiles_released: usize,
    /// Texts that reached the owner's phones and mailboxes.
    pub notices: usize,
    /// Whether the number follows another profile than before.
    pub number_moved: bool,
}

/// A story.
pub struct Scene<'a> {
    stage: &'a Stage,
    slug: &'static str,
    title: &'static str,
    attack: Option<&'static str>,
    rules: BTreeSet<String>,
    reasons: BTreeSet<String>,
    decisive: Vec<String>,
    began: Option<Timestamp>,
    ended: Option<Timestamp>,
    wrong: Vec<String>,
}

impl<'a> Scene<'a> {
    /// Begins a story.
    ///
    /// # Errors
    /// When it cannot be told.
    pub async fn begin(
        stage: &'a Stage,
        slug: &'static str,
        title: &'static str,
        attack: Option<&'static str>,
    ) -> Result<Self, DrillError> {
        let scene = Self {
            stage,
            slug,
            title,
            attack,
            rules: BTreeSet::new(),
            reasons: BTreeSet::new(),
            decisive: Vec::new(),
            began: None,
            ended: None,
            wrong: Vec::new(),
        };
        scene.tell(Tone::Title, title).await?;
        Ok(scene)
    }

    async fn tell(&self, tone: Tone, text: impl Into<String>) -> Result<(), DrillError> {
        let said = Said {
            tone,
            story: self.attack.unwrap_or("life"),
            text: text.into(),
        };
        self.stage.narrator().tell(said).await
    }

    /// Somebody does something.
    ///
    /// # Errors
    /// When it cannot be told.
    pub async fn deed(&self, text: impl Into<String>) -> Result<(), DrillError> {
        self.tell(Tone::Deed, text).await
    }

    /// simwarden's answer, in words; kept for the table.
    ///
    /// # Errors
    /// When it cannot be told.
    pub async fn answer(&mut self, operation: &Operation) -> Result<(), DrillError> {
        self.keep(operation);
        let why: Vec<&str> = operation
            .reasons
            .iter()
            .map(|code| REASONS.get(code).map_or(code.as_str(), String::as_str))
            .collect();
        let mut text = match operation.state.as_str() {
            "denied" => "Refused.".to_owned(),
            "held" => "Held; nothing happens before the owner or the time has spoken.".to_owned(),
            "awaiting_evidence" => "More proof is needed.".to_owned(),
            "frozen" => "Frozen: the owner said it was not them.".to_owned(),
            "executing" | "approved" => "Allowed; it is being carried out.".to_owned(),
            "completed" => "Done.".to_owned(),
            other => format!("{other}."),
        };
        for why in why {
            text.push(' ');
            text.push_str(why);
        }
        if !operation.rules.is_empty() {
            text.push_str(&format!(" ({})", operation.rules.join(", ")));
        }
        if let Some(link) = self.stage.link(&operation.id) {
            text.push_str(&format!(" {link}"));
        }
        self.tell(Tone::Answer, text).await
    }

    /// Keeps an answer for the table without telling it.
    pub fn keep(&mut self, operation: &Operation) {
        self.rules.extend(operation.rules.iter().cloned());
        self.reasons.extend(operation.reasons.iter().cloned());
        let (began, ended) = (
            operation.requested_at.parse().ok(),
            operation.updated_at.parse().ok(),
        );
        self.began = self.began.or(began);
        self.ended = self.ended.max(ended);
    }

    /// Adds a safeguard that is no rule of the guard.
    pub fn safeguard(&mut self, name: &str) {
        self.rules.insert(name.to_owned());
        self.decisive.push(name.to_owned());
    }

    /// Notes what is not as it should be.
    pub fn expect(&mut self, holds: bool, otherwise: impl Into<String>) {
        if !holds {
            self.wrong.push(otherwise.into());
        }
    }

    /// Notes when an operation does not stand where it should.
    pub fn expect_state(&mut self, operation: &Operation, states: &[&str]) {
        self.expect(
            states.contains(&operation.state.as_str()),
            format!(
                "{} is {} ({}), not {}",
                operation.operation,
                operation.state,
                operation.reasons.join(", "),
                states.join(" or ")
            ),
        );
    }

    /// Notes when a reason is missing; the rules that gave it are what the story turns on.
    pub fn expect_reason(&mut self, operation: &Operation, reason: &str) {
        for rule in &operation.rules {
            if self.stage.gives(rule, reason) && !self.decisive.contains(rule) {
                self.decisive.push(rule.clone());
            }
        }
        self.expect(
            operation.reasons.iter().any(|r| r == reason),
            format!(
                "{} lacks the reason `{reason}`: {}",
                operation.operation,
                operation.reasons.join(", ")
            ),
        );
    }

    /// Waits until an operation is in one of these states.
    ///
    /// # Errors
    /// [`DrillError::Late`].
    pub async fn until(&self, session: &Session, id: &str, states: &[&str]) -> Result<Operation, DrillError> {
        let began = self.stage.now();
        loop {
            let operation = session.operation(id).await?;
            if states.contains(&operation.state.as_str()) {
                return Ok(operation);
            }
            self.patient(began, || {
                let steps: Vec<String> = operation
                    .steps
                    .iter()
                    .map(|s| format!("{} {}", s.name, s.state))
                    .collect();
                let (is, wanted) = (&operation.state, states.join(" or "));
                format!(
                    "{} is {is}, not {wanted} ({})",
                    operation.operation,
                    steps.join(", ")
                )
            })
            .await?;
        }
    }

    /// Waits for a text on a phone or in a mailbox that was not there before, and tells it.
    ///
    /// # Errors
    /// [`DrillError::Late`].
    pub async fn text_on(&self, to: &str, whose: &str, seen: usize) -> Result<Text, DrillError> {
        let began = self.stage.now();
        loop {
            if let Some(text) = self.stage.world().texts(to).get(seen) {
                self.deed(format!("{whose} receives a text ({}).", text.language))
                    .await?;
                return Ok(text.clone());
            }
            self.patient(began, || format!("no text reached {whose}")).await?;
        }
    }

    /// Waits until something of the world is so.
    ///
    /// # Errors
    /// [`DrillError::Late`].
    pub async fn wait_for(&self, what: &str, holds: impl Fn() -> bool) -> Result<(), DrillError> {
        let began = self.stage.now();
        while !holds() {
            self.patient(began, || what.to_owned()).await?;
        }
        Ok(())
    }

    async fn patient(&self, began: Timestamp, what: impl FnOnce() -> String) -> Result<(), DrillError> {
        if self.stage.now().since(began) >= PATIENCE {
            return Err(DrillError::Late {
                what: what(),
                seconds: PATIENCE.as_secs(),
            });
        }
        tokio::time::sleep(LOOK).await;
        Ok(())
    }

    /// The owner answers the newest question about an operation.
    ///
    /// # Errors
    /// When there is none.
    pub async fn owner_answers(
        &mut self,
        owner: &Session,
        operation: &str,
        number: Option<i64>,
    ) -> Result<Operation, DrillError> {
        let questions = owner.questions().await?;
        let question = questions
            .approvals
            .iter()
            .find(|q| q.operation.id == operation)
            .ok_or_else(|| DrillError::Turn("the owner was not asked".to_owned()))?;
        let checked = owner.answer(&question.id, number).await?;
        self.expect(
            checked.outcome == "accepted",
            format!("the owner's answer was {}", checked.outcome),
        );
        let operation = owner.operation(&checked.operation.id).await?;
        self.keep(&operation);
        Ok(operation)
    }

    /// Ends the story with what the world says.
    ///
    /// # Errors
    /// When it cannot be told.
    pub async fn end(mut self, effects: Effects, text: &str) -> Result<Outcome, DrillError> {
        let violations = self.stage.world().violations();
        self.expect(violations.is_empty(), violations.join("; "));
        let stopped = self.wrong.is_empty();
        if stopped {
            self.tell(Tone::End, text).await?;
        } else {
            self.tell(
                Tone::End,
                format!("NOT AS IT SHOULD BE: {}", self.wrong.join("; ")),
            )
            .await?;
        }
        let after = match (self.began, self.ended) {
            (Some(began), Some(ended)) => ended.since(began),
            _ => Duration::ZERO,
        };
        Ok(Outcome {
            slug: self.slug,
            title: self.title,
            attack: self.attack,
            stopped,
            by_rules: self.rules.into_iter().collect(),
            decisive: self.decisive,
            reasons: self.reasons.into_iter().collect(),
            after,
            effects,
            wrong: self.wrong,
        })
    }

    /// What left on account of a thief's chip and a victim's line; a profile released or a number moved is wrong.
    pub fn nothing_stolen(&mut self, victim: u32, thief_eid: &str) -> Effects {
        let effects = self.effects(victim, thief_eid);
        self.expect(
            effects.profiles_released == 0,
            "a profile was released to the thief's chip",
        );
        self.expect(!effects.number_moved, "the number follows another profile");
        self.expect(effects.notices > 0, "the owner was not told");
        effects
    }

    /// What left on account of a chip and a line.
    #[must_use]
    pub fn effects(&self, line: u32, eid: &str) -> Effects {
        let world = self.stage.world();
        let row = self.stage.line(line);
        let mailbox = self.stage.owner(line).email.as_deref();
        let places = [Some(row.msisdn.as_str()), row.contact_phone.as_deref(), mailbox];
        Effects {
            profiles_released: world.released_to(eid).len(),
            notices: places.into_iter().flatten().map(|to| world.texts(to).len()).sum(),
            number_moved: world.follows(&row.msisdn).as_deref() != Some(row.imsi.as_str()),
        }
    }
}
