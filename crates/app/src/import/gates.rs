//! Quality gates: when a file is too bad to be believed. The limits are data.

use super::column::Column;
use super::problem::Group;
use crate::Error;
use serde::{Deserialize, Serialize};
use simwarden_model::{Imsi, Plmn};

/// The gates that come with the program.
const SHIPPED: &str = include_str!("../../../../policies/import_gates.toml");

/// When a file is refused as a whole. Shares are of all its rows, from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportGates {
    /// Rows that cannot be read.
    pub malformed_share_max: f64,
    /// Rows that lack an expected cell.
    pub unknown_share_max: f64,
    /// Rows whose ICCID stood in the file before.
    pub duplicate_share_max: f64,
    /// Rows of another operator.
    pub foreign_share_max: f64,
    /// Rows that contradict what is registered.
    pub conflict_share_max: f64,
    /// Fewest rows, in relation to the operator's last import.
    pub volume_ratio_min: f64,
    /// Most rows, in relation to the operator's last import.
    pub volume_ratio_max: f64,
    /// The volume is not judged while both imports have fewer rows than this.
    pub volume_rows_min: u64,
    /// Columns expected of a row with a number.
    #[serde(default)]
    pub expected: Vec<String>,
    /// Network codes that the operator uses beside its own.
    #[serde(default)]
    pub own_networks: Vec<String>,
}

/// What one gate says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateOutcome {
    /// Which: `malformed_share`, `volume_ratio` …
    pub gate: String,
    /// What was found.
    pub found: f64,
    /// The least that passes.
    pub min: f64,
    /// The most that passes.
    pub max: f64,
    /// Whether it passes.
    pub passed: bool,
}

/// How many rows there were, of which sort.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All rows, broken ones included.
    pub rows: u64,
    /// Rows that cannot be read.
    pub malformed: u64,
    /// Rows whose ICCID stood in the file before.
    pub duplicate: u64,
    /// Rows of another operator.
    pub foreign: u64,
    /// Rows that contradict what is registered.
    pub conflict: u64,
    /// Imported rows that lack an expected cell.
    pub unknown: u64,
}

impl Counts {
    pub(super) fn bad(&mut self, group: Group) {
        *match group {
            Group::Malformed => &mut self.malformed,
            Group::Duplicate => &mut self.duplicate,
            Group::Foreign => &mut self.foreign,
            Group::Conflict => &mut self.conflict,
        } += 1;
    }

    /// Rows that stand in the quarantine file.
    #[must_use]
    pub const fn quarantined(&self) -> u64 {
        self.malformed + self.duplicate + self.foreign + self.conflict
    }
}

impl Default for ImportGates {
    fn default() -> Self {
        Self::from_toml(SHIPPED).expect("a test reads the shipped gates")
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

impl ImportGates {
    /// Reads the gates of a file.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] with the line that is wrong.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let gates: Self = toml::from_str(text)
            .map_err(|e| Error::invalid("bad_gates", format!("the gates cannot be read: {e}")))?;
        gates.check()?;
        Ok(gates)
    }

    fn check(&self) -> Result<(), Error> {
        let shares = [
            self.malformed_share_max,
            self.unknown_share_max,
            self.duplicate_share_max,
            self.foreign_share_max,
            self.conflict_share_max,
        ];
        if shares.iter().any(|share| !(0.0..=1.0).contains(share)) {
            return Err(Error::invalid(
                "bad_gates",
                "a share of rows is a number from 0 to 1",
            ));
        }
        if !(self.volume_ratio_min >= 0.0 && self.volume_ratio_min <= self.volume_ratio_max) {
            return Err(Error::invalid(
                "bad_gates",
                "volume_ratio_min must be 0 or more and at most volume_ratio_max",
            ));
        }
        self.expected_columns()?;
        self.networks()?;
        Ok(())
    }

    pub(super) fn expected_columns(&self) -> Result<Vec<Column>, Error> {
        self.expected
            .iter()
            .map(|name| {
                Column::from_name(name)
                    .ok_or_else(|| Error::invalid("bad_gates", format!("`expected` names no column: {name}")))
            })
            .collect()
    }

    fn networks(&self) -> Result<Vec<Plmn>, Error> {
        self.own_networks
            .iter()
            .map(|code| {
                Plmn::parse(code).map_err(|e| Error::invalid("bad_gates", format!("own_networks: {e}")))
            })
            .collect()
    }

    /// What the operator's IMSIs begin with.
    pub(super) fn own_prefixes(&self, operator: Plmn) -> Result<OwnNetworks, Error> {
        let mut codes = self.networks()?;
        codes.push(operator);
        Ok(OwnNetworks(
            codes
                .into_iter()
                .map(|code| format!("{}{}", code.mcc().as_str(), code.mnc().as_str()))
                .collect(),
        ))
    }

    /// What every gate says of a file; `last` is the number of rows of the import before it.
    #[must_use]
    pub fn judge(&self, counts: &Counts, last: Option<u64>) -> Vec<GateOutcome> {
        let at_most = |gate: &str, part, max| {
            let found = ratio(part, counts.rows);
            GateOutcome {
                gate: gate.to_owned(),
                found,
                min: 0.0,
                max,
                passed: found <= max,
            }
        };
        let mut outcomes = vec![
            at_most("malformed_share", counts.malformed, self.malformed_share_max),
            at_most("unknown_share", counts.unknown, self.unknown_share_max),
            at_most("duplicate_share", counts.duplicate, self.duplicate_share_max),
            at_most("foreign_share", counts.foreign, self.foreign_share_max),
            at_most("conflict_share", counts.conflict, self.conflict_share_max),
        ];
        if let Some(last) = last.filter(|last| *last > 0 && counts.rows.max(*last) >= self.volume_rows_min) {
            let found = ratio(counts.rows, last);
            outcomes.push(GateOutcome {
                gate: "volume_ratio".to_owned(),
                found,
                min: self.volume_ratio_min,
                max: self.volume_ratio_max,
                passed: (self.volume_ratio_min..=self.volume_ratio_max).contains(&found),
            });
        }
        outcomes
    }
}

/// The network codes of one operator.
#[derive(Debug, Clone)]
pub(super) struct OwnNetworks(Vec<String>);

impl OwnNetworks {
    pub(super) fn has(&self, imsi: &Imsi) -> bool {
        self.0.iter().any(|code| imsi.reveal().starts_with(code))
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, ImportGates};

    #[test]
    fn shipped_gates_are_read_and_judge() {
        let gates = ImportGates::default();
        let counts = |rows, malformed| Counts {
            rows,
            malformed,
            ..Counts::default()
        };
        let passes = |counts: &Counts, last| gates.judge(counts, last).iter().all(|g| g.passed);
        assert!(passes(&counts(1000, 50), None));
        assert!(!passes(&counts(1000, 51), None));
        assert!(passes(&counts(1000, 0), Some(1333)) && !passes(&counts(1000, 0), Some(1334)));
        assert!(!passes(&counts(10_000, 0), Some(1000)) && passes(&counts(999, 0), Some(10)));
        for bad in ["malformed_share_max = 2.0", "surprise = 1"] {
            let text = super::SHIPPED.replace("malformed_share_max = 0.05", bad);
            assert_eq!(ImportGates::from_toml(&text).unwrap_err().code, "bad_gates");
        }
        let text = super::SHIPPED.replace("\"imsi\"", "\"imzi\"");
        assert!(
            ImportGates::from_toml(&text)
                .unwrap_err()
                .message
                .contains("imzi")
        );
    }
}
