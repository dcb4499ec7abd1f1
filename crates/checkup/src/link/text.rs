//! Finds the links in a message as people send them: bare domains, Khmer and Chinese without spaces, links that were
//! made harmless (`hxxp`, `[.]`).

/// Longest text that is read, in bytes; the rest is left out.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;
/// The most links of one text that are looked at. A text with more is never called safe.
pub const LINKS_MAX: usize = 100;

/// The links of a text, in order, each once.
pub(crate) fn links(text: &str) -> Vec<String> {
    let text = mended(clipped(text));
    let mut found: Vec<String> = Vec::new();
    for run in
        text.split(|c: char| c.is_whitespace() || "<>\"“”‘’`|^「」『』《》（），；。、！？".contains(c))
    {
        for piece in pieces(run) {
            if let Some(link) = candidate(piece)
                && !found.contains(&link)
            {
                found.push(link);
                if found.len() == LINKS_MAX {
                    return found;
                }
            }
        }
    }
    found
}

fn clipped(text: &str) -> &str {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Without marks that nobody sees, and with links made whole again.
fn mended(text: &str) -> String {
    let visible: String = text
        .chars()
        .filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}'))
        .collect();
    let mut mended = visible;
    for (from, to) in [
        ("[.]", "."),
        ("(.)", "."),
        ("[dot]", "."),
        ("(dot)", "."),
        ("[:]", ":"),
        ("hxxp://", "http://"),
        ("hxxps://", "https://"),
        ("hXXp", "http"),
    ] {
        if mended.contains(from) {
            mended = mended.replace(from, to);
        }
    }
    mended
}

/// Whether a letter belongs to a script that is written without spaces.
fn unspaced(letter: char) -> bool {
    matches!(u32::from(letter),
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1780..=0x17FF | 0x19E0..=0x19FF | 0x3040..=0x30FF | 0x3400..=0x9FFF)
}

/// A run cut where a script without spaces touches Latin letters or digits.
fn pieces(run: &str) -> Vec<&str> {
    let mut cuts = vec![0];
    let mut last: Option<char> = None;
    for (at, letter) in run.char_indices() {
        if let Some(last) = last {
            let touch = |a: char, b: char| unspaced(a) && (b.is_ascii_alphanumeric() || b == '/');
            if touch(last, letter) || touch(letter, last) {
                cuts.push(at);
            }
        }
        last = Some(letter);
    }
    cuts.push(run.len());
    cuts.windows(2)
        .map(|w| &run[w[0]..w[1]])
        .filter(|p| !p.is_empty())
        .collect()
}

/// A piece that is a link, freed from punctuation around it.
fn candidate(piece: &str) -> Option<String> {
    let lower = piece.to_ascii_lowercase();
    for scheme in ["https://", "http://", "https:\\\\", "http:\\\\"] {
        if let Some(at) = lower.find(scheme) {
            let link = trimmed(balanced(&piece[at..]));
            return (link.len() > scheme.len()).then(|| link.to_owned());
        }
    }
    let piece = trimmed(balanced(piece.trim_start_matches(|c: char| !c.is_alphanumeric())));
    // A label in front of a colon, as in `Link:smart.com.kh`.
    let piece = match piece.split_once(':') {
        Some((before, after)) if !before.contains('.') && after.contains('.') => {
            after.trim_start_matches('/')
        }
        _ => piece,
    };
    let end = piece.find(['/', '?', '#', ':', '\\']).unwrap_or(piece.len());
    let (host, rest) = piece.split_at(end);
    if host.contains('@') && rest.is_empty() {
        return None;
    }
    let name = host.rsplit('@').next().unwrap_or(host);
    if name.len() > 253 || !name.contains('.') || name.contains("..") {
        return None;
    }
    let is_address = name.parse::<std::net::Ipv4Addr>().is_ok();
    let ascii = idna::domain_to_ascii(name).ok()?;
    let known =
        psl::suffix(ascii.as_bytes()).is_some_and(|s| s.is_known() && s.as_bytes().len() < ascii.len());
    (known || (is_address && !rest.is_empty())).then(|| piece.to_owned())
}

/// Without what follows a bracket that the link itself did not open.
fn balanced(link: &str) -> &str {
    let mut open = 0i32;
    for (at, letter) in link.char_indices() {
        match letter {
            '(' => open += 1,
            ')' if open == 0 => return &link[..at],
            ')' => open -= 1,
            _ => {}
        }
    }
    link
}

fn trimmed(link: &str) -> &str {
    let mut link = link;
    loop {
        let cut = link.trim_end_matches(|c: char| {
            matches!(
                c,
                '.' | ',' | ';' | ':' | '!' | '?' | '\'' | ']' | '*' | '~' | '។' | '៕' | '…' | '-'
            )
        });
        if cut.len() == link.len() {
            return link;
        }
        link = cut;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_in_messages() {
        for (text, expected) in [
            (
                "Your Canadia account: www.canadias.com.",
                vec!["www.canadias.com"],
            ),
            ("ចុចwww.wing-kh.comដើម្បីទទួល។", vec!["www.wing-kh.com"]),
            ("点击https://a.top/x领取", vec!["https://a.top/x"]),
            (
                "see (https://a.com/b_(c)) and b.org, ok?",
                vec!["https://a.com/b_(c)", "b.org"],
            ),
            ("hxxps://evil[.]top/login", vec!["https://evil.top/login"]),
            ("វីង.com", vec!["វីង.com"]),
            ("price 10.000 KHR at 12.30 by a@smart.com.kh", vec![]),
            (
                "http://1.2.3.4/x and 1.2.3.4/y but not 1.2.3.4",
                vec!["http://1.2.3.4/x", "1.2.3.4/y"],
            ),
            ("Link:smart.com.kh@evil.top/x", vec!["smart.com.kh@evil.top/x"]),
            ("no link.xhere,", vec![]),
            ("a.com a.com", vec!["a.com"]),
        ] {
            assert_eq!(links(text), expected, "{text}");
        }
    }
}
