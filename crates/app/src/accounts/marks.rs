//! Where and on what somebody signs in, as keyed marks: enough to compare, nothing to read.

use simwarden_identity::risk::{Counts, Feature, Risk, Seen, score};
use simwarden_model::{AccountId, Timestamp};
use simwarden_store::records::sign_in::SignIn;
use simwarden_store::{BlindIndex, Indexed, Keyring};
use std::net::{IpAddr, Ipv6Addr};

/// Where and on what somebody signs in, as the edge sees it.
#[derive(Debug, Clone)]
pub struct Whereabouts {
    /// The address that the connection comes from.
    pub address: IpAddr,
    /// The mark that this server left on the device before, if it has one.
    pub device: Option<String>,
    /// The browser's own word about itself.
    pub agent: String,
    /// The country of the address, ISO 3166-1 alpha-2, where the operator's proxy says it.
    pub country: Option<String>,
}

/// Every mark of a device begins with this.
pub(crate) const DEVICE_PREFIX: &str = "swd_";

impl Whereabouts {
    /// The mark on the device, if it is one that this server could have left.
    pub(crate) fn known_mark(&self) -> Option<&str> {
        self.device.as_deref().filter(|mark| {
            mark.strip_prefix(DEVICE_PREFIX)
                .is_some_and(|rest| rest.len() == 64 && rest.bytes().all(|b| b.is_ascii_hexdigit()))
        })
    }

    pub(crate) fn address_mark(&self, keyring: &Keyring) -> BlindIndex {
        mark(keyring, "address", &self.narrow(32, 64))
    }

    pub(crate) fn network_mark(&self, keyring: &Keyring) -> BlindIndex {
        mark(keyring, "network", &self.narrow(24, 48))
    }

    /// The address with only its first bits.
    fn narrow(&self, v4_bits: u32, v6_bits: u32) -> String {
        match self.address.to_canonical() {
            IpAddr::V4(v4) => {
                let mask = u32::MAX.checked_shl(32 - v4_bits).unwrap_or(0);
                std::net::Ipv4Addr::from(u32::from(v4) & mask).to_string()
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX.checked_shl(128 - v6_bits).unwrap_or(0);
                Ipv6Addr::from(u128::from(v6) & mask).to_string()
            }
        }
    }

    /// What the holder of a session is shown of its address: the last part is nobody's business.
    pub(crate) fn shown_address(&self) -> String {
        match self.address.to_canonical() {
            IpAddr::V4(_) => format!("{}/24", self.narrow(24, 48)),
            IpAddr::V6(_) => format!("{}/48", self.narrow(24, 48)),
        }
    }

    /// Browser and system in broad terms: versions change, and make everybody new.
    pub(crate) fn broad_agent(&self) -> String {
        let agent = self.agent.to_ascii_lowercase();
        let first = |words: &[(&str, &'static str)]| {
            words
                .iter()
                .find(|(word, _)| agent.contains(word))
                .map_or("other", |(_, name)| name)
        };
        let browser = first(&[
            ("edg/", "Edge"),
            ("samsungbrowser", "Samsung"),
            ("opr/", "Opera"),
            ("firefox", "Firefox"),
            ("chrome", "Chrome"),
            ("safari", "Safari"),
        ]);
        let system = first(&[
            ("android", "Android"),
            ("iphone", "iPhone"),
            ("ipad", "iPad"),
            ("windows", "Windows"),
            ("mac os", "macOS"),
            ("linux", "Linux"),
        ]);
        format!("{browser}, {system}")
    }
}

fn mark(keyring: &Keyring, what: &str, value: &str) -> BlindIndex {
    keyring.index(Indexed::Whereabouts, format!("{what}:{value}").as_bytes())
}

/// The mark of a device, as it is kept.
pub(crate) fn device_mark(keyring: &Keyring, device: &str) -> BlindIndex {
    mark(keyring, "device", device)
}

/// Cambodia has one time zone, seven hours ahead, all year.
const HOURS_AHEAD: i64 = 7;

/// A sign-in to be kept.
pub(crate) fn sign_in_row(
    keyring: &Keyring,
    account: AccountId,
    device: BlindIndex,
    from: &Whereabouts,
    now: Timestamp,
) -> SignIn {
    SignIn {
        account_id: account,
        at: now,
        device_idx: device,
        network_idx: from.network_mark(keyring),
        agent: from.broad_agent(),
        quarter: (now.as_secs() / 3600 + HOURS_AHEAD) % 24 / 6,
        country: from.country.clone(),
    }
}

fn seen(row: &SignIn) -> Seen {
    let hex = |index: &BlindIndex| crate::entry::hex(index.as_bytes());
    let mut seen = Seen::from([
        (Feature::Network, hex(&row.network_idx)),
        (Feature::Device, hex(&row.device_idx)),
        (Feature::Agent, row.agent.clone()),
        (Feature::Quarter, row.quarter.to_string()),
    ]);
    seen.extend(row.country.clone().map(|country| (Feature::Country, country)));
    seen
}

/// How unlike its owner a sign-in is.
pub(crate) fn risk(row: &SignIn, own: &[SignIn], everybody: &[SignIn]) -> Risk {
    let counts = |rows: &[SignIn]| {
        let mut counts = Counts::default();
        rows.iter().for_each(|row| counts.add(&seen(row)));
        counts
    };
    score(&seen(row), &counts(own), &counts(everybody))
}

#[cfg(test)]
mod tests {
    use super::Whereabouts;

    #[test]
    fn only_broad_strokes_are_kept_of_a_place() {
        let from = |address: &str, agent: &str| Whereabouts {
            address: address.parse().unwrap(),
            device: None,
            agent: agent.to_owned(),
            country: None,
        };
        let phone = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36";
        assert_eq!(from("203.0.113.77", phone).shown_address(), "203.0.113.0/24");
        assert_eq!(
            from("::ffff:203.0.113.77", phone).shown_address(),
            "203.0.113.0/24"
        );
        assert_eq!(from("2001:db8:1:2::3", phone).shown_address(), "2001:db8:1::/48");
        assert_eq!(from("203.0.113.77", phone).broad_agent(), "Chrome, Android");
        assert_eq!(from("203.0.113.77", "curl/8").broad_agent(), "other, other");
        let mut marked = from("203.0.113.77", "");
        for (mark, good) in [
            ("swd_", false),
            ("x", false),
            (&*format!("swd_{}", "0a".repeat(32)), true),
        ] {
            marked.device = Some(mark.to_owned());
            assert_eq!(marked.known_mark().is_some(), good, "{mark}");
        }
    }
}
