//! Every refusal by name, once, with its subject and reason code (SGP.22 v2, 5.2.6 and the tables of ES2+, ES9+).
//!
//! The message is for the person who runs the client; it never says which of several secrets was wrong.

/// Declares the refusals: name, written name, subject code, reason code, message.
macro_rules! refusals {
    ($($(#[$meta:meta])* $variant:ident = $name:literal, $subject:literal / $reason:literal, $message:literal;)+) => {
        /// Why a function was refused. The order of [`Self::ALL`] is by function.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Refusal { $($(#[$meta])* $variant),+ }

        impl Refusal {
            /// Every refusal.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The written name, for logs, facts and the ledger.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The refusal of this written name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }

            /// The subject code: what the refusal is about.
            #[must_use]
            pub const fn subject(self) -> &'static str {
                match self { $(Self::$variant => $subject),+ }
            }

            /// The reason code: what is wrong with it.
            #[must_use]
            pub const fn reason(self) -> &'static str {
                match self { $(Self::$variant => $reason),+ }
            }

            /// One sentence for the person at the client.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message),+ }
            }
        }
    };
}

refusals! {
    /// A parameter does not parse.
    Malformed = "malformed", "1.3" / "2.1", "A parameter is not in its proper form";
    /// A mandatory parameter is absent.
    Missing = "missing", "1.3" / "2.2", "A mandatory parameter is missing";
    /// initiateAuthentication for another server.
    WrongAddress = "wrong_address", "8.8.1" / "3.8", "This is another server than the one addressed";
    /// The chip speaks another major version.
    UnsupportedVersion = "unsupported_version", "8.8.3" / "3.1", "The version of the eUICC is not supported";
    /// No certificate issuer in common that signs for the chip.
    UnknownIssuer = "unknown_issuer", "8.8.2" / "3.1", "No certificate issuer of the eUICC is trusted here";
    /// No certificate of ours that the chip can check.
    NoCertificate = "no_certificate", "8.8.4" / "3.7", "No certificate of this server can be checked by the eUICC";
    /// The session is not known, over, or in another phase.
    UnknownTransaction = "unknown_transaction", "8.10.1" / "3.9", "The session is not known; begin again";
    /// The EUM certificate was issued by another root than the session's.
    UnknownCiKey = "unknown_ci_key", "8.11.1" / "3.9", "The EUM certificate has an unknown issuer";
    /// The EUM certificate is forged, of the wrong role, or barred.
    EumCertificate = "eum_certificate", "8.1.2" / "6.1", "The EUM certificate could not be verified";
    /// The EUM certificate is out of its time.
    EumExpired = "eum_expired", "8.1.2" / "6.3", "The EUM certificate has expired";
    /// The eUICC certificate is forged, of the wrong role or EID range, or barred.
    EuiccCertificate = "euicc_certificate", "8.1.3" / "6.1", "The eUICC certificate could not be verified";
    /// The eUICC certificate is out of its time.
    EuiccExpired = "euicc_expired", "8.1.3" / "6.3", "The eUICC certificate has expired";
    /// A signature or signed value of the chip is wrong.
    EuiccSignature = "euicc_signature", "8.1" / "6.1", "The signature of the eUICC could not be verified";
    /// The chip reports an error instead of going on.
    EuiccError = "euicc_error", "8.1" / "4.2", "The eUICC reported an error";
    /// No order of that matching id (or none that can be had).
    MatchingId = "matching_id", "8.2.6" / "3.8", "There is no profile to be had with this code on this device";
    /// The order belongs to another chip, the EID is barred, or has no default order.
    OtherEid = "other_eid", "8.1.1" / "3.8", "There is no profile to be had with this code on this device";
    /// The order is not released, or the guard holds it.
    NotReleased = "not_released", "8.2" / "1.2", "The profile is not released for download";
    /// The order was not fetched in time.
    OrderExpired = "order_expired", "8.8.5" / "4.10", "The order has expired";
    /// The order was tried too often.
    TooManyAttempts = "too_many_attempts", "8.8.5" / "6.4", "The order was tried too often";
    /// The chip forbids a rule of the profile, or its firmware is barred.
    NotEligible = "not_eligible", "8.2.5" / "4.3", "No profile of this order suits this eUICC";
    /// The chip has no room.
    NoMemory = "no_memory", "8.1" / "4.8", "The eUICC has not enough memory";
    /// The order asks for a confirmation code and none came.
    CodeMissing = "code_missing", "8.2.7" / "2.2", "The confirmation code is missing";
    /// The confirmation code is wrong.
    CodeWrong = "code_wrong", "8.2.7" / "3.8", "The confirmation code is wrong";
    /// The confirmation code was wrong too often; the order is dead.
    CodeExhausted = "code_exhausted", "8.2.7" / "6.4", "The confirmation code was wrong too often";
    /// The profile was bound with another one-time key and cannot be bound anew.
    PackageUnavailable = "package_unavailable", "8.2" / "3.7", "The profile package is not available now; try again";
    /// The server's own signing key failed.
    SigningFailed = "signing_failed", "8.8" / "4.2", "The server cannot sign at the moment";
    /// The server cannot write or read at the moment; nothing was changed.
    NotNow = "not_now", "8.8" / "4.2", "The server cannot do this at the moment; try again";
    /// cancelSession for another SM-DP+.
    WrongSmdpOid = "wrong_smdp_oid", "8.8" / "3.10", "The cancellation names another server";
    /// ES2+: no such ICCID.
    IccidUnknown = "iccid_unknown", "8.2.1" / "3.9", "The ICCID is not known";
    /// ES2+: the profile is in use, or in a state that does not allow this.
    IccidInUse = "iccid_in_use", "8.2.1" / "3.3", "The profile is in use or in another state";
    /// ES2+: the profile cannot be released from its state.
    CannotRelease = "cannot_release", "8.2.1" / "3.5", "The profile cannot be released from its state";
    /// ES2+: the profile belongs to another operator.
    NotYours = "not_yours", "8.2.1" / "1.2", "The profile is not yours";
    /// ES2+: profiles of that type belong to another operator.
    TypeNotYours = "type_not_yours", "8.2.5" / "1.2", "The profile type is not yours";
    /// ES2+: no such profile type.
    TypeUnknown = "type_unknown", "8.2.5" / "3.9", "The profile type is not known";
    /// ES2+: no profile of that type is left.
    TypeExhausted = "type_exhausted", "8.2.5" / "3.7", "No profile of this type is left";
    /// ES2+: ICCID and profile type do not belong together.
    TypeMismatch = "type_mismatch", "8.2.5" / "3.8", "ICCID and profile type do not belong together";
    /// ES2+: a default order needs an EID.
    EidMissing = "eid_missing", "8.1.1" / "2.2", "The EID is missing";
    /// ES2+: another EID than the one ordered for.
    EidMismatch = "eid_mismatch", "8.1.1" / "3.10", "The order is for another EID";
    /// ES2+: the matching id stands for another order.
    MatchingIdInUse = "matching_id_in_use", "8.2.6" / "3.3", "The matching id is in use";
    /// ES2+: another matching id than the order's.
    MatchingIdMismatch = "matching_id_mismatch", "8.2.6" / "3.10", "The matching id is another one than the order's";
    /// ES2+: events at a discovery server cannot be registered.
    SmdsUnreachable = "smds_unreachable", "8.9" / "5.1", "The discovery server cannot be reached";
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} ({}/{})", self.message(), self.subject(), self.reason())
    }
}

impl std::error::Error for Refusal {}

impl From<crate::der::DerError> for Refusal {
    fn from(_: crate::der::DerError) -> Self {
        Self::Malformed
    }
}

impl From<crate::key::SignerError> for Refusal {
    fn from(_: crate::key::SignerError) -> Self {
        Self::SigningFailed
    }
}

#[cfg(test)]
mod tests {
    use super::Refusal;

    #[test]
    fn every_refusal_has_a_name_of_its_own_and_codes_of_the_tables() {
        for (at, refusal) in Refusal::ALL.iter().enumerate() {
            assert_eq!(Refusal::from_name(refusal.name()), Some(*refusal));
            assert!(
                Refusal::ALL[at + 1..]
                    .iter()
                    .all(|other| other.name() != refusal.name())
            );
            for code in [refusal.subject(), refusal.reason()] {
                assert!(code.split('.').all(|part| part.parse::<u8>().is_ok()), "{code}");
            }
        }
    }

    #[test]
    fn an_unknown_code_and_a_foreign_one_read_alike() {
        assert_eq!(Refusal::MatchingId.message(), Refusal::OtherEid.message());
    }
}
