//! Activation codes (SGP.22 4.1): `LPA:1$smdp.example.com$MATCHING-ID[$OID[$1]]`.

use crate::error::{EuiccError, Result};

const LENGTH_MAX: usize = 255;

/// What a QR code says.
#[derive(Clone, PartialEq, Eq)]
pub struct ActivationCode {
    /// The host name of the SM-DP+.
    pub smdp: String,
    /// Which order; empty for the one that waits for this chip.
    pub matching_id: String,
    /// The OID that the SM-DP+ must show, if given.
    pub smdp_oid: Option<String>,
    /// Whether a confirmation code will be asked for.
    pub confirmation_required: bool,
}

impl ActivationCode {
    /// Reads a code, with or without `LPA:` before it.
    ///
    /// # Errors
    /// [`EuiccError::ActivationCode`] for anything that is not format 1.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = EuiccError::ActivationCode;
        if text.len() > LENGTH_MAX {
            return Err(wrong("it is over 255 characters"));
        }
        let parts: Vec<&str> = text.strip_prefix("LPA:").unwrap_or(text).split('$').collect();
        let ["1", smdp, matching_id, optional @ ..] = parts.as_slice() else {
            return Err(wrong("it does not begin with 1, a host and a matching id"));
        };
        let host = |it: u8| it.is_ascii_alphanumeric() || b"-.:".contains(&it);
        if smdp.is_empty() || !smdp.bytes().all(host) {
            return Err(wrong("the host name is empty or has characters that no host has"));
        }
        if !matching_id
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || it == b'-')
        {
            return Err(wrong(
                "the matching id has other characters than letters, digits and -",
            ));
        }
        let (oid, flag) = match optional {
            [] => ("", ""),
            [oid] => (*oid, ""),
            [oid, flag] => (*oid, *flag),
            _ => return Err(wrong("it has more than five parts")),
        };
        if !matches!(flag, "" | "1") || !oid.bytes().all(|it| it.is_ascii_digit() || it == b'.') {
            return Err(wrong("the OID or the flag is malformed"));
        }
        Ok(Self {
            smdp: (*smdp).to_owned(),
            matching_id: (*matching_id).to_owned(),
            smdp_oid: (!oid.is_empty()).then(|| oid.to_owned()),
            confirmation_required: flag == "1",
        })
    }
}

impl core::fmt::Debug for ActivationCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // The matching id opens an order: it stays out of logs.
        write!(f, "ActivationCode({}, …)", self.smdp)
    }
}

#[cfg(test)]
mod tests {
    use super::ActivationCode;

    #[test]
    fn reads_the_forms_of_the_standard() {
        let code = ActivationCode::parse("LPA:1$smdp.example.com$ABC-1").unwrap();
        assert_eq!(
            (code.smdp.as_str(), code.matching_id.as_str()),
            ("smdp.example.com", "ABC-1")
        );
        assert!(!code.confirmation_required && code.smdp_oid.is_none());
        let code = ActivationCode::parse("LPA:1$smdp.example.com$ABC-1$$1").unwrap();
        assert!(code.confirmation_required && code.smdp_oid.is_none());
        let code = ActivationCode::parse("1$smdp.example.com$$2.999.10").unwrap();
        assert_eq!(
            (code.matching_id.as_str(), code.smdp_oid.as_deref()),
            ("", Some("2.999.10"))
        );
        assert!(!format!("{code:?}").contains("ABC"));
        for wrong in [
            "",
            "LPA:2$h$m",
            "1$h",
            "1$$m",
            "1$h/x$m",
            "1$h$m m",
            "1$h$m$x",
            "1$h$m$2.1$2",
            "1$h$m$2.1$1$",
        ] {
            assert!(ActivationCode::parse(wrong).is_err(), "{wrong}");
        }
    }
}
