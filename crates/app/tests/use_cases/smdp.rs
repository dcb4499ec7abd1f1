//! The SM-DP+ and the guard: a profile of an operation goes out only while that stands approved at its release.

use crate::house::{House, Person};
use simwarden_app::ports::{
    Answer, NetworkChange, NetworkCore, Notice, Notifier, OperatorLink, ProfileOrder, ProgressCall, SmDpPlus,
};
use simwarden_app::smdp::{ProfileOutcome, ProfileTerms, Smdp};
use simwarden_app::worker::{Ports, work};
use simwarden_app::{Actor, Given, OsEntropy, OwnerAnswer};
use simwarden_euicc::lpa::{Download, Next, Outcome, Request};
use simwarden_euicc::pki::{Pki, PkiOptions};
use simwarden_euicc::{ActivationCode, ChipSettings, Device, Euicc};
use simwarden_model::{
    Channel, Eid, Iccid, Imei, Imsi, OperationId, OperationKind, OperationState, OutboxId, Role,
};
use simwarden_rsp::certificate::Certificate;
use simwarden_rsp::json::{self, Es9Answer};
use simwarden_rsp::key::{Credential, LocalKey};
use simwarden_rsp::{Identity, Refusal, Server};
use simwarden_store::records::operation::Operation;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

const EID: &str = "89049032123451234512345678901235";

/// An outside world that does as it is told, and whose phones have not answered yet.
pub struct Outside;

fn done<'a, T: Send + 'a>(value: T) -> Answer<'a, T> {
    Box::pin(async move { Ok(value) })
}

impl Notifier for Outside {
    fn tell<'a>(&'a self, _: OutboxId, _: &'a Notice) -> Answer<'a, ()> {
        done(())
    }
}
impl NetworkCore for Outside {
    fn change<'a>(&'a self, _: OutboxId, _: &'a NetworkChange) -> Answer<'a, ()> {
        done(())
    }
}
impl OperatorLink for Outside {
    fn progress<'a>(&'a self, _: OutboxId, _: &'a ProgressCall) -> Answer<'a, ()> {
        done(())
    }
}
impl SmDpPlus for Outside {
    fn order<'a>(&'a self, _: OutboxId, _: &'a ProfileOrder) -> Answer<'a, ()> {
        done(())
    }
    fn release<'a>(&'a self, _: OutboxId, _: &'a ProfileOrder) -> Answer<'a, ()> {
        done(())
    }
    fn is_installed<'a>(&'a self, _: &'a ProfileOrder) -> Answer<'a, bool> {
        done(false)
    }
    fn bar<'a>(&'a self, _: OutboxId, _: &'a ProfileOrder) -> Answer<'a, ()> {
        done(())
    }
}

/// An SM-DP+ on the house's use cases, and a chip of its PKI.
pub struct Line {
    pub smdp: Smdp,
    pub chip: Euicc,
    pki: Pki,
    chance: OsEntropy,
}

impl Line {
    pub fn new(house: &House) -> Self {
        let mut chance = OsEntropy::new().unwrap();
        let begin = "2026-01-01T00:00:00Z".parse().unwrap();
        let pki = Pki::make(PkiOptions::new(begin, "localhost"), &mut chance).unwrap();
        let read = |it: &simwarden_euicc::pki::Credential| {
            let key = LocalKey::from_scalar(&it.key.reveal()).unwrap();
            Credential::new(Certificate::parse(it.certificate.der()).unwrap(), Arc::new(key)).unwrap()
        };
        let ci = Certificate::parse(pki.ci.certificate.der()).unwrap();
        let identity = Identity::new(ci, read(&pki.dpauth), read(&pki.dppb)).unwrap();
        let server = Server::new(
            "localhost",
            b"simwarden",
            vec![identity],
            Duration::from_secs(600),
        );
        let chip = pki.chip(Eid::parse(EID).unwrap(), &mut chance).unwrap();
        Self {
            smdp: Smdp::new(
                house.app.clone(),
                server.unwrap(),
                simwarden_rsp::chain::Screen::default(),
            ),
            chip: Euicc::new(chip, ChipSettings::default()),
            pki,
            chance,
        }
    }

