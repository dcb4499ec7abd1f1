//! The register of brands: whom forgers imitate, under which names, and which domains are really theirs. Data: the
//! built-in file and any number of files beside it, TOML or JSON.

use serde::Deserialize;

/// A brand that is protected from imitation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Brand {
    /// Short name for machines, unique.
    pub id: String,
    /// The name for people.
    #[serde(default)]
    pub name: String,
    /// `operator`, `bank`, `wallet`, `government` …; for people.
    #[serde(default)]
    pub kind: String,
    /// Latin names as people and forgers write them. The first labels of the domains are names without being listed.
    #[serde(default)]
    pub names: Vec<String>,
    /// Names in other scripts.
    #[serde(default)]
    pub native: Vec<String>,
    /// Official domains: what lies under them is `safe`.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Taken to be theirs: never flagged, never called safe.
    #[serde(default)]
    pub theirs: Vec<String>,
    /// Official hosts where strangers publish: never called safe.
    #[serde(default)]
    pub shared: Vec<String>,
    /// Every name is an everyday word or borne by many: one sign alone is not enough.
    #[serde(default)]
    pub generic: bool,
    /// Those of the names that are.
    #[serde(default)]
    pub generic_names: Vec<String>,
    /// How widely known.
    #[serde(default)]
    pub reach: Reach,
}

/// How widely a brand is known: what is known everywhere has more innocent neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// In one country or region.
    #[default]
    Country,
    /// Everywhere.
    World,
}

/// Why a register of brands was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BrandError {
    /// Not TOML or JSON of the right form.
    #[error("the register of brands cannot be read: {0}")]
    Form(String),
    /// A brand without an id, or with one that is taken.
    #[error("brand `{0}`: every brand needs an `id` of its own")]
    Id(String),
    /// A domain that is none, or a whole public suffix, which would make every stranger under it official.
    #[error(
        "brand `{id}`: `{domain}` is not a domain that one owner can hold; write it like `example.com.kh`"
    )]
    Domain {
        /// The brand.
        id: String,
        /// What stands there.
        domain: String,
    },
    /// More than can be searched in time.
    #[error("{0} brands are more than {BRANDS_MAX}")]
    TooMany(usize),
}

/// The most brands of one register.
pub const BRANDS_MAX: usize = 5_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    brand: Vec<Brand>,
}

const BUILT_IN: &str = include_str!("../../data/brands.toml");

impl Brand {
    /// The built-in register: Cambodian operators, banks, wallets and authorities, and few of the world.
    ///
    /// # Errors
    /// Never for the file as it stands; a test reads it.
    pub fn built_in() -> Result<Vec<Self>, BrandError> {
        Self::read(BUILT_IN)
    }

    /// Reads a register: TOML with `[[brand]]` tables, JSON `{"brand": […]}`, or a JSON list of brands. `id` and
    /// `domains` are enough.
    ///
    /// # Errors
    /// When the form is not right, an id is missing or used twice, or a domain is not one.
    pub fn read(text: &str) -> Result<Vec<Self>, BrandError> {
        let form = |error: String| BrandError::Form(error);
        let mut brands = match text.trim_start().as_bytes().first() {
            Some(b'[') if !text.trim_start().starts_with("[[") => {
                serde_json::from_str(text).map_err(|e| form(e.to_string()))?
            }
            Some(b'{') => {
                serde_json::from_str::<File>(text)
                    .map_err(|e| form(e.to_string()))?
                    .brand
            }
            _ => {
                toml::from_str::<File>(text)
                    .map_err(|e| form(e.to_string()))?
                    .brand
            }
        };
        if brands.len() > BRANDS_MAX {
            return Err(BrandError::TooMany(brands.len()));
        }
        let mut seen = std::collections::HashSet::new();
        for brand in &mut brands {
            if brand.id.trim().is_empty() || !seen.insert(brand.id.clone()) {
                return Err(BrandError::Id(brand.id.clone()));
            }
            brand.settle()?;
        }
        Ok(brands)
    }

    fn settle(&mut self) -> Result<(), BrandError> {
        if self.name.is_empty() {
            self.name.clone_from(&self.id);
        }
        let id = self.id.clone();
        for domain in self
            .domains
            .iter_mut()
            .chain(&mut self.theirs)
            .chain(&mut self.shared)
        {
            let bad = || BrandError::Domain {
                id: id.clone(),
                domain: domain.clone(),
            };
            let ascii = idna::domain_to_ascii(domain.trim().trim_end_matches('.')).map_err(|_| bad())?;
            if !ascii.contains('.') || psl::domain_str(&ascii).is_none() {
                return Err(bad());
            }
            *domain = ascii;
        }
        Ok(())
    }

    /// Whether a name of this brand proves little by itself.
    pub(crate) fn is_generic(&self, name: &str) -> bool {
        self.generic || self.generic_names.iter().any(|generic| squeezed(generic) == name)
    }
}

/// A name as it stands in a label: lower case, letters and digits only.
pub(crate) fn squeezed(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_register_is_sound() {
        let brands = Brand::built_in().unwrap();
        assert!(brands.len() > 40);
        let mut domains: Vec<_> = brands
            .iter()
            .filter(|b| b.id != "whatsapp")
            .flat_map(|b| &b.domains)
            .collect();
        let count = domains.len();
        domains.sort();
        domains.dedup();
        assert_eq!(domains.len(), count, "a domain has two owners");
    }

    #[test]
    fn files_in_three_forms_say_the_same() {
        let toml = Brand::read("[[brand]]\nid = \"a\"\ndomains = [\"a-bank.com\"]\n").unwrap();
        assert_eq!(
            toml,
            Brand::read(r#"{"brand":[{"id":"a","domains":["a-bank.com"]}]}"#).unwrap()
        );
        assert_eq!(
            toml,
            Brand::read(r#"[{"id":"a","domains":["a-bank.com"]}]"#).unwrap()
        );
        for refused in [
            "[[brand]]\ndomains = []",
            "[[brand]]\nid='a'\n[[brand]]\nid='a'",
            "[[brand]]\nid='a'\ndomains=['com.kh']",
            "[[brand]]\nid='a'\ndomains=['no dots']",
            "[[brand]]\nid='a'\nofficial=['a.com']",
            "{",
        ] {
            assert!(Brand::read(refused).is_err(), "{refused}");
        }
    }
}
