//! A3: an agent is paid to move a number. He says that the customer stands before him; the supervisor of his own shop
//! plays along, then one elsewhere. Without the owner's yes on her old phone it all leads nowhere.

use super::{move_at_counter, old_phone};
use crate::DrillError;
use crate::scene::{Outcome, Scene};
use crate::stage::Stage;
use simwarden_model::Role;

pub(super) const TITLE: &str = "A bribed agent moves a number on his own";
pub(super) const ATTACK: Option<&str> = Some("A3");
const SLOT: u32 = 3;

pub(super) async fn play(stage: &Stage) -> Result<Outcome, DrillError> {
    let mut scene = Scene::begin(stage, "a03_bribed_agent", TITLE, ATTACK).await?;
    let cast = stage.cast(SLOT);
    let victim = cast.line(0)?;
    let name = &stage.owner(victim).name;
    let agent = stage.staff(cast.operator, 4, Role::Agent).await?;
    let own_boss = stage.staff(cast.operator, 4, Role::Supervisor).await?;
    let elsewhere = stage.staff(cast.operator, 5, Role::Supervisor).await?;
    let owner = old_phone(stage, victim).await?;
    let (eid, imei) = stage.new_phone();

    scene
        .deed(format!(
            "{} is offered 300 dollars for {name}'s number. He enters that she stands at his counter.",
            agent.name
        ))
        .await?;
    let mut order = move_at_counter(stage, victim, "upgrade", &eid, &imei);
    let asked = agent.ask(&order).await?;
    scene.answer(&asked).await?;
    scene.expect_state(&asked, &["awaiting_evidence", "held"]);

    scene.deed("He tries to approve his own request.").await?;
    match agent.approve(&asked.id).await {
        Err(DrillError::Refused {
            status: 403, detail, ..
        }) => {
            scene
                .deed(format!("The server does not let him: {detail}."))
                .await?;
            scene.safeguard("invariant/self_approval");
        }
        Err(other) => return Err(other),
        Ok(checked) => scene.expect(false, format!("his own approval was {}", checked.outcome)),
    }
    scene
        .deed(format!(
            "{}, the supervisor of his own shop, is in it too and approves.",
            own_boss.name
        ))
        .await?;
    let near = own_boss.approve(&asked.id).await?;
    scene.expect_state(&near.operation, &["awaiting_evidence", "held"]);
    scene
        .deed(format!(
            "Even {} in another shop is talked into it.",
            elsewhere.name
        ))
        .await?;
    elsewhere.approve(&asked.id).await?;
    let still = agent.operation(&asked.id).await?;
    scene.answer(&still).await?;
    scene.expect_state(&still, &["awaiting_evidence", "held"]);
    scene.expect_reason(&still, "dealer_needs_consent");

    scene.text_on(&stage.line(victim).msisdn, name, 0).await?;
    scene
        .deed(format!("{name} has never been in that shop. She taps No."))
        .await?;
    let frozen = scene.owner_answers(&owner, &asked.id, None).await?;
    scene.answer(&frozen).await?;
    scene.expect_state(&frozen, &["frozen"]);

    scene
        .deed(format!(
            "{} calls it an override and tries once more.",
            agent.name
        ))
        .await?;
    order.context.is_override = Some(true);
    let again = agent.ask(&order).await?;
    scene.answer(&again).await?;
    scene.expect_state(&again, &["denied"]);
    let effects = scene.nothing_stolen(victim, &eid);
    scene
        .end(
            effects,
            "Three insiders together could not move it; every try stands in the ledger with a name.",
        )
        .await
}
