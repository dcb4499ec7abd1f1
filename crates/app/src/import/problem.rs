//! Why a row is not imported, and what to do about it.

use serde::{Deserialize, Serialize};

/// Which gate counts a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Malformed,
    Duplicate,
    Foreign,
    Conflict,
}

macro_rules! reasons {
    ($($variant:ident, $code:literal, $group:ident, $advice:literal;)+) => {
        /// Why a row is not imported.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Reason { $($variant),+ }

        impl Reason {
            pub(super) const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
            pub(super) const fn group(self) -> Group {
                match self { $(Self::$variant => Group::$group),+ }
            }
            pub(super) const fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice),+ }
            }
        }
    };
}
reasons! {
    NotUtf8, "not_utf8", Malformed, "save the file as UTF-8";
    LineTooLong, "line_too_long", Malformed, "a row is at most 16 KiB; look for a missing line break";
    BadQuoting, "bad_quoting", Malformed, "put a cell that holds a comma or quote in quotes and double the quotes in it; a cell holds no line break";
    WrongWidth, "wrong_width", Malformed, "the row must have as many cells as the header";
    BadJson, "bad_json", Malformed, "write one JSON object per line, its values texts or null, its keys the documented columns";
    IccidMissing, "iccid_missing", Malformed, "every row needs the ICCID";
    BadOperator, "bad_operator", Malformed, "write MCC-MNC, such as 456-01";
    BadIccid, "bad_iccid", Malformed, "compare the ICCID with the card or the profile";
    BadImsi, "bad_imsi", Malformed, "compare the IMSI with the HLR";
    BadMsisdn, "bad_msisdn", Malformed, "write the number as +855 12 345 678 or 012 345 678";
    BadEid, "bad_eid", Malformed, "compare the EID with the chip; its last two digits are check digits";
    BadImei, "bad_imei", Malformed, "compare the IMEI with the phone (*#06#)";
    BadProfileState, "bad_profile_state", Malformed, "use a profile state of GSMA SGP.22, in small letters";
    BadSubscriptionState, "bad_subscription_state", Malformed, "use reserved, registered, active, suspended, porting, quarantined or closed";
    BadLineKind, "bad_line_kind", Malformed, "use prepaid, postpaid, data_only, iot or corporate";
    BadPartyKind, "bad_party_kind", Malformed, "use person or company";
    BadClass, "bad_class", Malformed, "use one of the documented classes";
    BadName, "bad_name", Malformed, "a name has at most 200 characters and no control characters";
    BadDocument, "bad_document", Malformed, "give country (three letters), kind and number of the document, all three or none";
    BadContactPhone, "bad_contact_phone", Malformed, "write the number as +855 12 345 678 or 012 345 678";
    BadContactEmail, "bad_contact_email", Malformed, "write the address as name@example.org";
    BadLanguage, "bad_language", Malformed, "use km, en or zh";
    BadActivatedAt, "bad_activated_at", Malformed, "write the time as 2026-01-31T08:00:00Z; it cannot lie in the future";
    EnabledWithoutLine, "enabled_without_line", Malformed, "a profile in stock is not enabled: give its number, or another state";
    PersonWithoutLine, "person_without_line", Malformed, "cells of a person or line need the number of the line";
    DuplicateIccid, "duplicate_iccid", Duplicate, "the ICCID stands in the file before; keep the right one of the rows";
    ForeignOperator, "foreign_operator", Foreign, "the row is of another operator; import it with that operator's inventory";
    ForeignImsi, "foreign_imsi", Foreign, "the IMSI is of another network; if it is your own, add its code to own_networks";
    ForeignIccid, "foreign_iccid", Foreign, "the profile is registered with another operator";
    ForeignMsisdn, "foreign_msisdn", Foreign, "the number is registered with another operator; numbers move by porting";
    TwoLiveProfiles, "two_live_profiles", Conflict, "the line has another enabled profile; list the old one as disabled before this one";
    OwnerDiffers, "owner_differs", Conflict, "the line is registered on another document; owners change by the operation transfer_owner";
    LineDiffers, "line_differs", Conflict, "the profile is registered on another line or on one at all; numbers move by the operation replace";
    Erased, "erased", Conflict, "this person's data were erased; the line needs a new registration";
}

/// A row that was not imported, without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowProblem {
    /// The line of the file, from 1.
    pub row: u64,
    /// A short word for machines: `bad_iccid`.
    pub reason: String,
    /// What to do.
    pub advice: String,
}

/// A row for the quarantine file.
#[derive(Debug)]
pub(super) struct BadRow {
    pub row: u64,
    pub reason: Reason,
    /// The row as it stood in the file.
    pub raw: String,
}

impl BadRow {
    pub(super) fn problem(&self) -> RowProblem {
        RowProblem {
            row: self.row,
            reason: self.reason.code().to_owned(),
            advice: self.reason.advice().to_owned(),
        }
    }
}
