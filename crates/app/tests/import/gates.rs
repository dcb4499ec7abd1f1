//! What is not believed: broken, repeated and foreign rows, and files that are too bad as a whole.

use crate::desk::{Desk, file, iccid, on_both, row, sorts, stock};
use simwarden_app::Actor;
use simwarden_app::import::ImportGates;
use simwarden_model::{Plmn, Role};
use simwarden_store::Indexed;

/// Every hundredth row has a wrong check digit.
fn one_percent_broken() -> String {
    file((0..2000).map(|n| {
        if n % 100 == 50 {
            let right = iccid(n);
            let (body, check) = right.split_at(right.len() - 1);
            let wrong = (check.parse::<u8>().unwrap() + 1) % 10;
            row(n).replace(&right, &format!("{body}{wrong}"))
        } else {
            row(n)
        }
    }))
}

/// (line of the file, reason) of every rejected row.
fn quarantined(desk: &Desk) -> Vec<(u64, String)> {
    let text = std::fs::read_to_string(desk.quarantine()).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("row,reason,what_to_do,raw"));
    lines
        .map(|line| {
            let mut cells = line.split(',');
            (
                cells.next().unwrap().parse().unwrap(),
                cells.next().unwrap().to_owned(),
            )
        })
        .collect()
}

on_both! {
    async fn one_percent_broken_passes_or_fails_by_its_gate_and_every_row_is_named(desk: Desk) {
        let named: Vec<_> = (0..20).map(|n| (n * 100 + 52, "bad_iccid".to_owned())).collect();
        let mut request = desk.request(one_percent_broken());
        request.gates = ImportGates { malformed_share_max: 0.009, ..ImportGates::default() };
        let report = desk.run(request).await.unwrap();
        assert!(!report.accepted && report.entry.is_none());
        let failed: Vec<_> = report.gates.iter().filter(|g| !g.passed).map(|g| g.gate.as_str()).collect();
        assert_eq!(failed, ["malformed_share"]);
        assert_eq!(quarantined(&desk), named);
        assert_eq!(desk.entries().await, 0, "nothing was written");
        assert!(desk.registry.store.last_import("456-06").await.unwrap().is_none());

        let mut request = desk.request(one_percent_broken());
        request.gates = ImportGates::default();
        let report = desk.run(request).await.unwrap();
        assert!(report.accepted, "{report:?}");
        assert_eq!((sorts(&report.counts), report.profiles_added), ([2000, 20, 0, 0, 0], 1980));
        assert_eq!(quarantined(&desk), named);
        let problems: Vec<_> = report.problems.iter().map(|p| (p.row, p.reason.clone())).collect();
        assert_eq!(problems, named);
        desk.check().await;
    }

    async fn repeated_and_foreign_rows_are_named(desk: Desk) {
        let rows = [
            row(1),
            row(1),
            row(2).replacen("456-06", "456-01", 1),
            row(3).replace("45606000", "45601000"),
            row(4).replace(",enabled,", ",gone,"),
            stock(5).replace(",available,", ",enabled,"),
            stock(6).replace(",available,,", ",available,Somebody,"),
            row(7).replace("KHM,national_id", "KHM,"),
            row(8).replace("+85510", "+855 99 999 999 99"),
            row(9) + ",more",
            row(10).replace("Sok", "\"Sok"),
        ];
        let report = desk.import(file(rows)).await;
        assert_eq!(sorts(&report.counts), [11, 7, 1, 2, 0]);
        let expected = [
            "duplicate_iccid", "foreign_operator", "foreign_imsi", "bad_profile_state", "enabled_without_line",
            "person_without_line", "bad_document", "bad_msisdn", "wrong_width", "bad_quoting",
        ];
        let expected: Vec<_> = (3..).zip(expected.map(str::to_owned)).collect();
        assert_eq!(quarantined(&desk), expected);
        // Another network of the operator's own.
        let mut request = desk.request(file([row(3).replace("45606000", "45601000")]));
        request.gates.own_networks = vec!["456-01".to_owned()];
        assert_eq!(desk.run(request).await.unwrap().profiles_added, 1);
    }

    async fn a_leap_in_volume_is_refused(desk: Desk) {
        let rows = |n| file((0..n).map(row));
        let strict = |text| {
            let mut request = desk.request(text);
            request.gates = ImportGates::default();
            request
        };
        assert!(desk.run(strict(rows(1200))).await.unwrap().accepted);
        let before = desk.entries().await;
        for (n, fine) in [(899, false), (1597, false), (900, true)] {
            let report = desk.run(strict(rows(n))).await.unwrap();
            let volume = report.gates.iter().find(|g| g.gate == "volume_ratio").unwrap();
            assert_eq!((volume.passed, report.accepted), (fine, fine), "{n} rows");
        }
        assert_eq!(desk.entries().await, before + 1, "only the last one was written");
        desk.check().await;
    }

    async fn a_dry_run_says_everything_and_writes_nothing(desk: Desk) {
        for n in 0..2 {
            let mut request = desk.request(file([row(1), row(2), "456-06,1,,,,,,,,,,".to_owned()]));
            request.dry_run = true;
            let report = desk.run(request).await.unwrap();
            assert!(report.accepted && report.dry_run && report.entry.is_none());
            assert_eq!((report.counts.malformed, quarantined(&desk).len()), (1, 1));
            let (added, unchanged) = [(2, 0), (1, 1)][n];
            assert_eq!((report.profiles_added, report.unchanged), (added, unchanged));
            assert_eq!(desk.entries().await, [0, 1][n]);
            let found = desk.registry.store.profile_by_iccid(desk.index(Indexed::Iccid, &iccid(2))).await.unwrap();
            assert!(found.is_none());
            if n == 0 {
                desk.import(file([row(1)])).await;
            }
        }
        desk.check().await;
    }

    async fn an_import_that_dies_in_the_middle_leaves_nothing(desk: Desk) {
        /// Half a file, then the disk fails.
        struct Dying(std::io::Cursor<Vec<u8>>);
        impl std::io::Read for Dying {
            fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
                match self.0.read(into)? {
                    0 => Err(std::io::Error::other("the disk is gone")),
                    n => Ok(n),
                }
            }
        }
        for base in [0, 1] {
            let before = desk.entries().await;
            let text = file((base..3000).map(row));
            let mut request = desk.request("");
            request.source = simwarden_app::import::Source::Reader {
                reader: Box::new(Dying(std::io::Cursor::new(text.into_bytes()))),
                name: "inventory.csv".to_owned(),
            };
            let error = desk.run(request).await.unwrap_err();
            assert_eq!(error.code, "unreadable");
            assert_eq!(desk.entries().await, before);
            let found = desk.registry.store.profile_by_iccid(desk.index(Indexed::Iccid, &iccid(5))).await.unwrap();
            assert!(found.is_none());
            // Now the caller goes away in the middle: the future is dropped with its transaction.
            let text = file((base..20_000).map(row));
            let mut seen = 0;
            let request = desk.request(text);
            let (say, told) = tokio::sync::oneshot::channel();
            let mut say = Some(say);
            let mut progress = |_| {
                seen += 1;
                if seen == 3 && let Some(say) = say.take() {
                    let _ = say.send(());
                }
            };
            tokio::select! {
                biased;
                _ = told => {}
                done = simwarden_app::import::run(&desk.registry, request, &mut progress) => panic!("{done:?}"),
            }
            assert_eq!(desk.entries().await, before);
            if base == 0 {
                desk.import(file([row(0)])).await;
            }
        }
        desk.check().await;
    }

    async fn only_those_who_may(desk: Desk) {
        let mut request = desk.request(file([row(1)]));
        request.actor.role = Role::Agent;
        assert_eq!(desk.run(request).await.unwrap_err().code, "forbidden");
        let bound = |operator: &str| Actor { role: Role::Admin, operator: Some(operator.to_owned()), ..Actor::system() };
        let mut request = desk.request(file([row(1)]));
        request.actor = bound("456-01");
        request.operator = Some(Plmn::parse("456-06").unwrap());
        assert_eq!(desk.run(request).await.unwrap_err().code, "forbidden");
        // Bound and without the option: its own operator, so every row is foreign.
        let mut request = desk.request(file([row(1)]));
        request.actor = bound("456-01");
        assert_eq!(desk.run(request).await.unwrap().counts.foreign, 1);
    }
}
