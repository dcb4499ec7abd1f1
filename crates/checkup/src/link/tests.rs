//! The link check as a whole: official domains, forged ones of every kind, messages, and addresses that nobody writes.

use super::*;
use crate::texts::Language;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn checker() -> LinkChecker {
    LinkChecker::new(Vec::new()).unwrap()
}

fn check(checker: &LinkChecker, text: &str) -> LinkReport {
    checker.check(text, 1, Language::En)
}

#[test]
fn no_official_domain_is_flagged() {
    let checker = checker();
    for brand in checker.brands() {
        for domain in &brand.domains {
            for link in [
                domain.clone(),
                format!("https://www.{domain}/login?next=/a"),
                format!("http://{domain}"),
            ] {
                let report = check(&checker, &link);
                assert!(report.verdict <= Verdict::Unknown, "{link}: {report:?}");
                let vouched = !brand.shared.contains(domain) && !domain.contains("google");
                assert!(!vouched || report.verdict == Verdict::Safe, "{link}: {report:?}");
            }
        }
        for domain in brand.theirs.iter().chain(&brand.shared) {
            let report = check(&checker, domain);
            assert_eq!(report.verdict, Verdict::Unknown, "{domain}: {report:?}");
        }
    }
}

/// Forged forms of a label, by kind.
fn forged(label: &str, suffix: &str) -> Vec<(&'static str, String)> {
    let bytes: Vec<char> = label.chars().collect();
    let mut all: Vec<(&'static str, String)> = Vec::new();
    let with = |at: usize, take: usize, put: &str| -> String {
        bytes[..at]
            .iter()
            .chain(put.chars().collect::<Vec<_>>().iter())
            .chain(&bytes[at + take..])
            .collect()
    };
    for at in 0..bytes.len() {
        all.push(("omission", with(at, 1, "")));
        all.push(("repetition", with(at, 0, &bytes[at].to_string())));
        for letter in ['a', 'e', 'x', 'k'] {
            all.push(("insertion", with(at, 0, &letter.to_string())));
            all.push(("replacement", with(at, 1, &letter.to_string())));
        }
        if "aeiou".contains(bytes[at]) {
            for vowel in ["a", "e", "i", "o", "u"] {
                all.push(("vowel swap", with(at, 1, vowel)));
            }
        }
        for bit in 0..5u32 {
            let flipped = char::from_u32(u32::from(bytes[at]) ^ (1 << bit));
            if let Some(c) = flipped.filter(char::is_ascii_lowercase) {
                all.push(("bit flip", with(at, 1, &c.to_string())));
            }
        }
        if at > 0 {
            all.push(("hyphen", with(at, 0, "-")));
            all.push(("dot", with(at, 0, ".")));
            all.push((
                "transposition",
                with(at - 1, 2, &format!("{}{}", bytes[at], bytes[at - 1])),
            ));
        }
        for (plain, fakes) in [
            ('a', "аáạɑ4"),
            ('e', "еéẹ3"),
            ('o', "оóọ0"),
            ('i', "іíịl1"),
            ('c', "сçċ"),
            ('n', "ñṇŋ"),
            ('s', "ѕșş5"),
            ('p', "рṗƿ"),
            ('t', "ťṭт"),
        ] {
            if bytes[at] == plain {
                all.extend(fakes.chars().map(|c| ("homoglyph", with(at, 1, &c.to_string()))));
            }
        }
        for (plain, pair) in [('m', "rn"), ('w', "vv"), ('d', "cl"), ('k', "lc")] {
            if bytes[at] == plain {
                all.push(("homoglyph", with(at, 1, pair)));
            }
        }
    }
    for letter in 'a'..='z' {
        all.push(("addition", format!("{label}{letter}")));
    }
    for word in [
        "login", "bonus", "verify", "support", "app", "kh", "online", "promo",
    ] {
        for form in [
            format!("{label}{word}"),
            format!("{label}-{word}"),
            format!("{word}{label}"),
            format!("{word}-{label}"),
        ] {
            all.push(("words", form));
        }
    }
    let mut hosts: Vec<_> = all
        .into_iter()
        .map(|(kind, label)| (kind, format!("{label}.{suffix}")))
        .collect();
    for ending in ["com", "net", "xyz", "top", "vip", "info", "org"] {
        hosts.push(("other ending", format!("{label}.{ending}")));
        hosts.push((
            "left of a stranger",
            format!("www.{label}.{suffix}.evil.{ending}"),
        ));
    }
    hosts
}

#[test]
fn forged_names_of_every_kind_are_found() {
    let mine = "[[brand]]\nid='nagaworld'\ndomains=['nagaworld.com']\n[[brand]]\nid='emirates'\ndomains=['emirates.com']";
    let checker = LinkChecker::new(Brand::read(mine).unwrap()).unwrap();
    let mut kinds: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut all = (0usize, 0usize);
    for (label, suffix) in [
        ("smart", "com.kh"),
        ("cellcard", "com.kh"),
        ("metfone", "com.kh"),
        ("acledabank", "com.kh"),
        ("ababank", "com"),
        ("wingbank", "com.kh"),
        ("canadiabank", "com.kh"),
        ("ftb", "com.kh"),
        ("sathapana", "com.kh"),
        ("prasac", "com.kh"),
        ("hatthabank", "com"),
        ("truemoney", "com.kh"),
        ("pipay", "com"),
        ("chipmongbank", "com"),
        ("nagaworld", "com"),
        ("emirates", "com"),
    ] {
        for (kind, host) in forged(label, suffix) {
            let official = checker
                .brands()
                .iter()
                .any(|b| b.domains.contains(&host) || b.theirs.contains(&host));
            if official {
                continue;
            }
            let found = check(&checker, &host).verdict >= Verdict::Suspicious;
            all = (all.0 + 1, all.1 + usize::from(found));
            if label.len() >= 6 {
                let entry = kinds.entry(kind).or_default();
                *entry = (entry.0 + 1, entry.1 + usize::from(found));
            }
        }
    }
    println!("{} of {} found", all.1, all.0);
    assert!(all.1 * 100 >= all.0 * 95, "{all:?}");
    for (kind, (of, found)) in kinds {
        assert!(found * 100 >= of * 90, "{kind}: {found} of {of}");
    }
}

#[test]
fn innocent_hosts_stay_unknown() {
    let checker = checker();
    for host in [
        "google.com",
        "wikipedia.org",
        "bbc.co.uk",
        "smartphone.com",
        "canada.ca",
        "canadian.com",
        "wing.com",
        "winger.com",
        "smart.com",
        "smarter.com",
        "prince.com",
        "princeton.edu",
        "bankofamerica.com",
        "akbank.com",
        "citibank.com",
        "worldbank.org",
        "interior.gov",
        "police.uk",
        "information.com",
        "verify.com",
        "amazon.com",
        "khmertimeskh.com",
        "phnompenhpost.com",
        "rupp.edu.kh",
        "toyota.com.kh",
        "telegraph.co.uk",
        "aba.org",
        "paypay.ne.jp",
        "sberbank.ru",
        "immigration.gov.au",
        "github.io",
        "t.co",
        "bit.ly",
        "docs.rs",
        "acm.org",
    ] {
        let report = check(&checker, host);
        assert_eq!(report.verdict, Verdict::Unknown, "{host}: {report:?}");
    }
}

#[test]
fn forgeries_that_were_seen_are_found() {
    let checker = checker();
    for host in [
        "advancebankasia.xyz",
        "ababankofasla.xyz",
        "cambodia-e-arrival.com",
        "wingbank-lucky-win.com",
        "ababank.life",
        "wingbank-online.com",
        "myababank.com",
        "aba-bank.com",
        "aba-mobile.website",
        "abbabank.pages.dev",
        "ababank-91049help.zendesk.com",
        "acledainternetbank.com",
        "acle-da.com",
        "acleda-khm.com",
        "wingbank.app",
        "bakongwallet.com",
        "api-bakong-by-limvisa.shop",
        "vattanaccommercialbank.com",
        "hatthabanks.com",
        "verify.ababank.systems",
        "lucky-wingbank.com",
        "sathapana.co.com",
    ] {
        let report = check(&checker, host);
        assert!(report.verdict >= Verdict::Suspicious, "{host}: {report:?}");
        assert!(report.brand.is_some(), "{host}");
    }
}

#[test]
fn whole_messages_are_read() {
    let checker = checker();
    for (text, verdict, reason) in [
        (
            "Your ACLEDA bank account is locked: https://bit.ly/3abc",
            Verdict::Suspicious,
            Reason::BrandInText,
        ),
        (
            "ធនាគារវីង៖ អ្នកឈ្នះរង្វាន់ចុចwww.wingbank-win.comឥឡូវ",
            Verdict::Dangerous,
            Reason::BrandWithWords,
        ),
        (
            "Parcel waiting https://smart.com.kh@evil.top/x",
            Verdict::Dangerous,
            Reason::NameBeforeAt,
        ),
        (
            "update http://93.184.216.34/smart.apk",
            Verdict::Suspicious,
            Reason::IpAddress,
        ),
        (
            "https://bank.example.top/www.acledabank.com.kh/login",
            Verdict::Dangerous,
            Reason::BrandInPath,
        ),
        (
            "http://smart.com.kh.verify.top/",
            Verdict::Dangerous,
            Reason::OfficialNameInside,
        ),
        (
            "https://smart.com.kh/go?url=https://acledabank-login.top/",
            Verdict::Suspicious,
            Reason::LeadsElsewhere,
        ),
        (
            "http://xn--mart-f9d.com.kh/",
            Verdict::Dangerous,
            Reason::LookalikeLetters,
        ),
        (
            "សូមចូល https://សែលកាត.com",
            Verdict::Dangerous,
            Reason::BrandInOtherScript,
        ),
        ("lunch at 12.30?", Verdict::Unknown, Reason::NoLink),
        ("see https://example.org/a", Verdict::Unknown, Reason::NotVouched),
        ("http://192.168.1.1/", Verdict::Unknown, Reason::PrivateAddress),
        ("https://t.me/somebody", Verdict::Unknown, Reason::FreeHosting),
        (
            "https://www.wingbank.com.kh/en and https://example.org",
            Verdict::Unknown,
            Reason::NotVouched,
        ),
    ] {
        let report = check(&checker, text);
        assert_eq!(report.verdict, verdict, "{text}: {report:?}");
        assert!(report.reasons.contains(&reason), "{text}: {report:?}");
        assert!(!report.advice.is_empty());
    }
}

#[test]
fn the_answer_has_the_promised_form() {
    let report = check(&checker(), "http://www.acledabank-login.top/x");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["verdict"], "dangerous");
    assert_eq!(json["host"], "www.acledabank-login.top");
    assert_eq!(json["registrable_domain"], "acledabank-login.top");
    assert_eq!(json["reasons"][0], "brand_with_words");
    assert!(json["advice"].as_str().unwrap().contains("acledabank.com.kh"));
}

