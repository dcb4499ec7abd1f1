//! A2: somebody got into the operator's account with a stolen password and a reset, and wants an eSIM: in the browser,
//! then in the app, at last by answering the owner's question on a second session of their own.

use super::{JUST_NOW, MINUTE, by_account, old_phone};
use crate::DrillError;
use crate::scene::{Outcome, Scene};
use crate::stage::Stage;
use crate::wire::Ask;
use std::time::Duration;

pub(super) const TITLE: &str = "A stolen account orders an eSIM";
pub(super) const ATTACK: Option<&str> = Some("A2");
const SLOT: u32 = 2;

pub(super) async fn play(stage: &Stage) -> Result<Outcome, DrillError> {
    let mut scene = Scene::begin(stage, "a02_account_takeover", TITLE, ATTACK).await?;
    let victim = stage.cast(SLOT).line(0)?;
    let name = &stage.owner(victim).name;
    let owner = old_phone(stage, victim).await?;
    let (eid, imei) = stage.new_phone();

    scene
        .deed(format!(
            "Somebody resets the password of {name}'s account and signs in from another country."
        ))
        .await?;
    stage
        .event(
            victim,
            "password_reset",
            MINUTE,
            serde_json::json!({ "asn": "AS64500" }),
        )
        .await?;
    stage
        .event(
            victim,
            "login_ok",
            Duration::ZERO,
            serde_json::json!({ "asn": "AS64500", "session_id": "s-1" }),
        )
        .await?;
    let thief = stage.subscriber(victim, "a browser far away", JUST_NOW).await?;
    let second = stage
        .subscriber(victim, "another browser far away", JUST_NOW)
        .await?;

    scene
        .deed("In the browser he orders an eSIM for his own phone.")
        .await?;
    let order = |channel: &str| Ask {
        claim: Some("upgrade".to_owned()),
        eid: Some(eid.clone()),
        imei: Some(imei.clone()),
        ..by_account(stage, victim, "replace", channel)
    };
    let web = thief.ask(&order("web")).await?;
    scene.answer(&web).await?;
    scene.expect_state(&web, &["denied"]);

    scene
        .deed("He wants his own phone number as the contact, so that warnings reach him.")
        .await?;
    let contact = Ask {
        contact_phone: Some(format!("+{}", stage.country().free_number(0, 7))),
        ..by_account(stage, victim, "change_contact", "app")
    };
    let contact = thief.ask(&contact).await?;
    scene.answer(&contact).await?;
    scene.expect_state(&contact, &["awaiting_evidence", "held", "denied"]);

    scene.deed("He orders the eSIM again, in the app.").await?;
    let app = thief.ask(&order("app")).await?;
    scene.answer(&app).await?;
    scene.expect_state(&app, &["held", "awaiting_evidence"]);
    scene.expect_reason(&app, "recent_password_reset");
    if let Some(number) = app.match_number {
        scene
            .deed(format!(
                "On a second session he answers the owner's question himself: {number}."
            ))
            .await?;
        match scene.owner_answers(&second, &app.id, Some(number)).await {
            Err(DrillError::Refused {
                status: 403, detail, ..
            }) => {
                scene
                    .deed(format!("That session is too new to say yes: {detail}."))
                    .await?;
            }
            Err(other) => return Err(other),
            Ok(still) => scene.expect_state(&still, &["held", "awaiting_evidence"]),
        }
    }

    scene.text_on(&stage.line(victim).msisdn, name, 0).await?;
    scene
        .deed(format!("{name} sees the question on her old phone and taps No."))
        .await?;
    let frozen = scene.owner_answers(&owner, &app.id, None).await?;
    scene.answer(&frozen).await?;
    scene.expect_state(&frozen, &["frozen"]);
    let effects = scene.nothing_stolen(victim, &eid);
    scene
        .end(effects, "The account was his for an hour; the number never was.")
        .await
}
