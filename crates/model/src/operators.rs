//! Which operator a network code belonged to, and when.
//!
//! The table is data (`data/operators.csv`, or an installation's own file of the same form), not code: codes
//! change hands. It says what each row rests on. Invented operators of demonstrations are not in it.

use crate::named::named_enum;
use crate::{IdentifierError, Imsi, Plmn, Timestamp};
use jiff::civil::Date;

named_enum! {
    /// Whether an operator still uses a network code.
    pub enum OperatorStatus ("status of an operator") {
        /// In use.
        Current = "current",
        /// No longer in use by this operator.
        Former = "former",
        /// Not known.
        Unknown = "unknown",
    }
}

named_enum! {
    /// How far a row of the table can be relied on.
    pub enum Confidence ("confidence") {
        /// Several good sources agree.
        High = "high",
        /// One good source.
        Medium = "medium",
        /// Sources conflict, or a date is known by the year only.
        Low = "low",
    }
}

/// One operator's use of one network code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// The network code.
    pub plmn: Plmn,
    /// The company.
    pub name: Box<str>,
    /// The name that subscribers know.
    pub brand: Box<str>,
    /// ISO 3166-1, two letters.
    pub country: Box<str>,
    /// First day, UTC; `None`: since it began.
    pub valid_from: Option<Date>,
    /// First day no more, UTC; `None`: still.
    pub valid_to: Option<Date>,
    /// Whether the operator uses the code now.
    pub status: OperatorStatus,
    /// How far the row can be relied on.
    pub confidence: Confidence,
    /// Where it comes from.
    pub source: Box<str>,
}

/// A table of operators that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperatorTableError {
    /// The first row is not the header.
    #[error("the operator table must begin with the row `{HEADER}` (comments before it begin with #)")]
    Header,
    /// A row is malformed.
    #[error("line {line} of the operator table: {problem}")]
    Row {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// Two rows give one code to two operators at the same time.
    #[error("the operator table gives {0} to two operators at the same time; end one row with `valid_to`")]
    Overlap(Plmn),
}

const HEADER: &str = "plmn,name,brand,country,valid_from,valid_to,status,confidence,source";
const SHIPPED: &str = include_str!("../data/operators.csv");

/// The table of operators, looked up by network code and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operators(Vec<Operator>);

impl Operators {
    /// Most rows of a table.
    pub const ROWS_MAX: usize = 20_000;

    /// The table that comes with the program: Cambodia.
    ///
    /// # Panics
    /// Never: a test reads the table.
    #[must_use]
    pub fn shipped() -> Self {
        Self::parse(SHIPPED).expect("the shipped table is read by a test")
    }

    /// Reads a table: comma separated, without quotes, with the header of the shipped one; lines that begin with #
    /// and empty ones do not count.
    ///
    /// # Errors
    /// [`OperatorTableError`] with the line that is wrong.
    pub fn parse(text: &str) -> Result<Self, OperatorTableError> {
        let mut lines = (1..).zip(text.lines()).filter(|(_, row)| {
            let row = row.trim();
            !row.is_empty() && !row.starts_with('#')
        });
        if lines.next().map(|(_, row)| row.trim()) != Some(HEADER) {
            return Err(OperatorTableError::Header);
        }
        let mut rows = Vec::new();
        for (line, row) in lines {
            if rows.len() == Self::ROWS_MAX {
                return Err(OperatorTableError::Row {
                    line,
                    problem: "more than 20,000 rows".into(),
                });
            }
            rows.push(parse_row(row).map_err(|problem| OperatorTableError::Row { line, problem })?);
        }
        rows.sort_by_key(|row| (row.plmn, row.valid_from));
        for pair in rows.windows(2) {
            let apart = pair[0]
                .valid_to
                .is_some_and(|end| pair[1].valid_from.is_some_and(|start| end <= start));
            if pair[0].plmn == pair[1].plmn && !apart {
                return Err(OperatorTableError::Overlap(pair[0].plmn));
            }
        }
        Ok(Self(rows))
    }

    /// Who used a network code at a time (taken as a day in UTC).
    #[must_use]
    pub fn at(&self, plmn: Plmn, time: Timestamp) -> Option<&Operator> {
        let moment = jiff::Timestamp::from_microsecond(time.as_micros()).ok()?;
        let day = jiff::tz::Offset::UTC.to_datetime(moment).date();
        let first = self.0.partition_point(|row| row.plmn < plmn);
        self.0[first..]
            .iter()
            .take_while(|row| row.plmn == plmn)
            .find(|row| {
                row.valid_from.is_none_or(|from| from <= day) && row.valid_to.is_none_or(|to| day < to)
            })
    }

    /// Whose subscriber an IMSI was at a time: the code with three digits if it is in the table, else with two.
    #[must_use]
    pub fn of_imsi(&self, imsi: &Imsi, time: Timestamp) -> Option<&Operator> {
        self.at(imsi.plmn_with_three_digits(), time)
            .or_else(|| self.at(imsi.plmn_with_two_digits(), time))
    }

    /// All rows, by code and then by time.
    #[must_use]
    pub fn rows(&self) -> &[Operator] {
        &self.0
    }
}

