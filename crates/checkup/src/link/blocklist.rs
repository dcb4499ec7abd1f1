//! Reported addresses as hashes: a list tells nobody what it holds who does not already ask for it, a million entries
//! take 18 MB, and an app can ask by the first four bytes alone.
//!
//! An entry is the SHA-256 of a host, or of host and path, cut to 16 bytes, with the day on which it expires.

use super::feeds::{Entry, entries};
use super::host::{Link, Name, Target};
use super::places::Places;
use sha2::{Digest, Sha256};

/// Bytes of a stored hash: 128 bits leave no room for accidental hits.
const HASH: usize = 16;
/// The most entries of one list.
pub const ENTRIES_MAX: usize = 5_000_000;
const MAGIC: &[u8] = b"SWBL1\n";

/// A list of reported addresses.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Blocklist {
    /// Sorted.
    hashes: Vec<[u8; HASH]>,
    /// The last day, counted from 1970, on which the entry counts; 0: for ever.
    until: Vec<u16>,
}

/// Why a list was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BlocklistError {
    /// Neither our own form nor text.
    #[error("the blocklist is neither a list written by `simwarden link import` nor a text feed")]
    Form,
    /// Cut off, or not sorted.
    #[error("the blocklist is damaged: {0}; import it again")]
    Damaged(&'static str),
    /// More than fits.
    #[error("more than {ENTRIES_MAX} entries")]
    TooMany,
}

fn hash(expression: &str) -> [u8; HASH] {
    let mut out = [0; HASH];
    out.copy_from_slice(&Sha256::digest(expression.as_bytes())[..HASH]);
    out
}

impl Blocklist {
    /// Reads a list of our own form, or a text feed (hosts file, one address per line, URLhaus, PhishTank, OpenPhish,
    /// `||host^`). `until` is the day on which entries of a text feed expire, counted from 1970; 0: never.
    ///
    /// # Errors
    /// When the list is damaged or too long.
    pub fn read(bytes: &[u8], until: u16) -> Result<Self, BlocklistError> {
        if let Some(body) = bytes.strip_prefix(MAGIC) {
            return Self::decode(body);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| BlocklistError::Form)?;
        let places = Places::built_in().map_err(|_| BlocklistError::Form)?;
        let mut list = Vec::new();
        for entry in entries(text) {
            let Some(expression) = expression(&entry, &places) else {
                continue;
            };
            if list.len() == ENTRIES_MAX {
                return Err(BlocklistError::TooMany);
            }
            list.push((hash(&expression), until));
        }
        Ok(Self::of(list))
    }

    fn of(mut list: Vec<([u8; HASH], u16)>) -> Self {
        // Of the same entry twice, the one that counts longer.
        list.sort_unstable_by_key(|(hash, until)| (*hash, std::cmp::Reverse(until.wrapping_sub(1))));
        list.dedup_by_key(|(hash, _)| *hash);
        let mut made = Self {
            hashes: Vec::with_capacity(list.len()),
            until: Vec::with_capacity(list.len()),
        };
        for (hash, until) in list {
            made.hashes.push(hash);
            made.until.push(until);
        }
        made
    }

    /// Both lists in one.
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        let all = |list: Self| list.hashes.into_iter().zip(list.until);
        Self::of(all(self).chain(all(other)).collect())
    }

    /// The list in our own form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(MAGIC.len() + 8 + self.hashes.len() * (HASH + 2));
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&(self.hashes.len() as u64).to_le_bytes());
        for hash in &self.hashes {
            out.extend_from_slice(hash);
        }
        for day in &self.until {
            out.extend_from_slice(&day.to_le_bytes());
        }
        out
    }

    fn decode(body: &[u8]) -> Result<Self, BlocklistError> {
        let (count, rest) = body
            .split_first_chunk::<8>()
            .ok_or(BlocklistError::Damaged("no length"))?;
        let count = usize::try_from(u64::from_le_bytes(*count)).map_err(|_| BlocklistError::TooMany)?;
        if count > ENTRIES_MAX {
            return Err(BlocklistError::TooMany);
        }
        if rest.len() != count * (HASH + 2) {
            return Err(BlocklistError::Damaged("its length is not the one it names"));
        }
        let (hashes, days) = rest.split_at(count * HASH);
        let hashes: Vec<[u8; HASH]> = hashes.as_chunks::<HASH>().0.to_vec();
        if hashes.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(BlocklistError::Damaged("its entries are not in order"));
        }
        let until = days
            .as_chunks::<2>()
            .0
            .iter()
            .map(|d| u16::from_le_bytes(*d))
            .collect();
        Ok(Self { hashes, until })
    }

    /// How many entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Bytes of memory that the entries take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.hashes.capacity() * HASH + self.until.capacity() * 2
    }

    fn holds(&self, expression: &str, day: u16) -> bool {
        self.hashes
            .binary_search(&hash(expression))
            .is_ok_and(|at| self.until[at] == 0 || self.until[at] >= day)
    }

    /// The entries that begin with four bytes: what an app asks for that does not want to say which address it has.
    #[must_use]
    pub fn with_prefix(&self, prefix: [u8; 4]) -> &[[u8; HASH]] {
        let from = self.hashes.partition_point(|hash| hash[..4] < prefix[..]);
        let to = self.hashes.partition_point(|hash| hash[..4] <= prefix[..]);
        &self.hashes[from..to]
    }

    /// Whether an address is reported: its host, a host above it up to the registrable domain, or its page.
    pub(crate) fn reports(&self, link: &Link, day: u16) -> bool {
        if self.is_empty() {
            return false;
        }
        let host = link.host();
        let page = format!("{host}{}", link.path);
        if self.holds(&page, day)
            || (!link.query.is_empty() && self.holds(&format!("{page}?{}", link.query), day))
        {
            return true;
        }
        match &link.target {
            Target::Address(_) => self.holds(&host, day),
            Target::Name(name) => self.reports_host(name, day),
        }
    }

    fn reports_host(&self, name: &Name, day: u16) -> bool {
        let top = name.registrable();
        let mut host = name.ascii.as_str();
        loop {
            if self.holds(host, day) {
                return true;
            }
            if host.len() <= top.len() {
                return false;
            }
            match host.split_once('.') {
                Some((_, parent)) => host = parent,
                None => return false,
            }
        }
    }
}

