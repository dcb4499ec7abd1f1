//! One event as one rule sees it: sixty-four bytes, no text.

use crate::key::{IdRef, Key};
use serde::{Deserialize, Serialize};

/// An event that a rule asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Hit {
    /// The group.
    pub key: Key,
    /// Event time, milliseconds.
    pub ts: i64,
    /// Which event.
    pub id: IdRef,
    /// What the rule asked for of the event: a place, a number, the digest of a value.
    pub a: u64,
    /// As `a`, a second value.
    pub b: u64,
    /// The node of the program that it is for.
    pub node: u16,
    /// Which of the node's inputs it is.
    pub part: u16,
    /// The place of the event in its block; zero once admitted.
    pub event: u32,
}

impl Hit {
    /// The order in which events are looked at within one moment and id: chained rules after what feeds them, later
    /// steps of a sequence before earlier ones, so that one event is never two steps.
    pub(crate) fn rank(&self) -> (Key, u16, std::cmp::Reverse<u16>, u64, u64) {
        (self.key, self.node, std::cmp::Reverse(self.part), self.a, self.b)
    }
}

/// Degrees as whole ten-millionths (about a centimetre), two in a word.
pub(crate) fn pack_place(lat_e7: i32, lon_e7: i32) -> u64 {
    u64::from(lat_e7.cast_unsigned()) << 32 | u64::from(lon_e7.cast_unsigned())
}

/// Latitude and longitude in degrees.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the two halves are what is wanted"
)]
pub(crate) fn place(word: u64) -> (f64, f64) {
    let degrees = |half: u32| f64::from(half.cast_signed()) / 1e7;
    (degrees((word >> 32) as u32), degrees(word as u32))
}

/// The radius of the earth in kilometres (IUGG mean).
pub(crate) const EARTH_KM: f64 = 6371.0088;

/// Great-circle distance in kilometres (haversine).
pub(crate) fn distance_km(from: (f64, f64), to: (f64, f64)) -> f64 {
    let (lat1, lon1) = (from.0.to_radians(), from.1.to_radians());
    let (lat2, lon2) = (to.0.to_radians(), to.1.to_radians());
    let (s1, s2) = (((lat2 - lat1) / 2.0).sin(), ((lon2 - lon1) / 2.0).sin());
    2.0 * EARTH_KM
        * (s1 * s1 + lat1.cos() * lat2.cos() * s2 * s2)
            .sqrt()
            .min(1.0)
            .asin()
}

/// An upper bound of [`distance_km`] without trigonometry: along the meridian, then along the equator.
pub(crate) fn at_most_km(from: (f64, f64), to: (f64, f64)) -> f64 {
    const KM_A_DEGREE: f64 = EARTH_KM * std::f64::consts::PI / 180.0;
    ((from.0 - to.0).abs() + (from.1 - to.1).abs()) * KM_A_DEGREE * (1.0 + 1e-9)
}

#[cfg(test)]
mod tests {
    use super::{at_most_km, distance_km, pack_place, place};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_bound_bounds_and_places_come_back(
            a in -900_000_000_i32..=900_000_000, b in -1_800_000_000_i32..=1_800_000_000,
            c in -900_000_000_i32..=900_000_000, d in -1_800_000_000_i32..=1_800_000_000,
        ) {
            let (from, to) = (place(pack_place(a, b)), place(pack_place(c, d)));
            prop_assert_eq!(from, (f64::from(a) / 1e7, f64::from(b) / 1e7));
            let km = distance_km(from, to);
            prop_assert!(km <= at_most_km(from, to) + 1e-6 && km < 20_016.0);
        }
    }

    #[test]
    fn phnom_penh_to_moscow() {
        let km = distance_km((11.5564, 104.9282), (55.7558, 37.6173));
        assert!((7_400.0..7_600.0).contains(&km), "{km}");
    }
}
