//! The country as inventory files, in the form that `simwarden import` reads.

use super::{Country, Line, StockProfile};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The columns, in order. A row without `msisdn` is a profile in stock.
pub const COLUMNS: [&str; 19] = [
    "operator",
    "iccid",
    "imsi",
    "msisdn",
    "eid",
    "imei",
    "profile_state",
    "subscription_state",
    "line_kind",
    "party_kind",
    "class",
    "name",
    "document_country",
    "document_kind",
    "document_number",
    "contact_phone",
    "contact_email",
    "language",
    "activated_at",
];

impl Country {
    /// Writes one operator's inventory as CSV.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_inventory(&self, operator: u32, to: impl Write) -> io::Result<()> {
        let mut to = BufWriter::new(to);
        writeln!(to, "{}", COLUMNS.join(","))?;
        for line in self.lines.iter().filter(|line| line.operator == operator) {
            self.line_row(line, &mut to)?;
        }
        for profile in self.stock.iter().filter(|profile| profile.operator == operator) {
            self.stock_row(profile, &mut to)?;
        }
        to.flush()
    }

    /// Writes every operator's inventory into a folder: one `<MCC-MNC>.csv` each.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write_inventories(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for (at, operator) in (0..).zip(&self.operators) {
            let path = folder.join(format!("{}.csv", operator.code));
            self.write_inventory(at, std::fs::File::create(&path)?)?;
            files.push(path);
        }
        Ok(files)
    }

    fn line_row(&self, line: &Line, to: &mut impl Write) -> io::Result<()> {
        let owner = &self.people[line.owner as usize];
        let row = [
            self.operators[line.operator as usize].code.as_str(),
            &line.iccid,
            &line.imsi,
            &line.msisdn,
            &line.eid,
            &line.imei,
            "enabled",
            "active",
            line.kind.as_str(),
            owner.kind.as_str(),
            owner.class.as_str(),
            &owner.name_km,
            &owner.document_country,
            &owner.document_kind,
            &owner.document_number,
            line.contact_phone.as_deref().unwrap_or(""),
            owner.email.as_deref().unwrap_or(""),
            &owner.language,
            &line.activated_at.to_string(),
        ];
        writeln!(to, "{}", row.join(","))
    }

    fn stock_row(&self, profile: &StockProfile, to: &mut impl Write) -> io::Result<()> {
        let operator = self.operators[profile.operator as usize].code.as_str();
        let mut row = [""; COLUMNS.len()];
        row[0] = operator;
        row[1] = &profile.iccid;
        row[2] = &profile.imsi;
        row[6] = "available";
        writeln!(to, "{}", row.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::COLUMNS;
    use crate::country::{Country, CountrySpec};

    #[test]
    fn rows_have_the_columns_and_are_the_same_bytes_each_time() {
        let country = Country::generate(CountrySpec {
            seed: 5,
            people: 600,
            stock: 10,
        });
        let mut rows = 0;
        for operator in 0..3 {
            let mut text = Vec::new();
            country.write_inventory(operator, &mut text).unwrap();
            let mut again = Vec::new();
            country.write_inventory(operator, &mut again).unwrap();
            assert_eq!(text, again);
            let text = String::from_utf8(text).unwrap();
            assert!(!text.contains('"'), "no value needs quoting");
            for line in text.lines() {
                assert_eq!(line.split(',').count(), COLUMNS.len(), "{line}");
                rows += 1;
            }
        }
        assert_eq!(rows, 3 + country.lines.len() + country.stock.len());
    }
}
