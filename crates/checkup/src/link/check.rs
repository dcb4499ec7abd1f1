//! The check itself: takes a message, finds its links, asks every part, says the worst with its reasons.

use super::blocklist::Blocklist;
use super::brand::{Brand, BrandError};
use super::host::{Link, Name, Target};
use super::lexical::{Grade, Lexical};
use super::lookalike::Lookalikes;
use super::places::Places;
use super::text::{LINKS_MAX, TEXT_BYTES_MAX, links};
use super::verdict::{Reason, Verdict};
use super::words::Words;
use crate::texts::{Language, text_of};
use serde::Serialize;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// The brand that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BrandNamed {
    /// Its id in the register.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where the real one is.
    pub official: Vec<String>,
}

/// What the check of one link, or of one message, came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkReport {
    /// The outcome; of several links in a message the worst.
    pub verdict: Verdict,
    /// The host that the link leads to, as a browser writes it; none without a link.
    pub host: Option<String>,
    /// The name that somebody registered: whom the link belongs to.
    pub registrable_domain: Option<String>,
    /// Why, the weightiest first.
    pub reasons: Vec<Reason>,
    /// What to do, in the language asked for.
    pub advice: String,
    /// Whom it imitates, or whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<BrandNamed>,
    /// How many links were looked at.
    pub links: usize,
}

