//! A8: a number shall leave for another operator, where the thief waits. One victim's SIM was swapped yesterday; the
//! other's owner is asked and does not confirm.

use super::{JUST_NOW, YESTERDAY, by_account, old_phone};
use crate::DrillError;
use crate::scene::{Outcome, Scene};
use crate::stage::Stage;

pub(super) const TITLE: &str = "A number is ported away to a thief";
pub(super) const ATTACK: Option<&str> = Some("A8");
const SLOT: u32 = 5;

pub(super) async fn play(stage: &Stage) -> Result<Outcome, DrillError> {
    let mut scene = Scene::begin(stage, "a08_port_out", TITLE, ATTACK).await?;
    let cast = stage.cast(SLOT);
    let (swapped, victim) = (cast.line(0)?, cast.line(1)?);
    let (first, name) = (&stage.owner(swapped).name, &stage.owner(victim).name);
    let owner = old_phone(stage, victim).await?;

    scene
        .deed(format!(
            "The SIM of {first} was swapped yesterday. Today somebody asks to port the number away."
        ))
        .await?;
    stage
        .event(swapped, "sim_swap", YESTERDAY, serde_json::Value::Null)
        .await?;
    let thief = stage.subscriber(swapped, "a browser far away", JUST_NOW).await?;
    let fresh = thief.ask(&by_account(stage, swapped, "port_out", "app")).await?;
    scene.answer(&fresh).await?;
    scene.expect_state(&fresh, &["denied"]);
    scene.expect_reason(&fresh, "recent_swap");

    scene
        .deed(format!(
            "So they try the number of {name}, from inside her account."
        ))
        .await?;
    let thief = stage.subscriber(victim, "a browser far away", JUST_NOW).await?;
    let asked = thief.ask(&by_account(stage, victim, "port_out", "app")).await?;
    scene.answer(&asked).await?;
    scene.expect_state(&asked, &["held", "awaiting_evidence"]);
    scene.expect_reason(&asked, "confirm_port");
    scene.text_on(&stage.line(victim).msisdn, name, 0).await?;
    scene
        .deed(format!(
            "{name} taps No. Had she slept, six hours of silence would have ended it as well."
        ))
        .await?;
    let frozen = scene.owner_answers(&owner, &asked.id, None).await?;
    scene.answer(&frozen).await?;
    scene.expect_state(&frozen, &["frozen"]);

    for line in [swapped, victim] {
        let gone = stage.world().ported(&stage.line(line).msisdn);
        scene.expect(!gone, "the number left for another operator");
    }
    let effects = scene.nothing_stolen(victim, "no chip");
    scene.end(effects, "Both numbers are where they belong.").await
}
