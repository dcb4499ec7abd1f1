//! Every record is read back as it was written, inserted and changed, whatever its texts say.

use crate::samples::{self, at, id, index};
use crate::test_db::{TestDb, on_both};
use simwarden_model::{ApprovalState, PartyId, Timestamp};
use simwarden_store::records::Kept as _;
use simwarden_store::records::place::{Place, PlaceKind, Sitting};
use simwarden_store::{Store, StoreError};

/// Every mixture of six optional columns.
const ALL: std::ops::Range<u64> = 0..64;

/// Writes rows, reads them back through the ids, changes each and reads it back again.
macro_rules! kept_and_changed {
    ($store:ident, $make:path, $insert:ident, $read:ident, $update:ident, $one:ident, $change:expr) => {{
        let change = $change;
        let mut rows: Vec<_> = ALL.map($make).collect();
        let mut tx = $store.begin().await.unwrap();
        tx.$insert(&rows).await.unwrap();
        tx.commit().await.unwrap();
        let digests: std::collections::HashSet<_> = rows.iter().map(|row| row.digest()).collect();
        assert_eq!(digests.len(), rows.len(), "no two rows have one digest");

        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        for round in 0..2 {
            let mut tx = $store.begin().await.unwrap();
            let mut read = tx.$read(&ids).await.unwrap();
            read.sort_by_key(|row| row.id);
            assert_eq!(read, rows, "round {round}");
            assert_eq!($store.$one(ids[5]).await.unwrap().as_ref(), Some(&rows[5]));
            assert_eq!($store.$one(id(9_999)).await.unwrap(), None);
            for row in &mut rows {
                change(row);
                row.version += 1;
                tx.$update(row).await.unwrap();
            }
            // Nobody may write over a version that is not the one before.
            let mut late = rows[3].clone();
            for wrong in [late.version - 1, late.version + 2, 0] {
                late.version = wrong;
                assert!(
                    matches!(tx.$update(&late).await, Err(StoreError::Stale { .. })),
                    "{wrong}"
                );
            }
            tx.commit().await.unwrap();
        }
    }};
}

