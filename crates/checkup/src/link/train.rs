//! Trains the lexical model from labelled addresses that an operator may use: logistic regression over hashed n-grams,
//! the same result for the same data.
//!
//! A fifth of the data, chosen by registrable domain so that no domain is on both sides, is held back: the limits are
//! read off its innocent hosts, and what the report says was measured on it.

use super::host::{Link, Target};
use super::lexical::{Lexical, SLOTS, features};
use std::collections::HashMap;

/// A labelled address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labelled {
    /// The address or host.
    pub address: String,
    /// Whether it is fraud.
    pub bad: bool,
    /// A word for the group it belongs to, when the file has one: the kind of permutation.
    pub kind: Option<String>,
}

/// What training came to, on the part that was held back.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    /// The model.
    pub model: Lexical,
    /// Hosts it was trained on.
    pub trained: usize,
    /// Innocent hosts held back.
    pub innocent: usize,
    /// Fraudulent hosts held back.
    pub fraudulent: usize,
    /// Share of the fraudulent above the limit for `dangerous` (one innocent in 1,000).
    pub recall_dangerous: f64,
    /// Share above the limit for `suspicious` (one in 100).
    pub recall_suspicious: f64,
}

/// Why nothing was trained.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TrainError {
    /// A line without a label.
    #[error(
        "line {0}: write `address,label`, the label being bad, phish, malicious, 1, good, benign, ok or 0"
    )]
    Label(usize),
    /// Limits could not be read off so few.
    #[error("{bad} fraudulent and {good} innocent hosts are too few; {HOSTS_MIN} of each are needed")]
    TooFew {
        /// Fraudulent ones.
        bad: usize,
        /// Innocent ones.
        good: usize,
    },
}

/// The fewest hosts of either label.
pub const HOSTS_MIN: usize = 1_000;
const ROUNDS: usize = 6;
const RATE: f32 = 0.5;

/// Reads `address,label[,kind]` or `label,address` lines (comma or tab); a first line without a label is a heading.
///
/// # Errors
/// When a line has no label.
pub fn read_labelled(text: &str) -> Result<Vec<Labelled>, TrainError> {
    let mut rows = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let tab = if line.contains('\t') { '\t' } else { ',' };
        let fields: Vec<&str> = line.split(tab).map(|f| f.trim().trim_matches('"')).collect();
        let label = |field: &str| match field.to_ascii_lowercase().as_str() {
            "bad" | "phish" | "phishing" | "malicious" | "fraud" | "lookalike" | "dangerous" | "1" => {
                Some(true)
            }
            "good" | "benign" | "ok" | "safe" | "legit" | "legitimate" | "0" | "-1" => Some(false),
            _ => None,
        };
        let found = fields
            .iter()
            .skip(1)
            .chain(fields.first())
            .find_map(|f| label(f).map(|bad| (*f, bad)));
        let Some((word, bad)) = found else {
            if at == 0 {
                continue;
            }
            return Err(TrainError::Label(at + 1));
        };
        let mut rest = fields.iter().filter(|f| **f != word);
        let Some(address) = rest.next() else {
            return Err(TrainError::Label(at + 1));
        };
        rows.push(Labelled {
            address: (*address).to_owned(),
            bad,
            kind: rest.next().map(|k| (*k).to_owned()),
        });
    }
    Ok(rows)
}

struct Row {
    host: String,
    bad: bool,
    held_back: bool,
}

/// Trains.
///
/// # Errors
/// With too few hosts of either label.
pub fn train(rows: &[Labelled]) -> Result<Training, TrainError> {
    let rows = hosts(rows);
    let bad = rows.iter().filter(|r| r.bad).count();
    let good = rows.len() - bad;
    if bad < HOSTS_MIN || good < HOSTS_MIN {
        return Err(TrainError::TooFew { bad, good });
    }
    let (weights, bias) = descend(&rows);
    let model = Lexical::squeezed(&weights, bias);
    let scores = |bad: bool| {
        let mut scores: Vec<f32> = rows
            .iter()
            .filter(|r| r.held_back && r.bad == bad)
            .map(|r| model.score(&r.host))
            .collect();
        scores.sort_by(|a, b| b.total_cmp(a));
        scores
    };
    let (innocent, fraudulent) = (scores(false), scores(true));
    // The first score that may no longer count as fraud, and a hair above it.
    let limit = |share: usize| {
        innocent
            .get(innocent.len() / share)
            .map_or(f32::MAX, |s| s + 1e-4)
    };
    let (dangerous, suspicious) = (limit(1_000), limit(100));
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    let recall = |limit: f32| {
        fraudulent.iter().filter(|s| **s >= limit).count() as f64 / fraudulent.len().max(1) as f64
    };
    Ok(Training {
        recall_dangerous: recall(dangerous),
        recall_suspicious: recall(suspicious),
        trained: rows.iter().filter(|r| !r.held_back).count(),
        innocent: innocent.len(),
        fraudulent: fraudulent.len(),
        model: model.with_limits(dangerous, suspicious),
    })
}

