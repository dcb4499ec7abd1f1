//! A5: the owner moves her number; over her shoulder somebody photographs the code. He scans it with his own phone,
//! and asks for a move of his own while hers is under way.

use super::{JUST_NOW, by_account, move_at_counter, old_phone};
use crate::DrillError;
use crate::scene::{Outcome, Scene};
use crate::stage::Stage;
use crate::wire::Ask;
use crate::world::{Refusal, Stand};
use simwarden_model::Role;

pub(super) const TITLE: &str = "An activation code is photographed and scanned first";
pub(super) const ATTACK: Option<&str> = Some("A5");
const SLOT: u32 = 4;

pub(super) async fn play(stage: &Stage) -> Result<Outcome, DrillError> {
    let mut scene = Scene::begin(stage, "a05_stolen_code", TITLE, ATTACK).await?;
    let cast = stage.cast(SLOT);
    let victim = cast.line(0)?;
    let name = &stage.owner(victim).name;
    let world = stage.world();
    let agent = stage.staff(cast.operator, 1, Role::Agent).await?;
    let elsewhere = stage.staff(cast.operator, 6, Role::Supervisor).await?;
    let owner = old_phone(stage, victim).await?;
    let (eid, imei) = stage.new_phone();
    let (thief_eid, thief_imei) = stage.new_phone();

    scene.deed(format!("{name} has her number moved at a dealer's and says yes on her old phone. The new phone is still off.")).await?;
    world.set_online(&eid, false);
    let asked = agent
        .ask(&move_at_counter(stage, victim, "upgrade", &eid, &imei))
        .await?;
    scene.expect_state(&asked, &["awaiting_evidence"]);
    scene.owner_answers(&owner, &asked.id, asked.match_number).await?;
    elsewhere.approve(&asked.id).await?;
    let released = || {
        world
            .ordered_for(&eid)
            .into_iter()
            .find(|(_, stand)| matches!(stand, Stand::Released(_)))
    };
    scene
        .wait_for("the profile was not released", || released().is_some())
        .await?;
    let (iccid, _) = released().ok_or_else(|| DrillError::Turn("the profile is gone".to_owned()))?;

    scene
        .deed("A man behind her photographs the code on the counter and scans it with his own phone.")
        .await?;
    let got = world.fetch(&iccid, &thief_eid);
    scene.expect(got == Err(Refusal::AnotherChip), format!("his phone got {got:?}"));
    if got.is_err() {
        scene.safeguard("order bound to the chip (SGP.22 ES2+)");
        scene
            .deed("The SM-DP+ refuses: the order names another chip.")
            .await?;
    }
    scene
        .deed("He also got into her account and asks for an eSIM of his own.")
        .await?;
    let thief = stage.subscriber(victim, "a stranger's phone", JUST_NOW).await?;
    let order = Ask {
        claim: Some("upgrade".to_owned()),
        eid: Some(thief_eid.clone()),
        imei: Some(thief_imei),
        ..by_account(stage, victim, "replace", "app")
    };
    let stolen = thief.ask(&order).await?;
    scene.answer(&stolen).await?;
    scene.expect_state(&stolen, &["denied"]);
    scene.expect_reason(&stolen, "move_under_way");

    scene.deed(format!("{name} switches her new phone on.")).await?;
    world.set_online(&eid, true);
    let done = scene
        .until(&agent, &asked.id, &["completed", "failed", "rolled_back"])
        .await?;
    scene.expect_state(&done, &["completed"]);
    scene.expect(
        world.fetch(&iccid, &thief_eid).is_err(),
        "the code worked a second time",
    );
    let own = scene.effects(victim, &eid);
    scene.expect(own.number_moved, "her own move did not happen");
    let effects = crate::scene::Effects {
        number_moved: false,
        ..scene.effects(victim, &thief_eid)
    };
    scene.expect(
        effects.profiles_released == 0,
        "a profile was released to the thief's chip",
    );
    scene
        .end(
            effects,
            "Her number is on her new phone; his picture of the code is worth nothing.",
        )
        .await
}
