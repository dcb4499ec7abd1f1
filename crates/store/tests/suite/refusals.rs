//! What the database itself refuses, and what then becomes of the transaction.

use crate::samples::{self, at, id, index};
use crate::test_db::{TestDb, on_both};
use simwarden_store::{Store, StoreError};

fn is_conflict<T>(result: Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Conflict(_)))
}

on_both! {
    async fn one_live_profile_per_line(db: TestDb) {
        let store = db.open().await;
        let live = |n| {
            let mut profile = samples::profile(n);
            (profile.live, profile.subscription_id) = (true, Some(id(1)));
            profile
        };
        let mut tx = store.begin().await.unwrap();
        tx.insert_profiles(&[live(1)]).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        assert!(is_conflict(tx.insert_profiles(&[live(2)]).await));
        drop(tx);
        // The old one goes first, then the new one may come.
        let mut old = live(1);
        (old.live, old.version) = (false, 2);
        let mut tx = store.begin().await.unwrap();
        tx.update_profile(&old).await.unwrap();
        tx.insert_profiles(&[live(2)]).await.unwrap();
        tx.commit().await.unwrap();
        let mut back = old;
        (back.live, back.version) = (true, 3);
        let mut tx = store.begin().await.unwrap();
        assert!(is_conflict(tx.update_profile(&back).await));
    }

    async fn one_operation_moves_a_number(db: TestDb) {
        let store = db.open().await;
        let moving = |n| {
            let mut operation = samples::operation(n);
            (operation.exclusive, operation.subscription_id) = (true, Some(id(1)));
            operation
        };
        let mut tx = store.begin().await.unwrap();
        tx.insert_operations(&[moving(1)]).await.unwrap();
        assert_eq!(tx.exclusive_operations(&[id(1), id(2)]).await.unwrap(), [(id(1), id(1))]);
        tx.commit().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        assert!(is_conflict(tx.insert_operations(&[moving(2)]).await));
        drop(tx);
        assert_eq!(store.operations_of(id(1), 10).await.unwrap().len(), 1);
    }

    async fn what_is_there_already_is_refused(db: TestDb) {
        let store = db.open().await;
        let mut tx = store.begin().await.unwrap();
        tx.insert_parties(&[samples::party(1)]).await.unwrap();
        tx.insert_events(&[samples::event(1)]).await.unwrap();
        tx.insert_remembered(&[samples::remembered(1)]).await.unwrap();
        tx.insert_entries(vec![samples::entry(0)]).await.unwrap();
        tx.insert_tokens(&[samples::token(1)]).await.unwrap();
        tx.commit().await.unwrap();
        // Another party with the same document at the same operator; the same token under another name.
        let mut twin = samples::party(1);
        twin.id = id(2);
        let mut double = samples::token(1);
        double.id = id(2);
        macro_rules! refused {
            ($insert:ident($rows:expr)) => {{
                let mut tx = store.begin().await.unwrap();
                assert!(is_conflict(tx.$insert($rows).await), stringify!($insert));
            }};
        }
        refused!(insert_parties(&[samples::party(1)]));
        refused!(insert_parties(&[twin]));
        refused!(insert_events(&[samples::event(1)]));
        refused!(insert_remembered(&[samples::remembered(1)]));
        refused!(insert_entries(vec![samples::entry(0)]));
        refused!(insert_tokens(&[double]));
    }

    async fn a_failed_statement_takes_the_transaction_with_it(db: TestDb) {
        let store = db.open().await;
        let mut tx = store.begin().await.unwrap();
        tx.insert_parties(&[samples::party(1)]).await.unwrap();
        assert!(is_conflict(tx.insert_parties(&[samples::party(2), samples::party(1)]).await));
        assert!(matches!(tx.insert_parties(&[samples::party(3)]).await, Err(StoreError::Unavailable(_))));
        assert!(matches!(tx.parties(&[id(1)]).await, Err(StoreError::Unavailable(_))));
        assert!(matches!(tx.commit().await, Err(StoreError::Unavailable(_))), "must not pass for committed");
        nothing_is_there(&store).await;
        let mut tx = store.begin().await.unwrap();
        tx.insert_parties(&[samples::party(1)]).await.unwrap();
        drop(tx);
        nothing_is_there(&store).await;
        let mut tx = store.begin().await.unwrap();
        tx.insert_parties(&[samples::party(1)]).await.unwrap();
        tx.rollback().await.unwrap();
        nothing_is_there(&store).await;
    }

    async fn a_statement_given_up_halfway_takes_the_transaction_with_it(db: TestDb) {
        let store = db.open().await;
        let mut tx = store.begin().await.unwrap();
        let parties: Vec<_> = (0..2_000).map(samples::party).collect();
        {
            let mut insert = std::pin::pin!(tx.insert_parties(&parties));
            // Polled once, then dropped. SQLite works on the thread that asks and is through by then.
            let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(insert.as_mut().poll(cx).is_ready()));
            if polled.await {
                assert!(store.is_embedded());
                return;
            }
        }
        assert!(matches!(tx.commit().await, Err(StoreError::Unavailable(_))));
        nothing_is_there(&store).await;
    }

    async fn a_zero_character_is_refused_alike(db: TestDb) {
        let store = db.open().await;
        let mut token = samples::token(0);
        token.name = "before\0after".into();
        let mut tx = store.begin().await.unwrap();
        assert!(is_conflict(tx.insert_tokens(&[token]).await));
        assert!(matches!(tx.commit().await, Err(StoreError::Unavailable(_))), "it took the transaction with it");
        assert!(store.tokens().await.unwrap().is_empty());
    }

    async fn texts_are_never_taken_for_sql(db: TestDb) {
        let store = db.open().await;
        let mut tx = store.begin().await.unwrap();
        tx.insert_parties(&(0..64).map(samples::party).collect::<Vec<_>>()).await.unwrap();
        tx.commit().await.unwrap();
        for n in 0..64 {
            let operator = samples::nasty(n);
            assert!(store.operations_page(Some(&operator), None, None, 5).await.unwrap().is_empty());
            assert!(store.begin().await.unwrap().profiles_in_stock(&operator, 5).await.unwrap().is_empty());
            assert!(store.begin().await.unwrap().known_events(&operator, std::slice::from_ref(&operator)).await.unwrap().is_empty());
            let mut tx = store.begin().await.unwrap();
            assert_eq!(tx.drop_outbox(id(n), &operator, at(1)).await.unwrap(), 0);
        }
        assert_eq!(store.begin().await.unwrap().parties(&(0..64).map(id).collect::<Vec<_>>()).await.unwrap().len(), 64);
        assert_eq!(store.parties_by_document(index(1, 1)).await.unwrap().len(), 1);
    }
}

async fn nothing_is_there(store: &Store) {
    let mut tx = store.begin().await.unwrap();
    let found = tx.parties(&(0..2_000).map(id).collect::<Vec<_>>()).await.unwrap();
    assert!(found.is_empty(), "{} rows are there", found.len());
    tx.rollback().await.unwrap();
}

#[test]
fn addresses_that_are_no_database_are_refused_without_telling_the_password() {
    crate::test_db::block_on(async {
        for address in [
            "",
            "house.db",
            "mysql://u:hunter2@h/d",
            "http://x",
            "postgres:hunter2@x",
        ] {
            let error = Store::open(address).await.unwrap_err();
            assert!(matches!(error, StoreError::Config(_)), "{address}: {error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        for away in [
            "postgres://u:hunter2@127.0.0.1:9/d",
            "postgres://u:hunter2@nowhere.invalid/d",
        ] {
            let error = Store::open(away).await.unwrap_err();
            assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    });
}
