//! What a check of a link can come to, and why.

use serde::{Deserialize, Serialize};

/// The outcome. Ordered: the worst of several counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// An official domain of the register, and nothing odd about the address.
    Safe,
    /// Nothing is known against it, and nothing for it: never the same as safe.
    Unknown,
    /// Signs of deceit.
    Suspicious,
    /// Do not open.
    Dangerous,
}

impl Verdict {
    /// The word of the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Unknown => "unknown",
            Self::Suspicious => "suspicious",
            Self::Dangerous => "dangerous",
        }
    }
}

macro_rules! reasons {
    ($($(#[$meta:meta])* $name:ident = $word:literal;)+) => {
        /// Why a link got its verdict.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Reason { $($(#[$meta])* $name),+ }

        impl Reason {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The word of the API and of the texts.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }
        }
    };
}

reasons! {
    /// It lies under an official domain of the register.
    OfficialDomain = "official_domain";
    /// A feed reports it.
    Blocklisted = "blocklisted";
    /// Letters of other scripts, accents or digits make it look like a brand.
    LookalikeLetters = "lookalike_letters";
    /// The name of a brand under an ending that is not the brand's.
    BrandOtherEnding = "brand_other_ending";
    /// The name of a brand with hyphens put in.
    BrandHyphenated = "brand_hyphenated";
    /// Nearly the name of a brand.
    BrandMisspelt = "brand_misspelt";
    /// The name of a brand with other words.
    BrandWithWords = "brand_with_words";
    /// The name of a brand stands left of a stranger's domain.
    BrandInSubdomain = "brand_in_subdomain";
    /// The name of a brand with dots put in.
    BrandAcrossDots = "brand_across_dots";
    /// The whole official address stands inside a stranger's.
    OfficialNameInside = "official_name_inside";
    /// The name of a brand in another script.
    BrandInOtherScript = "brand_in_other_script";
    /// The name of a brand stands behind the domain, on a page of a stranger.
    BrandInPath = "brand_in_path";
    /// The message speaks for a brand and the link is not the brand's.
    BrandInText = "brand_in_text";
    /// What stands before an `@` is not where the link leads.
    NameBeforeAt = "name_before_at";
    /// A number instead of a name.
    IpAddress = "ip_address";
    /// An address inside a private network.
    PrivateAddress = "private_address";
    /// A door that web pages do not use.
    OddPort = "odd_port";
    /// The host is written so that people cannot read it.
    DisguisedHost = "disguised_host";
    /// Browsers refuse the address as it stands.
    Malformed = "malformed";
    /// Letters of several scripts in one word.
    MixedScripts = "mixed_scripts";
    /// The true address is hidden behind a short one.
    Shortener = "shortener";
    /// Anybody can have a page there.
    FreeHosting = "free_hosting";
    /// An ending that is often used for throw-away names.
    CheapEnding = "cheap_ending";
    /// The model finds the address much like those of known fraud.
    PatternOfFraud = "pattern_of_fraud";
    /// The model finds the address somewhat like those of known fraud.
    PatternUnusual = "pattern_unusual";
    /// The address hands over to another one.
    LeadsElsewhere = "leads_elsewhere";
    /// It downloads an app past the app store.
    DownloadsApp = "downloads_app";
    /// Not encrypted.
    PlainHttp = "plain_http";
    /// Nobody vouches for it.
    NotVouched = "not_vouched";
    /// There is no link in the text.
    NoLink = "no_link";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_the_ones_that_are_sent() {
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.word());
        }
        assert!(Verdict::Dangerous > Verdict::Suspicious && Verdict::Unknown > Verdict::Safe);
    }
}
