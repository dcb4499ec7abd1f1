//! What the APIs about swaps, tenure and recycling say of a line. Pure: facts and a time in, an answer out.

use super::Denied;
use super::line::{LineFacts, Sim};
use simwarden_model::Timestamp;
use std::time::Duration;

/// What a date endpoint says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LatestChange {
    /// When it last changed; nothing where it lies before the window, or there never was a SIM.
    pub at: Option<Timestamp>,
    /// The window in days, when the change would lie before it.
    pub monitored_days: Option<u32>,
}

const DAY_S: u64 = 24 * 3600;

fn within(at: Timestamp, now: Timestamp, hours: u32) -> bool {
    at >= now.minus(Duration::from_secs(u64::from(hours) * 3600))
}

/// How far back anything may be said, in hours.
///
/// # Errors
/// [`Denied::Range`] when more is asked.
pub fn may_look_back(hours: u32, monitored_days: Option<u32>) -> Result<(), Denied> {
    match monitored_days {
        Some(days) if u64::from(hours) > u64::from(days) * 24 => Err(Denied::Range(format!(
            "`maxAge` may be at most {} hours: what lies before is not kept",
            u64::from(days) * 24
        ))),
        _ => Ok(()),
    }
}

/// Whether the number was bound to a SIM within the last hours.
#[must_use]
pub fn sim_swapped(line: &LineFacts, now: Timestamp, hours: u32) -> bool {
    line.sim != Sim::None && within(line.bound_at(), now, hours)
}

/// When it was last bound to one.
#[must_use]
pub fn sim_change(line: &LineFacts, now: Timestamp, monitored_days: Option<u32>) -> LatestChange {
    let at = (line.sim != Sim::None).then(|| line.bound_at());
    in_window(at, now, monitored_days)
}

/// Whether the number was bound to a phone within the last hours.
///
/// # Errors
/// [`Denied::NotApplicable`] for a number that was never in a phone.
pub fn device_swapped(line: &LineFacts, now: Timestamp, hours: u32) -> Result<bool, Denied> {
    Ok(within(device_at(line)?, now, hours))
}

/// When it was last bound to one.
///
/// # Errors
/// [`Denied::NotApplicable`] for a number that was never in a phone.
pub fn device_change(
    line: &LineFacts,
    now: Timestamp,
    monitored_days: Option<u32>,
) -> Result<LatestChange, Denied> {
    Ok(in_window(Some(device_at(line)?), now, monitored_days))
}

fn device_at(line: &LineFacts) -> Result<Timestamp, Denied> {
    line.device_at()
        .ok_or(Denied::NotApplicable("this number was never seen in a phone"))
}

fn in_window(at: Option<Timestamp>, now: Timestamp, monitored_days: Option<u32>) -> LatestChange {
    let old = |at: Timestamp, days: u32| at < now.minus(Duration::from_secs(u64::from(days) * DAY_S));
    match (at, monitored_days) {
        (Some(at), Some(days)) if old(at, days) => LatestChange {
            at: None,
            monitored_days: Some(days),
        },
        (at, _) => LatestChange {
            at,
            monitored_days: None,
        },
    }
}

/// A calendar day, UTC.
#[must_use]
pub fn day_of(at: Timestamp) -> jiff::civil::Date {
    let at = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    jiff::tz::Offset::UTC.to_datetime(at).date()
}

/// A day as it is written, `YYYY-MM-DD` and nothing else (RFC 3339, full-date).
#[must_use]
pub fn day_from(text: &str) -> Option<jiff::civil::Date> {
    let shape = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    (text.len() == 10 && text.bytes().enumerate().all(shape))
        .then(|| text.parse().ok())
        .flatten()
}

/// A time as it is written, with its zone (RFC 3339, date-time).
#[must_use]
pub fn time_from(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let long =
        (20..=40).contains(&bytes.len()) && bytes.get(10).is_some_and(|b| matches!(b, b'T' | b't' | b' '));
    let plain = bytes
        .iter()
        .all(|b| b.is_ascii_digit() || b"-:.+TtZz ".contains(b));
    (long && plain && day_from(text.get(..10)?).is_some())
        .then(|| text.parse().ok())
        .flatten()
}

/// A day that lies behind us, for questions about the past.
///
/// # Errors
/// [`Denied::Range`] for one that is to come.
pub fn past_day(day: jiff::civil::Date, name: &str, now: Timestamp) -> Result<(), Denied> {
    if day > day_of(now) {
        return Err(Denied::Range(format!("`{name}` lies in the future")));
    }
    Ok(())
}

/// Whether the present holder has had the number since that day, or longer.
#[must_use]
pub fn held_since(line: &LineFacts, day: jiff::civil::Date) -> bool {
    day_of(line.holder_since) <= day
}

/// Whether the number went to another holder after that day; also when nobody had it on that day.
#[must_use]
pub fn recycled_since(line: &LineFacts, day: jiff::civil::Date) -> bool {
    !held_since(line, day)
}