    /// Another chip takes the place of this one; answers this one.
    pub fn swap_chip(&mut self, eid: &str) -> Euicc {
        let identity = self
            .pki
            .chip(Eid::parse_vouched(eid).unwrap().0, &mut self.chance)
            .unwrap();
        std::mem::replace(&mut self.chip, Euicc::new(identity, ChipSettings::default()))
    }

    async fn call(&self, request: &Request) -> Vec<u8> {
        let body = request.body.to_string().into_bytes();
        let text = |it: Result<String, Refusal>| it.unwrap_or_else(json::refused).into_bytes();
        match request.function {
            "initiateAuthentication" => {
                let call = json::initiate_authentication(&body).unwrap();
                text(self.smdp.initiate(&call).map(|it| it.to_json()))
            }
            "authenticateClient" => {
                let call = json::authenticate_client(&body).unwrap();
                let answer = self
                    .smdp
                    .authenticate(call.transaction, &call.message, None)
                    .await;
                text(answer.map(|it| it.to_json()))
            }
            "getBoundProfilePackage" => {
                let call = json::get_bound_profile_package(&body).unwrap();
                let answer = self.smdp.package(call.transaction, &call.message).await;
                text(answer.map(|it| it.to_json()))
            }
            "cancelSession" => {
                let call = json::cancel_session(&body).unwrap();
                let answer = self.smdp.cancel(call.transaction, &call.message).await;
                text(answer.map(|()| ().to_json()))
            }
            _ => {
                let bytes = json::handle_notification(&body).unwrap();
                self.smdp.notify(&bytes).await.unwrap();
                Vec::new()
            }
        }
    }

    /// A download; `before_package` happens when the package is about to be fetched.
    async fn download(&mut self, before_package: impl AsyncFn()) -> Outcome {
        self.download_by("LPA:1$localhost$REPLACE-1", before_package)
            .await
    }

    /// A download by an activation code.
    pub async fn download_by(&mut self, code: &str, before_package: impl AsyncFn()) -> Outcome {
        let code = ActivationCode::parse(code).unwrap();
        let device = Device::of(&Imei::parse("490154203237518").unwrap());
        let (chip, chance) = (&mut self.chip, &mut self.chance);
        let begun = Download::begin(
            &mut |command: &[u8]| chip.process(command, chance),
            code,
            device,
            None,
        );
        let (mut download, mut request) = begun.unwrap();
        loop {
            if request.function == "getBoundProfilePackage" {
                before_package().await;
            }
            let body = self.call(&request).await;
            let status = if body.is_empty() { 204 } else { 200 };
            let (chip, chance) = (&mut self.chip, &mut self.chance);
            let next = download.answer(&mut |command: &[u8]| chip.process(command, chance), status, &body);
            match next.unwrap() {
                Next::Ask(following) => request = following,
                Next::Done(outcome) => return outcome,
                other => panic!("{other:?}"),
            }
        }
    }

    /// Takes a sample profile of this number into the SM-DP+.
    pub async fn import(&mut self, house: &House, digits: &str) {
        let iccid = Iccid::parse_without_check(digits).unwrap();
        let imsi = Imsi::parse("999010000000001").unwrap();
        let package = simwarden_rsp::profile::sample(&iccid, &imsi, &mut self.chance).unwrap();
        let terms = ProfileTerms {
            operator: crate::house::OPERATOR.to_owned(),
            profile_type: "prepaid".to_owned(),
            provider: "Operator".to_owned(),
            name: "Prepaid".to_owned(),
            address: "localhost".to_owned(),
            test: false,
        };
        let taken = house
            .app
            .import_profile(&Actor::system(), &package, &terms)
            .await
            .unwrap();
        assert!(matches!(taken, ProfileOutcome::Imported { .. }), "{taken:?}");
    }

    /// A released order for a sample profile, with the operation behind it.
    async fn order(&mut self, house: &House, operation: OperationId) {
        self.import(house, "898550312345678901").await;
        let order = serde_json::json!({
            "profile_type": "prepaid", "matching_id": "REPLACE-1", "eid": EID, "operation_id": operation,
        });
        let report = house
            .app
            .import_orders(&Actor::system(), &order.to_string())
            .await
            .unwrap();
        assert_eq!((report.imported, report.problems), (1, Vec::new()));
    }
}

