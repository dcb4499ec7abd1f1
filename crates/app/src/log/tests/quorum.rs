//! Publishing under a quorum of witnesses.

use super::super::{
    CosignError, CosignFuture, Cosigner, Folder, VerifyOptions, Witness, WitnessLink, verify,
};
use super::witnessing::{open_witness, witness_key};
use super::{World, log_only, signer};
use simwarden_ledger::{Policy, Receipt, parse_conflict};
use simwarden_model::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

const ALIVE: u8 = 0;
const DEAD: u8 = 1;
const HANGING: u8 = 2;

/// The way to a witness in this process, which can be cut.
struct Near {
    witness: Witness,
    state: AtomicU8,
    asked: AtomicU32,
}

impl Cosigner for Near {
    fn cosign(&self, request_body: Vec<u8>) -> CosignFuture<'_> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            match self.state.load(Ordering::SeqCst) {
                DEAD => return Err(CosignError::Unreachable("connection refused".into())),
                HANGING => std::future::pending::<()>().await,
                _ => {}
            }
            let answer = self
                .witness
                .handle_add(&request_body, Timestamp::from_millis(1_800_000_000_000));
            match answer.status {
                200 => Ok(answer.body.into_bytes()),
                409 => Err(CosignError::Conflict {
                    latest: parse_conflict(answer.body.as_bytes()).unwrap(),
                }),
                status => Err(CosignError::Refused {
                    status,
                    reason: answer.body,
                }),
            }
        })
    }
}

fn policy() -> Policy {
    let keys: Vec<String> = (1..=3).map(|n| witness_key(n).verifier().to_string()).collect();
    let text = format!(
        "log {}\nwitness a {}\nwitness b {}\nwitness c {}\ngroup two 2 a b c\nquorum two\n",
        signer().verifier(),
        keys[0],
        keys[1],
        keys[2]
    );
    Policy::parse(text.as_bytes()).unwrap()
}

fn witnesses(world: &World) -> (Vec<Arc<Near>>, Vec<WitnessLink>) {
    let near: Vec<Arc<Near>> = (1..=3)
        .map(|n| {
            let witness = open_witness(&world.folder(&format!("witness-{n}")), n).unwrap();
            Arc::new(Near {
                witness,
                state: AtomicU8::new(ALIVE),
                asked: AtomicU32::new(0),
            })
        })
        .collect();
    let links = (1..=3).zip(&near).map(|(n, near)| WitnessLink {
        name: format!("w{n}"),
        key: witness_key(n).verifier().clone(),
        port: Arc::<Near>::clone(near),
    });
    let links = links.collect();
    (near, links)
}

#[tokio::test]
async fn two_of_three_publish_and_one_of_three_does_not() {
    let world = World::new().await;
    let (near, links) = witnesses(&world);
    let mut log = world.open_witnessed(policy(), links.clone()).await.unwrap();
    world.append(10).await;
    assert_eq!(log.cycle().await.unwrap().published, 10);

    near[0].state.store(DEAD, Ordering::SeqCst);
    world.append(10).await;
    assert_eq!(log.cycle().await.unwrap().published, 20, "one dead");

    near[1].state.store(DEAD, Ordering::SeqCst);
    world.append(300).await;
    let progress = log.cycle().await.unwrap();
    assert_eq!((progress.signed, progress.published), (320, 20), "two dead");
    assert!(!log.published().borrow().covers(20), "no effect leaves");
    assert!(world.receipts(&log).receipt(20).await.is_err());
    let file = std::fs::read(world.folder("ledger").join("checkpoint")).unwrap();
    assert_eq!(policy().check(&file).unwrap().checkpoint.size, 20);

    // A restart asks again from nothing and is told where the witnesses stand.
    drop(log);
    near[0].state.store(ALIVE, Ordering::SeqCst);
    let mut log = world.open_witnessed(policy(), links).await.unwrap();
    assert_eq!(log.published().borrow().size, 20);
    assert_eq!(
        log.cycle().await.unwrap().published,
        320,
        "it came back and was caught up"
    );
    let stored = world.store.checkpoint().await.unwrap().unwrap();
    policy().check(stored.note.as_bytes()).unwrap();
    let audited = verify(
        &Folder::reading(world.folder("ledger")),
        &VerifyOptions::all(policy()),
    )
    .unwrap();
    assert!(audited.trusted.witnesses.len() >= 2);
    let receipt = world.receipts(&log).receipt(319).await.unwrap();
    let entry = &world.store.entries(319, 1).await.unwrap()[0].body;
    Receipt::parse(receipt.as_bytes())
        .unwrap()
        .verify_offline(entry, &policy())
        .unwrap();
}

#[tokio::test]
async fn a_witness_that_hangs_holds_nobody_up_and_is_not_asked_twice() {
    let world = World::new().await;
    let (near, links) = witnesses(&world);
    near[2].state.store(HANGING, Ordering::SeqCst);
    let mut log = world.open_witnessed(policy(), links).await.unwrap();
    for size in [10, 20, 30] {
        world.append(10).await;
        assert_eq!(log.cycle().await.unwrap().published, size);
    }
    assert!(near[2].asked.load(Ordering::SeqCst) <= 1);
}

#[tokio::test]
async fn a_log_that_is_no_continuation_is_not_cosigned() {
    let world = World::new().await;
    let (_near, links) = witnesses(&world);
    world.append(30).await;
    world
        .open_witnessed(policy(), links.clone())
        .await
        .unwrap()
        .cycle()
        .await
        .unwrap();
    // The insider with the key writes history anew: another database, the same key, the same witnesses.
    let other = World::new().await;
    other.append(40).await;
    let mut log = other.open_witnessed(policy(), links).await.unwrap();
    assert_eq!(log.cycle().await.unwrap().published, 0, "no witness signs");
    let mut log = other.open().await.unwrap();
    log.cycle().await.unwrap();
    let remembered = std::fs::read(world.folder("ledger").join("checkpoint")).unwrap();
    let options = VerifyOptions {
        remembered: Some(remembered),
        ..VerifyOptions::all(log_only())
    };
    let error = verify(&Folder::reading(other.folder("ledger")), &options).unwrap_err();
    assert!(error.to_string().contains("rewritten"), "{error}");
}
