//! The tables of the SM-DP+.

use crate::samples::{at, id, index, nasty};
use crate::test_db::{TestDb, on_both};
use simwarden_model::ProfileState;
use simwarden_store::StoreError;
use simwarden_store::records::Kept as _;
use simwarden_store::records::es2plus_caller::Es2plusCaller;
use simwarden_store::records::page::KEPT_KINDS;
use simwarden_store::records::smdp_chip::{ChipCounts, NotificationSeen, SmdpChip, SmdpNotification};
use simwarden_store::records::smdp_freeze::SmdpFreeze;
use simwarden_store::records::smdp_order::{SmdpOrder, SmdpOrderKey};
use simwarden_store::records::smdp_package::{PackageKind, SmdpPackage};
use simwarden_store::records::smdp_session::SmdpSession;

fn order(n: u64) -> SmdpOrder {
    SmdpOrder {
        id: *id::<simwarden_model::ProfileId>(n).as_bytes(),
        operator: nasty(n),
        profile_type: format!("type-{}", n % 3),
        operation_id: (n & 1 == 1).then(|| id(n)),
        iccid_idx: index(1, n),
        matching_idx: (n & 2 == 2).then(|| index(2, n)),
        eid_idx: (n & 4 == 4).then(|| index(3, n % 8)),
        default_for_eid: n & 12 == 12,
        state: ProfileState::ALL[usize::try_from(n).unwrap() % ProfileState::ALL.len()],
        sealed: vec![7; usize::try_from(n).unwrap() + 1],
        expires_at: (n & 8 == 8).then(|| at(n)),
        created_at: at(n),
        version: 1,
    }
}