/// Why a checker could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A register of brands.
    #[error(transparent)]
    Brands(#[from] BrandError),
    /// The built-in lists.
    #[error("the built-in lists of hosts cannot be read: {0}")]
    Places(#[from] toml::de::Error),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Official,
    Theirs,
    Shared,
}

/// Checks links. Read-only once made: share it, and make a new one when lists change.
#[derive(Debug, Clone)]
pub struct LinkChecker {
    base: Arc<Base>,
    blocklist: Arc<Blocklist>,
    model: Option<Arc<Lexical>>,
}

#[derive(Debug)]
struct Base {
    brands: Vec<Brand>,
    owners: HashMap<String, (usize, Owner)>,
    lookalikes: Lookalikes,
    words: Words,
    places: Places,
}

/// A finding on one link, before it is put into words.
#[derive(Debug)]
struct Finding {
    verdict: Verdict,
    reasons: Vec<Reason>,
    brand: Option<usize>,
}

impl Finding {
    fn new(verdict: Verdict, reason: Reason) -> Self {
        Self {
            verdict,
            reasons: vec![reason],
            brand: None,
        }
    }

    /// Adds a reason; the weightiest stands first.
    fn add(&mut self, verdict: Verdict, reason: Reason) {
        if self.reasons.contains(&reason) {
            return;
        }
        if verdict > self.verdict {
            self.reasons.insert(0, reason);
            self.verdict = verdict;
        } else {
            self.reasons.push(reason);
        }
    }
}

impl LinkChecker {
    /// A checker with the built-in register and `more` brands.
    ///
    /// # Errors
    /// When the built-in data cannot be read.
    pub fn new(more: Vec<Brand>) -> Result<Self, SetupError> {
        let mut brands = Brand::built_in()?;
        // A brand that is given again replaces the built-in one.
        brands.retain(|old| more.iter().all(|new| new.id != old.id));
        brands.extend(more);
        let mut owners = HashMap::new();
        for (at, brand) in brands.iter().enumerate() {
            let all = [
                (&brand.theirs, Owner::Theirs),
                (&brand.domains, Owner::Official),
                (&brand.shared, Owner::Shared),
            ];
            for (domains, owner) in all {
                for domain in domains {
                    owners.insert(domain.clone(), (at, owner));
                }
            }
        }
        let base = Base {
            lookalikes: Lookalikes::new(&brands),
            words: Words::built_in(),
            places: Places::built_in()?,
            owners,
            brands,
        };
        Ok(Self {
            base: Arc::new(base),
            blocklist: Arc::default(),
            model: None,
        })
    }

    /// The same checker with another blocklist; the old one goes on working for whoever holds it.
    #[must_use]
    pub fn with_blocklist(&self, blocklist: Blocklist) -> Self {
        Self {
            blocklist: Arc::new(blocklist),
            ..self.clone()
        }
    }

    /// The same checker with a model of what fraud looks like.
    #[must_use]
    pub fn with_model(&self, model: Lexical) -> Self {
        Self {
            model: Some(Arc::new(model)),
            ..self.clone()
        }
    }

    /// The register.
    #[must_use]
    pub fn brands(&self) -> &[Brand] {
        &self.base.brands
    }

    /// Checks a message or a single link. `day` is today, counted from 1970: entries of the blocklist expire.
    #[must_use]
    pub fn check(&self, text: &str, day: u16, language: Language) -> LinkReport {
        let text = text.trim();
        let single = !text.contains(char::is_whitespace);
        let mut found: Vec<Link> = Vec::new();
        if single {
            found.extend(Link::read(text));
        }
        if !single || !text.is_ascii() || found.is_empty() {
            found.extend(links(text).iter().filter_map(|l| Link::read(l)));
        }
        found.truncate(LINKS_MAX);
        let speaks_for = if single {
            None
        } else {
            self.base.lookalikes.named_in(text)
        };
        let mut worst: Option<(Finding, &Link)> = None;
        for link in &found {
            let mut finding = self.look(link, day, 0);
            self.hold_against_text(&mut finding, speaks_for);
            if worst
                .as_ref()
                .is_none_or(|(old, _)| finding.verdict > old.verdict)
            {
                worst = Some((finding, link));
            }
        }
        // What was not looked at is not vouched for.
        let cut = text.len() > TEXT_BYTES_MAX || found.len() == LINKS_MAX;
        if let Some((finding, _)) = &mut worst
            && cut
            && finding.verdict == Verdict::Safe
        {
            *finding = Finding::new(Verdict::Unknown, Reason::NotVouched);
        }
        match worst {
            Some((finding, link)) => self.report(finding, link, found.len(), language),
            None => LinkReport {
                verdict: Verdict::Unknown,
                host: None,
                registrable_domain: None,
                reasons: vec![Reason::NoLink],
                advice: text_of(language, "link_advice", "no_link").to_owned(),
                brand: None,
                links: 0,
            },
        }
    }

    /// A message that speaks for a brand, with a link that is not the brand's.
    fn hold_against_text(&self, finding: &mut Finding, speaks_for: Option<usize>) {
        let Some(brand) = speaks_for else { return };
        let hides = [
            Reason::Shortener,
            Reason::FreeHosting,
            Reason::CheapEnding,
            Reason::IpAddress,
        ];
        let odd = finding.verdict == Verdict::Unknown && finding.reasons.iter().any(|r| hides.contains(r));
        if odd {
            finding.add(Verdict::Suspicious, Reason::BrandInText);
            finding.brand = Some(brand);
        }
    }

    fn report(&self, finding: Finding, link: &Link, links: usize, language: Language) -> LinkReport {
        let brand = finding.brand.map(|at| {
            let brand = &self.base.brands[at];
            BrandNamed {
                id: brand.id.clone(),
                name: brand.name.clone(),
                official: brand.domains.clone(),
            }
        });
        let mut advice = text_of(language, "link_advice", finding.verdict.word()).to_owned();
        if finding.verdict >= Verdict::Suspicious
            && let Some(official) = brand.as_ref().and_then(|b| b.official.first())
        {
            advice.push(' ');
            advice.push_str(&text_of(language, "link_advice", "official").replace("{official}", official));
        }
        LinkReport {
            verdict: finding.verdict,
            host: Some(link.host()),
            registrable_domain: match &link.target {
                Target::Name(name) => Some(name.registrable().to_owned()),
                Target::Address(_) => None,
            },
            reasons: finding.reasons,
            advice,
            brand,
            links,
        }
    }

    /// Everything about one link. `depth` counts addresses inside addresses.
    fn look(&self, link: &Link, day: u16, depth: u8) -> Finding {
        let mut finding = match &link.target {
            Target::Address(address) => on_address(*address),
            Target::Name(name) => match self.base.owner(name) {
                Some((brand, owner)) => self.on_own(brand, owner, link),
                None => self.on_stranger(name, link, day),
            },
        };
        self.structure(&mut finding, link);
        if depth == 0 {
            self.inner(&mut finding, link, day);
        }
        finding
    }

    fn on_own(&self, brand: usize, owner: Owner, link: &Link) -> Finding {
        let odd = link.user.is_some() || link.port.is_some() || link.malformed || link.disguised;
        let mut finding = match owner {
            Owner::Official if !odd => Finding::new(Verdict::Safe, Reason::OfficialDomain),
            Owner::Official => Finding::new(Verdict::Unknown, Reason::OfficialDomain),
            Owner::Theirs => Finding::new(Verdict::Unknown, Reason::NotVouched),
            Owner::Shared => Finding::new(Verdict::Unknown, Reason::FreeHosting),
        };
        finding.brand = Some(brand);
        finding
    }

    fn on_stranger(&self, name: &Name, link: &Link, day: u16) -> Finding {
        let base = &self.base;
        let mut finding = Finding::new(Verdict::Unknown, Reason::NotVouched);
        let innocent = base.places.is_innocent(name.registrable());
        if !innocent && let Some(like) = base.lookalikes.find(name, &base.words, &base.places) {
            finding.add(like.verdict, like.reason);
            finding.brand = Some(like.brand);
        }
        if self.blocklist.reports(link, day) {
            finding.add(Verdict::Dangerous, Reason::Blocklisted);
        }
        if name
            .labels
            .iter()
            .any(|l| mixes_scripts(&l.shown, l.plain.is_some()))
        {
            finding.add(Verdict::Suspicious, Reason::MixedScripts);
        }
        match self
            .model
            .as_ref()
            .filter(|_| !innocent)
            .map(|model| model.grade(&name.ascii))
        {
            Some(Grade::Fraud) => finding.add(Verdict::Dangerous, Reason::PatternOfFraud),
            Some(Grade::Unusual) => finding.add(Verdict::Suspicious, Reason::PatternUnusual),
            Some(Grade::Plain) | None => {}
        }
        if base.places.is_shortener(&name.ascii) {
            finding.add(Verdict::Unknown, Reason::Shortener);
        } else if name.private_suffix || base.places.is_free_hosting(&name.ascii) {
            finding.add(Verdict::Unknown, Reason::FreeHosting);
        } else if base.places.is_cheap(name.ending()) {
            finding.add(Verdict::Unknown, Reason::CheapEnding);
        }
        finding
    }

    /// What is odd about the address, whoever owns the host.
    fn structure(&self, finding: &mut Finding, link: &Link) {
        let own = finding.verdict == Verdict::Safe || finding.reasons.contains(&Reason::OfficialDomain);
        let worse = if own {
            Verdict::Unknown
        } else {
            Verdict::Suspicious
        };
        if let Some(user) = &link.user {
            let named = self
                .base
                .official_in(user)
                .or_else(|| self.base.lookalikes.named_in(user));
            let verdict = if named.is_some() && !own {
                Verdict::Dangerous
            } else {
                worse
            };
            finding.add(verdict, Reason::NameBeforeAt);
            finding.brand = finding.brand.or(named);
        }
        if link.disguised {
            finding.add(worse, Reason::DisguisedHost);
        }
        if link.malformed {
            finding.add(worse, Reason::Malformed);
        }
        if link.port.is_some() {
            finding.add(Verdict::Unknown, Reason::OddPort);
        }
        if !own {
            self.path(finding, link);
        }
        if link.plain_http && finding.verdict != Verdict::Safe && link.path != "/" {
            finding.add(Verdict::Unknown, Reason::PlainHttp);
        }
    }

    /// A brand behind the domain, on a page of a stranger; an app to download.
    fn path(&self, finding: &mut Finding, link: &Link) {
        let path = link.path.to_ascii_lowercase();
        if path.ends_with(".apk") || path.ends_with(".xapk") || path.ends_with(".apks") {
            finding.add(Verdict::Suspicious, Reason::DownloadsApp);
        }
        let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        if let Some(brand) = self.base.official_in(first) {
            finding.add(Verdict::Dangerous, Reason::BrandInPath);
            finding.brand = finding.brand.or(Some(brand));
            return;
        }
        let hides = [Reason::FreeHosting, Reason::CheapEnding, Reason::IpAddress];
        if path.len() > 1
            && path.len() <= 512
            && finding.reasons.iter().any(|r| hides.contains(r))
            && let Some(brand) = self.base.lookalikes.named_in(&path)
        {
            finding.add(Verdict::Suspicious, Reason::BrandInPath);
            finding.brand = finding.brand.or(Some(brand));
        }
    }

    /// An address inside the query, to which the page may hand over.
    fn inner(&self, finding: &mut Finding, link: &Link, day: u16) {
        if link.query.is_empty() {
            return;
        }
        for (_, value) in url::form_urlencoded::parse(link.query.as_bytes()).take(16) {
            let is_link =
                value.starts_with("http://") || value.starts_with("https://") || value.starts_with("//");
            let Some(inner) = is_link.then(|| Link::read(&value)).flatten() else {
                continue;
            };
            let found = self.look(&inner, day, 1);
            if found.verdict >= Verdict::Suspicious {
                finding.add(Verdict::Suspicious, Reason::LeadsElsewhere);
                finding.brand = finding.brand.or(found.brand);
            } else if finding.verdict == Verdict::Safe && found.verdict != Verdict::Safe {
                finding.add(Verdict::Unknown, Reason::LeadsElsewhere);
            }
        }
    }
}

impl Base {
    /// Whose a host is, if it is a brand's: the most exact entry counts.
    fn owner(&self, name: &Name) -> Option<(usize, Owner)> {
        let mut host = name.ascii.as_str();
        loop {
            if let Some(found) = self.owners.get(host) {
                let shared = found.1 == Owner::Official && self.places.is_free_hosting(&name.ascii);
                return Some(if shared { (found.0, Owner::Shared) } else { *found });
            }
            host = host.split_once('.')?.1;
        }
    }

    /// The brand whose official domain a text begins with or is: `smart.com.kh`, `www.smart.com.kh`.
    fn official_in(&self, text: &str) -> Option<usize> {
        let text = text.trim_end_matches(':').to_ascii_lowercase();
        let host = text.strip_prefix("www.").unwrap_or(&text);
        let (brand, owner) = self.owners.get(host)?;
        (*owner == Owner::Official && host.len() >= 7).then_some(*brand)
    }
}

fn on_address(address: IpAddr) -> Finding {
    let inside = match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    };
    if inside {
        Finding::new(Verdict::Unknown, Reason::PrivateAddress)
    } else {
        Finding::new(Verdict::Suspicious, Reason::IpAddress)
    }
}

/// Latin beside letters of another script that pass for Latin ones.
fn mixes_scripts(label: &str, resembles: bool) -> bool {
    resembles
        && !label.is_ascii()
        && unicode_security::mixed_script::AugmentedScriptSet::for_str(label).is_empty()
}
