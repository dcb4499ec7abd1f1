//! ES2+: every refusal of its table, and that a refused call changes nothing.

use crate::kit::{EID, OTHER_EID, Seed, now, order};
use simwarden_model::{Eid, Iccid, ProfileState, ReasonCode};
use simwarden_rsp::es2plus::{
    CancelOrder, ConfirmFacts, ConfirmOrder, DownloadOrder, Found, Terms, cancel_order, confirm_order,
    download_order, release_profile,
};
use simwarden_rsp::order::Matching;
use simwarden_rsp::{Gate, Order, Refusal};

fn stock() -> Order {
    let mut order = order(None);
    (order.state, order.matching) = (ProfileState::Available, Matching::Unset);
    order
}

fn eid(text: &str) -> Eid {
    Eid::parse_vouched(text).unwrap().0
}

fn other_iccid() -> Iccid {
    Iccid::parse_without_check("898550123456789012").unwrap()
}

#[test]
fn download_order_in_all_its_refusals() {
    let iccid = stock().iccid;
    let by_iccid = DownloadOrder {
        eid: None,
        iccid: Some(iccid),
        profile_type: None,
    };
    let by_type = DownloadOrder {
        eid: Some(eid(EID)),
        iccid: None,
        profile_type: Some("prepaid".into()),
    };
    let run = |order: &mut Order, caller: &str, request: &DownloadOrder| {
        let before = order.clone();
        let outcome = download_order(caller, Found::Profile(order), request).map(|it| it.0);
        assert!(
            outcome.is_ok() || *order == before,
            "a refused call changes nothing"
        );
        outcome
    };
    let mut order = stock();
    assert_eq!(run(&mut order, "operator", &by_iccid), Ok(iccid));
    assert_eq!((order.state, order.eid), (ProfileState::Allocated, None));
    assert_eq!(run(&mut order, "operator", &by_iccid), Err(Refusal::IccidInUse));
    let mut order = stock();
    assert_eq!(run(&mut order, "operator", &by_type), Ok(iccid));
    assert_eq!((order.state, order.eid), (ProfileState::Linked, Some(eid(EID))));
    assert_eq!(run(&mut stock(), "other", &by_iccid), Err(Refusal::NotYours));
    assert_eq!(run(&mut stock(), "other", &by_type), Err(Refusal::TypeNotYours));
    let both = DownloadOrder {
        profile_type: Some("postpaid".into()),
        ..by_iccid.clone()
    };
    assert_eq!(run(&mut stock(), "operator", &both), Err(Refusal::TypeMismatch));
    let none = DownloadOrder {
        eid: None,
        iccid: None,
        profile_type: None,
    };
    assert_eq!(run(&mut stock(), "operator", &none), Err(Refusal::Missing));
    for (found, refusal, codes) in [
        (Found::UnknownIccid, Refusal::IccidUnknown, "8.2.1/3.9"),
        (Found::UnknownType, Refusal::TypeUnknown, "8.2.5/3.9"),
        (Found::ForeignType, Refusal::TypeNotYours, "8.2.5/1.2"),
        (Found::NoneLeft, Refusal::TypeExhausted, "8.2.5/3.7"),
    ] {
        assert_eq!(download_order("operator", found, &by_iccid).unwrap_err(), refusal);
        assert_eq!(format!("{}/{}", refusal.subject(), refusal.reason()), codes);
    }
}

fn confirm(iccid: Iccid) -> ConfirmOrder {
    ConfirmOrder {
        iccid,
        eid: None,
        matching_id: None,
        confirmation_code: None,
        smds_address: None,
        release: true,
    }
}

