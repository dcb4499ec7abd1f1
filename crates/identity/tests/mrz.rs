//! The check digits against everything that one changed character can do, and against another implementation.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::cast_possible_truncation, reason = "dice")]

#[path = "../training/dice.rs"]
#[expect(dead_code, reason = "pictures need more of it")]
mod dice;

use dice::{Dice, content};
use jiff::civil::date;
use simwarden_identity::documents::check_digit::confusable;
use simwarden_identity::documents::emit::{Content, emit};
use simwarden_identity::documents::layout::{Field, Format};
use simwarden_identity::documents::mrz::{Mrz, MrzError, Protection};
use simwarden_identity::documents::review::{Reason, review};

const ALPHABET: &[u8; 37] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<";

/// Whether the arithmetic lets the check digits see a changed character.
fn seen(mrz: &Mrz, line: usize, column: usize, old: u8, new: u8) -> bool {
    let format = mrz.format();
    let cells = format.cells();
    if format.composite().is_some_and(|(_, at)| at == (line, column)) {
        return true;
    }
    if let Some(cell) = cells.iter().find(|cell| cell.check == Some((line, column))) {
        // Over an empty optional field, a filler may stand for zero.
        let empty = cell.field == Field::Optional && mrz.field(Field::Optional).is_empty();
        return !(empty && [old, new].iter().all(|c| b"0<".contains(c)));
    }
    let cell = cells
        .iter()
        .find(|cell| cell.at.0 == line && cell.at.1.contains(&column))
        .unwrap();
    let evidence = mrz.evidence();
    let (_, evidence) = evidence.iter().find(|(field, _)| *field == cell.field).unwrap();
    evidence.protection != Protection::None && !confusable(old, new)
}

fn changed(mrz: &Mrz, line: usize, column: usize, new: u8) -> Option<Mrz> {
    let mut lines = mrz.lines();
    lines[line].replace_range(column..=column, &char::from(new).to_string());
    let other = Mrz::parse(&lines.join("\n")).unwrap();
    // A filler in the place of the number's digit says that the number goes on elsewhere.
    let number = mrz
        .format()
        .cells()
        .into_iter()
        .find(|c| c.field == Field::DocumentNumber)
        .unwrap();
    (other.format() == mrz.format() && !(number.check == Some((line, column)) && new == b'<'))
        .then_some(other)
}

#[test]
fn ten_thousand_zones_show_exactly_what_the_arithmetic_shows() {
    let mut dice = Dice(9303);
    let (mut tried, mut blind) = (0_u32, 0_u32);
    for round in 0..10_000 {
        let format = Format::ALL[round % 5];
        let mrz = emit(format, &content(&mut dice, format)).unwrap();
        assert!(mrz.checks_fit(), "{:?}", mrz.lines());
        for (line, text) in mrz.lines().iter().enumerate() {
            for (column, old) in text.bytes().enumerate() {
                // Every other character in some rounds, one in the others.
                let news: Vec<u8> = if round % 50 == 0 {
                    ALPHABET.iter().copied().filter(|new| *new != old).collect()
                } else {
                    let new = ALPHABET[dice.below(37)];
                    Vec::from_iter((new != old).then_some(new))
                };
                for new in news {
                    let Some(other) = changed(&mrz, line, column, new) else {
                        continue;
                    };
                    let seen = seen(&mrz, line, column, old, new);
                    assert_eq!(!other.checks_fit(), seen, "{text} {line}:{column} {old} -> {new}");
                    tried += 1;
                    blind += u32::from(!seen);
                }
            }
        }
    }
    println!("{tried} changes tried, {blind} invisible, as the arithmetic says");
    assert!(tried > 900_000);
}

fn oracle(mrz: &Mrz) -> Option<bool> {
    let lines = mrz.lines();
    let parsed = match mrz.format() {
        Format::Td1 => mrz::parse_td1(&lines[0], &lines[1], &lines[2]),
        Format::Td2 => mrz::parse_td2(&lines[0], &lines[1]),
        Format::Td3 => mrz::parse_td3(&lines[0], &lines[1]),
        Format::MrvA => mrz::parse_mrv_a(&lines[0], &lines[1]),
        Format::MrvB => mrz::parse_mrv_b(&lines[0], &lines[1]),
    };
    parsed.ok().map(|parsed| parsed.checks.all_valid())
}

#[test]
fn another_implementation_agrees() {
    let mut dice = Dice(7);
    let mut compared = 0;
    for round in 0..2_000 {
        let format = Format::ALL[round % 5];
        let mrz = emit(format, &content(&mut dice, format)).unwrap();
        assert_eq!(oracle(&mrz), Some(true), "{:?}", mrz.lines());
        let (lines, columns) = format.size();
        let (line, column) = (dice.below(lines), dice.below(columns));
        let Some(other) = changed(&mrz, line, column, ALPHABET[dice.below(36)]) else {
            continue;
        };
        if let Some(fits) = oracle(&other) {
            assert_eq!(fits, other.checks_fit(), "{:?}", other.lines());
            compared += 1;
        }
    }
    assert!(compared > 1_000, "{compared}");
}

