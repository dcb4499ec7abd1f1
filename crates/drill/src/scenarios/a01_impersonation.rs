//! A1: somebody plays the owner at dealers' shops: "I lost my phone", with her document's number, her last payment and
//! the numbers she called. But her phone is on the air, and codes are guessed.

use super::{MINUTE, move_at_counter, old_phone, seen_on_air};
use crate::DrillError;
use crate::scene::{Outcome, Scene};
use crate::stage::Stage;
use simwarden_model::Role;

pub(super) const TITLE: &str = "A stranger plays the owner: “I lost my phone”";
pub(super) const ATTACK: Option<&str> = Some("A1");
const SLOT: u32 = 1;

pub(super) async fn play(stage: &Stage) -> Result<Outcome, DrillError> {
    let mut scene = Scene::begin(stage, "a01_impersonation", TITLE, ATTACK).await?;
    let cast = stage.cast(SLOT);
    let victim = cast.line(0)?;
    let name = &stage.owner(victim).name;
    let first = stage.staff(cast.operator, 1, Role::Agent).await?;
    let second = stage.staff(cast.operator, 3, Role::Agent).await?;
    let owner = old_phone(stage, victim).await?;
    let (eid, imei) = stage.new_phone();

    scene
        .deed(format!("{name}'s phone was seen by the network two minutes ago."))
        .await?;
    seen_on_air(stage, victim, MINUTE * 2).await?;
    scene
        .deed(format!(
            "A stranger tells {} that he is {name} and has lost the phone. He knows the document's number, the last payment and whom she called.",
            first.name
        ))
        .await?;
    let mut lie = move_at_counter(stage, victim, "lost", &eid, &imei);
    lie.context.weak.knowledge = true;
    lie.context.weak.call_log = true;
    lie.context.weak.recent_payment = true;
    let asked = first.ask(&lie).await?;
    scene.answer(&asked).await?;
    scene.expect_state(&asked, &["held"]);
    scene.expect_reason(&asked, "old_phone_still_on");

    scene.deed("He guesses three codes of her authenticator.").await?;
    for code in ["000000", "123456", "111111"] {
        let checked = first.give_code(&asked.id, code).await?;
        scene.expect(
            checked.outcome == "wrong",
            "a guessed code was taken for the right one",
        );
    }
    scene.text_on(&stage.line(victim).msisdn, name, 0).await?;
    scene
        .deed(format!(
            "{name} opens the app on the phone that is not lost at all, and taps No."
        ))
        .await?;
    let frozen = scene.owner_answers(&owner, &asked.id, None).await?;
    scene.answer(&frozen).await?;
    scene.expect_state(&frozen, &["frozen"]);

    scene
        .deed(format!(
            "The stranger tries again in another shop, with {}.",
            second.name
        ))
        .await?;
    let again = second.ask(&lie).await?;
    scene.answer(&again).await?;
    scene.expect_state(&again, &["denied"]);
    scene.expect_reason(&again, "line_frozen");
    let effects = scene.nothing_stolen(victim, &eid);
    scene
        .end(effects, "He leaves with nothing; her number never moved.")
        .await
}