fn held(outcome: &Outcome) {
    match outcome {
        Outcome::Refused(it) => assert_eq!((it.subject.as_str(), it.reason.as_str()), ("8.2", "1.2")),
        other => panic!("not held: {other:?}"),
    }
}

/// A replacement that everybody agreed to.
pub async fn approved(house: &House, owner: &Person, device: &Actor) -> OperationId {
    let agent = house.staff(Role::Agent, "shop-1").await;
    let supervisor = house.staff(Role::Supervisor, "shop-2").await;
    let asked = house
        .ask(&agent, OperationKind::Replace, Channel::Shop, owner)
        .await
        .unwrap();
    let proof = house
        .app
        .give_proof(&supervisor, asked.operation, Given::SecondApprover);
    proof.await.unwrap();
    let question = house.app.questions(device).await.unwrap().remove(0);
    let yes = OwnerAnswer::Yes(asked.match_number.unwrap());
    house.app.answer(device, question.id, yes).await.unwrap();
    let row = house
        .app
        .store()
        .operation(asked.operation)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.state, OperationState::Executing);
    asked.operation
}

/// Lets the worker carry an operation out until it stands as it should.
pub async fn work_until(
    house: &House,
    smdp: Arc<dyn SmDpPlus>,
    operation: OperationId,
    stands: impl Fn(&Operation) -> bool,
) {
    let mut updates = house.app.updates();
    let (_published, sizes) = watch::channel(i64::MAX);
    let (stop, stopped) = watch::channel(false);
    let ports = Ports {
        notifier: Arc::new(Outside),
        smdp,
        network: Arc::new(Outside),
        operators: Arc::new(Outside),
    };
    let worker = tokio::spawn(work(house.app.clone(), ports, sizes, stopped));
    loop {
        let row = house.app.store().operation(operation).await.unwrap().unwrap();
        if stands(&row) {
            break;
        }
        let heard = tokio::time::timeout(Duration::from_secs(60), updates.recv()).await;
        heard
            .unwrap_or_else(|_| panic!("it stays at {} {}", row.state, row.steps))
            .unwrap();
    }
    stop.send(true).unwrap();
    worker.await.unwrap();
}

/// Whether the profile may be fetched.
pub fn is_released(row: &Operation) -> bool {
    let steps: serde_json::Value = serde_json::from_str(&row.steps).unwrap();
    let is_done = |step: &serde_json::Value| step["name"] == "release" && step["state"] == "done";
    steps.as_array().unwrap().iter().any(is_done)
}

async fn released(house: &House, operation: OperationId) {
    work_until(house, Arc::new(Outside), operation, is_released).await;
}

#[tokio::test]
async fn a_profile_goes_out_only_while_its_operation_stands_at_the_release() {
    let house = House::build().await;
    let owner = house.person("Sok Dara", "85512345678").await;
    let device = house.device_of(&owner).await;
    let mut line = Line::new(&house);
    let operation = approved(&house, &owner, &device).await;
    line.order(&house, operation).await;

    // Approved, but not carried out as far as the release: nobody gets it.
    held(&line.download(async || {}).await);
    released(&house, operation).await;

    // The owner locks her line while the phone is in the middle of its session.
    let lock = async || {
        house
            .ask(&device, OperationKind::Lock, Channel::App, &owner)
            .await
            .unwrap();
    };
    held(&line.download(lock).await);
    held(&line.download(async || {}).await);
}

#[tokio::test]
async fn an_operation_that_nobody_holds_up_reaches_the_chip() {
    let house = House::build().await;
    let owner = house.person("Sok Dara", "85512345678").await;
    let device = house.device_of(&owner).await;
    let mut line = Line::new(&house);
    let operation = approved(&house, &owner, &device).await;
    line.order(&house, operation).await;
    released(&house, operation).await;
    let outcome = line.download(async || {}).await;
    assert!(matches!(outcome, Outcome::Installed { .. }), "{outcome:?}");
    let timeline = house.app.store().history_of_operation(operation).await.unwrap();
    for kind in ["smdp_authenticated", "smdp_delivered", "smdp_installed"] {
        assert!(timeline.iter().any(|item| item.kind == kind), "{kind}");
    }
}
