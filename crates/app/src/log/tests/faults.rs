//! Each step fails, with and without having happened: the log never parts, and goes on by itself or after a restart.

use super::super::sequencer::Backlog;
use super::super::steps::{Step, Steps};
use super::World;
use simwarden_model::{Clock, Timestamp};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Fails one kind of step at its n-th time, once.
struct Failing {
    step: Step,
    persisted: bool,
    left: AtomicI64,
}

impl Failing {
    fn strike(&self, step: Step, persisted: bool) -> io::Result<()> {
        if step == self.step && persisted == self.persisted && self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            return Err(io::Error::other("on purpose"));
        }
        Ok(())
    }
}

impl Steps for Failing {
    fn before(&self, step: Step) -> io::Result<()> {
        self.strike(step, false)
    }
    fn after(&self, step: Step) -> io::Result<()> {
        self.strike(step, true)
    }
}

#[tokio::test]
async fn no_failing_step_parts_the_log() {
    for step in [Step::Tile, Step::Bundle, Step::Names, Step::Swap, Step::Publish] {
        for persisted in [false, true] {
            for (nth, restart) in [(0, false), (0, true), (1, true)] {
                let world = World::new().await;
                let mut remembered = None;
                world.append(250).await;
                world.open().await.unwrap().cycle().await.unwrap();
                world.audit("ledger", &mut remembered);
                world.append(300).await;
                let failing = Arc::new(Failing {
                    step,
                    persisted,
                    left: AtomicI64::new(nth),
                });
                let mut log = world
                    .open_breaking(Arc::<Failing>::clone(&failing))
                    .await
                    .unwrap();
                let outcome = log.cycle().await;
                let struck = failing.left.load(Ordering::SeqCst) < 0;
                assert_eq!(outcome.is_err(), struck, "{step:?} {persisted} {nth}");
                assert!(nth > 0 || struck, "{step:?} happens");
                if let Err(error) = outcome {
                    assert!(!error.is_fatal(), "{error}");
                    let covered = log.published().borrow().size;
                    assert!(
                        covered == 250,
                        "nobody is told of a tree that may not be out: {covered}"
                    );
                }
                // What a stranger sees meanwhile is whole.
                world.audit("ledger", &mut remembered);
                world.append(10).await;
                if restart {
                    drop(log);
                    log = world.open().await.unwrap();
                }
                let progress = log.cycle().await.unwrap();
                assert_eq!(progress.published, 560, "{step:?} {persisted} {nth}");
                assert_eq!(world.audit("ledger", &mut remembered), 560);
            }
        }
    }
}

#[derive(Debug, Default)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH
    }
    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::SeqCst).unsigned_abs())
    }
}

#[test]
fn the_alarm_rings_when_entries_wait_for_five_seconds() {
    let (clock, mut backlog) = (Hand::default(), Backlog::default());
    let at = |seconds| clock.0.store(seconds, Ordering::SeqCst);
    assert!(!backlog.look(&clock, 5, 0));
    at(4);
    assert!(!backlog.look(&clock, 9, 0));
    at(5);
    assert!(backlog.look(&clock, 9, 0));
    at(6);
    assert!(!backlog.look(&clock, 9, 0), "not at every cycle");
    at(10);
    assert!(backlog.look(&clock, 9, 0));
    assert!(!backlog.look(&clock, 9, 8), "something was published");
    assert!(!backlog.look(&clock, 9, 9));
    at(100);
    assert!(!backlog.look(&clock, 10, 9), "an idle hour is no backlog");
}
