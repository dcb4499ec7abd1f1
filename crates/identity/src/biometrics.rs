//! Faces and fingers: templates compared, duplicates searched, captures checked for having been seen before.
//!
//! No model is shipped and no accuracy is claimed: how often strangers pass at a threshold is a fact of the model and
//! of the people it meets. The operator measures it and states it in policy ([`Calibration`]); without a calibration
//! nothing is decided. A score is one signal, never the only one. Liveness is not judged here.

pub mod replay;

use thiserror::Error;

/// Longest template, in numbers.
pub const TEMPLATE_MAX: usize = 4_096;
/// Most templates compared in one search for duplicates.
pub const SEARCH_MAX: usize = 5_000_000;

/// Why nothing can be said.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum MatchError {
    /// Templates of unlike length: of two models, or none.
    #[error(
        "the templates have {0} and {1} numbers; both must come from the same model, with 1 to {TEMPLATE_MAX}"
    )]
    Length(usize, usize),
    /// A template without direction or with numbers that are none.
    #[error("the template holds no direction or a number that is none; take the picture again")]
    Degenerate,
    /// Too many to search.
    #[error("at most {SEARCH_MAX} templates are searched at once")]
    TooMany,
    /// The calibration contradicts itself.
    #[error("the calibration is not usable: thresholds within -1 to 1, and error rates within 0 to 1")]
    Calibration,
    /// The matcher did not answer, or not in its form.
    #[error("the matcher did not answer: {0}")]
    Unavailable(String),
}

/// What the operator has measured for a model, as stated in policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// From this score on, two templates count as one person's.
    pub same_min: f32,
    /// From this score on, a duplicate search reports; at least `same_min`, as a search meets many strangers.
    pub duplicate_min: f32,
    /// How often strangers reach `same_min`, as measured.
    pub false_match_rate: f32,
    /// How often one person does not reach `same_min`, as measured.
    pub false_non_match_rate: f32,
}

impl Calibration {
    /// Checks that it can be used.
    ///
    /// # Errors
    /// [`MatchError::Calibration`].
    pub fn check(&self) -> Result<(), MatchError> {
        let scores = [self.same_min, self.duplicate_min]
            .iter()
            .all(|s| (-1.0..=1.0).contains(s));
        let rates = [self.false_match_rate, self.false_non_match_rate];
        let rates = rates.iter().all(|rate| (0.0..=1.0).contains(rate));
        (scores && rates && self.duplicate_min >= self.same_min)
            .then_some(())
            .ok_or(MatchError::Calibration)
    }
}

/// A comparison, and what its score is worth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Larger is more alike; the scale is the matcher's.
    pub score: f32,
    /// Whether it reaches the calibrated threshold.
    pub same: bool,
    /// How often strangers would, as the operator measured it.
    pub false_match_rate: f32,
}

/// Compares faces 1:1.
pub trait FaceMatcher {
    /// The template of the person who stands here against the one on file.
    ///
    /// # Errors
    /// [`MatchError`] when nothing can be said; that is never a match.
    fn compare(&self, here: &[f32], on_file: &[f32]) -> Result<Comparison, MatchError>;
}

/// Compares fingers 1:1, in the form of the reader's own templates.
pub trait FingerMatcher {
    /// The finger that was asked for against the one on file.
    ///
    /// # Errors
    /// [`MatchError`] when nothing can be said; that is never a match.
    fn compare(&self, here: &[u8], on_file: &[u8]) -> Result<Comparison, MatchError>;
}

/// Compares embeddings by the cosine of the angle between them.
#[derive(Clone, Copy, Debug)]
pub struct CosineMatcher {
    calibration: Calibration,
}

impl CosineMatcher {
    /// With the operator's calibration.
    ///
    /// # Errors
    /// [`MatchError::Calibration`].
    pub fn new(calibration: Calibration) -> Result<Self, MatchError> {
        calibration.check()?;
        Ok(Self { calibration })
    }

