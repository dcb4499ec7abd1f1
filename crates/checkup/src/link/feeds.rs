//! Reads the forms in which reports of bad addresses are published: one address or host per line (OpenPhish), hosts
//! files, CSV with an address in some column (URLhaus, PhishTank), filter lists (`||host^`).

/// One report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A whole host.
    Host(String),
    /// One address.
    Address(String),
}

/// Longest line that is read.
const LINE_MAX: usize = 16 * 1024;

/// The reports of a feed. Lines that say nothing are left out.
pub(crate) fn entries(text: &str) -> impl Iterator<Item = Entry> {
    text.lines().filter(|line| line.len() <= LINE_MAX).flat_map(line)
}

fn line(line: &str) -> Vec<Entry> {
    let line = line.trim();
    if line.is_empty() || line.starts_with(['#', '!', '[', ';']) {
        return Vec::new();
    }
    if let Some(rule) = line.strip_prefix("||") {
        let host = rule.split(['^', '/', '$']).next().unwrap_or_default();
        let whole = rule.trim_end_matches('^').len() == host.len();
        return if whole && is_host(host) {
            vec![Entry::Host(host.to_ascii_lowercase())]
        } else {
            Vec::new()
        };
    }
    if let Some(address) = address(line) {
        return vec![Entry::Address(address.to_owned())];
    }
    let mut words = line.split_whitespace();
    let Some(first) = words.next() else {
        return Vec::new();
    };
    if first.parse::<std::net::IpAddr>().is_ok() {
        let hosts = words.take_while(|w| !w.starts_with('#')).filter(|w| is_host(w));
        return hosts.map(|w| Entry::Host(w.to_ascii_lowercase())).collect();
    }
    let first = first.split(',').next().unwrap_or(first).trim_matches('"');
    if is_host(first) {
        vec![Entry::Host(first.to_ascii_lowercase())]
    } else {
        Vec::new()
    }
}

/// The address in a line, wherever it stands.
fn address(line: &str) -> Option<&str> {
    let lower = line.to_ascii_lowercase();
    let at = lower
        .find("http://")
        .into_iter()
        .chain(lower.find("https://"))
        .min()?;
    let rest = line.get(at..)?;
    let end = match (at, line.as_bytes().get(at.wrapping_sub(1))) {
        (0, _) => rest.find(char::is_whitespace),
        (_, Some(b'"')) => rest.find('"'),
        _ => rest.find([',', '"', '\t', ' ']),
    };
    Some(&rest[..end.unwrap_or(rest.len())])
}

fn is_host(word: &str) -> bool {
    word.contains('.')
        && word.len() <= 253
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        && !word.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_forms_are_read() {
        let feed = r#"
# comment
http://a.top/x,y
"12","2026-01-01","http://b.top/bin,1","online","tags"
7,http://c.top/login,http://www.phishtank.com/phish_detail.php?phish_id=7,2026
0.0.0.0 d.top e.top # two
127.0.0.1	localhost
||f.top^
||g.top/path^
h.top
phish_id,url,phish_detail_url
::1 ip6-localhost
"#;
        let found: Vec<String> = entries(feed)
            .map(|e| match e {
                Entry::Host(h) => h,
                Entry::Address(a) => a,
            })
            .collect();
        assert_eq!(
            found,
            [
                "http://a.top/x,y",
                "http://b.top/bin,1",
                "http://c.top/login",
                "d.top",
                "e.top",
                "f.top",
                "h.top"
            ]
        );
    }
}