/// Every host once, in an order that depends on nothing but the hosts. A host with both labels counts as innocent:
/// it is one that many share.
fn hosts(rows: &[Labelled]) -> Vec<Row> {
    let mut hosts: HashMap<String, (bool, bool)> = HashMap::new();
    for row in rows {
        if let Some(Target::Name(name)) = Link::read(&row.address).map(|l| l.target) {
            let held_back = mixed(name.registrable()).is_multiple_of(5);
            let entry = hosts.entry(name.ascii).or_insert((row.bad, held_back));
            entry.0 &= row.bad;
        }
    }
    let mut rows: Vec<Row> = hosts
        .into_iter()
        .map(|(host, (bad, held_back))| Row { host, bad, held_back })
        .collect();
    rows.sort_by_cached_key(|row| (mixed(&row.host), row.host.clone()));
    rows
}

/// A number that a text always gets and that says nothing about it.
fn mixed(text: &str) -> u64 {
    let hash = text.bytes().fold(0x8422_2325_cbf2_9ce4_u64, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3).rotate_left(7)
    });
    (hash ^ (hash >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 8
}

/// Stochastic gradient descent with a step of its own for every weight (AdaGrad).
fn descend(rows: &[Row]) -> (Vec<f32>, f32) {
    let mut weights = vec![0f32; SLOTS];
    let mut steps = vec![1e-2f32; SLOTS];
    let (mut bias, mut bias_step) = (0f32, 1e-2f32);
    let mut slots: Vec<usize> = Vec::with_capacity(1_200);
    for _ in 0..ROUNDS {
        for row in rows.iter().filter(|r| !r.held_back) {
            slots.clear();
            features(&row.host, |slot| slots.push(slot));
            #[expect(clippy::cast_precision_loss, reason = "some hundred features")]
            let each = 1.0 / (slots.len() as f32).max(1.0).sqrt();
            let sum: f32 = slots.iter().map(|s| weights[*s]).sum();
            let guess = 1.0 / (1.0 + (-(sum * each + bias)).exp());
            let error = guess - if row.bad { 1.0 } else { 0.0 };
            for slot in &slots {
                let slope = error * each + 2e-7 * weights[*slot];
                steps[*slot] += slope * slope;
                weights[*slot] -= RATE * slope / steps[*slot].sqrt();
            }
            bias_step += error * error;
            bias -= RATE * error / bias_step.sqrt();
        }
    }
    (weights, bias)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::lexical::Grade;

    #[test]
    fn a_model_learns_and_survives_the_file() {
        let words = [
            "river", "stone", "garden", "market", "school", "temple", "forest", "lantern", "harbour", "rice",
        ];
        let mut rows = Vec::new();
        for n in 0..6_000usize {
            let (a, b) = (words[n % 10], words[(n / 10) % 10]);
            let row = |address, bad| Labelled {
                address,
                bad,
                kind: None,
            };
            rows.push(row(format!("https://{a}{b}{}.com/", n / 100), false));
            rows.push(row(format!("http://{a}-verify-login{n}.{b}.top/x"), true));
        }
        let training = train(&rows).unwrap();
        assert!(training.recall_dangerous > 0.9, "{training:?}");
        assert_eq!(train(&rows).unwrap().model, training.model);
        let model = Lexical::read(&training.model.encode()).unwrap();
        assert_eq!(model, training.model);
        assert_eq!(model.grade("stone-verify-login99999.market.top"), Grade::Fraud);
        assert_ne!(model.grade("stoneriver7.com"), Grade::Fraud);
        assert!(Lexical::read(b"SWLX1\nshort").is_err());
        assert_eq!(train(&rows[..10]), Err(TrainError::TooFew { bad: 5, good: 5 }));
    }

    #[test]
    fn labelled_files_in_several_forms() {
        let rows = read_labelled("url,label,kind\na.com,0\nb.top,phish,omission\n1\tc.top\n").unwrap();
        assert_eq!(rows.len(), 3);
        assert_eq!((rows[1].bad, rows[1].kind.as_deref()), (true, Some("omission")));
        assert_eq!((rows[2].bad, rows[2].address.as_str()), (true, "c.top"));
        assert_eq!(read_labelled("a.com,0\nb.com\n"), Err(TrainError::Label(2)));
    }
}
