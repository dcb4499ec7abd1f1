//! Honest life and thefts, one file each, played through the API.
//!
//! A scenario casts people of its own, so scenarios do not meet; what a thief got is read in the outside world.

mod a01_impersonation;
mod a02_account_takeover;
mod a03_bribed_agent;
mod a05_stolen_code;
mod a08_port_out;
mod a14_mule_registration;
mod honest_change_of_mind;
mod honest_contact_change;
mod honest_dealer_move;
mod honest_lock_unlock;
mod honest_lost_phone;
mod honest_traveller;

use crate::DrillError;
use crate::api::Session;
use crate::scene::Outcome;
use crate::stage::{DAY, Stage, at_the_counter};
use crate::wire::Ask;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// A scenario while it plays.
pub type Playing<'a> = Pin<Box<dyn Future<Output = Result<Outcome, DrillError>> + Send + 'a>>;

/// One scenario.
#[derive(Clone, Copy)]
pub struct Scenario {
    /// File name.
    pub slug: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// The attack's number in the catalogue; none for honest life.
    pub attack: Option<&'static str>,
    /// Plays it.
    pub play: for<'a> fn(&'a Stage) -> Playing<'a>,
}

impl std::fmt::Debug for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.slug)
    }
}

macro_rules! scenarios {
    ($($slug:ident),+ $(,)?) => {
        /// Every scenario, honest life and thefts in turn.
        pub const SCENARIOS: &[Scenario] = &[$(Scenario {
            slug: stringify!($slug),
            title: $slug::TITLE,
            attack: $slug::ATTACK,
            play: |stage| Box::pin($slug::play(stage)),
        }),+];
    };
}

scenarios![
    honest_dealer_move,
    a01_impersonation,
    honest_lock_unlock,
    a02_account_takeover,
    honest_traveller,
    a03_bribed_agent,
    honest_lost_phone,
    a05_stolen_code,
    honest_contact_change,
    a08_port_out,
    honest_change_of_mind,
    a14_mule_registration,
];

/// A device that has been with its owner for more than a year.
const OLD_DEVICE: Duration = Duration::from_secs(400 * 24 * 3600);
/// A session that was opened a moment ago.
const JUST_NOW: Duration = Duration::ZERO;

/// A request to move a line's number to another chip, at a counter, with the owner's document on it.
fn move_at_counter(stage: &Stage, line: u32, claim: &str, eid: &str, imei: &str) -> Ask {
    Ask {
        operation: "replace".to_owned(),
        channel: "shop".to_owned(),
        msisdn: Some(stage.number(line)),
        claim: Some(claim.to_owned()),
        eid: Some(eid.to_owned()),
        imei: Some(imei.to_owned()),
        document_shown: Some(stage.document(line)),
        context: at_the_counter(),
        ..Ask::default()
    }
}

/// A request of somebody in the owner's account.
fn by_account(stage: &Stage, line: u32, operation: &str, channel: &str) -> Ask {
    Ask {
        operation: operation.to_owned(),
        channel: channel.to_owned(),
        msisdn: Some(stage.number(line)),
        ..Ask::default()
    }
}

/// The phone has been in use all the while.
async fn seen_on_air(stage: &Stage, line: u32, ago: Duration) -> Result<(), DrillError> {
    let imei = stage.line(line).imei.clone();
    stage
        .event(
            line,
            "attach",
            ago,
            serde_json::json!({ "imei": imei, "cell": "home" }),
        )
        .await
}

/// The owner's phone, on which the account has been signed in for more than a year.
async fn old_phone(stage: &Stage, line: u32) -> Result<Session, DrillError> {
    stage.subscriber(line, "the owner's old phone", OLD_DEVICE).await
}

/// A minute, for events.
const MINUTE: Duration = Duration::from_secs(60);
/// Yesterday.
const YESTERDAY: Duration = DAY;
