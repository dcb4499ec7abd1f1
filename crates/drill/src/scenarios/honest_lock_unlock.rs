//! An owner locks her number in the app; from then on no shop can move it. Taking the lock away takes more than a tap.

use super::{by_account, move_at_counter, old_phone};
use crate::DrillError;
use crate::scene::{Outcome, Scene};
use crate::stage::Stage;
use crate::wire::Ask;
use simwarden_model::Role;

pub(super) const TITLE: &str = "An owner locks her number, and the lock holds";
pub(super) const ATTACK: Option<&str> = None;
const SLOT: u32 = 7;

pub(super) async fn play(stage: &Stage) -> Result<Outcome, DrillError> {
    let mut scene = Scene::begin(stage, "honest_lock_unlock", TITLE, ATTACK).await?;
    let cast = stage.cast(SLOT);
    let line = cast.line(0)?;
    let name = &stage.owner(line).name;
    let owner = old_phone(stage, line).await?;
    let supervisor = stage.staff(cast.operator, 0, Role::Supervisor).await?;

    scene
        .deed(format!("{name} taps “Lock my number” before a long journey."))
        .await?;
    let lock = Ask {
        lock_scope: Some("all".to_owned()),
        ..by_account(stage, line, "lock", "app")
    };
    let locked = owner.ask(&lock).await?;
    scene.answer(&locked).await?;
    scene.expect_state(&locked, &["completed"]);

    scene
        .deed(format!(
            "A supervisor of the operator's own shop, {}, tries to move it.",
            supervisor.name
        ))
        .await?;
    let (eid, imei) = stage.new_phone();
    let mut order = move_at_counter(stage, line, "upgrade", &eid, &imei);
    order.channel = "owned_shop".to_owned();
    let refused = supervisor.ask(&order).await?;
    scene.answer(&refused).await?;
    scene.expect_state(&refused, &["denied"]);
    scene.expect_reason(&refused, "owner_lock");

    scene
        .deed(format!("{name} asks to unlock it with a tap."))
        .await?;
    let unlock = owner.ask(&by_account(stage, line, "unlock", "app")).await?;
    scene.answer(&unlock).await?;
    scene.expect_state(&unlock, &["awaiting_evidence"]);
    scene.expect_reason(&unlock, "unlock_ceremony");
    let effects = scene.effects(line, &eid);
    scene.expect(
        effects.profiles_released == 0,
        "a profile was released in spite of the lock",
    );
    scene.expect(!effects.number_moved, "the number moved in spite of the lock");
    scene
        .end(
            effects,
            "On at once; off only with a passkey and a second channel, or in person with a document.",
        )
        .await
}
