//! The activation code, `LPA:1$<address>$<matching id>[$<oid>[$1]]` (SGP.22 v2, 4.1): built and read.

use crate::matching_id::MatchingId;

/// The longest activation code (SGP.22 v2, 4.1), in characters.
pub const ACTIVATION_CODE_CHARS_MAX: usize = 255;

/// What a QR code of an eSIM says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivationCode {
    /// Host name of the SM-DP+.
    pub smdp_address: String,
    /// Which order; `None` for the default order of the chip.
    pub matching_id: Option<MatchingId>,
    /// The OID that the SM-DP+ must prove, dotted.
    pub smdp_oid: Option<String>,
    /// Whether the person will be asked for a confirmation code.
    pub confirmation_code_required: bool,
}

/// A text that is no activation code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an activation code reads LPA:1$host name$matching id, at most 255 characters; scan the QR code again"
)]
pub struct NoActivationCode;

impl ActivationCode {
    /// Reads the text of a QR code, with or without the `LPA:` before it.
    ///
    /// # Errors
    /// [`NoActivationCode`] for any other text.
    pub fn parse(text: &str) -> Result<Self, NoActivationCode> {
        if text.len() > ACTIVATION_CODE_CHARS_MAX {
            return Err(NoActivationCode);
        }
        let mut parts = text.strip_prefix("LPA:").unwrap_or(text).split('$');
        if parts.next() != Some("1") {
            return Err(NoActivationCode);
        }
        let address = parts
            .next()
            .filter(|host| is_host(host))
            .ok_or(NoActivationCode)?;
        let matching_id = match parts.next().ok_or(NoActivationCode)? {
            "" => None,
            id => Some(MatchingId::parse(id).map_err(|_| NoActivationCode)?),
        };
        let smdp_oid = parts.next().filter(|oid| !oid.is_empty());
        if smdp_oid.is_some_and(|oid| !is_oid(oid)) {
            return Err(NoActivationCode);
        }
        let confirmation_code_required = match parts.next() {
            None | Some("") => false,
            Some("1") => true,
            Some(_) => return Err(NoActivationCode),
        };
        Ok(Self {
            smdp_address: address.to_owned(),
            matching_id,
            smdp_oid: smdp_oid.map(str::to_owned),
            confirmation_code_required,
        })
    }

    /// The text of the QR code. Whoever reads it may be able to fetch the profile.
    #[must_use]
    pub fn reveal(&self) -> String {
        let id = self.matching_id.as_ref().map_or("", MatchingId::reveal);
        let mut text = format!("LPA:1${}${id}", self.smdp_address);
        if self.smdp_oid.is_some() || self.confirmation_code_required {
            text.push('$');
            text.push_str(self.smdp_oid.as_deref().unwrap_or(""));
        }
        if self.confirmation_code_required {
            text.push_str("$1");
        }
        text
    }
}

fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-.:".contains(&byte))
}

fn is_oid(text: &str) -> bool {
    text.split('.')
        .all(|arc| !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::ActivationCode;
    use proptest::prelude::*;

    #[test]
    fn reads_what_the_standard_shows() {
        let code = ActivationCode::parse("LPA:1$SMDP.EXAMPLE.COM$04386-AGYFT-A74Y8-3F815").unwrap();
        assert!(!code.confirmation_code_required && code.smdp_oid.is_none());
        let code = ActivationCode::parse("LPA:1$smdp.example.com$04386$$1").unwrap();
        assert!(code.confirmation_code_required);
        assert_eq!(code.reveal(), "LPA:1$smdp.example.com$04386$$1");
        let code = ActivationCode::parse("1$smdp.example.com$04386$2.999.10$1").unwrap();
        assert_eq!(code.smdp_oid.as_deref(), Some("2.999.10"));
        assert!(
            ActivationCode::parse("LPA:1$smdp.example.com$")
                .unwrap()
                .matching_id
                .is_none()
        );
        for wrong in [
            "",
            "LPA:2$a$B",
            "LPA:1$a",
            "LPA:1$$B",
            "LPA:1$a b$B",
            "LPA:1$a$b",
            "LPA:1$a$B$x",
            "LPA:1$a$B$$2",
        ] {
            assert!(ActivationCode::parse(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_built_reads_back(host in "[a-z][a-z0-9.-]{0,30}", id in "[A-Z0-9-]{1,40}", oid in prop::option::of("[0-9]{1,3}(\\.[0-9]{1,4}){1,4}"), code in any::<bool>()) {
            let built = ActivationCode {
                smdp_address: host,
                matching_id: Some(crate::MatchingId::parse(&id).unwrap()),
                smdp_oid: oid,
                confirmation_code_required: code,
            };
            prop_assert_eq!(ActivationCode::parse(&built.reveal()), Ok(built));
        }

        #[test]
        fn never_panics(text in "\\PC{0,80}") {
            let _ = ActivationCode::parse(&text);
        }
    }
}
