//! Out and in again: what an export writes, an import into an empty registry makes the same of.

use crate::desk::{Desk, eid, file, iccid, on_both, row, stock};
use simwarden_app::import::{Format, ImportRequest};

fn inventory() -> String {
    let awkward = |n, name: &str| row(n).replace(&format!("Sok Dara {n}"), name);
    file([
        row(1),
        stock(2),
        awkward(3, "\"Sok, \"\"Dara\"\"\""),
        awkward(4, "\"=HYPERLINK(1)\""),
        awkward(5, "'quoted"),
        awkward(6, "សុខ ដារ៉ា"),
        row(7).replace("id,000000007", "id,000000001"),
        row(8).replace(",enabled,", ",disabled,"),
        row(8).replace(&iccid(8), &iccid(9)).replace(&eid(8), &eid(9)),
        row(10).replace("Sok Dara 10,KHM,national_id,000000010", ",,,"),
    ])
}

on_both! {
    async fn export_import_export_is_identical(desk: Desk) {
        let report = desk.import(inventory()).await;
        assert_eq!(report.counts.quarantined(), 0, "{report:?}");
        let before = desk.entries().await;
        let (csv, report) = desk.export(Format::Csv).await;
        assert_eq!((report.rows, report.erased, report.entry), (10, 0, before));
        let entry = desk.registry.store.entries(before, 1).await.unwrap().remove(0);
        assert_eq!(entry.kind, "registry.exported");
        let body: serde_json::Value = serde_json::from_slice(&entry.body).unwrap();
        assert_eq!((&body["detail"]["rows"], &body["role"]), (&serde_json::json!(10), &serde_json::json!("system")));
        let (json, _) = desk.export(Format::JsonLines).await;
        assert!(!csv.contains(",=") && !csv.contains("\"="), "no cell is a formula");

        for (text, format) in [(&csv, Format::Csv), (&json, Format::JsonLines)] {
            let other = Desk::sqlite().await;
            let request = ImportRequest { format, ..other.request(text.clone()) };
            let report = other.run(request).await.unwrap();
            assert_eq!((report.counts.quarantined(), report.profiles_added), (0, 10), "{report:?}");
            assert_eq!(&other.export(Format::Csv).await.0, &csv);
            assert_eq!(&other.export(Format::JsonLines).await.0, &json);
            other.check().await;
        }
        // And into the same registry it changes nothing.
        let report = desk.import(csv).await;
        assert_eq!((report.changed, report.unchanged), (0, 10), "{report:?}");
        desk.check().await;
    }
}
