//! Spans of time as rules write them: `30m`, `72h`, `30d`, `3y`.

use crate::word::serde_as_text;
use std::time::Duration;

/// A span of whole minutes, at least one, at most ten years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u32);

const MINUTES_MAX: u32 = 10 * 365 * 24 * 60;

impl Span {
    /// So many hours.
    ///
    /// # Panics
    /// When it is none or more than ten years; used in constants, so the compiler reports it.
    #[must_use]
    pub const fn hours(hours: u32) -> Self {
        assert!(
            hours > 0 && hours <= MINUTES_MAX / 60,
            "a span is 1 minute to 10 years"
        );
        Self(hours * 60)
    }

    /// Its length in minutes.
    #[must_use]
    pub const fn minutes(self) -> u32 {
        self.0
    }

    /// Its length in whole days, rounded up.
    #[must_use]
    pub const fn days(self) -> u32 {
        self.0.div_ceil(24 * 60)
    }

    /// Its length.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0 as u64 * 60)
    }
}

impl std::str::FromStr for Span {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            let text: String = text.chars().take(40).collect();
            format!("`{text}` is no span of time; write 30m, 72h, 7d or 3y (1 minute to 10 years)")
        };
        let unit = text.chars().last().ok_or_else(wrong)?;
        let minutes = match unit {
            'm' => 1,
            'h' => 60,
            'd' => 1_440,
            'y' => 365 * 1_440,
            _ => return Err(wrong()),
        };
        let digits = &text[..text.len() - 1];
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let count: u32 = digits.parse().map_err(|_| wrong())?;
        match count.checked_mul(minutes) {
            Some(total) if (1..=MINUTES_MAX).contains(&total) => Ok(Self(total)),
            _ => Err(wrong()),
        }
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            m if m % (365 * 1_440) == 0 => write!(f, "{}y", m / (365 * 1_440)),
            m if m % 1_440 == 0 && m >= 7 * 1_440 => write!(f, "{}d", m / 1_440),
            m if m % 60 == 0 => write!(f, "{}h", m / 60),
            m => write!(f, "{m}m"),
        }
    }
}

serde_as_text!(Span);
