//! Kinds of people and lines, as far as rules tell them apart.

use crate::named::named_enum;

named_enum! {
    /// A natural or a legal person.
    pub enum PartyKind ("kind of party") {
        /// A natural person.
        Person = "person",
        /// A company, authority or association.
        Company = "company",
    }
}

named_enum! {
    /// The class of a party: rules may protect or limit one class differently from another.
    pub enum PartyClass ("class of party") {
        /// Nobody in particular.
        Ordinary = "ordinary",
        /// Under age.
        Minor = "minor",
        /// A visitor; registered on a passport, for a limited time.
        Tourist = "tourist",
        /// A foreigner who lives in the country.
        Foreigner = "foreigner",
        /// A company's lines.
        Corporate = "corporate",
        /// Machines.
        Iot = "iot",
        /// Somebody who needs more help and more protection.
        Vulnerable = "vulnerable",
        /// Somebody whom thieves aim at: banker, official, holder of much money.
        HighValue = "high_value",
        /// Somebody who fled violence; nobody who shared the contract may learn or change anything.
        Survivor = "survivor",
    }
}

named_enum! {
    /// The kind of a line.
    pub enum LineKind ("kind of line") {
        /// Paid in advance.
        Prepaid = "prepaid",
        /// Paid by bill.
        Postpaid = "postpaid",
        /// Without calls and messages.
        DataOnly = "data_only",
        /// A machine's line.
        Iot = "iot",
        /// A company's line.
        Corporate = "corporate",
    }
}
