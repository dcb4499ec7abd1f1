//! A traveller abroad: a move asked for from there waits for her, but locking works at once, and calls go to her
//! sister after a code of her authenticator.

use super::{OLD_DEVICE, by_account};
use crate::DrillError;
use crate::scene::{Outcome, Scene};
use crate::stage::{Stage, code_of};
use crate::wire::Ask;
use simwarden_app::RequestContext;

pub(super) const TITLE: &str = "A traveller abroad";
pub(super) const ATTACK: Option<&str> = None;
const SLOT: u32 = 10;

pub(super) async fn play(stage: &Stage) -> Result<Outcome, DrillError> {
    let mut scene = Scene::begin(stage, "honest_traveller", TITLE, ATTACK).await?;
    let cast = stage.cast(SLOT);
    let (line, sister) = (cast.line(0)?, cast.line(1)?);
    let name = &stage.owner(line).name;
    let phone = stage
        .subscriber(line, "the owner's phone abroad", OLD_DEVICE)
        .await?;
    let tablet = stage.subscriber(line, "her tablet", OLD_DEVICE).await?;
    let secret = stage.authenticator(line, OLD_DEVICE).await?;
    let abroad = RequestContext {
        country_mismatch: Some(true),
        forward_to_stranger: Some(false),
        ..RequestContext::default()
    };

    scene
        .deed(format!(
            "{name} is abroad and has her calls forwarded to her sister."
        ))
        .await?;
    let forward = Ask {
        forward_to: Some(stage.number(sister)),
        context: abroad.clone(),
        ..by_account(stage, line, "set_forwarding", "app")
    };
    let asked = phone.ask(&forward).await?;
    scene.answer(&asked).await?;
    scene.expect_state(&asked, &["held"]);
    scene.expect_reason(&asked, "forwarding_to_stranger");
    scene.deed("She types the code of her authenticator.").await?;
    let checked = phone
        .give_code(&asked.id, &code_of(&secret, stage.now())?)
        .await?;
    scene.expect(checked.outcome == "accepted", "the right code was refused");
    scene
        .deed("On the tablet that she has had for a year she compares two digits and says yes.")
        .await?;
    scene
        .owner_answers(&tablet, &asked.id, asked.match_number)
        .await?;
    let done = scene
        .until(
            &phone,
            &asked.id,
            &["completed", "failed", "rolled_back", "denied"],
        )
        .await?;
    scene.answer(&done).await?;
    scene.expect_state(&done, &["completed"]);
    let forwarded = stage.world().forwarded_to(&stage.line(line).msisdn);
    scene.expect(
        forwarded.as_deref() == Some(stage.line(sister).msisdn.as_str()),
        "calls do not go to the sister",
    );

    scene
        .deed("A move of the number asked for from there does not happen by a tap:")
        .await?;
    let (eid, imei) = stage.new_phone();
    let order = Ask {
        claim: Some("broken".to_owned()),
        eid: Some(eid.clone()),
        imei: Some(imei),
        context: abroad,
        ..by_account(stage, line, "replace", "app")
    };
    let held = phone.ask(&order).await?;
    scene.answer(&held).await?;
    scene.expect_state(&held, &["held"]);
    scene.expect_reason(&held, "unusual_place");

    scene.deed("Locking works from anywhere, at once.").await?;
    let lock = Ask {
        lock_scope: Some("swap".to_owned()),
        ..by_account(stage, line, "lock", "app")
    };
    let locked = phone.ask(&lock).await?;
    scene.answer(&locked).await?;
    scene.expect_state(&locked, &["completed"]);
    let effects = scene.effects(line, &eid);
    scene.expect(
        effects.profiles_released == 0 && !effects.number_moved,
        "the number moved from abroad",
    );
    scene
        .end(
            effects,
            "She is reachable and safe; the move waits until she is home.",
        )
        .await
}
