//! A14: somebody collects lines on borrowed and forged documents: an eleventh line on a document that has ten, then a
//! line on a document that nobody has checked.

use crate::DrillError;
use crate::scene::{Effects, Outcome, Scene};
use crate::stage::{Stage, at_the_counter};
use crate::wire::{Ask, Document, Owner};
use simwarden_model::Role;

pub(super) const TITLE: &str = "Lines are registered on borrowed and forged documents";
pub(super) const ATTACK: Option<&str> = Some("A14");
const SLOT: u32 = 6;

pub(super) async fn play(stage: &Stage) -> Result<Outcome, DrillError> {
    let mut scene = Scene::begin(stage, "a14_mule_registration", TITLE, ATTACK).await?;
    let operator = stage.cast(SLOT).operator;
    let agent = stage.staff(operator, 7, Role::Agent).await?;
    let elsewhere = stage.staff(operator, 2, Role::Supervisor).await?;
    let mule = stage.person(stage.country().mule);
    let fresh = u32::try_from(stage.now().as_secs() % 90_000).unwrap_or(0);
    let (eleventh, forged) = (
        stage.country().free_number(operator, fresh),
        stage.country().free_number(operator, fresh + 1),
    );
    let register = |number: &str, owner: Owner| Ask {
        operation: "register".to_owned(),
        channel: "shop".to_owned(),
        msisdn: Some(format!("+{number}")),
        document_shown: Some(owner.document.clone()),
        new_owner: Some(owner),
        context: at_the_counter(),
        ..Ask::default()
    };

    scene
        .deed(format!(
            "{} lends a document for money. Ten lines stand on it, over three operators; now an eleventh.",
            mule.name
        ))
        .await?;
    let asked = agent.ask(&register(&eleventh, mule)).await?;
    scene.answer(&asked).await?;
    scene.expect_state(&asked, &["denied"]);
    scene.expect_reason(&asked, "too_many_lines");

    scene.deed("The next customer shows a well-made forgery. The agent does not look closely, and an approver agrees.").await?;
    let nobody = Owner {
        name: "Chea Nimol".to_owned(),
        document: Document {
            country: "KHM".to_owned(),
            kind: "national_id".to_owned(),
            number: format!("99{fresh:010}"),
        },
    };
    let asked = agent.ask(&register(&forged, nobody)).await?;
    scene.answer(&asked).await?;
    scene.expect_state(&asked, &["awaiting_evidence", "held"]);
    elsewhere.approve(&asked.id).await?;
    let still = agent.operation(&asked.id).await?;
    scene.keep(&still);
    scene.expect_state(&still, &["awaiting_evidence", "held"]);
    scene.expect_reason(&still, "face_needed");

    scene
        .deed(
            "Without a checked document and a face nothing is registered. He asks for the eSIM all the same.",
        )
        .await?;
    let (eid, imei) = stage.new_phone();
    let issue = Ask {
        operation: "issue".to_owned(),
        eid: Some(eid.clone()),
        imei: Some(imei),
        new_owner: None,
        ..register(&forged, stage.person(0))
    };
    let issued = agent.ask(&issue).await?;
    scene.answer(&issued).await?;
    scene.expect_state(&issued, &["denied", "awaiting_evidence", "held"]);

    let world = stage.world();
    let effects = Effects {
        profiles_released: world.released_to(&eid).len(),
        notices: 0,
        number_moved: world.follows(&eleventh).is_some() || world.follows(&forged).is_some(),
    };
    scene.expect(
        effects.profiles_released == 0,
        "a profile was released for a forged document",
    );
    scene.expect(!effects.number_moved, "a number went into service");
    scene
        .end(effects, "No line, no eSIM; the shop's tries stand in the ledger.")
        .await
}