#[test]
fn blocklists_change_without_a_new_checker() {
    let old = checker();
    let new =
        old.with_blocklist(Blocklist::read(b"http://quiet-name.org/\nhttps://smart.com.kh/\n", 0).unwrap());
    assert_eq!(check(&old, "quiet-name.org").verdict, Verdict::Unknown);
    let report = check(&new, "quiet-name.org");
    assert_eq!(
        (report.verdict, report.reasons[0]),
        (Verdict::Dangerous, Reason::Blocklisted)
    );
    // What a feed says of an official domain is for its owner to mend.
    assert_eq!(check(&new, "https://smart.com.kh/").verdict, Verdict::Safe);
}

/// Addresses as nobody writes them: pieces of real ones, put together anyhow. The long run sets the number.
#[test]
fn no_address_makes_a_panic() {
    let pieces = [
        "http",
        "https",
        "://",
        ":",
        "//",
        "\\\\",
        "@",
        ".",
        "..",
        "-",
        "xn--",
        "xn--a",
        "smart",
        "com.kh",
        "acledabank",
        "%",
        "%2e",
        "%00",
        "[",
        "]",
        "::1",
        "0x7f",
        "2130706433",
        "١",
        "។",
        "វីង",
        "аррӏе",
        "\u{200b}",
        "\u{202e}",
        "ß",
        "\u{0}",
        "?",
        "#",
        "=",
        "&",
        "😀",
        "。",
        "a",
        "9",
        " ",
        "\t",
        "\n",
        "🅰",
        "ﬀ",
        "İ",
        "\u{17d2}",
        "/../",
        "(",
        ")",
    ];
    let checker = checker();
    let runs: usize = std::env::var("SIMWARDEN_FUZZ")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(20_000);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % u64::try_from(below).unwrap()).unwrap()
    };
    for _ in 0..runs {
        let count = 1 + next(14);
        let text: String = (0..count).map(|_| pieces[next(pieces.len())]).collect();
        let report = check(&checker, &text);
        assert!(!report.reasons.is_empty(), "{text:?}");
        assert_eq!(report.host.is_none(), report.links == 0, "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        let report = check(&checker_once(), &text);
        prop_assert!(!report.reasons.is_empty());
    }

    /// What a browser takes for the host, the check takes for the host.
    #[test]
    fn hosts_agree_with_the_standard(text in "(https?://)?[a-zA-Z0-9.@:%_-]{1,20}\\.(com|kh|top)[/a-z?#]{0,6}") {
        let whole = if text.contains("://") { text.clone() } else { format!("http://{text}") };
        if let Ok(url) = url::Url::parse(&whole) {
            let host = url.host_str().map(|h| h.trim_end_matches('.').to_ascii_lowercase());
            prop_assert_eq!(check(&checker_once(), &text).host, host);
        }
    }
}

fn checker_once() -> LinkChecker {
    static ONE: std::sync::LazyLock<LinkChecker> = std::sync::LazyLock::new(checker);
    ONE.clone()
}
