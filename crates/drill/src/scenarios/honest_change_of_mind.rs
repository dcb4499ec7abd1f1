//! A finished move is taken back: two people of the fraud desk agree, the old profile returns, the new one is barred.

use super::{move_at_counter, old_phone};
use crate::DrillError;
use crate::scene::{Outcome, Scene};
use crate::stage::Stage;
use crate::world::Stand;
use simwarden_model::Role;

pub(super) const TITLE: &str = "A finished move is taken back";
pub(super) const ATTACK: Option<&str> = None;
const SLOT: u32 = 11;

pub(super) async fn play(stage: &Stage) -> Result<Outcome, DrillError> {
    let mut scene = Scene::begin(stage, "honest_change_of_mind", TITLE, ATTACK).await?;
    let cast = stage.cast(SLOT);
    let line = cast.line(0)?;
    let name = &stage.owner(line).name;
    let world = stage.world();
    let agent = stage.staff(cast.operator, 3, Role::Agent).await?;
    let elsewhere = stage.staff(cast.operator, 7, Role::Supervisor).await?;
    let analyst = stage.staff(cast.operator, 0, Role::FraudAnalyst).await?;
    let owner = old_phone(stage, line).await?;
    let (eid, imei) = stage.new_phone();

    scene
        .deed(format!(
            "{name} has her number moved to a phone that turns out to be broken."
        ))
        .await?;
    let asked = agent
        .ask(&move_at_counter(stage, line, "upgrade", &eid, &imei))
        .await?;
    scene.owner_answers(&owner, &asked.id, asked.match_number).await?;
    elsewhere.approve(&asked.id).await?;
    let done = scene
        .until(
            &agent,
            &asked.id,
            &["completed", "failed", "rolled_back", "denied"],
        )
        .await?;
    scene.answer(&done).await?;
    scene.expect_state(&done, &["completed"]);

    scene
        .deed(format!(
            "{} of the fraud desk asks to take it back. One person is not enough.",
            analyst.name
        ))
        .await?;
    let first = analyst.roll_back(&asked.id).await?;
    scene.expect(
        first.outcome == "waits_for_second",
        "one person alone took a move back",
    );
    let alone = analyst.roll_back(&asked.id).await;
    scene.expect(alone.is_err(), "the same person counted twice");
    scene.deed(format!("{} agrees.", elsewhere.name)).await?;
    let second = elsewhere.roll_back(&asked.id).await?;
    scene.expect(second.outcome == "begun", "the roll-back did not begin");
    let back = scene.until(&agent, &asked.id, &["rolled_back", "failed"]).await?;
    scene.answer(&back).await?;
    scene.expect_state(&back, &["rolled_back"]);

    let effects = scene.effects(line, &eid);
    scene.expect(
        !effects.number_moved,
        "the number does not follow the old profile again",
    );
    let barred = world
        .ordered_for(&eid)
        .iter()
        .all(|(_, stand)| *stand == Stand::Barred);
    scene.expect(barred, "the new profile was not barred");
    scene
        .end(effects, "The old eSIM rings again; the new one is dead for good.")
        .await
}
