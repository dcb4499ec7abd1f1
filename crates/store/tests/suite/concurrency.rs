//! Two stores, as two processes have them, on one database.

use crate::samples::{self, at, id};
use crate::test_db::{TestDb, on_both};
use simwarden_store::records::entry::Entry;
use simwarden_store::{Store, StoreError};

/// Appends behind the end as it is read in the same transaction; a writer that is kept waiting too long tries again.
async fn append(store: &Store, writer: u64, times: u64) {
    for n in 0..times {
        loop {
            let mut tx = match store.begin().await {
                Ok(tx) => tx,
                Err(StoreError::Unavailable(_)) => continue,
                Err(other) => panic!("{other}"),
            };
            let (end, _) = tx.ledger_end().await.unwrap();
            let entry = |k: i64| Entry {
                index: end + k,
                ..samples::entry(writer * 1_000_000 + n)
            };
            // Give others every chance to come between reading and writing.
            tokio::task::yield_now().await;
            tx.insert_entries((0..3).map(entry).collect()).await.unwrap();
            tx.commit().await.unwrap();
            break;
        }
    }
}

on_both! {
    async fn writers_take_turns_and_the_ledger_has_no_gap(db: TestDb) {
        let stores = [db.open().await, db.open().await];
        let tasks: Vec<_> = (0..4)
            .map(|writer| {
                let store = stores[writer as usize % 2].clone();
                tokio::spawn(async move { append(&store, writer, 25).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let entries = stores[0].entries(0, 1_000).await.unwrap();
        assert_eq!(entries.len(), 4 * 25 * 3);
        assert!(entries.iter().enumerate().all(|(n, entry)| entry.index == n as i64));
        // Each transaction's three stand together.
        assert!(entries.chunks(3).all(|three| three.iter().all(|entry| entry.at == three[0].at)));
    }

    async fn what_one_reads_another_cannot_have_changed(db: TestDb) {
        let stores = [db.open().await, db.open().await];
        let mut tx = stores[0].begin().await.unwrap();
        tx.insert_parties(&[samples::party(0)]).await.unwrap();
        tx.commit().await.unwrap();
        let tasks: Vec<_> = stores
            .iter()
            .cloned()
            .map(|store| {
                tokio::spawn(async move {
                    let mut done = 0;
                    while done < 30 {
                        let Ok(mut tx) = store.begin().await else { continue };
                        let mut party = tx.parties(&[id(0)]).await.unwrap().remove(0);
                        tokio::task::yield_now().await;
                        party.version += 1;
                        party.created_at = at(party.version as u64);
                        tx.update_party(&party).await.unwrap();
                        tx.commit().await.unwrap();
                        done += 1;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(stores[1].party(id(0)).await.unwrap().unwrap().version, 61);
    }

    async fn a_second_writer_waits_a_bounded_time_and_readers_do_not(db: TestDb) {
        let (one, two) = (db.open().await, db.open().await);
        let mut held = one.begin().await.unwrap();
        held.insert_parties(&[samples::party(0)]).await.unwrap();
        for store in [&one, &two] {
            assert!(matches!(store.begin().await, Err(StoreError::Unavailable(_))));
            assert_eq!(store.party(id(0)).await.unwrap(), None);
        }
        held.commit().await.unwrap();
        for store in [&one, &two] {
            store.begin().await.unwrap().commit().await.unwrap();
            assert_eq!(store.party(id(0)).await.unwrap(), Some(samples::party(0)));
        }
    }

    async fn many_open_an_empty_database_at_once(db: TestDb) {
        let address = std::sync::Arc::new(db.address.clone());
        let tasks: Vec<_> = (0..6)
            .map(|_| {
                let address = std::sync::Arc::clone(&address);
                tokio::spawn(async move { Store::open(&address).await.map(drop) })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        let store = db.open().await;
        store.begin().await.unwrap().insert_parties(&[samples::party(1)]).await.unwrap();
    }

    async fn opened_again_it_holds_what_it_held(db: TestDb) {
        for n in 0..4_u64 {
            let store = db.open().await;
            assert_eq!(store.ledger_end().await.unwrap().0, n as i64);
            let mut tx = store.begin().await.unwrap();
            tx.insert_entries(vec![samples::entry(n)]).await.unwrap();
            tx.commit().await.unwrap();
            store.close().await;
        }
    }
}
