//! One address, taken apart as a browser does: host, public suffix, registrable domain, and what is odd about it.

use super::fold::{Plain, plain};
use std::net::IpAddr;
use url::Url;

/// Longest address that is looked at, in bytes.
pub const LINK_BYTES_MAX: usize = 8_192;

/// A label of a host.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    /// As it is shown: Unicode.
    pub shown: String,
    /// What it resembles in ASCII, if it resembles anything.
    pub plain: Option<Plain>,
}

/// A host name.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    /// ASCII form, lower case, no final dot.
    pub ascii: String,
    /// From left to right, without the public suffix.
    pub labels: Vec<Label>,
    /// The public suffix: `com.kh`, `github.io`.
    pub suffix: String,
    /// Whether a company lets strangers register under the suffix (private section of the Public Suffix List).
    pub private_suffix: bool,
}

impl Name {
    fn new(ascii: &str) -> Self {
        let ascii = ascii.trim_end_matches('.').to_ascii_lowercase();
        let found = psl::suffix(ascii.as_bytes());
        let private_suffix = found.as_ref().and_then(psl::Suffix::typ) == Some(psl::Type::Private);
        let mut suffix = found
            .and_then(|s| std::str::from_utf8(s.as_bytes()).ok())
            .unwrap_or_default()
            .to_owned();
        let mut rest = ascii
            .strip_suffix(suffix.as_str())
            .unwrap_or("")
            .trim_end_matches('.');
        if rest.is_empty() {
            // The host is a public suffix itself: its first label is what somebody chose.
            (rest, suffix) = match ascii.split_once('.') {
                Some((first, others)) => (first, others.to_owned()),
                None => (ascii.as_str(), String::new()),
            };
        }
        let labels = rest.split('.').filter(|l| !l.is_empty()).map(label).collect();
        Self {
            labels,
            suffix,
            private_suffix,
            ascii,
        }
    }

    /// The name that somebody registered, with its suffix; the host itself when it is a suffix.
    pub(crate) fn registrable(&self) -> &str {
        psl::domain_str(&self.ascii).unwrap_or(&self.ascii)
    }

    /// The label that somebody registered.
    pub(crate) fn chosen(&self) -> Option<&Label> {
        self.labels.last()
    }

    /// The labels left of it, `www` aside.
    pub(crate) fn left(&self) -> impl Iterator<Item = &Label> {
        let end = self.labels.len().saturating_sub(1);
        self.labels[..end].iter().filter(|l| l.shown != "www")
    }

    /// The last label of all.
    pub(crate) fn ending(&self) -> &str {
        self.ascii.rsplit('.').next().unwrap_or_default()
    }
}

fn label(ascii: &str) -> Label {
    let shown = match ascii.strip_prefix("xn--") {
        Some(code) => idna::punycode::decode_to_string(code).unwrap_or_else(|| ascii.to_owned()),
        None => ascii.to_owned(),
    };
    Label {
        plain: plain(&shown),
        shown,
    }
}

/// What an address points at.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// A host name.
    Name(Name),
    /// An IP address.
    Address(IpAddr),
}

/// An address taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    /// What it points at.
    pub target: Target,
    /// Path, as sent.
    pub path: String,
    /// Query, as sent.
    pub query: String,
    /// A name or password before an `@`.
    pub user: Option<String>,
    /// A port that is not the scheme's own.
    pub port: Option<u16>,
    /// Whether the address says `http:`.
    pub plain_http: bool,
    /// Whether a browser would refuse it; it was read by force.
    pub malformed: bool,
    /// Whether the address hides how the host is written: numbers in other bases, escapes, backslashes.
    pub disguised: bool,
}

