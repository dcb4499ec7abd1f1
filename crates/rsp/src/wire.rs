//! How bytes and identifiers are written where a session or an order is kept: base64 texts, digits in the clear.
//!
//! The identifiers of the model do not serialise by accident; the modules here say so field by field. What they
//! write is meant for a sealed column, not for a log.

/// Bytes as base64.
pub(crate) mod bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&STANDARD.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: TryFrom<Vec<u8>>>(d: D) -> Result<T, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        let bytes = STANDARD.decode(text.as_bytes()).map_err(D::Error::custom)?;
        T::try_from(bytes).map_err(|_| D::Error::custom("bytes of another length"))
    }
}

/// Declares how one kind of identifier is written: by `reveal`, and read by the given function.
macro_rules! digits {
    ($(#[$meta:meta])* $name:ident, $kind:ty, $parse:expr) => {
        $(#[$meta])*
        pub(crate) mod $name {
            use serde::{Deserialize, Deserializer, Serializer, de::Error};
            use std::borrow::Cow;

            pub(crate) fn serialize<S: Serializer>(it: &$kind, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(it.reveal())
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<$kind, D::Error> {
                $parse(&Cow::<'de, str>::deserialize(d)?).map_err(D::Error::custom)
            }
        }
    };
    ($(#[$meta:meta])* optional $name:ident, $kind:ty, $parse:expr) => {
        $(#[$meta])*
        pub(crate) mod $name {
            use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

            pub(crate) fn serialize<S: Serializer>(it: &Option<$kind>, s: S) -> Result<S::Ok, S::Error> {
                it.as_ref().map(|it| it.reveal()).serialize(s)
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<$kind>, D::Error> {
                let text = Option::<String>::deserialize(d)?;
                text.map(|it| $parse(&it).map_err(D::Error::custom)).transpose()
            }
        }
    };
}

digits!(
    /// An EID, its check digits not insisted on.
    eid, simwarden_model::Eid, |text: &str| simwarden_model::Eid::parse_vouched(text).map(|it| it.0)
);
digits!(
    /// An EID or none.
    optional eid_optional, simwarden_model::Eid, |text: &str| simwarden_model::Eid::parse_vouched(text).map(|it| it.0)
);
digits!(
    /// An ICCID, its check digit not insisted on.
    iccid, simwarden_model::Iccid, |text: &str| simwarden_model::Iccid::parse_vouched(text).map(|it| it.0)
);
digits!(
    /// An IMEI or none.
    optional imei_optional, simwarden_model::Imei, |text: &str| simwarden_model::Imei::parse_vouched(text).map(|it| it.0)
);