#[test]
fn confirm_order_in_all_its_refusals() {
    let allocated = || {
        let mut order = stock();
        order.state = ProfileState::Allocated;
        order
    };
    let run = |order: &mut Order, taken: bool, gate: &Gate, change: &dyn Fn(&mut ConfirmOrder)| {
        let mut request = confirm(order.iccid);
        change(&mut request);
        let before = order.clone();
        let facts = ConfirmFacts {
            matching_taken: taken,
            gate,
            terms: Terms::default(),
            now: now(),
        };
        let outcome =
            confirm_order("operator", Some(order), &request, facts, &mut Seed::new(1)).map(|it| it.0);
        assert!(
            outcome.is_ok() || *order == before,
            "a refused call changes nothing"
        );
        outcome
    };
    let mut order = allocated();
    let confirmed = run(&mut order, false, &Gate::Open, &|_| {}).unwrap();
    assert_eq!(order.state, ProfileState::Released);
    assert_eq!(order.matching, Matching::Id(confirmed.matching_id.unwrap()));
    assert!(order.expires_at.is_some_and(|end| end > now()));
    let mut order = allocated();
    run(&mut order, false, &Gate::Open, &|it| it.release = false).unwrap();
    assert_eq!(order.state, ProfileState::Confirmed);
    let refused = |taken, gate: &Gate, change: &dyn Fn(&mut ConfirmOrder)| {
        run(&mut allocated(), taken, gate, change).unwrap_err()
    };
    assert_eq!(
        refused(false, &Gate::Open, &|it| it.iccid = other_iccid()),
        Refusal::IccidUnknown
    );
    assert_eq!(
        refused(false, &Gate::Open, &|it| it.matching_id = Some(String::new())),
        Refusal::EidMissing
    );
    assert_eq!(
        refused(true, &Gate::Open, &|it| it.matching_id = Some("ABC".into())),
        Refusal::MatchingIdInUse
    );
    assert_eq!(
        refused(false, &Gate::Open, &|it| it.matching_id = Some("../x".into())),
        Refusal::Malformed
    );
    // So short that any chip would guess it.
    assert_eq!(
        refused(false, &Gate::Open, &|it| it.matching_id = Some("ABC".into())),
        Refusal::Malformed
    );
    assert_eq!(
        refused(false, &Gate::Open, &|it| it.smds_address =
            Some("ds.example.com".into())),
        Refusal::SmdsUnreachable
    );
    let closed = Gate::closed(ReasonCode::from_static("no_approval"));
    assert_eq!(refused(false, &closed, &|_| {}), Refusal::CannotRelease);
    assert!(run(&mut allocated(), false, &closed, &|it| it.release = false).is_ok());
    let mut linked = allocated();
    (linked.state, linked.eid) = (ProfileState::Linked, Some(eid(EID)));
    assert_eq!(
        run(&mut linked, false, &Gate::Open, &|it| it.eid =
            Some(eid(OTHER_EID))),
        Err(Refusal::EidMismatch)
    );
    run(&mut linked, false, &Gate::Open, &|it| {
        it.matching_id = Some(String::new())
    })
    .unwrap();
    assert_eq!(linked.matching, Matching::DefaultForEid);
    assert_eq!(
        run(&mut linked, false, &Gate::Open, &|_| {}),
        Err(Refusal::IccidInUse)
    );
    assert_eq!(
        run(&mut stock(), false, &Gate::Open, &|_| {}),
        Err(Refusal::IccidInUse)
    );
    let facts = ConfirmFacts {
        matching_taken: false,
        gate: &Gate::Open,
        terms: Terms::default(),
        now: now(),
    };
    let mut foreign = allocated();
    let request = confirm(foreign.iccid);
    let outcome = confirm_order("other", Some(&mut foreign), &request, facts, &mut Seed::new(1));
    assert_eq!(outcome.unwrap_err(), Refusal::NotYours);
    let outcome = confirm_order("operator", None, &request, facts, &mut Seed::new(1));
    assert_eq!(outcome.unwrap_err(), Refusal::IccidUnknown);
}

#[test]
fn cancel_and_release_in_all_their_refusals() {
    let released = || order(Some(eid(EID)));
    let request = CancelOrder {
        iccid: released().iccid,
        eid: None,
        matching_id: None,
        back_to_stock: true,
    };
    let run = |order: &mut Order, request: &CancelOrder| {
        let before = order.clone();
        let outcome = cancel_order("operator", Some(order), request).map(|_| ());
        assert!(
            outcome.is_ok() || *order == before,
            "a refused call changes nothing"
        );
        outcome
    };
    let mut order = released();
    run(&mut order, &request).unwrap();
    assert_eq!(
        (order.state, order.eid, &order.matching),
        (ProfileState::Available, None, &Matching::Unset)
    );
    let withdrawn = CancelOrder {
        back_to_stock: false,
        ..request.clone()
    };
    let mut order = released();
    run(&mut order, &withdrawn).unwrap();
    assert_eq!(order.state, ProfileState::Unavailable);
    let wrong_eid = CancelOrder {
        eid: Some(eid(OTHER_EID)),
        ..request.clone()
    };
    assert_eq!(run(&mut released(), &wrong_eid), Err(Refusal::EidMismatch));
    let wrong_id = CancelOrder {
        matching_id: Some("ABC".into()),
        ..request.clone()
    };
    assert_eq!(run(&mut released(), &wrong_id), Err(Refusal::MatchingIdMismatch));
    for state in [
        ProfileState::Downloaded,
        ProfileState::Installed,
        ProfileState::Available,
    ] {
        let mut order = released();
        order.state = state;
        assert_eq!(run(&mut order, &request), Err(Refusal::IccidInUse), "{state}");
    }
    assert_eq!(
        cancel_order("other", Some(&mut released()), &request).unwrap_err(),
        Refusal::NotYours
    );
    assert_eq!(
        cancel_order("operator", None, &request).unwrap_err(),
        Refusal::IccidUnknown
    );

    let release = |state, gate: &Gate, caller: &str| {
        let mut order = released();
        order.state = state;
        let iccid = order.iccid;
        release_profile(caller, Some(&mut order), &iccid, gate).map(|_| order.state)
    };
    let closed = Gate::closed(ReasonCode::from_static("no_approval"));
    assert_eq!(
        release(ProfileState::Confirmed, &Gate::Open, "operator"),
        Ok(ProfileState::Released)
    );
    assert_eq!(
        release(ProfileState::Confirmed, &closed, "operator"),
        Err(Refusal::CannotRelease)
    );
    assert_eq!(
        release(ProfileState::Confirmed, &Gate::Open, "other"),
        Err(Refusal::NotYours)
    );
    for state in [
        ProfileState::Allocated,
        ProfileState::Linked,
        ProfileState::Released,
        ProfileState::Installed,
    ] {
        assert_eq!(
            release(state, &Gate::Open, "operator"),
            Err(Refusal::CannotRelease)
        );
    }
}
