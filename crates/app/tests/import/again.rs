//! A later inventory, into a registry that has rows.

use crate::desk::{Desk, eid, file, iccid, imei, on_both, row, sorts, stock};
use simwarden_app::{LineSecret, Of, open, subject_key};
use simwarden_model::{ProfileState, SubscriptionState};
use simwarden_store::Indexed;
use simwarden_store::records::place::PlaceKind;
use simwarden_store::records::profile::Profile;
use simwarden_store::records::subscription::Subscription;

async fn profile(desk: &Desk, n: u64) -> Profile {
    let index = desk.index(Indexed::Iccid, &iccid(n));
    desk.registry
        .store
        .profile_by_iccid(index)
        .await
        .unwrap()
        .unwrap()
}

async fn line(desk: &Desk, n: u64) -> Subscription {
    let index = desk.index(Indexed::Msisdn, &format!("8551{n:08}"));
    desk.registry
        .store
        .subscriptions_by_msisdn(&[index])
        .await
        .unwrap()
        .remove(0)
}

fn reasons(report: &simwarden_app::import::ImportReport) -> Vec<(u64, &str)> {
    report
        .problems
        .iter()
        .map(|p| (p.row, p.reason.as_str()))
        .collect()
}

on_both! {
    async fn what_changed_is_changed_and_leaves_its_traces(desk: Desk) {
        desk.import(file([row(1), row(2), stock(3)])).await;
        let moved = row(1)
            .replace(&imei(1), &imei(7))
            .replace(&eid(1), &eid(7))
            .replace("+85512000001", "+85512000009")
            .replace("Sok Dara 1", "Sok Dara One");
        let report = desk.import(file([moved.clone(), row(2), stock(3), row(4)])).await;
        assert_eq!((report.changed, report.unchanged, report.profiles_added), (1, 2, 1));
        let (profile, line) = (profile(&desk, 1).await, line(&desk, 1).await);
        assert_eq!((profile.version, line.version), (2, 2));
        assert!(line.contact_changed_at.is_some() && line.device_changed_at.is_some() && line.swapped_at.is_none());
        let store = &desk.registry.store;
        let keys = store.subject_keys(&[line.party_id]).await.unwrap();
        let key = subject_key(&desk.registry.keyring, keys.first()).unwrap();
        let secret: LineSecret = open(&key, Of::Line, line.id.as_bytes(), line.sealed.as_deref().unwrap()).unwrap();
        assert_eq!(secret.contact_phone.as_deref(), Some("85512000009"));
        assert_eq!(secret.old_contact.as_deref(), Some("85512000001"), "the old contact still hears");
        let old = desk.index(Indexed::Imei, &imei(1));
        let sat = store.profiles_in(PlaceKind::Device, old).await.unwrap();
        assert!(sat.len() == 1 && sat[0].1.is_some(), "it is known to have sat in the old phone");
        assert_eq!(store.history_of_line(line.id, 10).await.unwrap()[0].kind, "import_changed");
        desk.check().await;
        // Nothing changed since: nothing is written but that an import ran.
        let report = desk.import(file([moved, row(2), stock(3), row(4)])).await;
        assert_eq!((report.changed, report.unchanged), (0, 4));
        desk.check().await;
    }

    async fn an_empty_cell_says_nothing(desk: Desk) {
        desk.import(file([row(1)])).await;
        let report = desk.import(format!("iccid,msisdn,operator\n{},+855100000001,456-06\n", iccid(1))).await;
        assert_eq!((report.changed, report.unchanged), (0, 1));
    }

    async fn a_new_profile_of_a_known_line_is_a_swap(desk: Desk) {
        desk.import(file([row(1)])).await;
        let before = line(&desk, 1).await;
        let old = row(1).replace(",enabled,", ",disabled,");
        let new = row(1).replace(&iccid(1), &iccid(5));
        let wrong = desk.import(file([new.clone(), old.clone()])).await;
        assert_eq!(reasons(&wrong), [(2, "two_live_profiles")]);
        let right = desk.import(file([old, new])).await;
        assert_eq!(right.counts.quarantined(), 0, "{right:?}");
        let after = line(&desk, 1).await;
        assert!(after.id == before.id && after.swapped_at.is_some());
        assert_eq!(profile(&desk, 1).await.state, ProfileState::Disabled);
        assert!(profile(&desk, 5).await.live);
        desk.check().await;
    }

    async fn a_profile_leaves_the_stock(desk: Desk) {
        desk.import(file([stock(1), stock(2)])).await;
        let report = desk.import(file([row(1)])).await;
        assert_eq!((report.changed, report.lines_added, report.parties_added), (1, 1, 1));
        let given = profile(&desk, 1).await;
        assert_eq!((given.subscription_id, given.live), (Some(line(&desk, 1).await.id), true));
        let (text, report) = desk.export(simwarden_app::import::Format::Csv).await;
        assert!(report.rows == 2 && text.contains(&eid(1)), "it opens under its owner's key");
        desk.check().await;
    }

    async fn an_import_is_no_way_around_the_guard(desk: Desk) {
        desk.import(file([row(1), row(2)])).await;
        let rows = [
            // Another owner on the line.
            row(1).replace("id,000000001", "id,000000009"),
            // The profile of another line.
            row(2).replace("+855100000002", "+855100000008"),
            // A new profile of somebody else's line.
            row(3).replace("+855100000003", "+855100000001"),
            // Back into stock.
            stock(2),
        ];
        let rows = rows.map(|row| row.replace(",available,", ",disabled,"));
        let report = desk.import(file(rows[..3].to_vec())).await;
        assert_eq!(reasons(&report), [(2, "owner_differs"), (3, "line_differs"), (4, "owner_differs")]);
        let report = desk.import(file(rows[3..].to_vec())).await;
        assert_eq!(reasons(&report), [(2, "line_differs")]);
        assert_eq!((report.changed, report.profiles_added), (0, 0));
        // Another operator's inventory names our profile and our number.
        let theirs = |row: String| row.replacen("456-06", "456-01", 1).replace("45606000", "45601000");
        let number = row(6).replace("+855100000006", "+855100000001");
        let report = desk.import(file([theirs(row(1)), theirs(number)])).await;
        assert_eq!(sorts(&report.counts), [2, 0, 0, 2, 0]);
        assert_eq!(reasons(&report), [(2, "foreign_iccid"), (3, "foreign_msisdn")]);
        // The same document at another operator is another party.
        let report = desk.import(file([theirs(row(8).replace("id,000000008", "id,000000001"))])).await;
        assert_eq!((report.parties_added, report.lines_added), (1, 1));
        desk.check().await;
    }

    async fn more_changes_than_one_entry_holds(desk: Desk) {
        desk.import(file((0..700).map(row))).await;
        let before = desk.entries().await;
        let report = desk.import(file((0..700).map(|n| row(n).replace(",enabled,", ",disabled,").replace("Sok", "Sar")))).await;
        assert_eq!(report.changed, 700);
        // 1,400 rows at up to 500 each, and the run's own entry.
        assert_eq!(desk.entries().await, before + 4);
        desk.check().await;
        assert_eq!(line(&desk, 5).await.state, SubscriptionState::Active);
    }
}
