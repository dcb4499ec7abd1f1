//! The last few times at which something happened, as one column: enough to say "five in an hour" without searching
//! through events.

use crate::StoreError;
use crate::db::Arg;
use simwarden_model::Timestamp;

/// How many are kept. Rules ask for fewer.
const KEPT: usize = 8;

/// The newest times, the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecentTimes {
    /// Microseconds since 1970; 0 where there is none.
    micros: [i64; KEPT],
}

impl RecentTimes {
    /// One time.
    #[must_use]
    pub fn once(at: Timestamp) -> Self {
        let mut times = Self::default();
        times.micros[0] = at.as_micros();
        times
    }

    /// The newest of both. Order does not matter, and a time that both have counts once.
    #[must_use]
    pub fn merged(self, other: Self) -> Self {
        let mut all: Vec<i64> = self
            .micros
            .into_iter()
            .chain(other.micros)
            .filter(|at| *at != 0)
            .collect();
        all.sort_unstable_by(|a, b| b.cmp(a));
        all.dedup();
        let mut merged = Self::default();
        for (slot, at) in merged.micros.iter_mut().zip(all) {
            *slot = at;
        }
        merged
    }

    /// How many are after a moment; no more than are kept.
    #[must_use]
    pub fn after(&self, moment: Timestamp) -> u32 {
        let newer = self
            .micros
            .iter()
            .filter(|at| **at != 0 && **at > moment.as_micros());
        u32::try_from(newer.count()).unwrap_or(u32::MAX)
    }

    pub(super) fn arg(&self) -> Arg {
        let there: Vec<u8> = self
            .micros
            .iter()
            .filter(|at| **at != 0)
            .flat_map(|at| at.to_be_bytes())
            .collect();
        Arg::Blob((!there.is_empty()).then_some(there))
    }

    pub(super) fn from_column(bytes: Option<Vec<u8>>) -> Result<Self, StoreError> {
        let bytes = bytes.unwrap_or_default();
        let (chunks, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() || chunks.len() > KEPT {
            return Err(StoreError::Corrupt(format!(
                "{} bytes stand where a few times belong",
                bytes.len()
            )));
        }
        let mut times = Self::default();
        for (slot, chunk) in times.micros.iter_mut().zip(chunks) {
            *slot = i64::from_be_bytes(*chunk);
        }
        Ok(times)
    }
}

#[cfg(test)]
mod tests {
    use super::RecentTimes;
    use proptest::prelude::*;
    use simwarden_model::Timestamp;

    fn of(micros: &[i64]) -> RecentTimes {
        micros.iter().fold(RecentTimes::default(), |times, at| {
            times.merged(RecentTimes::once(Timestamp::from_micros(*at)))
        })
    }

    proptest! {
        #[test]
        fn order_does_not_matter_and_the_newest_are_kept(mut micros in prop::collection::vec(1i64..1_000, 0..20)) {
            let one = of(&micros);
            micros.reverse();
            prop_assert_eq!(one, of(&micros));
            micros.sort_unstable();
            micros.dedup();
            let after = micros.iter().rev().take(8).filter(|at| **at > 500).count();
            prop_assert_eq!(one.after(Timestamp::from_micros(500)) as usize, after);
            let bytes = match one.arg() {
                crate::db::Arg::Blob(bytes) => bytes,
                _ => None,
            };
            prop_assert_eq!(RecentTimes::from_column(bytes).unwrap(), one);
        }
    }

    #[test]
    fn half_a_time_is_refused() {
        assert!(RecentTimes::from_column(Some(vec![0; 9])).is_err());
        assert!(RecentTimes::from_column(Some(vec![0; 72])).is_err());
    }
}
