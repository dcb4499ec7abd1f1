//! Stealers and honest apps, built here: real ones are neither fetched nor kept.

use super::*;
use crate::texts::Language;
use proptest::prelude::*;

/// Names of attributes with their resource numbers.
const ATTRIBUTES: &[(&str, u32)] = &[
    ("name", 0x0101_0003),
    ("label", 0x0101_0001),
    ("permission", 0x0101_0006),
    ("priority", 0x0101_001c),
    ("targetSdkVersion", 0x0101_0270),
];

#[derive(Clone)]
enum Value<'a> {
    Text(&'a str),
    Number(u32),
}
use Value::{Number, Text};

/// Writes binary XML.
struct Writer {
    strings: Vec<String>,
    body: Vec<u8>,
}

impl Writer {
    fn new() -> Self {
        Self {
            strings: ATTRIBUTES.iter().map(|(n, _)| (*n).to_owned()).collect(),
            body: Vec::new(),
        }
    }

    fn string(&mut self, text: &str) -> u32 {
        let at = self.strings.iter().position(|s| s == text).unwrap_or_else(|| {
            self.strings.push(text.to_owned());
            self.strings.len() - 1
        });
        u32::try_from(at).unwrap()
    }

    fn open(&mut self, name: &str, attributes: &[(&str, Value<'_>)]) -> &mut Self {
        let name = self.string(name);
        let mut chunk: Vec<u8> = Vec::new();
        let count = u16::try_from(attributes.len()).unwrap();
        for word in [1u32, u32::MAX, u32::MAX, name] {
            chunk.extend(word.to_le_bytes());
        }
        for half in [20u16, 20, count, 0, 0, 0] {
            chunk.extend(half.to_le_bytes());
        }
        for (attribute, value) in attributes {
            let attribute = self.string(attribute);
            let (raw, kind, data) = match value {
                Text(text) => {
                    let at = self.string(text);
                    (at, 3u32, at)
                }
                Number(number) => (u32::MAX, 0x10, *number),
            };
            for word in [u32::MAX, attribute, raw, 8 | kind << 24, data] {
                chunk.extend(word.to_le_bytes());
            }
        }
        self.chunk(0x0102, &chunk)
    }

    fn close(&mut self) -> &mut Self {
        let chunk: Vec<u8> = [1u32, u32::MAX, u32::MAX, 0]
            .iter()
            .flat_map(|w| w.to_le_bytes())
            .collect();
        self.chunk(0x0103, &chunk)
    }

    fn leaf(&mut self, name: &str, attributes: &[(&str, Value<'_>)]) -> &mut Self {
        self.open(name, attributes).close()
    }

    /// The first eight bytes of the head are the chunk's own, the next eight the node's.
    fn chunk(&mut self, kind: u16, content: &[u8]) -> &mut Self {
        self.body.extend(kind.to_le_bytes());
        self.body.extend(16u16.to_le_bytes());
        self.body
            .extend(u32::try_from(content.len() + 8).unwrap().to_le_bytes());
        self.body.extend(content);
        self
    }

    fn finish(&self) -> Vec<u8> {
        let (mut offsets, mut data) = (Vec::new(), Vec::new());
        for string in &self.strings {
            offsets.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
            data.push(u8::try_from(string.chars().count().min(127)).unwrap());
            data.push(u8::try_from(string.len()).unwrap());
            data.extend(string.as_bytes());
            data.push(0);
        }
        while data.len() % 4 != 0 {
            data.push(0);
        }
        let mut pool = Vec::new();
        let start = 28 + offsets.len();
        pool.extend(0x0001u16.to_le_bytes());
        pool.extend(28u16.to_le_bytes());
        for word in [start + data.len(), self.strings.len(), 0, 0x100, start, 0] {
            pool.extend(u32::try_from(word).unwrap().to_le_bytes());
        }
        pool.extend(offsets);
        pool.extend(data);
        let mut map = Vec::new();
        map.extend(0x0180u16.to_le_bytes());
        map.extend(8u16.to_le_bytes());
        map.extend(u32::try_from(8 + ATTRIBUTES.len() * 4).unwrap().to_le_bytes());
        map.extend(ATTRIBUTES.iter().flat_map(|(_, number)| number.to_le_bytes()));
        let mut out = Vec::new();
        out.extend(0x0003u16.to_le_bytes());
        out.extend(8u16.to_le_bytes());
        out.extend(
            u32::try_from(8 + pool.len() + map.len() + self.body.len())
                .unwrap()
                .to_le_bytes(),
        );
        out.extend(pool);
        out.extend(map);
        out.extend(&self.body);
        out
    }
}

/// A ZIP archive with stored entries.
fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, data) in entries {
        let offset = u32::try_from(out.len()).unwrap();
        let length = u32::try_from(data.len()).unwrap();
        let name_length = u16::try_from(name.len()).unwrap();
        out.extend(b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0");
        out.extend(length.to_le_bytes());
        out.extend(length.to_le_bytes());
        out.extend(name_length.to_le_bytes());
        out.extend([0, 0]);
        out.extend(name.as_bytes());
        out.extend(*data);
        directory.extend(b"PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\0\0\0\0\0\0");
        directory.extend(length.to_le_bytes());
        directory.extend(length.to_le_bytes());
        directory.extend(name_length.to_le_bytes());
        directory.extend([0; 12]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (start, count) = (
        u32::try_from(out.len()).unwrap(),
        u16::try_from(entries.len()).unwrap(),
    );
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

/// What an app is made of.
#[derive(Default)]
struct Recipe<'r> {
    label: &'r str,
    permissions: &'r [&'r str],
    bound: &'r [&'r str],
    hears: &'r [(&'r str, u32)],
    hidden: bool,
    files: &'r [(&'r str, &'r [u8])],
}

fn app(recipe: &Recipe<'_>) -> Vec<u8> {
    let mut xml = Writer::new();
    xml.open("manifest", &[("package", Text("org.sample.tool"))]);
    xml.leaf("uses-sdk", &[("targetSdkVersion", Number(33))]);
    for permission in recipe.permissions {
        xml.leaf(
            "uses-permission",
            &[("name", Text(&format!("android.permission.{permission}")))],
        );
    }
    xml.open("application", &[("label", Text(recipe.label))]);
    if !recipe.hidden {
        xml.open("activity", &[("name", Text(".Main"))])
            .open("intent-filter", &[]);
        xml.leaf("action", &[("name", Text("android.intent.action.MAIN"))]);
        xml.leaf("category", &[("name", Text("android.intent.category.LAUNCHER"))])
            .close()
            .close();
    }
    for permission in recipe.bound {
        xml.leaf(
            "service",
            &[
                ("name", Text(".S")),
                ("permission", Text(&format!("android.permission.{permission}"))),
            ],
        );
    }
    for (action, priority) in recipe.hears {
        xml.open("receiver", &[("name", Text(".R"))])
            .open("intent-filter", &[("priority", Number(*priority))]);
        xml.leaf("action", &[("name", Text(action))]).close().close();
    }
    xml.close().close();
    let manifest = xml.finish();
    let mut files: Vec<(&str, &[u8])> =
        vec![("AndroidManifest.xml", &manifest), ("classes.dex", b"dex\n035\0")];
    files.extend(recipe.files);
    files.push(("META-INF/CERT.RSA", b"signature"));
    zip(&files)
}

fn level(recipe: &Recipe<'_>) -> AppReport {
    AppCheck::new(Vec::new())
        .unwrap()
        .check(&app(recipe), Language::En)
}

const HEARS: &str = "android.provider.Telephony.SMS_RECEIVED";

#[test]
fn stealers_are_flagged_with_reasons() {
    let base = |permissions, bound, hears, hidden| Recipe {
        label: "Gift",
        permissions,
        bound,
        hears,
        hidden,
        files: &[],
    };
    let stealers = [
        base(&["INTERNET", "RECEIVE_SMS"], &[], &[(HEARS, 0)], true),
        base(&["INTERNET", "RECEIVE_SMS"], &[], &[(HEARS, 999)], false),
        base(&["INTERNET", "READ_SMS", "SYSTEM_ALERT_WINDOW"], &[], &[], false),
        base(
            &["INTERNET", "READ_SMS"],
            &["BIND_ACCESSIBILITY_SERVICE"],
            &[],
            false,
        ),
        base(
            &["INTERNET", "REQUEST_INSTALL_PACKAGES"],
            &["BIND_ACCESSIBILITY_SERVICE"],
            &[],
            false,
        ),
        base(
            &["INTERNET", "SYSTEM_ALERT_WINDOW"],
            &["BIND_ACCESSIBILITY_SERVICE"],
            &[],
            true,
        ),
        base(
            &["INTERNET", "RECEIVE_SMS"],
            &["BIND_NOTIFICATION_LISTENER_SERVICE"],
            &[],
            false,
        ),
        base(&["INTERNET", "READ_SMS"], &["BIND_DEVICE_ADMIN"], &[], false),
        base(
            &["INTERNET", "RECEIVE_SMS", "REQUEST_INSTALL_PACKAGES"],
            &[],
            &[(HEARS, 0)],
            false,
        ),
        base(
            &["INTERNET", "REQUEST_INSTALL_PACKAGES"],
            &["BIND_NOTIFICATION_LISTENER_SERVICE"],
            &[],
            false,
        ),
        base(&["INTERNET", "READ_SMS", "ANSWER_PHONE_CALLS"], &[], &[], false),
    ];
    for (at, recipe) in stealers.iter().enumerate() {
        let report = level(recipe);
        assert!(
            report.level == AppLevel::Dangerous && !report.findings.is_empty(),
            "{at}: {report:?}"
        );
    }
    let borrowed = Recipe {
        label: "ABA Mobile Update",
        permissions: &["INTERNET", "RECEIVE_SMS"],
        ..Recipe::default()
    };
    let report = level(&borrowed);
    assert_eq!(
        (report.level, report.findings[0].rule.as_str()),
        (AppLevel::Dangerous, "borrowed_name")
    );
    let native = Recipe {
        label: "ធនាគារវីង",
        permissions: &["READ_SMS"],
        ..Recipe::default()
    };
    assert_eq!(level(&native).level, AppLevel::Dangerous);
    let files: &[(&str, &[u8])] = &[("assets/update.apk", b"PK")];
    let dropper = Recipe {
        permissions: &["INTERNET", "REQUEST_INSTALL_PACKAGES"],
        files,
        ..Recipe::default()
    };
    assert_eq!(level(&dropper).level, AppLevel::Suspicious);
}

#[test]
fn honest_apps_are_not() {
    let deliver = "android.provider.Telephony.SMS_DELIVER";
    for recipe in [
        Recipe {
            label: "Notes",
            permissions: &["INTERNET"],
            ..Recipe::default()
        },
        Recipe {
            label: "ACLEDA Mobile",
            permissions: &["INTERNET", "CAMERA"],
            ..Recipe::default()
        },
        Recipe {
            label: "Messages",
            permissions: &["INTERNET", "READ_SMS", "SEND_SMS", "RECEIVE_SMS", "READ_CONTACTS"],
            hears: &[(deliver, 0), (HEARS, 0)],
            ..Recipe::default()
        },
        Recipe {
            label: "Volume",
            permissions: &["RECEIVE_SMS", "READ_CONTACTS"],
            ..Recipe::default()
        },
        Recipe {
            label: "Chat",
            permissions: &["INTERNET", "READ_CONTACTS", "RECORD_AUDIO", "CAMERA"],
            ..Recipe::default()
        },
        Recipe {
            label: "Shop",
            permissions: &["INTERNET", "RECEIVE_SMS"],
            hears: &[(HEARS, 0)],
            ..Recipe::default()
        },
        Recipe {
            label: "Reader",
            bound: &["BIND_ACCESSIBILITY_SERVICE"],
            ..Recipe::default()
        },
        Recipe {
            label: "Store",
            permissions: &["INTERNET", "REQUEST_INSTALL_PACKAGES"],
            ..Recipe::default()
        },
        Recipe {
            label: "Watch",
            permissions: &["INTERNET"],
            bound: &["BIND_NOTIFICATION_LISTENER_SERVICE"],
            ..Recipe::default()
        },
    ] {
        let report = level(&recipe);
        assert_eq!(
            report.level,
            AppLevel::Unremarkable,
            "{}: {report:?}",
            recipe.label
        );
        assert_eq!(report.package.as_deref(), Some("org.sample.tool"));
    }
}

#[test]
fn archives_built_against_checks_are_named_and_nothing_else_is_an_app() {
    let check = AppCheck::new(Vec::new()).unwrap();
    let look = |bytes: &[u8]| check.check(bytes, Language::En);
    assert_eq!(look(b"hello").level, AppLevel::NotAnApp);
    assert_eq!(look(&zip(&[("a.txt", b"a")])).level, AppLevel::NotAnApp);
    assert_eq!(look(&[]).level, AppLevel::NotAnApp);
    let rule = |report: AppReport| (report.level, report.findings.first().map(|f| f.rule.clone()));
    let tampered = (AppLevel::Suspicious, Some("tampered".to_owned()));
    assert_eq!(
        rule(look(&zip(&[("AndroidManifest.xml", b"not binary xml")]))),
        tampered
    );
    let files: &[(&str, &[u8])] = &[("../../etc/passwd", b"x")];
    assert_eq!(
        rule(level(&Recipe {
            files,
            ..Recipe::default()
        })),
        tampered
    );
    let files: &[(&str, &[u8])] = &[("classes.dex", b"second")];
    assert_eq!(
        rule(level(&Recipe {
            files,
            ..Recipe::default()
        })),
        tampered
    );
    let whole = app(&Recipe::default());
    assert_eq!(rule(look(&whole[..whole.len() - 30])), tampered);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn no_mutant_makes_a_panic(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12), cut in any::<prop::sample::Index>()) {
        let recipe = Recipe { label: "X", permissions: &["INTERNET", "READ_SMS"], hears: &[(HEARS, 5)], ..Recipe::default() };
        let mut bytes = app(&recipe);
        for (at, value) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *value;
        }
        let check = AppCheck::new(Vec::new()).unwrap();
        let _ = check.check(&bytes, Language::En);
        bytes.truncate(cut.index(bytes.len()));
        let _ = check.check(&bytes, Language::Zh);
    }
}
