//! The demonstration: honest life and six thefts in turn, at a watchable pace or straight through with a table.

use crate::DrillError;
use crate::api::HttpApi;
use crate::chance::Dice;
use crate::country::Country;
use crate::narrator::{Narrator, Silent, Terminal};
use crate::scenarios::{SCENARIOS, Scenario};
use crate::scene::Outcome;
use crate::stage::{Props, Stage};
use crate::world::SimWorld;
use simwarden_app::App;
use simwarden_model::Clock;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// Events of everyday life between two stories.
const EVENTS_BETWEEN: u32 = 40;
/// The most lines that everyday life is drawn from.
const LINES_MAX: usize = 1_000_000;

/// What a demonstration needs.
pub struct DemoConfig {
    /// Where the server answers: `http://127.0.0.1:8080`.
    pub base_url: String,
    /// Where people open the console; none prints no links.
    pub console_url: Option<String>,
    /// The use cases behind the server, for making tokens.
    pub app: App,
    /// The country that was imported.
    pub country: Arc<Country>,
    /// The outside world that the server's worker acts on.
    pub world: SimWorld,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Straight through, without a word until the table.
    pub fast: bool,
    /// The pause after a sentence of a hundred characters, when not fast.
    pub pace: Duration,
}

/// How a demonstration went.
#[derive(Debug)]
pub struct DemoReport {
    /// What was played, in order, and how it ended.
    pub played: Vec<(Scenario, Result<Outcome, DrillError>)>,
}

/// Plays everything once.
///
/// # Errors
/// When the server's address is none. What goes wrong in a story stands in the report.
pub async fn run(config: DemoConfig) -> Result<DemoReport, DrillError> {
    let narrator: Arc<dyn Narrator> = if config.fast {
        Arc::new(Silent)
    } else {
        Arc::new(Terminal { pace: config.pace })
    };
    let stage = Stage::new(Props {
        country: config.country,
        world: config.world,
        app: config.app,
        api: Arc::new(HttpApi::new(&config.base_url)?),
        clock: config.clock,
        narrator,
        console: config.console_url,
    });
    Ok(play_all(&stage).await)
}

/// Plays every scenario on a stage, with a little everyday life in between.
pub async fn play_all(stage: &Stage) -> DemoReport {
    let mut dice = Dice::new(stage.country().spec.seed, "everyday life");
    let mut played = Vec::with_capacity(SCENARIOS.len());
    for scenario in SCENARIOS {
        let outcome = match everyday_life(stage, &mut dice).await {
            Ok(()) => (scenario.play)(stage).await,
            Err(error) => Err(error),
        };
        if let Err(error) = &outcome {
            tracing::warn!(scenario = scenario.slug, %error, "a story could not be told to its end");
        }
        played.push((*scenario, outcome));
    }
    DemoReport { played }
}

/// Phones move about and receive codes of banks: the network tells.
async fn everyday_life(stage: &Stage, dice: &mut Dice) -> Result<(), DrillError> {
    let cast = crate::country::CAST;
    let lines = u32::try_from(stage.country().lines.len().min(LINES_MAX)).unwrap_or(0);
    for operator in 0..3 {
        let mut events = Vec::new();
        for _ in 0..EVENTS_BETWEEN {
            let at = cast + dice.below(lines.saturating_sub(cast).max(1));
            if stage.line(at).operator != operator {
                continue;
            }
            let (kind, more) = match dice.below(10) {
                0 => ("otp_sms", serde_json::json!({ "sender": "bank:romduol" })),
                1..=3 => ("call", serde_json::Value::Null),
                _ => (
                    "location_update",
                    serde_json::json!({ "cell": format!("c{}", dice.below(900)) }),
                ),
            };
            events.push(stage.event_of(at, kind, Duration::from_secs(u64::from(dice.below(60))), more));
        }
        if !events.is_empty() {
            stage.feed(operator).await?.deliver(&events).await?;
        }
    }
    Ok(())
}

impl DemoReport {
    /// Every theft was stopped and every honest person got what the rules promise.
    #[must_use]
    pub fn all_well(&self) -> bool {
        self.played
            .iter()
            .all(|(_, outcome)| outcome.as_ref().is_ok_and(|outcome| outcome.stopped))
    }

    /// The table: what was played, whether it was stopped or served, by which rule, after how long, what left.
    #[must_use]
    pub fn table(&self) -> String {
        let head = ["", "story", "", "decided by", "after", "what left"];
        let mut rows = vec![head.map(str::to_owned)];
        let thefts = |want: bool| {
            self.played
                .iter()
                .filter(move |(s, _)| s.attack.is_some() == want)
        };
        for (scenario, outcome) in thefts(true).chain(thefts(false)) {
            rows.push(row(scenario, outcome));
        }
        let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..head.len()).map(width).collect();
        let mut text = String::new();
        for (nth, row) in rows.iter().enumerate() {
            for (cell, width) in row.iter().zip(&widths) {
                let _ = write!(text, "{cell}{}  ", " ".repeat(width - cell.chars().count()));
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
            if nth == 0 {
                let rule = widths.iter().sum::<usize>() + 2 * (widths.len() - 1);
                let _ = writeln!(text, "{}", "─".repeat(rule));
            }
        }
        for (scenario, outcome) in &self.played {
            let why = match outcome {
                Ok(outcome) if outcome.stopped => continue,
                Ok(outcome) => outcome.wrong.join("; "),
                Err(error) => error.to_string(),
            };
            let _ = writeln!(text, "{}: {why}", scenario.slug);
        }
        text
    }
}

fn row(scenario: &Scenario, outcome: &Result<Outcome, DrillError>) -> [String; 6] {
    let word = match (outcome, scenario.attack) {
        (Ok(outcome), Some(_)) if outcome.stopped => "stopped",
        (Ok(outcome), None) if outcome.stopped => "served",
        (_, Some(_)) => "NOT STOPPED",
        (_, None) => "NOT SERVED",
    };
    let (by, after, left) = match outcome {
        Ok(outcome) => (by(outcome), after(outcome.after), left(outcome)),
        Err(_) => ("–".to_owned(), "–".to_owned(), "–".to_owned()),
    };
    [
        scenario.attack.unwrap_or("–").to_owned(),
        scenario.title.to_owned(),
        word.to_owned(),
        by,
        after,
        left,
    ]
}

fn by(outcome: &Outcome) -> String {
    let list = if outcome.decisive.is_empty() {
        &outcome.by_rules
    } else {
        &outcome.decisive
    };
    let mut text = list.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    let more = outcome.by_rules.len().saturating_sub(list.len().min(3));
    if more > 0 {
        let _ = write!(text, " +{more}");
    }
    if text.is_empty() { "–".to_owned() } else { text }
}

fn after(span: Duration) -> String {
    match span.as_millis() {
        0 => "at once".to_owned(),
        millis if millis < 1_000 => format!("{millis} ms"),
        _ => format!("{:.1} s", span.as_secs_f64()),
    }
}

fn left(outcome: &Outcome) -> String {
    let effects = outcome.effects;
    let profiles = match effects.profiles_released {
        0 => "no profile".to_owned(),
        n => format!("{n} profile"),
    };
    let number = if effects.number_moved {
        ", number moved"
    } else {
        ""
    };
    format!("{profiles}{number}, {} notices", effects.notices)
}