#[test]
fn the_specimens_of_icao_read_as_printed() {
    for (text, format, number, names) in [
        (
            "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<",
            Format::Td1,
            "D23145890",
            ("ERIKSSON", "ANNA MARIA"),
        ),
        (
            "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6",
            Format::Td2,
            "D23145890",
            ("ERIKSSON", "ANNA MARIA"),
        ),
        (
            "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
            Format::Td3,
            "L898902C3",
            ("ERIKSSON", "ANNA MARIA"),
        ),
        (
            "I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\nSTEVENSON<<PETER<JOHN<<<<<<<<<",
            Format::Td1,
            "D23145890734",
            ("STEVENSON", "PETER JOHN"),
        ),
        (
            "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL8988901C4XXX4009078F96121096ZE184226B<<<<<<",
            Format::MrvA,
            "L8988901C",
            ("ERIKSSON", "ANNA MARIA"),
        ),
    ] {
        let mrz = Mrz::parse(text).unwrap();
        assert_eq!(mrz.format(), format);
        assert_eq!(mrz.field(Field::DocumentNumber), number);
        assert_eq!(mrz.names(), (names.0.to_owned(), names.1.to_owned()));
        assert!(mrz.checks_fit(), "{:?}", mrz.checks());
        assert!(review(&mrz, None).accepted(), "{:?}", review(&mrz, None));
        assert!(
            review(&mrz, Some(date(2010, 1, 1)))
                .reasons
                .contains(&Reason::Specimen)
        );
        assert_eq!(oracle(&mrz), Some(true));
    }
}

fn card() -> Content {
    Content {
        document_code: "ID".into(),
        issuer: "KHM".into(),
        document_number: "012345678".into(),
        birth_date: "900413".into(),
        sex: "F".into(),
        expiry_date: "310412".into(),
        nationality: "KHM".into(),
        surname: "Sok".into(),
        given_names: "Sophea".into(),
        ..Content::default()
    }
}

#[test]
fn a_day_decides_age_and_force() {
    let card = emit(Format::Td1, &card()).unwrap();
    let seen = review(&card, Some(date(2026, 4, 12)));
    assert!(seen.accepted(), "{seen:?}");
    assert_eq!(
        (seen.age_years, seen.birth_date),
        (Some(35), Some(date(1990, 4, 13)))
    );
    assert_eq!(review(&card, Some(date(2026, 4, 13))).age_years, Some(36));
    assert!(review(&card, Some(date(2031, 4, 12))).accepted());
    assert_eq!(review(&card, Some(date(2031, 4, 13))).reasons, [Reason::Expired]);
    assert!(review(&card, None).accepted());
}

#[test]
fn what_is_wrong_is_said() {
    let reasons = |change: &dyn Fn(&mut Content)| {
        let mut content = card();
        change(&mut content);
        let mrz = emit(Format::Td1, &content).unwrap();
        review(&mrz, Some(date(2026, 11, 24))).reasons
    };
    assert_eq!(reasons(&|c| c.birth_date = "900231".into()), [Reason::BirthDate]);
    assert_eq!(reasons(&|c| c.birth_date = "9O0213".into()), [Reason::BirthDate]);
    assert_eq!(
        reasons(&|c| c.expiry_date = "311301".into()),
        [Reason::ExpiryDate]
    );
    assert_eq!(reasons(&|c| c.birth_date = "90<<<<".into()), []);
    assert!(reasons(&|c| c.nationality = "KH".into()).contains(&Reason::Nationality));
    assert_eq!(reasons(&|c| c.issuer = "XYZ".into()), [Reason::Issuer]);
    assert_eq!(reasons(&|c| c.sex = "K".into()), [Reason::Sex]);
    assert_eq!(
        reasons(&|c| c.document_code = "PD".into())[0],
        Reason::DocumentCode
    );
    // A birth date that was changed without its digit, and one changed with it: only the first is visible here.
    let mrz = emit(Format::Td1, &card()).unwrap();
    let text = mrz.lines().join("\n").replace("900413", "980413");
    let seen = review(&Mrz::parse(&text).unwrap(), None).reasons;
    assert_eq!(
        seen,
        [Reason::CheckDigit("birth_date"), Reason::CheckDigit("composite")]
    );
    assert_eq!(reasons(&|c| c.birth_date = "980413".into()), []);
}

#[test]
fn no_text_calls_a_document_by_what_arithmetic_cannot_know() {
    let source = include_str!("../src/documents/review.rs").to_lowercase();
    for word in [
        ["genu", "ine"].concat(),
        ["auth", "entic"].concat(),
        ["verif", "ied"].concat(),
    ] {
        assert!(!source.contains(&word), "{word}");
    }
}

#[test]
fn what_is_no_zone_is_refused_for_its_reason() {
    assert!(matches!(Mrz::parse(""), Err(MrzError::Shape { lines: 0, .. })));
    assert!(matches!(
        Mrz::parse("P<UTO\nX"),
        Err(MrzError::Shape { lines: 2, .. })
    ));
    assert_eq!(Mrz::parse(&"A".repeat(5000)), Err(MrzError::TooLong));
    let small = "i<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6";
    assert_eq!(Mrz::parse(small), Err(MrzError::Character { line: 1, column: 1 }));
    assert!(Mrz::parse("ឈ្មោះ").is_err());
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "[A-Z0-9<\n]{0,140}|.{0,60}") {
        if let Ok(mrz) = Mrz::parse(&text) {
            let _ = (review(&mrz, Some(date(2026, 1, 1))), mrz.evidence(), mrz.names());
            for (field, _) in mrz.evidence() {
                let _ = mrz.field(field);
            }
        }
    }

    #[test]
    fn no_zone_panics(text in "[A-Z0-9<]{88}") {
        for (lines, columns) in [(3, 30), (2, 36), (2, 44)] {
            let rows: Vec<&str> = (0..lines).filter_map(|at| text.get(at * columns..(at + 1) * columns)).collect();
            if let Ok(mrz) = Mrz::parse(&rows.join("\n")) {
                let _ = (review(&mrz, Some(date(2026, 1, 1))), mrz.evidence(), mrz.names(), mrz.field(Field::Optional));
            }
        }
    }
}
