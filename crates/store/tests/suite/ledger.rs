//! The ledger's table and its one checkpoint.

use crate::samples::{self, at, hash};
use crate::test_db::{TestDb, on_both};
use simwarden_store::StoreError;
use simwarden_store::records::checkpoint::SignedCheckpoint;
use simwarden_store::records::entry::ENTRIES_MAX;

fn checkpoint(size: i64, root: u64) -> SignedCheckpoint {
    SignedCheckpoint {
        size,
        root: hash(root),
        note: format!("origin\n{size}\n"),
        at: at(root),
    }
}

on_both! {
    async fn entries_stand_in_order(db: TestDb) {
        let store = db.open().await;
        let mut tx = store.begin().await.unwrap();
        let entries: Vec<_> = (0..5_000).map(samples::entry).collect();
        tx.insert_entries(entries.clone()).await.unwrap();
        assert_eq!(tx.ledger_end().await.unwrap(), (5_000, at(4_999)));
        assert_eq!(store.ledger_end().await.unwrap().0, 0, "not before the commit");
        tx.commit().await.unwrap();
        assert_eq!(store.ledger_end().await.unwrap(), (5_000, at(4_999)));
        assert_eq!(store.entries(10, 300).await.unwrap(), entries[10..310]);
        assert_eq!(store.entries(0, u32::MAX).await.unwrap().len(), ENTRIES_MAX as usize, "bounded");
        assert_eq!(store.entries(4_999, 10).await.unwrap(), entries[4_999..]);
        let leaves = store.leaves(1_000, 4_000).await.unwrap();
        assert!(leaves.iter().eq(entries[1_000..].iter().map(|e| &e.leaf)));
    }

    async fn the_checkpoint_moves_by_compare_and_swap(db: TestDb) {
        let store = db.open().await;
        assert!(!store.swap_checkpoint(Some(0), &checkpoint(1, 1)).await.unwrap(), "there is none to replace");
        assert!(store.swap_checkpoint(None, &checkpoint(5, 5)).await.unwrap());
        assert!(!store.swap_checkpoint(None, &checkpoint(6, 6)).await.unwrap(), "there is one already");
        assert!(!store.swap_checkpoint(Some(4), &checkpoint(7, 7)).await.unwrap(), "another was faster");
        for back in [5, 4, 0] {
            assert!(matches!(store.swap_checkpoint(Some(5), &checkpoint(back, 9)).await, Err(StoreError::Conflict(_))));
        }
        assert_eq!(store.checkpoint().await.unwrap(), Some(checkpoint(5, 5)));
        assert!(store.swap_checkpoint(Some(5), &checkpoint(8, 8)).await.unwrap());
        assert!(!store.cosign_checkpoint(5, "old").await.unwrap(), "no longer the latest");
        assert!(store.cosign_checkpoint(8, "cosigned").await.unwrap());
        let mut cosigned = checkpoint(8, 8);
        cosigned.note = "cosigned".into();
        assert_eq!(store.checkpoint().await.unwrap(), Some(cosigned));
    }

    async fn of_two_that_sign_at_once_one_wins(db: TestDb) {
        let (one, two) = (db.open().await, db.open().await);
        let mut size = None;
        for round in 1..=20 {
            let new = |root| checkpoint(round * 10, root);
            let (new_one, new_two) = (new(1), new(2));
            let (a, b) = tokio::join!(one.swap_checkpoint(size, &new_one), two.swap_checkpoint(size, &new_two));
            let (a, b) = (a.unwrap(), b.unwrap());
            assert!(a ^ b, "round {round}: {a} {b}");
            let winner = if a { new_one } else { new_two };
            assert_eq!(two.checkpoint().await.unwrap(), Some(winner));
            size = Some(round * 10);
        }
    }
}