on_both! {
    async fn orders_are_found_by_every_key_and_change_by_version(db: TestDb) {
        let store = db.open().await;
        let mut rows: Vec<SmdpOrder> = (0..32).map(order).collect();
        let mut tx = store.begin().await.unwrap();
        tx.insert_smdp_orders(&rows).await.unwrap();
        tx.commit().await.unwrap();
        let of = |key| async { store.smdp_orders(key).await.unwrap() };
        assert_eq!(of(SmdpOrderKey::Ids(vec![rows[5].id])).await, [rows[5].clone()]);
        assert_eq!(of(SmdpOrderKey::Iccids(vec![index(1, 6)])).await, [rows[6].clone()]);
        assert_eq!(of(SmdpOrderKey::Matching(vec![index(2, 7), index(2, 4)])).await, [rows[7].clone()]);
        let defaults = of(SmdpOrderKey::DefaultOf(vec![index(3, 4)])).await;
        assert_eq!(defaults, [rows[28].clone(), rows[12].clone()], "the newest first, and defaults only");
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.smdp_stock("type-0", 9).await.unwrap(), [rows[0].clone(), rows[12].clone(), rows[24].clone()]);
        rows[0].state = ProfileState::Linked;
        rows[0].version = 2;
        tx.update_smdp_order(&rows[0]).await.unwrap();
        assert!(matches!(tx.update_smdp_order(&rows[0]).await, Err(StoreError::Stale { .. })));
        assert_eq!(tx.smdp_stock("type-0", 1).await.unwrap(), [rows[12].clone()]);
        tx.commit().await.unwrap();
        let kept = store.kept_rows(KEPT_KINDS[5], [0; 16], 100).await.unwrap();
        assert_eq!(kept.len(), 32);
        assert!(kept.iter().any(|row| row.digest == Some(rows[0].digest()) && row.version == 2));
        // One matching id never stands for two orders, nor one profile twice.
        for twice in [
            SmdpOrder { matching_idx: index(2, 7).into(), ..order(40) },
            SmdpOrder { iccid_idx: index(1, 7), ..order(40) },
        ] {
            let mut tx = store.begin().await.unwrap();
            assert!(matches!(tx.insert_smdp_orders(&[twice]).await, Err(StoreError::Conflict(_))));
        }
    }

    async fn sessions_packages_and_chips_are_written_over(db: TestDb) {
        let store = db.open().await;
        let session = |n: u64, phase: &str| SmdpSession {
            tid_idx: index(4, n),
            order_id: (n == 1).then_some([9; 16]),
            eid_idx: index(3, n),
            phase: phase.to_owned(),
            sealed: vec![1, 2],
            expires_at: at(n),
        };
        let package = |kind, byte| SmdpPackage { order_id: [9; 16], kind, sealed: vec![byte; 40_000] };
        let chip = |byte| SmdpChip { eid_idx: index(3, 1), sealed: vec![byte], seen_at: at(u64::from(byte)) };
        for (phase, byte) in [("authenticated", 1), ("ended", 2)] {
            let mut tx = store.begin().await.unwrap();
            tx.put_smdp_sessions(&[session(1, phase), session(2, phase)]).await.unwrap();
            tx.put_smdp_packages(&[package(PackageKind::Profile, byte), package(PackageKind::Prepared, byte)])
                .await
                .unwrap();
            tx.put_smdp_chips(&[chip(byte)]).await.unwrap();
            assert_eq!(tx.smdp_sessions(&[index(4, 1)]).await.unwrap(), [session(1, phase)]);
            assert_eq!(tx.smdp_chips(&[index(3, 1)]).await.unwrap(), [chip(byte)]);
            tx.commit().await.unwrap();
            assert_eq!(store.smdp_session(index(4, 2)).await.unwrap(), Some(session(2, phase)));
            let read = store.smdp_package([9; 16], PackageKind::Prepared).await.unwrap();
            assert_eq!(read, Some(vec![byte; 40_000]));
        }
        let mut tx = store.begin().await.unwrap();
        assert_eq!(tx.erase_smdp_packages([9; 16]).await.unwrap(), 2);
        assert_eq!(tx.forget_smdp_sessions(at(2)).await.unwrap(), 1);
        tx.insert_smdp_remote_keys(&[index(5, 1)], [9; 16]).await.unwrap();
        tx.insert_smdp_remote_keys(&[index(5, 1)], [9; 16]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.smdp_package([9; 16], PackageKind::Profile).await.unwrap(), None);
        assert_eq!(store.smdp_remote_keys(&[index(5, 1), index(5, 2)]).await.unwrap(), [index(5, 1)]);
    }

    async fn notifications_are_known_again_and_freezes_stand_until_lifted(db: TestDb) {
        let store = db.open().await;
        let seen = |n: u64, seq| SmdpNotification { eid_idx: index(3, 1), digest_idx: index(6, n), seq, at: at(1) };
        let freeze = |key: &str| SmdpFreeze { key: key.to_owned(), reason: "stolen".to_owned(), set_at: at(3) };
        let mut tx = store.begin().await.unwrap();
        tx.insert_smdp_notifications(&[seen(1, 0), seen(2, 7)]).await.unwrap();
        tx.insert_smdp_notifications(&[seen(1, 0)]).await.unwrap();
        // More under one count than a look-up would list: the same one is still known again.
        let many: Vec<_> = (100..140).map(|n| seen(n, 9)).collect();
        tx.insert_smdp_notifications(&many).await.unwrap();
        for (chip, n, seq, known) in [
            (1, 1, 0, NotificationSeen::Same),
            (1, 139, 9, NotificationSeen::Same),
            (1, 100, 9, NotificationSeen::Same),
            (1, 3, 7, NotificationSeen::OtherUnderItsCount),
            (1, 3, 8, NotificationSeen::New),
            (2, 2, 7, NotificationSeen::New),
        ] {
            let found = tx.smdp_notification_seen(index(3, chip), index(6, n), seq).await.unwrap();
            assert_eq!(found, known, "chip {chip} notification {n} count {seq}");
        }
        for key in ["all", "tac:35290611", "all"] {
            tx.set_smdp_freeze(&freeze(key)).await.unwrap();
        }
        let asked = ["all".to_owned(), "operator:456-01".to_owned()];
        assert_eq!(tx.smdp_freezes(&asked).await.unwrap(), [freeze("all")]);
        assert!(tx.lift_smdp_freeze("all").await.unwrap());
        assert!(!tx.lift_smdp_freeze("all").await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(store.smdp_freezes().await.unwrap(), [freeze("tac:35290611")]);
    }

    async fn what_a_chip_has_under_way_is_counted(db: TestDb) {
        let store = db.open().await;
        let session = |n: u64, phase: &str, ends: u64, of: u64| SmdpSession {
            tid_idx: index(4, n),
            order_id: Some(order(of).id),
            eid_idx: index(3, 1),
            phase: phase.to_owned(),
            sealed: vec![1],
            expires_at: at(ends),
        };
        let bound = |n: u64, state| SmdpOrder { eid_idx: Some(index(3, 1)), state, ..order(n) };
        let mut tx = store.begin().await.unwrap();
        tx.insert_smdp_orders(&[bound(1, ProfileState::Downloaded), bound(2, ProfileState::Installed)]).await.unwrap();
        let sessions = [
            session(1, "delivered", 10, 1),
            session(2, "ended", 12, 1),
            session(3, "delivered", 10, 2),
            session(4, "authenticated", 50, 1),
            session(5, "ended", 50, 1),
        ];
        tx.put_smdp_sessions(&sessions).await.unwrap();
        let of = |open_sessions, unanswered_packages| ChipCounts { eid_idx: index(3, 1), open_sessions, unanswered_packages };
        let chips = [index(3, 1), index(3, 2)];
        assert_eq!(tx.smdp_chip_counts(&chips, at(40), at(30)).await.unwrap(), [of(1, 1)]);
        assert_eq!(tx.smdp_chip_counts(&chips, at(60), at(30)).await.unwrap(), [of(0, 1)]);
        assert_eq!(tx.smdp_chip_counts(&chips, at(60), at(5)).await.unwrap(), []);
        tx.commit().await.unwrap();
    }

    async fn callers_and_the_stock_of_their_owners(db: TestDb) {
        let store = db.open().await;
        let caller = |n: u8, owner: &str, callback: Option<&str>| Es2plusCaller {
            certificate: [n; 32],
            owner: owner.to_owned(),
            name: nasty(1),
            callback: callback.map(str::to_owned),
            added_at: at(u64::from(n)),
            mac: [7; 32],
        };
        let (first, second) = (caller(1, "456-01", None), caller(2, "456-02", Some("https://x")));
        let free = |n: u64, owner: &str| SmdpOrder {
            operator: owner.to_owned(),
            profile_type: "t".to_owned(),
            state: ProfileState::Available,
            ..order(n)
        };
        let mut tx = store.begin().await.unwrap();
        for row in [&first, &caller(2, "other", None), &second] {
            tx.put_es2plus_caller(row).await.unwrap();
        }
        tx.insert_smdp_orders(&[free(1, "456-01"), free(2, "456-01"), free(3, "456-02")]).await.unwrap();
        let owners = ["456-01".to_owned(), "456-02".to_owned()];
        assert_eq!(tx.es2plus_told(&owners).await.unwrap(), ["456-02"]);
        assert_eq!(tx.smdp_free("t", "456-02").await.unwrap(), Some(free(3, "456-02")));
        assert_eq!(tx.smdp_free("t", "456-03").await.unwrap(), None);
        let mut known = tx.smdp_type_owners("t").await.unwrap();
        known.sort();
        assert_eq!(known, owners);
        tx.commit().await.unwrap();
        assert_eq!(store.es2plus_caller([1; 32]).await.unwrap(), Some(first.clone()));
        assert_eq!(store.es2plus_callers(None).await.unwrap(), [first, second.clone()]);
        assert_eq!(store.es2plus_callers(Some("456-02")).await.unwrap(), [second]);
        let mut tx = store.begin().await.unwrap();
        assert!(tx.remove_es2plus_caller([1; 32]).await.unwrap());
        assert!(!tx.remove_es2plus_caller([1; 32]).await.unwrap());
        tx.commit().await.unwrap();
    }
}
