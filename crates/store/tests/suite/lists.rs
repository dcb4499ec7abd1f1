//! Lists of every length: bulk inserts, lookups of many keys, pages, and the merging of signals in any order.

use crate::samples::{self, at, id, index};
use crate::test_db::{TestDb, on_both};
use proptest::prelude::*;
use simwarden_model::{OperationState, ProfileState, SubscriptionState};
use simwarden_store::Store;
use simwarden_store::records::event::QuarantinedLine;
use simwarden_store::records::signal::LineSignal;

on_both! {
    async fn bulk_inserts_and_lookups_of_every_length(db: TestDb) {
        let store = db.open().await;
        let mut next = 0;
        // Around the sizes at which statements are cut, and one long list.
        for rows in [0, 1, 2, 7, 8, 9, 31, 32, 33, 41, 127, 128, 129, 168, 169, 255, 256, 300, 400] {
            let mut tx = store.begin().await.unwrap();
            let parties: Vec<_> = (next..next + rows).map(samples::party).collect();
            tx.insert_parties(&parties).await.unwrap();
            tx.commit().await.unwrap();
            next += rows;
            let mut tx = store.begin().await.unwrap();
            // Keys that are not there are left out.
            let keys: Vec<_> = parties.iter().map(|p| p.id).chain([id(1 << 40)]).collect();
            let mut read = tx.parties(&keys).await.unwrap();
            read.sort_by_key(|p| p.id);
            assert_eq!(read, parties, "{rows} rows");
            tx.rollback().await.unwrap();
        }
        let mut tx = store.begin().await.unwrap();
        for keys in 1..=300 {
            let keys: Vec<_> = (0..keys).map(id).collect();
            let found = tx.parties(&keys).await.unwrap();
            assert_eq!(found.len(), keys.len());
        }
    }

    async fn a_batch_of_events_may_be_long(db: TestDb) {
        let store = db.open().await;
        let mut tx = store.begin().await.unwrap();
        tx.insert_events(&(0..1_000).map(samples::event).collect::<Vec<_>>()).await.unwrap();
        let ids: Vec<_> = (500..1_500).map(samples::nasty).collect();
        assert_eq!(tx.known_events(&samples::nasty(0), &ids).await.unwrap().len(), 500);
        let quarantined = (1..=200)
            .map(|line| QuarantinedLine {
                batch: [7; 16],
                line,
                source: samples::nasty(1),
                reason: samples::nasty(2),
                sealed: vec![0; 9],
                received_at: at(1),
            })
            .collect();
        tx.quarantine(quarantined).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.event_counts().await.unwrap(), (1_000, 200));
    }

    async fn operations_page_without_gaps(db: TestDb) {
        let store = db.open().await;
        let mut tx = store.begin().await.unwrap();
        let operations: Vec<_> = (0..100)
            .map(|n| {
                let mut operation = samples::operation(n);
                operation.operator = if n % 2 == 0 { "456-01" } else { "456-06'" }.into();
                operation
            })
            .collect();
        tx.insert_operations(&operations).await.unwrap();
        tx.commit().await.unwrap();
        let (mut before, mut seen) = (None, Vec::new());
        loop {
            let page = store.operations_page(None, None, before, 7).await.unwrap();
            let Some(last) = page.last() else { break };
            before = Some(last.id);
            seen.extend(page);
        }
        seen.reverse();
        assert_eq!(seen, operations);
        let one = store.operations_page(Some("456-06'"), None, None, 1_000).await.unwrap();
        assert_eq!(one.len(), 50);
        for state in OperationState::ALL {
            let page = store.operations_page(None, Some(*state), None, 1_000).await.unwrap();
            assert_eq!(page.len(), operations.iter().filter(|o| o.state == *state).count(), "{state}");
        }
        let due = store.operations_due(at(40), 100).await.unwrap();
        let expected: Vec<_> = operations.iter().filter(|o| o.hold_until.is_some_and(|t| t <= at(40))).map(|o| o.id).collect();
        assert_eq!(due, expected);
        let moves = store.begin().await.unwrap().moves_by_actor(id(3), at(12), 10).await.unwrap();
        let expected: Vec<_> = [15, 14, 13]
            .map(samples::operation)
            .into_iter()
            .filter(|o| {
                ["issue", "replace", "transfer_device", "transfer_owner", "port_out", "recycle"].contains(&o.kind.as_str())
            })
            .map(|o| o.requested_at)
            .collect();
        assert_eq!(moves, expected);
    }

    async fn lines_are_counted_by_document_and_operator(db: TestDb) {
        let store = db.open().await;
        let mut tx = store.begin().await.unwrap();
        for n in 0..6 {
            let mut party = samples::party(n);
            (party.doc_idx, party.operator) = (Some(index(1, n / 2)), format!("456-0{}", n % 2));
            let lines: Vec<_> = (0..4)
                .map(|k| {
                    let mut line = samples::line(n * 10 + k);
                    line.party_id = party.id;
                    line.kind = "prepaid".parse().unwrap();
                    line.state = if k == 3 { SubscriptionState::Closed } else { "active".parse().unwrap() };
                    line.msisdn_idx = Some(index(2, n * 10 + k));
                    line
                })
                .collect();
            tx.insert_parties(&[party]).await.unwrap();
            tx.insert_subscriptions(&lines).await.unwrap();
        }
        let mut counts = tx.lines_on_documents(&[index(1, 0), index(1, 2), index(1, 9)]).await.unwrap();
        counts.sort();
        let expected = [(0, "456-00"), (0, "456-01"), (2, "456-00"), (2, "456-01")];
        assert_eq!(counts, expected.map(|(n, operator)| (index(1, n), operator.to_owned(), 3)));
        assert_eq!(tx.subscriptions_by_msisdn(&[index(2, 12), index(2, 13)]).await.unwrap().len(), 1, "closed ones are out");
        tx.commit().await.unwrap();
        assert_eq!(store.subscriptions_of(id(1)).await.unwrap().len(), 4);
        assert_eq!(store.subscriptions_by_msisdn(&[index(2, 12)]).await.unwrap().len(), 1);
        let total: i64 = store.subscription_counts().await.unwrap().iter().map(|(_, _, count)| count).sum();
        assert_eq!(total, 24);
    }

    async fn stock_is_given_out_oldest_first(db: TestDb) {
        let store = db.open().await;
        let mut tx = store.begin().await.unwrap();
        let stock: Vec<_> = (0..10)
            .map(|n| {
                let mut profile = samples::profile(n);
                profile.operator = "456-01".into();
                profile.subscription_id = (n == 4).then(|| id(4));
                (profile.live, profile.state) = (false, ProfileState::Available);
                profile
            })
            .collect();
        tx.insert_profiles(&stock).await.unwrap();
        let given = tx.profiles_in_stock("456-01", 5).await.unwrap();
        assert_eq!(given.iter().map(|p| p.id).collect::<Vec<_>>(), [0, 1, 2, 3, 5].map(id));
        assert!(tx.profiles_in_stock("456-01' OR '1'='1", 5).await.unwrap().is_empty());
    }
}

