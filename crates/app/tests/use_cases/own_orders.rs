//! Operations order from our own SM-DP+ and run to the end on a chip.

use crate::house::{House, Person};
use crate::smdp::{Line, Outside, approved, is_released, work_until};
use simwarden_app::smdp::{Freeze, FreezeTarget, OwnOrders};
use simwarden_app::{Actor, ErrorKind, RollBackAnswer};
use simwarden_euicc::lpa::Outcome;
use simwarden_model::{OperationId, OperationState, ProfileState, ReasonCode, Region, Role};
use simwarden_store::records::smdp_order::{SmdpOrder, SmdpOrderKey};
use std::sync::Arc;

const NUMBER: &str = "85512345678";

struct Story {
    house: House,
    owner: Person,
    device: Actor,
    line: Line,
}

impl Story {
    async fn new() -> Self {
        let house = House::build().await;
        let owner = house.person("Sok Dara", NUMBER).await;
        let device = house.device_of(&owner).await;
        let mut line = Line::new(&house);
        // The profile that the operator's registry has in stock.
        line.import(&house, &format!("8985502{NUMBER}")).await;
        Self {
            house,
            owner,
            device,
            line,
        }
    }

    fn port(&self) -> Arc<OwnOrders> {
        Arc::new(OwnOrders::new(self.line.smdp.clone(), Arc::new(Outside)))
    }

    /// An approved replacement whose profile may be fetched, and its activation code.
    async fn released(&self) -> (OperationId, String) {
        let operation = approved(&self.house, &self.owner, &self.device).await;
        let early = self.line.smdp.activation_code(&self.device, operation).await;
        assert_eq!(early.unwrap_err().kind, ErrorKind::State);
        work_until(&self.house, self.port(), operation, is_released).await;
        let code = self
            .line
            .smdp
            .activation_code(&self.device, operation)
            .await
            .unwrap();
        (operation, code)
    }

    async fn until(&self, operation: OperationId, state: OperationState) {
        work_until(&self.house, self.port(), operation, |row| row.state == state).await;
    }

    async fn order(&self, operation: OperationId) -> SmdpOrder {
        let key = SmdpOrderKey::Operations(vec![operation]);
        self.house.app.store().smdp_orders(key).await.unwrap().remove(0)
    }
}

fn installed(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Installed { .. }), "{outcome:?}");
}

fn refused(outcome: &Outcome, codes: (&str, &str)) {
    match outcome {
        Outcome::Refused(it) => assert_eq!((it.subject.as_str(), it.reason.as_str()), codes),
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_replacement_ends_on_the_chip_and_taking_it_back_bars_the_new_profile() {
    let mut story = Story::new().await;
    let (operation, code) = story.released().await;
    assert!(code.starts_with("LPA:1$localhost$") && code.len() > 36, "{code}");
    installed(&story.line.download_by(&code, async || {}).await);
    story.until(operation, OperationState::Completed).await;
    assert_eq!(story.order(operation).await.state, ProfileState::Installed);
    let over = story.line.smdp.activation_code(&story.device, operation).await;
    assert_eq!(over.unwrap_err().kind, ErrorKind::State);

    let first = story.house.staff(Role::FraudAnalyst, "desk").await;
    let second = story.house.staff(Role::Supervisor, "desk").await;
    let app = &story.house.app;
    let asked = app.roll_back(&first, operation).await.unwrap();
    assert_eq!(asked, RollBackAnswer::WaitsForSecond);
    app.roll_back(&second, operation).await.unwrap();
    story.until(operation, OperationState::RolledBack).await;
    assert_eq!(story.order(operation).await.state, ProfileState::Disabled);
    // The old profile could be enabled again; the new one's code gives nothing, to no chip.
    refused(
        &story.line.download_by(&code, async || {}).await,
        ("8.2.6", "3.8"),
    );
}

#[tokio::test]
async fn an_operation_stopped_before_the_download_leaves_nothing_to_fetch() {
    let mut story = Story::new().await;
    let (operation, code) = story.released().await;
    story.house.app.stop(&story.device, operation).await.unwrap();
    // At once, before any effect has left.
    refused(&story.line.download_by(&code, async || {}).await, ("8.2", "1.2"));
    story.until(operation, OperationState::RolledBack).await;
    assert_eq!(story.order(operation).await.state, ProfileState::Unavailable);
    refused(
        &story.line.download_by(&code, async || {}).await,
        ("8.2.6", "3.8"),
    );
}

#[tokio::test]
async fn a_stolen_code_gives_nothing_and_its_owner_hears_of_it_once() {
    let mut story = Story::new().await;
    let (operation, code) = story.released().await;
    let owners = story.line.swap_chip("89049032000000000000000000000041");
    for _ in 0..3 {
        refused(
            &story.line.download_by(&code, async || {}).await,
            ("8.1.1", "3.8"),
        );
    }
    let store = story.house.app.store();
    let waiting = store
        .outbox_due(story.house.app.now(), i64::MAX, 1000)
        .await
        .unwrap();
    let told = waiting
        .iter()
        .filter(|it| it.payload.contains("download_elsewhere"));
    assert!((1..=3).contains(&told.count()), "once on each channel");
    story.line.chip = owners;
    // A number that is frozen while its phone is in the middle of a session.
    let freeze = |reason: Option<&'static str>| Freeze {
        target: FreezeTarget::parse("number:+85512345678", Region::KH).unwrap(),
        reason: reason.map(ReasonCode::from_static),
    };
    let app = &story.house.app;
    let stop = async || {
        app.freeze_downloads(&Actor::system(), &freeze(Some("reported_stolen")))
            .await
            .unwrap();
    };
    refused(&story.line.download_by(&code, stop).await, ("8.2", "1.2"));
    app.freeze_downloads(&Actor::system(), &freeze(None))
        .await
        .unwrap();
    installed(&story.line.download_by(&code, async || {}).await);
    story.until(operation, OperationState::Completed).await;
}