fn parse_row(row: &str) -> Result<Operator, String> {
    if row.contains('"') {
        return Err("quotation marks are not understood; leave them and commas out".into());
    }
    let fields: Vec<&str> = row.split(',').map(str::trim).collect();
    let [plmn, name, brand, country, from, to, status, confidence, source] = fields[..] else {
        return Err(format!("9 fields are wanted, {} found", fields.len()));
    };
    if !plmn.contains('-') {
        return Err("the code is written MCC-MNC, with a hyphen".into());
    }
    if name.is_empty() || brand.is_empty() || source.is_empty() {
        return Err("name, brand and source cannot be empty".into());
    }
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err("the country is two capital letters".into());
    }
    let (valid_from, valid_to) = (day(from)?, day(to)?);
    if let (Some(from), Some(to)) = (valid_from, valid_to)
        && from >= to
    {
        return Err("valid_to must be later than valid_from".into());
    }
    let status: OperatorStatus = status
        .parse()
        .map_err(|error: crate::UnknownName| error.to_string())?;
    if (status == OperatorStatus::Former) != valid_to.is_some() {
        return Err("a former operator, and no other, has a valid_to".into());
    }
    Ok(Operator {
        plmn: Plmn::parse(plmn).map_err(|error: IdentifierError| error.to_string())?,
        name: name.into(),
        brand: brand.into(),
        country: country.into(),
        valid_from,
        valid_to,
        status,
        confidence: confidence
            .parse()
            .map_err(|error: crate::UnknownName| error.to_string())?,
        source: source.into(),
    })
}

fn day(text: &str) -> Result<Option<Date>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    if text.len() != 10 {
        return Err("dates are written YYYY-MM-DD".into());
    }
    text.parse()
        .map(Some)
        .map_err(|_| "dates are written YYYY-MM-DD".into())
}

#[cfg(test)]
mod tests {
    use super::{Confidence, HEADER, OperatorStatus, OperatorTableError, Operators};
    use crate::{Imsi, Plmn, Timestamp};

    fn brand(plmn: &str, time: &str) -> Option<String> {
        let table = Operators::shipped();
        table
            .at(Plmn::parse(plmn).unwrap(), time.parse().unwrap())
            .map(|row| row.brand.to_string())
    }

    #[test]
    fn knows_who_used_a_code_when() {
        assert_eq!(
            brand("456-01", "2026-01-01T00:00:00Z").as_deref(),
            Some("Cellcard")
        );
        assert_eq!(brand("456-18", "2010-06-01T00:00:00Z").as_deref(), Some("Mfone"));
        assert_eq!(
            brand("456-18", "2026-01-01T00:00:00Z").as_deref(),
            Some("Cellcard")
        );
        assert_eq!(
            brand("456-09", "2014-12-31T23:59:59Z").as_deref(),
            Some("Beeline")
        );
        assert_eq!(
            brand("456-09", "2015-01-01T00:00:00Z").as_deref(),
            Some("Metfone")
        );
        assert_eq!(brand("456-99", "2026-01-01T00:00:00Z"), None);
        let table = Operators::shipped();
        let imsi = Imsi::parse("456061234567890").unwrap();
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(&*table.of_imsi(&imsi, now).unwrap().brand, "Smart");
    }

    #[test]
    fn the_shipped_table_says_what_is_uncertain() {
        let table = Operators::shipped();
        assert!(
            table
                .rows()
                .iter()
                .any(|row| row.status == OperatorStatus::Former)
        );
        for row in table.rows() {
            let doubtful =
                row.status == OperatorStatus::Unknown || row.valid_from.is_some() || row.valid_to.is_some();
            assert!(
                !doubtful || row.confidence == Confidence::Low,
                "{} {}",
                row.plmn,
                row.brand
            );
        }
    }

    #[test]
    fn refuses_a_malformed_table() {
        let parse = |rows: &str| Operators::parse(&format!("# comment\n{HEADER}\n{rows}"));
        assert!(parse("456-01,A,a,KH,,,current,high,x").is_ok());
        assert_eq!(
            Operators::parse("456-01,A,a,KH,,,current,high,x"),
            Err(OperatorTableError::Header)
        );
        let wrong = [
            "456-01,A,a,KH,,,current,high",
            "456-01,A,a,KH,,,current,high,x,y",
            "45601,A,a,KH,,,current,high,x",
            "456-01,A,a,kh,,,current,high,x",
            "456-01,A,a,KH,,,current,sure,x",
            "456-01,A,a,KH,,,gone,high,x",
            "456-01,A,a,KH,,2020-13-01,former,high,x",
            "456-01,A,a,KH,2021-01-01,2020-01-01,former,high,x",
            "456-01,A,a,KH,,,former,high,x",
            "456-01,,a,KH,,,current,high,x",
            "456-01,\"A\",a,KH,,,current,high,x",
        ];
        for row in wrong {
            let error = parse(row).unwrap_err();
            assert!(
                matches!(error, OperatorTableError::Row { line: 3, .. }),
                "{row}: {error}"
            );
        }
        let twice = "456-01,A,a,KH,,2020-01-02,former,high,x\n456-01,B,b,KH,2020-01-01,,current,high,x";
        assert!(matches!(parse(twice), Err(OperatorTableError::Overlap(_))));
    }
}