fn signals() -> impl Strategy<Value = Vec<(u64, LineSignal)>> {
    let signal =
        prop::collection::vec(prop::option::of(0_u8..4), 14).prop_map(|times| samples::signal(&times));
    prop::collection::vec((0_u64..4, signal), 1..12)
}

/// What a line knows after these, one by one.
fn folded(all: &[(u64, LineSignal)], line: u64) -> LineSignal {
    let of_line = all.iter().filter(|(n, _)| *n == line);
    of_line.fold(LineSignal::default(), |known, (_, news)| known.merged(*news))
}

proptest! {
    #[test]
    fn signals_merge_alike_in_any_order(all in signals(), cut in 0_usize..12) {
        let mut turned = all.clone();
        turned.rotate_left(cut % all.len());
        turned.reverse();
        for line in 0..4 {
            let known = folded(&all, line);
            prop_assert_eq!(known, folded(&turned, line));
            prop_assert_eq!(known.merged(known), known);
        }
    }
}

/// The same in the database, cut into batches anywhere, one line more than once in a batch.
async fn merges_in_the_database(store: &Store, base: u64, all: &[(u64, LineSignal)], cut: usize) {
    let (first, second) = all.split_at(cut % all.len());
    for batch in [second, first] {
        let mut tx = store.begin().await.unwrap();
        let news = batch
            .iter()
            .map(|(line, signal)| (index(2, base + line), *signal))
            .collect();
        tx.merge_signals(news).await.unwrap();
        tx.commit().await.unwrap();
    }
    let lines: Vec<_> = (0..4).map(|line| index(2, base + line)).collect();
    let stored = store.begin().await.unwrap().signals(&lines).await.unwrap();
    for line in 0..4 {
        if all.iter().any(|(n, _)| *n == line) {
            let found = stored
                .iter()
                .find(|(index, _)| *index == lines[line as usize])
                .map(|(_, signal)| *signal);
            assert_eq!(found, Some(folded(all, line)));
        }
    }
}

on_both! {
    async fn signals_merge_in_the_database(db: TestDb) {
        let store = db.open().await;
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(24));
        let base = std::cell::Cell::new(0);
        let handle = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| {
            runner
                .run(&(signals(), 0_usize..12), |(all, cut)| {
                    base.set(base.get() + 10);
                    handle.block_on(merges_in_the_database(&store, base.get(), &all, cut));
                    Ok(())
                })
                .unwrap();
        });
    }
}
