//! An owner has a new number for notices. She says yes on her old phone; the old contact hears of it; and for three
//! days a move waits.

use super::{move_at_counter, old_phone};
use crate::DrillError;
use crate::scene::{Outcome, Scene};
use crate::stage::{Stage, at_the_counter};
use crate::wire::Ask;
use simwarden_model::Role;

pub(super) const TITLE: &str = "An owner changes the contact for notices";
pub(super) const ATTACK: Option<&str> = None;
const SLOT: u32 = 8;

pub(super) async fn play(stage: &Stage) -> Result<Outcome, DrillError> {
    let mut scene = Scene::begin(stage, "honest_contact_change", TITLE, ATTACK).await?;
    let cast = stage.cast(SLOT);
    let line = cast.line(0)?;
    let name = &stage.owner(line).name;
    let owner = old_phone(stage, line).await?;
    let agent = stage.staff(cast.operator, 2, Role::Agent).await?;
    let old_contact = stage.line(line).contact_phone.clone().unwrap_or_default();
    let seen = stage.world().texts(&old_contact).len();

    scene
        .deed(format!(
            "At a dealer's {name} gives her sister's number for notices."
        ))
        .await?;
    let change = Ask {
        operation: "change_contact".to_owned(),
        channel: "shop".to_owned(),
        msisdn: Some(stage.number(line)),
        contact_phone: Some(format!("+{}", stage.country().free_number(cast.operator, 60_000))),
        document_shown: Some(stage.document(line)),
        context: at_the_counter(),
        ..Ask::default()
    };
    let asked = agent.ask(&change).await?;
    scene.answer(&asked).await?;
    scene.expect_state(&asked, &["awaiting_evidence"]);
    scene
        .deed("Her old phone asks; she compares the two digits and says yes.")
        .await?;
    let done = scene.owner_answers(&owner, &asked.id, asked.match_number).await?;
    scene.answer(&done).await?;
    scene.expect_state(&done, &["completed"]);
    scene.text_on(&old_contact, "The old contact", seen).await?;

    scene
        .deed("Had it been a thief, his next step would be a move of the number. It would wait three days:")
        .await?;
    let (eid, imei) = stage.new_phone();
    let next = agent
        .ask(&move_at_counter(stage, line, "upgrade", &eid, &imei))
        .await?;
    scene.answer(&next).await?;
    scene.expect_state(&next, &["held"]);
    scene.expect_reason(&next, "recent_contact_change");
    let effects = scene.effects(line, &eid);
    scene.expect(
        effects.profiles_released == 0 && !effects.number_moved,
        "the number moved within 72 hours",
    );
    scene
        .end(
            effects,
            "The new contact stands, and everybody who should know, knows.",
        )
        .await
}
