//! Scopes and purposes.

/// Every scope that stands for a call, one or several of which each endpoint asks for.
pub const SCOPES: &[&str] = &[
    "sim-swap",
    "sim-swap:check",
    "sim-swap:retrieve-date",
    "device-swap",
    "device-swap:check",
    "device-swap:retrieve-date",
    "number-verification:verify",
    "number-verification:device-phone-number:read",
    "kyc-match:match",
    "kyc-tenure:check-tenure",
    "kyc-age-verification:verify",
    "number-recycling:check",
    "call-forwarding-signal:unconditional-call-forwardings:read",
    "call-forwarding-signal:call-forwardings:read",
    "one-time-password-sms:send-validate",
    "subscription-status:retrive-subscription-status",
    "consent-info:retrieve",
    "sim-swap-subscriptions:org.camaraproject.sim-swap-subscriptions.v0.swapped:create",
    "sim-swap-subscriptions:read",
    "sim-swap-subscriptions:delete",
    "sim-swap-context:retrieve",
];

/// The longest list of scopes.
const BYTES_MAX: usize = 4_096;

/// What a client asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Scopes that stand for calls.
    pub scopes: Vec<String>,
    /// What for: one term of the W3C Data Privacy Vocabulary with its prefix `dpv:`.
    pub purpose: Option<String>,
    /// Whether an identity token is wanted.
    pub openid: bool,
    /// Whether a refresh token is wanted.
    pub offline: bool,
}

impl Asked {
    /// Reads a list of scopes, separated by spaces. None when it holds what we do not know, two purposes, or no call.
    #[must_use]
    pub fn parse(text: &str, may: impl Fn(&str) -> bool) -> Option<Self> {
        if text.len() > BYTES_MAX {
            return None;
        }
        let mut asked = Self::default();
        for word in text.split_ascii_whitespace() {
            match word {
                "openid" => asked.openid = true,
                "offline_access" => asked.offline = true,
                _ if is_purpose(word) => {
                    if asked.purpose.as_deref().is_some_and(|purpose| purpose != word) {
                        return None;
                    }
                    asked.purpose = Some(word.to_owned());
                }
                _ if SCOPES.contains(&word) && may(word) => {
                    if !asked.scopes.iter().any(|known| known == word) {
                        asked.scopes.push(word.to_owned());
                    }
                }
                _ => return None,
            }
        }
        (!asked.scopes.is_empty()).then_some(asked)
    }

    /// As it is told to the client.
    #[must_use]
    pub fn written(&self) -> String {
        let mut words: Vec<&str> = Vec::new();
        if self.openid {
            words.push("openid");
        }
        if self.offline {
            words.push("offline_access");
        }
        words.extend(self.purpose.as_deref());
        words.extend(self.scopes.iter().map(String::as_str));
        words.join(" ")
    }
}

/// Whether a word names a purpose.
#[must_use]
pub fn is_purpose(word: &str) -> bool {
    word.strip_prefix("dpv:")
        .is_some_and(|term| (1..=80).contains(&term.len()) && term.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::Asked;

    #[test]
    fn one_purpose_and_known_scopes_only() {
        let all = |text: &str| Asked::parse(text, |_| true);
        let asked = all("openid dpv:FraudPreventionAndDetection sim-swap:check sim-swap:check").unwrap();
        assert_eq!(
            asked.written(),
            "openid dpv:FraudPreventionAndDetection sim-swap:check"
        );
        for wrong in [
            "",
            "openid",
            "dpv:A sim-swap:nothing",
            "dpv:A dpv:B sim-swap",
            "dpv: sim-swap",
            "dpv:FraudPreventionAndDetection",
        ] {
            assert_eq!(all(wrong), None, "{wrong}");
        }
        assert_eq!(
            Asked::parse("sim-swap:check", |scope| scope != "sim-swap:check"),
            None
        );
    }
}