    /// Those among templates that look like this person's, best first, at most `most`: position and score.
    ///
    /// # Errors
    /// [`MatchError`].
    pub fn duplicates(
        &self,
        here: &[f32],
        templates: &[&[f32]],
        most: usize,
    ) -> Result<Vec<(usize, f32)>, MatchError> {
        if templates.len() > SEARCH_MAX {
            return Err(MatchError::TooMany);
        }
        let mut found = Vec::new();
        for (at, template) in templates.iter().enumerate() {
            let score = cosine(here, template)?;
            if score >= self.calibration.duplicate_min {
                found.push((at, score));
            }
        }
        found.sort_by(|a, b| b.1.total_cmp(&a.1));
        found.truncate(most);
        Ok(found)
    }
}

impl FaceMatcher for CosineMatcher {
    fn compare(&self, here: &[f32], on_file: &[f32]) -> Result<Comparison, MatchError> {
        let score = cosine(here, on_file)?;
        Ok(Comparison {
            score,
            same: score >= self.calibration.same_min,
            false_match_rate: self.calibration.false_match_rate,
        })
    }
}

/// The cosine of the angle between two vectors, -1 to 1.
fn cosine(one: &[f32], other: &[f32]) -> Result<f32, MatchError> {
    if one.len() != other.len() || one.is_empty() || one.len() > TEMPLATE_MAX {
        return Err(MatchError::Length(one.len(), other.len()));
    }
    let dot =
        |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum() };
    let cosine = dot(one, other) / (dot(one, one) * dot(other, other)).sqrt();
    if !cosine.is_finite() {
        return Err(MatchError::Degenerate);
    }
    #[expect(clippy::cast_possible_truncation, reason = "between -1 and 1")]
    let cosine = cosine.clamp(-1.0, 1.0) as f32;
    Ok(cosine)
}

#[cfg(test)]
mod tests {
    use super::{Calibration, CosineMatcher, FaceMatcher as _, MatchError};

    fn calibration() -> Calibration {
        Calibration {
            same_min: 0.6,
            duplicate_min: 0.8,
            false_match_rate: 0.001,
            false_non_match_rate: 0.03,
        }
    }

    #[test]
    fn the_threshold_decides_and_nothing_else_is_a_match() {
        let matcher = CosineMatcher::new(calibration()).unwrap();
        let same = |a: &[f32], b: &[f32]| matcher.compare(a, b).map(|found| found.same);
        assert_eq!(same(&[1.0, 0.0], &[2.0, 0.0]), Ok(true));
        assert_eq!(same(&[0.6, 0.8], &[1.0, 0.0]), Ok(true));
        assert_eq!(same(&[0.59, 0.81], &[1.0, 0.0]), Ok(false));
        assert_eq!(same(&[1.0, 0.0], &[1.0]), Err(MatchError::Length(2, 1)));
        assert_eq!(same(&[], &[]), Err(MatchError::Length(0, 0)));
        assert_eq!(same(&[0.0, 0.0], &[1.0, 0.0]), Err(MatchError::Degenerate));
        assert_eq!(same(&[f32::NAN, 0.0], &[1.0, 0.0]), Err(MatchError::Degenerate));
        assert_eq!(
            same(&[f32::INFINITY, 0.0], &[1.0, 0.0]),
            Err(MatchError::Degenerate)
        );
    }

    #[test]
    fn duplicates_come_best_first() {
        let matcher = CosineMatcher::new(calibration()).unwrap();
        let templates: [&[f32]; 4] = [&[0.0, 1.0], &[0.9, 0.1], &[1.0, 0.0], &[0.7, 0.7]];
        let found = matcher.duplicates(&[1.0, 0.0], &templates, 5).unwrap();
        assert_eq!(found.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(matcher.duplicates(&[1.0, 0.0], &templates, 1).unwrap().len(), 1);
    }

    #[test]
    fn without_a_usable_calibration_there_is_no_matcher() {
        let mut wrong = calibration();
        wrong.duplicate_min = 0.5;
        assert_eq!(CosineMatcher::new(wrong).err(), Some(MatchError::Calibration));
        wrong = calibration();
        wrong.same_min = f32::NAN;
        assert_eq!(CosineMatcher::new(wrong).err(), Some(MatchError::Calibration));
        wrong = calibration();
        wrong.false_match_rate = 1.5;
        assert_eq!(CosineMatcher::new(wrong).err(), Some(MatchError::Calibration));
    }
}