/// What of an entry is hashed: the host, or host and page where many share the host.
fn expression(entry: &Entry, places: &Places) -> Option<String> {
    let (text, whole_host) = match entry {
        Entry::Host(host) => (host, true),
        Entry::Address(address) => (address, false),
    };
    let link = Link::read(text)?;
    let host = link.host();
    let shared = places.is_shortener(&host) || places.is_free_hosting_itself(&host);
    match (shared, whole_host) {
        (false, _) => Some(host),
        // A feed that lists a whole shortener would flag everybody's links.
        (true, true) => None,
        (true, false) if link.path == "/" && link.query.is_empty() => None,
        (true, false) if link.query.is_empty() => Some(format!("{host}{}", link.path)),
        (true, false) => Some(format!("{host}{}?{}", link.path, link.query)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reports(list: &Blocklist, link: &str, day: u16) -> bool {
        list.reports(&Link::read(link).unwrap(), day)
    }

    #[test]
    fn hosts_cover_what_lies_under_them_and_shared_hosts_only_their_pages() {
        let feed = "# feed\nhttp://login.evil-bank.top/a\nhttps://bit.ly/3xYz\nt.co\n0.0.0.0 bad.example.org\nhttp://pages.github.io/\n";
        let list = Blocklist::read(feed.as_bytes(), 0).unwrap();
        assert_eq!(list.len(), 4);
        assert!(reports(&list, "https://login.evil-bank.top/other", 1));
        assert!(reports(&list, "https://x.login.evil-bank.top/", 1));
        assert!(!reports(&list, "https://evil-bank.top/", 1));
        assert!(reports(&list, "https://bit.ly/3xYz", 1));
        assert!(!reports(&list, "https://bit.ly/other", 1) && !reports(&list, "https://t.co/a", 1));
        assert!(!reports(&list, "https://example.org/", 1));
    }

    #[test]
    fn entries_expire_and_survive_the_file() {
        let list = Blocklist::read(b"a.top\nb.top\n", 100).unwrap();
        let list = list.joined(Blocklist::read(b"a.top\n", 0).unwrap());
        assert!(reports(&list, "http://a.top/", 101) && !reports(&list, "http://b.top/", 101));
        assert!(reports(&list, "http://b.top/", 100));
        let bytes = list.encode();
        assert_eq!(Blocklist::read(&bytes, 7).unwrap(), list);
        assert_eq!(
            Blocklist::read(&bytes[..bytes.len() - 1], 0),
            Err(BlocklistError::Damaged("its length is not the one it names"))
        );
        let hash = list.hashes[0];
        assert_eq!(list.with_prefix([hash[0], hash[1], hash[2], hash[3]]), &[hash]);
        assert!(list.with_prefix([0, 0, 0, 0]).is_empty());
    }

    #[test]
    fn a_million_entries_fit() {
        let list: Vec<_> = (0u64..1_000_000).map(|n| (hash(&n.to_string()), 0)).collect();
        let list = Blocklist::of(list);
        assert_eq!(list.len(), 1_000_000);
        assert!(list.bytes() <= 40_000_000, "{}", list.bytes());
        assert!(list.holds("7", 1) && !list.holds("no", 1));
    }
}
