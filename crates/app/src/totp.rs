//! Time-based one-time codes (RFC 6238): six digits, 30 seconds, SHA-1, one step of tolerance each way.

use simwarden_model::Timestamp;
use totp_rs::{Algorithm, Builder};

/// Digits of a code.
const DIGITS: u8 = 6;
/// Seconds of a step.
pub(crate) const STEP_SECS: u64 = 30;
/// Bytes of a secret: as long as SHA-1's output (RFC 4226, section 4).
pub(crate) const SECRET_BYTES: usize = 20;

/// The time step whose code this is, if it is one of the present or its neighbours. The comparison takes the same
/// time for any wrong code.
pub(crate) fn matching_step(secret: &[u8], code: &str, now: Timestamp) -> Option<i64> {
    let normal = simwarden_model::normalise_digits(code);
    let code: String = normal.chars().filter(|c| !c.is_whitespace()).collect();
    if code.len() != usize::from(DIGITS) || !code.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let present = u64::try_from(now.as_secs()).ok()? / STEP_SECS;
    let mut found = None;
    for step in [present.checked_sub(1)?, present, present + 1] {
        if same(&code_at(secret, step)?, &code) {
            found = i64::try_from(step).ok();
        }
    }
    found
}

/// The code of one time step.
pub(crate) fn code_at(secret: &[u8], step: u64) -> Option<String> {
    let totp = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(DIGITS)
        .with_skew(0)
        .with_step_duration(STEP_SECS)
        .with_secret(secret.to_vec())
        .build()
        .ok()?;
    Some(totp.generate(step * STEP_SECS).to_string())
}

fn same(a: &str, b: &str) -> bool {
    a.len() == b.len()
        && a.bytes()
            .zip(b.bytes())
            .fold(0, |differ, (x, y)| differ | (x ^ y))
            == 0
}

#[cfg(test)]
mod tests {
    use super::{code_at, matching_step};
    use simwarden_model::Timestamp;

    /// RFC 6238, appendix B: the last six of the eight digits for SHA-1.
    #[test]
    fn gives_the_codes_of_the_rfc() {
        let secret = b"12345678901234567890";
        for (at, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (2_000_000_000, "279037"),
        ] {
            assert_eq!(code_at(secret, at / 30).unwrap(), code);
            let now = |shift: i64| Timestamp::from_millis((i64::try_from(at).unwrap() + shift) * 1000);
            assert!(matching_step(secret, code, now(0)).is_some());
            assert!(matching_step(secret, code, now(30)).is_some());
            assert!(matching_step(secret, code, now(90)).is_none());
        }
        let now = Timestamp::from_millis(59_000);
        assert!(
            matching_step(secret, "២៨៧ ០៨២", now).is_some(),
            "Khmer digits are digits"
        );
        for wrong in ["", "28708", "2870822", "28708x", "000000"] {
            assert!(matching_step(secret, wrong, now).is_none(), "{wrong}");
        }
    }
}
