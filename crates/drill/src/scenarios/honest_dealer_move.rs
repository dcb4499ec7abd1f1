//! The owner gets a new phone and has her number moved at a dealer's: she says yes on the old phone with the two
//! digits of the dealer's screen, an approver in another shop agrees, and the number follows the new chip.

use super::{MINUTE, move_at_counter, old_phone, seen_on_air};
use crate::DrillError;
use crate::scene::{Outcome, Scene};
use crate::stage::Stage;
use simwarden_model::Role;

pub(super) const TITLE: &str = "A number moves to its owner's new phone, at a dealer's";
pub(super) const ATTACK: Option<&str> = None;
const SLOT: u32 = 0;

pub(super) async fn play(stage: &Stage) -> Result<Outcome, DrillError> {
    let mut scene = Scene::begin(stage, "honest_dealer_move", TITLE, ATTACK).await?;
    let cast = stage.cast(SLOT);
    let line = cast.line(0)?;
    let name = &stage.owner(line).name;
    let (agent, elsewhere) = (
        stage.staff(cast.operator, 1, Role::Agent).await?,
        stage.staff(cast.operator, 2, Role::Supervisor).await?,
    );
    let owner = old_phone(stage, line).await?;
    let (eid, imei) = stage.new_phone();
    seen_on_air(stage, line, MINUTE * 3).await?;

    scene
        .deed(format!(
            "{name} has bought a phone. {} at the dealer's asks for the move.",
            agent.name
        ))
        .await?;
    let asked = agent
        .ask(&move_at_counter(stage, line, "upgrade", &eid, &imei))
        .await?;
    scene.answer(&asked).await?;
    scene.expect_state(&asked, &["awaiting_evidence"]);
    let number = asked
        .match_number
        .ok_or_else(|| DrillError::Turn("the dealer's screen shows no number to compare".to_owned()))?;

    scene
        .deed(format!(
            "{name}'s old phone asks: is this you? The dealer's screen shows {number}; she types {number}."
        ))
        .await?;
    scene.owner_answers(&owner, &asked.id, Some(number)).await?;
    scene
        .deed(format!(
            "{}, who works in another shop, looks at the request and agrees.",
            elsewhere.name
        ))
        .await?;
    let approved = elsewhere.approve(&asked.id).await?;
    scene.expect(
        approved.outcome == "accepted",
        "the second approver was not accepted",
    );
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
    scene.text_on(&stage.line(line).msisdn, name, 0).await?;
    let effects = scene.effects(line, &eid);
    scene
        .end(effects, "Her number rings on the new phone; the old eSIM sleeps.")
        .await
}
