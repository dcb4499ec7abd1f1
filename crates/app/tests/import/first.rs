//! A first inventory, into an empty registry.

use crate::desk::{Desk, eid, file, iccid, imei, on_both, row, sorts, stock};
use simwarden_app::{LineSecret, Of, PartySecret, ProfileSecret, open, open_common, subject_key};
use simwarden_model::{ProfileState, SubscriptionState};
use simwarden_store::Indexed;
use simwarden_store::records::place::PlaceKind;

on_both! {
    async fn makes_persons_lines_profiles_and_places(desk: Desk) {
        // Two lines on one document, one profile in stock, one person without a document.
        let second = row(2).replace("000000002,+855", "000000001,+855");
        let nobody = row(4).replace("Sok Dara 4,KHM,national_id,000000004", "Chan,,,");
        let report = desk.import(file([row(1), second, stock(3), nobody])).await;
        assert_eq!(sorts(&report.counts), [4, 0, 0, 0, 0]);
        assert_eq!(report.counts.unknown, 1);
        assert_eq!((report.parties_added, report.lines_added, report.profiles_added), (2, 3, 4));

        let store = &desk.registry.store;
        let ring = &desk.registry.keyring;
        let number = desk.index(Indexed::Msisdn, "855100000001");
        let line = store.subscriptions_by_msisdn(&[number]).await.unwrap().remove(0);
        assert_eq!((line.state, line.operator.as_str(), line.version), (SubscriptionState::Active, "456-06", 1));
        let lines = store.subscriptions_of(line.party_id).await.unwrap();
        assert_eq!(lines.len(), 2, "one document, two lines");
        let keys = store.subject_keys(&[line.party_id]).await.unwrap();
        let key = subject_key(ring, keys.first()).unwrap();
        let secret: LineSecret = open(&key, Of::Line, line.id.as_bytes(), &line.sealed.unwrap()).unwrap();
        assert_eq!((secret.msisdn.as_str(), secret.contact_phone.as_deref()), ("855100000001", Some("85512000001")));
        let party = store.party(line.party_id).await.unwrap().unwrap();
        let secret: PartySecret = open(&key, Of::Party, party.id.as_bytes(), &party.sealed.unwrap()).unwrap();
        assert_eq!((secret.name.as_str(), secret.document_number.as_deref()), ("Sok Dara 1", Some("000000001")));
        let profile = store.profile_by_iccid(desk.index(Indexed::Iccid, &iccid(1))).await.unwrap().unwrap();
        assert_eq!((profile.state, profile.live, profile.subscription_id), (ProfileState::Enabled, true, Some(line.id)));
        let secret: ProfileSecret = open(&key, Of::Profile, profile.id.as_bytes(), &profile.sealed.unwrap()).unwrap();
        assert_eq!(secret.eid.as_deref(), Some(eid(1).as_str()));
        let phone = desk.index(Indexed::Imei, &imei(1));
        assert_eq!(store.profiles_in(PlaceKind::Device, phone).await.unwrap(), [(profile.id, None)]);

        let kept = store.next_in_stock("456-06").await.unwrap().unwrap();
        let secret: ProfileSecret = open_common(ring, Of::Profile, kept.id.as_bytes(), &kept.sealed.unwrap()).unwrap();
        assert_eq!(secret.iccid, iccid(3));
        desk.check().await;
    }

    async fn many_rows_stand_in_chunks_that_hold(desk: Desk) {
        let report = desk.import(file((0..5000).map(|n| if n % 10 == 9 { stock(n) } else { row(n) }))).await;
        assert_eq!((report.parties_added, report.lines_added, report.profiles_added), (4500, 4500, 5000));
        let store = &desk.registry.store;
        let chunks = store.import_chunks(report.import, ("", -1), 100).await.unwrap();
        let seen: Vec<_> = chunks.iter().map(|c| (c.kind.as_str(), c.n, c.rows)).collect();
        let expected = [
            ("party", 0, 4096), ("party", 1, 404), ("profile", 0, 4096), ("profile", 1, 904),
            ("subscription", 0, 4096), ("subscription", 1, 404),
        ];
        assert_eq!(seen, expected);
        assert_eq!(store.last_import("456-06").await.unwrap().unwrap().rows, 5000);
        desk.check().await;
        // The indexes are there again: a second file finds every row by them, and the rules of uniqueness hold.
        let again = desk.import(file((0..5000).map(|n| if n % 10 == 9 { stock(n) } else { row(n) }))).await;
        assert_eq!((again.unchanged, again.changed, again.profiles_added), (5000, 0, 0));
        desk.check().await;
    }

    async fn an_old_and_a_new_profile_of_one_line_come_together(desk: Desk) {
        let old = row(1).replace(",enabled,", ",disabled,");
        let new = row(1).replace(&iccid(1), &iccid(2));
        let third = row(1).replace(&iccid(1), &iccid(3));
        let other = row(1).replace(&iccid(1), &iccid(4)).replace(",enabled,", ",disabled,").replace("id,000000001", "id,000000009");
        let report = desk.import(file([old, new, third, other])).await;
        assert_eq!((report.lines_added, report.profiles_added), (1, 2));
        let reasons: Vec<_> = report.problems.iter().map(|p| (p.row, p.reason.as_str())).collect();
        assert_eq!(reasons, [(4, "two_live_profiles"), (5, "owner_differs")]);
        desk.check().await;
    }
}
