//! Two servers on one database: one log.

use super::super::steps::{Step, Steps};
use super::super::{LogConfig, Sequencer};
use super::World;
use std::io;
use std::sync::{Arc, Mutex};

async fn open(world: &World, folder: &str) -> Sequencer {
    let config = LogConfig {
        folder: world.folder(folder),
        ..world.config()
    };
    Sequencer::open(world.another_store().await, Arc::clone(&world.clock), config)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_race_and_publish_one_log() {
    for folders in [["a", "b"], ["both", "both"]] {
        let world = World::new().await;
        let (mut a, mut b) = (open(&world, folders[0]).await, open(&world, folders[1]).await);
        let (mut seen_a, mut seen_b) = (None, None);
        let mut size = 0;
        for round in 0..12_usize {
            let more = 1 + round * 37;
            world.append(more).await;
            size += more as u64;
            let (x, y) = tokio::join!(a.cycle(), b.cycle());
            assert_eq!((x.unwrap().signed, y.unwrap().signed), (size, size));
            assert_eq!(world.audit(folders[0], &mut seen_a), size);
            assert_eq!(world.audit(folders[1], &mut seen_b), size);
        }
        assert_eq!(seen_a, seen_b, "the same checkpoint");
    }
}

/// Lets another server sign just before our own swap.
struct Overtaken(Mutex<Option<Sequencer>>);

impl Steps for Overtaken {
    fn before(&self, step: Step) -> io::Result<()> {
        if step == Step::Swap
            && let Some(mut other) = self.0.lock().unwrap().take()
        {
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(async { other.cycle().await.unwrap() })
            });
        }
        Ok(())
    }
    fn after(&self, _: Step) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_swap_continues_from_what_the_other_signed() {
    let world = World::new().await;
    world.append(100).await;
    world.open().await.unwrap().cycle().await.unwrap();
    world.append(300).await;
    let other = open(&world, "other").await;
    let mut ours = world
        .open_breaking(Arc::new(Overtaken(Mutex::new(Some(other)))))
        .await
        .unwrap();
    let progress = ours.cycle().await.unwrap();
    assert_eq!(progress.published, 400);
    let (mut mine, mut theirs) = (None, None);
    assert_eq!(
        (
            world.audit("ledger", &mut mine),
            world.audit("other", &mut theirs)
        ),
        (400, 400)
    );
    assert_eq!(mine, theirs);
}
