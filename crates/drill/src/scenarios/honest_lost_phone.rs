//! A phone is really lost: it has been off the air since this morning. The replacement waits a day in which the owner
//! could stop it; she ends the wait herself on the tablet that has been hers for years.

use super::{MINUTE, OLD_DEVICE, move_at_counter, seen_on_air};
use crate::DrillError;
use crate::scene::{Outcome, Scene};
use crate::stage::Stage;
use simwarden_model::Role;

pub(super) const TITLE: &str = "A phone is really lost";
pub(super) const ATTACK: Option<&str> = None;
const SLOT: u32 = 9;

pub(super) async fn play(stage: &Stage) -> Result<Outcome, DrillError> {
    let mut scene = Scene::begin(stage, "honest_lost_phone", TITLE, ATTACK).await?;
    let cast = stage.cast(SLOT);
    let line = cast.line(0)?;
    let name = &stage.owner(line).name;
    let tablet = stage.subscriber(line, "the owner's tablet", OLD_DEVICE).await?;
    let agent = stage.staff(cast.operator, 5, Role::Agent).await?;
    let elsewhere = stage.staff(cast.operator, 6, Role::Supervisor).await?;
    let (eid, imei) = stage.new_phone();
    seen_on_air(stage, line, MINUTE * 300).await?;

    scene
        .deed(format!(
            "{name}'s phone fell into the river; the network has not seen it for five hours."
        ))
        .await?;
    let asked = agent
        .ask(&move_at_counter(stage, line, "lost", &eid, &imei))
        .await?;
    scene.answer(&asked).await?;
    scene.expect_state(&asked, &["held"]);
    scene.expect_reason(&asked, "lost_phone_wait");
    scene.expect(asked.hold_until.is_some(), "the wait has no end");
    scene
        .deed(format!("{} in another shop agrees.", elsewhere.name))
        .await?;
    elsewhere.approve(&asked.id).await?;
    let still = agent.operation(&asked.id).await?;
    scene.expect_state(&still, &["held"]);

    scene.deed(format!("At home {name} has her tablet. It asks; she types the two digits and need not wait until tomorrow.")).await?;
    scene
        .owner_answers(&tablet, &asked.id, asked.match_number)
        .await?;
    let done = scene
        .until(
            &agent,
            &asked.id,
            &["completed", "failed", "rolled_back", "denied"],
        )
        .await?;
    scene.answer(&done).await?;
    scene.expect_state(&done, &["completed"]);
    let effects = scene.effects(line, &eid);
    scene.expect(
        effects.profiles_released == 1,
        "the new chip got no profile, or more than one",
    );
    scene.expect(effects.number_moved, "the number does not follow the new profile");
    scene.end(effects, "Her number is back the same day.").await
}