impl Link {
    /// Takes an address apart; without a scheme it is read as `http:`. `None` when it points at no host.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.len() > LINK_BYTES_MAX {
            return None;
        }
        // Browsers read `http:\\host` and `http:host` as `http://host`.
        let lead = text.get(..6).unwrap_or_default().to_ascii_lowercase();
        let web = ["http:/", "http:\\", "https:"].contains(&lead.as_str());
        let has_scheme = web
            || text.find("://").is_some_and(|at| {
                text[..at]
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
                    && at > 0
            });
        let whole = if has_scheme {
            text.to_owned()
        } else {
            format!("http://{}", text.trim_start_matches('/'))
        };
        match Url::parse(&whole) {
            Ok(url) => Self::of(&url, &whole),
            Err(_) => Self::by_force(&whole),
        }
    }

    fn of(url: &Url, whole: &str) -> Option<Self> {
        if !matches!(url.scheme(), "http" | "https" | "ws" | "wss" | "ftp") {
            return None;
        }
        let target = match url.host()? {
            url::Host::Domain(name) => Target::Name(Name::new(name)),
            url::Host::Ipv4(address) => Target::Address(address.into()),
            url::Host::Ipv6(address) => Target::Address(address.into()),
        };
        let authority = whole.split_once("://").map_or("", |(_, rest)| rest);
        let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
        let written = authority.rsplit('@').next().unwrap_or_default();
        let disguised = whole.contains('\\')
            || written.contains('%')
            || matches!(&target, Target::Address(IpAddr::V4(v4)) if !written.starts_with(&v4.to_string()));
        let user = [url.username(), url.password().unwrap_or_default()].join(":");
        Some(Self {
            target,
            path: url.path().to_owned(),
            query: url.query().unwrap_or_default().to_owned(),
            user: (user != ":").then_some(user),
            port: url.port(),
            plain_http: url.scheme() == "http",
            malformed: false,
            disguised,
        })
    }

    /// What stands where a host should be, for addresses that a browser refuses but a person may still mend.
    fn by_force(whole: &str) -> Option<Self> {
        let (scheme, rest) = whole.split_once("://")?;
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user.to_owned()), host),
            None => (None, authority),
        };
        let host: String = host
            .split(':')
            .next()
            .unwrap_or_default()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_') || !c.is_ascii())
            .take(253)
            .collect();
        let host = host.trim_matches('.');
        if !host.contains('.') {
            return None;
        }
        let ascii = idna::domain_to_ascii(host).unwrap_or_else(|_| host.to_lowercase());
        Some(Self {
            target: Target::Name(Name::new(&ascii)),
            path: path.to_owned(),
            query: String::new(),
            user,
            port: None,
            plain_http: scheme.eq_ignore_ascii_case("http"),
            malformed: true,
            disguised: false,
        })
    }

    /// The host as the browser writes it.
    pub(crate) fn host(&self) -> String {
        match &self.target {
            Target::Name(name) => name.ascii.clone(),
            Target::Address(IpAddr::V6(v6)) => format!("[{v6}]"),
            Target::Address(IpAddr::V4(v4)) => v4.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        match Link::read(text).unwrap().target {
            Target::Name(name) => name,
            Target::Address(address) => panic!("{address}"),
        }
    }

    #[test]
    fn hosts_are_read_as_browsers_read_them() {
        for (text, host) in [
            ("https://WWW.Smart.com.kh/a", "www.smart.com.kh"),
            ("smart.com.kh", "smart.com.kh"),
            ("https://smart.com.kh@evil.top/", "evil.top"),
            ("http:\\\\evil.top\\smart.com.kh", "evil.top"),
            ("http://0x7f.1/", "127.0.0.1"),
            ("http://2130706433/", "127.0.0.1"),
            ("http://[::1]/", "[::1]"),
            ("http://exa%6dple.com", "example.com"),
            ("http://ｅxample.com。", "example.com"),
            ("//example.com/x", "example.com"),
        ] {
            assert_eq!(Link::read(text).unwrap().host(), host, "{text}");
        }
        assert!(Link::read("mailto:a@b.com").is_none_or(|l| l.host() == "b.com"));
        assert!(Link::read("http://").is_none());
        assert!(Link::read("").is_none());
    }

    #[test]
    fn the_private_section_separates_strangers() {
        let n = name("evil.github.io");
        assert_eq!((n.registrable(), n.private_suffix), ("evil.github.io", true));
        let n = name("a.b.smart.com.kh");
        assert_eq!((n.registrable(), n.suffix.as_str()), ("smart.com.kh", "com.kh"));
        assert_eq!(n.chosen().unwrap().shown, "smart");
        let n = name("com.kh");
        assert_eq!(
            (n.registrable(), n.chosen().unwrap().shown.as_str()),
            ("com.kh", "com")
        );
    }
}
