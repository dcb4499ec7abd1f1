//! Whatever stands in a file: no panic, and an error that helps or a row that is named.

use crate::desk::{Desk, block_on, file, row};
use proptest::prelude::*;
use simwarden_app::import::{Format, ImportReport, ImportRequest};

fn import(bytes: Vec<u8>, format: Format) -> Result<ImportReport, simwarden_app::Error> {
    block_on(async {
        let desk = Desk::sqlite().await;
        let request = ImportRequest {
            format,
            operator: Some(simwarden_model::Plmn::parse("456-06").unwrap()),
            ..desk.request(bytes)
        };
        desk.run(request).await
    })
}

fn is_sane(outcome: Result<ImportReport, simwarden_app::Error>) {
    match outcome {
        Ok(report) => {
            let c = report.counts;
            assert_eq!(
                c.rows,
                c.quarantined() + report.profiles_added + report.changed + report.unchanged
            );
        }
        Err(error) => {
            assert_eq!(error.kind, simwarden_app::ErrorKind::Invalid);
            assert!(error.message.len() > 20, "{}", error.message);
        }
    }
}

#[test]
fn what_is_no_inventory_is_refused_with_words_that_help() {
    let cases: [(&[u8], &str); 7] = [
        (b"", "empty"),
        (b"\n\n\n", "empty"),
        (b"imsi,msisdn\n", "iccid"),
        (b"iccid;imsi\n", "comma"),
        (b"iccid,iccid\n", "twice"),
        (b"\xFF\xFE\x00i\n", "UTF-8"),
        (b"{\"iccid\":\"1\"}\n", "no column"),
    ];
    for (bytes, word) in cases {
        let error = import(bytes.to_vec(), Format::Csv).unwrap_err();
        assert!(error.message.contains(word), "{}", error.message);
    }
    let deep = "[".repeat(10_000);
    for line in [
        &deep,
        "{\"iccid\":1}",
        "{\"iccid\":\"1\",\"iccid\":\"2\"}",
        "{\"x\":\"1\"}",
        "null",
        "{} {}",
    ] {
        let report = import(line.as_bytes().to_vec(), Format::JsonLines).unwrap();
        assert_eq!(report.problems[0].reason, "bad_json", "{line:.20}");
    }
}

#[test]
fn a_broken_row_spoils_no_other() {
    let long = "x".repeat(100_000);
    let mut bytes = file([row(1), format!("\"{long}"), row(2)]).into_bytes();
    bytes.extend_from_slice(b"456-06,\xC3\x28,,,,,,,,,,\r\n\r\n");
    bytes.extend_from_slice(row(3).as_bytes());
    let report = import(bytes, Format::Csv).unwrap();
    let reasons: Vec<_> = report
        .problems
        .iter()
        .map(|p| (p.row, p.reason.as_str()))
        .collect();
    assert_eq!(reasons, [(3, "line_too_long"), (5, "not_utf8")]);
    assert_eq!(report.profiles_added, 3);
    let marked = format!("\u{FEFF}{}", file([row(1)]).replace('\n', "\r\n"));
    assert_eq!(
        import(marked.into_bytes(), Format::Csv).unwrap().profiles_added,
        1
    );
}

#[test]
fn numbers_are_read_as_people_write_them() {
    let text = |number: &str| file([row(1).replace("+855100000001", number)]);
    for number in [
        "012 345 678",
        "+855 12 345 678",
        "០១២៣៤៥៦៧៨",
        "0085512345678",
        "85512345678",
    ] {
        let report = import(text(number).into_bytes(), Format::Csv).unwrap();
        assert_eq!(report.profiles_added, 1, "{number}: {:?}", report.problems);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..2000), json in any::<bool>()) {
        is_sane(import(bytes, if json { Format::JsonLines } else { Format::Csv }));
    }

    #[test]
    fn any_cells(cells in proptest::collection::vec("[-\"',=0-9a-z{}:\\PC]{0,12}", 0..60), width in 1_usize..14) {
        let rows: Vec<String> = cells.chunks(width).map(|row| row.join(",")).collect();
        is_sane(import(file(rows.clone()).into_bytes(), Format::Csv));
        is_sane(import(rows.join("\n").into_bytes(), Format::JsonLines));
    }

    #[test]
    fn a_good_file_with_one_byte_bent(at in 0_usize..1500, by in 1_u8..=255) {
        let mut bytes = file((0..6).map(row)).into_bytes();
        let at = at % bytes.len();
        bytes[at] = bytes[at].wrapping_add(by);
        is_sane(import(bytes, Format::Csv));
    }
}
