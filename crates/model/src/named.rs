//! Enumerations whose variants have one written name each, used alike in JSON, SQL, policies and the command line.

/// A word that is not one of the names of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is no {what}; use one of: {known}")]
pub struct UnknownName {
    /// What was looked for, in words.
    pub what: &'static str,
    /// The word that was given, cut to 40 characters.
    pub given: String,
    /// The names that would have been understood, comma separated.
    pub known: String,
}

impl UnknownName {
    #[doc(hidden)]
    #[must_use]
    pub fn new(what: &'static str, given: &str, known: &[&'static str]) -> Self {
        Self {
            what,
            given: given.chars().take(40).collect(),
            known: known.join(", "),
        }
    }
}

/// Declares an enumeration together with its written names: `as_str`, `ALL`, `Display`, `FromStr` and serde.
macro_rules! named_enum {
    ($(#[$meta:meta])* $vis:vis enum $name:ident ($what:literal) {
        $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// Every variant, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// Every written name, in the order of declaration.
            pub const NAMES: &'static [&'static str] = &[$($text),+];

            /// The variant of this written name; `None` for any other word.
            #[must_use]
            pub fn from_name(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }

            /// The one written name of this variant.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl core::str::FromStr for $name {
            type Err = $crate::UnknownName;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::from_name(text).ok_or_else(|| $crate::UnknownName::new($what, text, Self::NAMES))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use named_enum;