on_both! {
    async fn versioned_rows(db: TestDb) {
        let store = db.open().await;
        kept_and_changed!(store, samples::party, insert_parties, parties, update_party, party, |row: &mut simwarden_store::records::party::Party| {
            row.sealed = None;
            row.flagged = !row.flagged;
        });
        kept_and_changed!(store, samples::line, insert_subscriptions, subscriptions, update_subscription, subscription, |row: &mut simwarden_store::records::subscription::Subscription| {
            row.swapped_at = Some(at(77));
            row.msisdn_idx = None;
        });
        kept_and_changed!(store, samples::profile, insert_profiles, profiles, update_profile, profile, |row: &mut simwarden_store::records::profile::Profile| {
            row.live = false;
            row.eid_idx = Some(index(5, 1_000));
        });
        kept_and_changed!(store, samples::operation, insert_operations, operations, update_operation, operation, |row: &mut simwarden_store::records::operation::Operation| {
            row.reasons.push_str("'; DROP TABLE operation; --");
            row.hold_until = None;
        });
        kept_and_changed!(store, samples::approval, insert_approvals, approvals, update_approval, approval, |row: &mut simwarden_store::records::approval::Approval| {
            row.state = ApprovalState::ALL[0];
            row.decided_at = Some(at(3));
        });
    }

    async fn rows_that_never_change(db: TestDb) {
        let store = db.open().await;
        let mut tx = store.begin().await.unwrap();
        let decisions: Vec<_> = ALL.map(samples::decision).collect();
        let history: Vec<_> = ALL.map(samples::history).collect();
        let remembered: Vec<_> = ALL.map(samples::remembered).collect();
        let tokens: Vec<_> = ALL.map(samples::token).collect();
        let keys: Vec<_> = ALL.map(samples::subject_key).collect();
        let events: Vec<_> = ALL.map(samples::event).collect();
        tx.insert_decisions(&decisions).await.unwrap();
        tx.insert_history(&history).await.unwrap();
        tx.insert_remembered(&remembered).await.unwrap();
        tx.insert_tokens(&tokens).await.unwrap();
        tx.insert_subject_keys(&keys).await.unwrap();
        tx.insert_events(&events).await.unwrap();
        let mut read = tx.remembered(&ALL.map(|n| index(7, n)).collect::<Vec<_>>()).await.unwrap();
        read.sort_by_key(|row| row.key);
        assert_eq!(read, remembered);
        let parties: Vec<PartyId> = ALL.map(id).collect();
        let mut read = tx.subject_keys(&parties).await.unwrap();
        read.sort_by_key(|row| row.party_id);
        assert_eq!(read, keys);
        let ids: Vec<String> = (32..96).map(samples::nasty).collect();
        let known = tx.known_events(&samples::nasty(0), &ids).await.unwrap();
        assert_eq!(known.len(), 32);
        assert!(tx.known_events("another feed", &ids).await.unwrap().is_empty());
        tx.commit().await.unwrap();

        assert_eq!(store.decisions_of(id(2)).await.unwrap(), decisions[6..9]);
        assert_eq!(store.decisions_since(at(10), 20, 5).await.unwrap(), decisions[21..26]);
        let of: Vec<_> = history.iter().filter(|h| h.operation_id.is_some()).cloned().collect();
        assert_eq!(store.history_of_operation(id(0)).await.unwrap(), of);
        let newest: Vec<_> = history.iter().rev().filter(|h| h.subscription_id.is_some()).take(7).cloned().collect();
        assert_eq!(store.history_of_line(id(0), 7).await.unwrap(), newest);
        let newest: Vec<_> = history.iter().rev().filter(|h| h.profile_id.is_some()).take(7).cloned().collect();
        assert_eq!(store.history_of_profile(id(0), 7).await.unwrap(), newest);
        assert_eq!(store.token_by_hash(samples::hash(9)).await.unwrap().as_ref(), Some(&tokens[9]));
        assert_eq!(store.token(id(10)).await.unwrap().as_ref(), Some(&tokens[10]));
        assert_eq!(store.tokens().await.unwrap().into_iter().rev().collect::<Vec<_>>(), tokens);
        let newest: Vec<_> = events.iter().rev().filter(|e| e.msisdn_idx.is_some()).take(9).cloned().collect();
        assert_eq!(store.events_of(index(2, 0), 9).await.unwrap(), newest);
        assert_eq!(store.event_counts().await.unwrap(), (64, 0));
        assert_eq!(store.subject_keys(&parties).await.unwrap().len(), 64);
    }

    async fn tokens_keys_and_answers_end(db: TestDb) {
        let store = db.open().await;
        let mut tx = store.begin().await.unwrap();
        tx.insert_tokens(&[samples::token(0)]).await.unwrap();
        tx.insert_subject_keys(&[samples::subject_key(1)]).await.unwrap();
        tx.insert_remembered(&ALL.map(samples::remembered).collect::<Vec<_>>()).await.unwrap();
        assert!(tx.revoke_token(id(0), at(5)).await.unwrap());
        assert!(!tx.revoke_token(id(0), at(6)).await.unwrap(), "only the first taking back counts");
        assert!(tx.retain_subject(id(1), Some(at(9))).await.unwrap());
        assert!(!tx.retain_subject(id(2), None).await.unwrap());
        assert!(tx.destroy_subject_key(id(1), at(7)).await.unwrap());
        assert!(!tx.destroy_subject_key(id(1), at(8)).await.unwrap());
        assert_eq!(tx.forget_remembered(at(60)).await.unwrap(), 60);
        tx.commit().await.unwrap();
        assert_eq!(store.token(id(0)).await.unwrap().unwrap().revoked_at, Some(at(5)));
        let key = store.subject_keys(&[id(1)]).await.unwrap().remove(0);
        assert_eq!((key.wrapped, key.retain_until, key.destroyed_at), (None, Some(at(9)), Some(at(7))));
    }

    async fn a_code_is_used_once(db: TestDb) {
        let store = db.open().await;
        let mut tx = store.begin().await.unwrap();
        let factors: Vec<_> = (0..8).map(samples::factor).collect();
        tx.insert_factors(&factors).await.unwrap();
        let mut read = tx.factors_of(&[id(0), id(2)]).await.unwrap();
        read.sort_by_key(|row| row.id);
        assert_eq!(read, factors[..2], "those of party 2 are removed");
        tx.use_factor_step(id(0), 50).await.unwrap();
        for used in [50, 49] {
            assert!(matches!(tx.use_factor_step(id(0), used).await, Err(StoreError::Stale { .. })));
        }
        assert!(matches!(tx.use_factor_step(id(4), 50).await, Err(StoreError::Stale { .. })), "a removed one");
        tx.delete_factors_of(id(0)).await.unwrap();
        assert!(tx.factors_of(&[id(0)]).await.unwrap().is_empty());
    }

    async fn failures_are_counted_over_all_channels(db: TestDb) {
        let store = db.open().await;
        let mut tx = store.begin().await.unwrap();
        tx.insert_attempts(&(0..20).map(samples::attempt).collect::<Vec<_>>()).await.unwrap();
        let mut counts = tx.attempts_since(&[id(0), id(1), id(9)], at(2)).await.unwrap();
        counts.sort();
        assert_eq!(counts, [(id(0), 2, at(4)), (id(1), 5, at(9))], "strictly after; none for a line without");
    }

    async fn effects_leave_once_and_not_before_their_entry_is_signed(db: TestDb) {
        let store = db.open().await;
        let mut tx = store.begin().await.unwrap();
        let items: Vec<_> = ALL.map(samples::outbox).collect();
        tx.insert_outbox(&items).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.outbox_due(at(100), 10, 100).await.unwrap(), items[..10]);
        assert_eq!(store.outbox_due(at(5), 64, 100).await.unwrap(), items[..6]);
        assert_eq!(store.outbox_due(at(100), 64, 3).await.unwrap(), items[..3]);
        assert_eq!(store.outbox_backlog().await.unwrap(), (64, Some(at(0))));
        let mut tx = store.begin().await.unwrap();
        let mut done = items[0].clone();
        (done.done_at, done.outcome, done.attempts) = (Some(at(3)), Some(samples::nasty(1)), 1);
        tx.update_outbox(&done).await.unwrap();
        assert!(matches!(tx.update_outbox(&done).await, Err(StoreError::Stale { .. })), "done is done");
        // Rows 4 to 7 belong to operation 1 where they belong to one at all; of its kinds only one is withdrawn.
        assert_eq!(tx.drop_outbox(id(1), &samples::nasty(1), at(8)).await.unwrap(), 2);
        assert_eq!(tx.drop_outbox(id(1), &samples::nasty(1), at(8)).await.unwrap(), 0);
        tx.commit().await.unwrap();
        assert_eq!(store.outbox_backlog().await.unwrap(), (61, Some(at(1))));
    }

    async fn places_remember_who_sat_there(db: TestDb) {
        let store = db.open().await;
        let mut tx = store.begin().await.unwrap();
        tx.insert_profiles(&ALL.map(samples::profile).collect::<Vec<_>>()).await.unwrap();
        for (kind, column) in [(PlaceKind::Euicc, 5), (PlaceKind::Device, 6)] {
            let place = |n| Place { index: index(column, n), maker: samples::nasty(n), first_seen_at: at(n) };
            tx.see_places(kind, vec![place(0), place(1)]).await.unwrap();
            // Known ones are left alone, twice in one batch too.
            tx.see_places(kind, vec![place(1), place(2), place(2)]).await.unwrap();
        }
        let sitting = |n: u64| Sitting {
            profile_id: id(n),
            until_at: at(n),
            eid_idx: Some(index(5, 0)),
            imei_idx: (n == 50).then(|| index(6, 1)),
            entry: 3,
        };
        tx.insert_sittings(&[sitting(50), sitting(51)]).await.unwrap();
        assert_eq!(tx.profiles_on(&[index(5, 0)]).await.unwrap().len(), 4);
        tx.commit().await.unwrap();
        let on_chip = store.profiles_in(PlaceKind::Euicc, index(5, 0)).await.unwrap();
        let mut expected: Vec<_> = (4..8).map(|n| (id(n), None)).collect();
        expected.extend([(id(51), Some(at(51))), (id(50), Some(at(50)))]);
        assert_eq!(on_chip, expected);
        let in_phone = store.profiles_in(PlaceKind::Device, index(6, 1)).await.unwrap();
        assert_eq!(in_phone.len(), 9);
        assert_eq!(in_phone[8], (id(50), Some(at(50))));
    }

    async fn brakes_are_written_over(db: TestDb) {
        let store = db.open().await;
        let count = |n: u64, asked| simwarden_store::records::brake::BrakeCount {
            rule: samples::nasty(n),
            asked,
            hit: 1,
            disarmed_at: (n == 1).then(|| at(1)),
        };
        for asked in [5, 9] {
            let mut tx = store.begin().await.unwrap();
            tx.put_brake_counts(&(0..10).map(|n| count(n, asked)).collect::<Vec<_>>()).await.unwrap();
            tx.commit().await.unwrap();
            let mut read = store.brake_counts().await.unwrap();
            let mut written: Vec<_> = (0..10).map(|n| count(n, asked)).collect();
            read.sort_by(|a, b| a.rule.cmp(&b.rule));
            written.sort_by(|a, b| a.rule.cmp(&b.rule));
            assert_eq!(read, written);
        }
    }

    /// The questions that only look: each statement is made and run on a database that has nothing.
    async fn an_empty_house_answers_every_question(db: TestDb) {
        let store = db.open().await;
        store.ping().await.unwrap();
        assert_eq!(store.checkpoint().await.unwrap(), None);
        assert_eq!(store.ledger_end().await.unwrap(), (0, Timestamp::EPOCH));
        assert!(store.entries(0, 10).await.unwrap().is_empty() && store.leaves(0, 10).await.unwrap().is_empty());
        empty_store(&store).await;
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.ledger_end().await.unwrap(), (0, Timestamp::EPOCH));
        assert!(tx.parties(&[]).await.unwrap().is_empty() && tx.parties(&[id(1)]).await.unwrap().is_empty());
        assert!(tx.parties_by_documents(&[index(1, 1)]).await.unwrap().is_empty());
        assert!(tx.lines_on_documents(&[index(1, 1)]).await.unwrap().is_empty());
        assert!(tx.subscriptions_by_msisdn(&[index(2, 1)]).await.unwrap().is_empty());
        assert!(tx.profiles_of(&[id(1)]).await.unwrap().is_empty());
        assert!(tx.profiles_by_iccid(&[index(3, 1)]).await.unwrap().is_empty());
        assert!(tx.profiles_on(&[index(5, 1)]).await.unwrap().is_empty());
        assert!(tx.profiles_in_stock("456-01", 3).await.unwrap().is_empty());
        assert!(tx.exclusive_operations(&[id(1)]).await.unwrap().is_empty());
        assert!(tx.moves_by_actor(id(1), at(0), 5).await.unwrap().is_empty());
        assert!(tx.approvals_of(id(1)).await.unwrap().is_empty());
        assert!(tx.signals(&[index(2, 1)]).await.unwrap().is_empty());
        tx.quarantine(vec![]).await.unwrap();
        assert_eq!(tx.drop_outbox(id(1), "step", at(1)).await.unwrap(), 0);
        tx.rollback().await.unwrap();
    }
}

async fn empty_store(store: &Store) {
    assert!(store.parties_by_document(index(1, 1)).await.unwrap().is_empty());
    assert!(store.subscriptions_of(id(1)).await.unwrap().is_empty());
    assert!(store.subscription_counts().await.unwrap().is_empty());
    assert!(
        store
            .subscriptions_by_msisdn(&[index(2, 1)])
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(store.profile_by_iccid(index(3, 1)).await.unwrap(), None);
    assert!(store.profiles_by_imsi(index(4, 1)).await.unwrap().is_empty());
    assert!(store.profiles_of(id(1)).await.unwrap().is_empty());
    assert!(
        store
            .operations_page(None, None, None, 5)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(store.operations_of(id(1), 5).await.unwrap().is_empty());
    assert!(store.operations_due(at(1), 5).await.unwrap().is_empty());
    assert!(store.approvals_pending(id(1)).await.unwrap().is_empty());
    assert!(store.events_of(index(2, 1), 5).await.unwrap().is_empty());
    assert!(store.brake_counts().await.unwrap().is_empty());
    assert_eq!(store.outbox_backlog().await.unwrap(), (0, None));
    assert!(store.tokens().await.unwrap().is_empty());
}
