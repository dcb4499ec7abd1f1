//! The columns of an inventory, for reading and writing alike.

macro_rules! columns {
    ($($(#[$meta:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// A column of an inventory.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Column { $($(#[$meta])* $variant),+ }

        impl Column {
            /// Every column, in the order in which an export writes them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name: in the header of a CSV file, or as a key of a JSON object.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The column of this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
columns! {
    /// MCC-MNC of the operator: `456-01`. May be left out when the import is told.
    Operator = "operator",
    /// Number of the profile, with its Luhn check digit. Required.
    Iccid = "iccid",
    /// Subscriber identity, 14 or 15 digits.
    Imsi = "imsi",
    /// Number of the line: `+855…`, or as written in the country. Without it the row is a profile in stock.
    Msisdn = "msisdn",
    /// Chip, 32 digits with their check digits.
    Eid = "eid",
    /// Phone, 14 or 15 digits.
    Imei = "imei",
    /// State of the profile; `enabled` when left out of a row with a number, else `available`.
    ProfileState = "profile_state",
    /// State of the line; `active` when left out.
    SubscriptionState = "subscription_state",
    /// Kind of line; `prepaid` when left out.
    LineKind = "line_kind",
    /// `person` or `company`; `person` when left out.
    PartyKind = "party_kind",
    /// Class of the party; `ordinary` when left out.
    Class = "class",
    /// Full name, at most 200 characters.
    Name = "name",
    /// Country of the document, ISO 3166-1 alpha-3.
    DocumentCountry = "document_country",
    /// Kind of document: `national_id`, `passport` …
    DocumentKind = "document_kind",
    /// Number of the document. The three come together or not at all.
    DocumentNumber = "document_number",
    /// Another phone number for notices.
    ContactPhone = "contact_phone",
    /// Mail address for notices.
    ContactEmail = "contact_email",
    /// `km`, `en` or `zh`.
    Language = "language",
    /// When the line was registered, RFC 3339.
    ActivatedAt = "activated_at",
}

/// How many columns there are.
pub(super) const COLUMNS: usize = Column::ALL.len();

/// The names of all columns, for messages.
pub(super) fn names() -> String {
    Column::ALL
        .iter()
        .map(|column| column.name())
        .collect::<Vec<_>>()
        .join(", ")
}
