//! Signs of a package and the rules that weigh them. Rules are data: which signs together, how bad, said how.

use super::archive::{Archive, FILE_MAX};
use super::manifest::Manifest;
use super::signature::signer;
use crate::link::{Brand, BrandError};
use crate::texts::{Language, text_of};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

const BUILT_IN: &str = include_str!("../../data/app_rules.toml");

/// How a package stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppLevel {
    /// Not an Android package: nothing to say.
    NotAnApp,
    /// No rule speaks against it. It is not called safe: nobody saw it run.
    Unremarkable,
    /// Signs of a stealer.
    Suspicious,
    /// Built like a stealer.
    Dangerous,
}

impl AppLevel {
    const fn word(self) -> &'static str {
        match self {
            Self::NotAnApp => "not_an_app",
            Self::Unremarkable => "unremarkable",
            Self::Suspicious => "suspicious",
            Self::Dangerous => "dangerous",
        }
    }
}

/// A rule that speaks against a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AppFinding {
    /// The rule.
    pub rule: String,
    /// How bad.
    pub level: AppLevel,
    /// In words.
    pub text: String,
}

/// The outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AppReport {
    /// How it stands.
    pub level: AppLevel,
    /// The name for machines.
    pub package: Option<String>,
    /// The name for people, when it stands in the manifest itself.
    pub label: Option<String>,
    /// What it asks for.
    pub permissions: Vec<String>,
    /// Every sign that was found.
    pub signs: Vec<String>,
    /// Rules that speak against it, the worst first.
    pub findings: Vec<AppFinding>,
    /// SHA-256 of the signer's certificate, hex; not verified.
    pub signer: Option<String>,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// What to do.
    pub advice: String,
}

/// Why no check could be made.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AppError {
    /// The rules.
    #[error("the app rules cannot be read: {0}")]
    Rules(String),
    /// The register.
    #[error(transparent)]
    Brands(#[from] BrandError),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    rule: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    id: String,
    level: AppLevel,
    #[serde(default)]
    all: Vec<String>,
    #[serde(default)]
    any: Vec<String>,
    #[serde(default)]
    none: Vec<String>,
    en: String,
    km: String,
    zh: String,
}

/// Checks packages.
#[derive(Debug)]
pub struct AppCheck {
    rules: Vec<Rule>,
    /// Names that an app may borrow.
    names: Vec<String>,
}

impl AppCheck {
    /// A check with the built-in rules and register, and more brands.
    ///
    /// # Errors
    /// When the built-in data cannot be read.
    pub fn new(more: Vec<Brand>) -> Result<Self, AppError> {
        Self::with_rules(BUILT_IN, more)
    }

    /// A check with rules of one's own.
    ///
    /// # Errors
    /// When they are not of the form.
    pub fn with_rules(rules: &str, more: Vec<Brand>) -> Result<Self, AppError> {
        let file: RuleFile = toml::from_str(rules).map_err(|e| AppError::Rules(e.to_string()))?;
        let mut brands = Brand::built_in()?;
        brands.extend(more);
        let labels = brands.iter().flat_map(|b| {
            b.domains
                .iter()
                .filter_map(|d| d.split('.').next())
                .map(str::to_owned)
                .chain(b.names.iter().cloned())
        });
        let latin = labels.map(|n| letters(&n)).filter(|n| n.len() >= 6);
        let native = brands.iter().flat_map(|b| b.native.iter().map(|n| letters(n)));
        Ok(Self {
            rules: file.rule,
            names: latin.chain(native).collect(),
        })
    }

    /// Checks the bytes of a file.
    #[must_use]
    pub fn check(&self, bytes: &[u8], language: Language) -> AppReport {
        let sha256 = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
        let mut report = AppReport {
            level: AppLevel::NotAnApp,
            package: None,
            label: None,
            permissions: Vec::new(),
            signs: Vec::new(),
            findings: Vec::new(),
            signer: None,
            sha256,
            advice: String::new(),
        };
        let signs = self.signs(bytes, &mut report);
        if let Some(signs) = signs {
            report.level = AppLevel::Unremarkable;
            for rule in self.rules.iter().filter(|rule| rule.speaks(&signs)) {
                let text = match language {
                    Language::En => &rule.en,
                    Language::Km => &rule.km,
                    Language::Zh => &rule.zh,
                };
                report.level = report.level.max(rule.level);
                report.findings.push(AppFinding {
                    rule: rule.id.clone(),
                    level: rule.level,
                    text: text.clone(),
                });
            }
            report.findings.sort_by_key(|f| std::cmp::Reverse(f.level));
            report.signs = signs.into_iter().map(str::to_owned).collect();
        }
        text_of(language, "app_advice", report.level.word()).clone_into(&mut report.advice);
        report
    }

    /// The signs of a package; `None` when it is none.
    fn signs(&self, bytes: &[u8], report: &mut AppReport) -> Option<BTreeSet<&'static str>> {
        let mut signs = BTreeSet::new();
        if bytes.len() as u64 > FILE_MAX {
            signs.insert("too_large");
            return Some(signs);
        }
        let archive = match Archive::read(bytes) {
            Ok(archive) => archive,
            Err(_) if bytes.starts_with(b"PK\x03\x04") && contains(bytes, b"AndroidManifest.xml") => {
                signs.insert("unreadable");
                return Some(signs);
            }
            Err(_) => return None,
        };
        if !archive.entries.iter().any(|e| e.name == "AndroidManifest.xml") {
            return None;
        }
        archive_signs(&archive, &mut signs);
        let signer = signer(bytes, &archive);
        report.signer = signer.digest.clone();
        if signer.digest.is_none() && !signer.old {
            signs.insert("unsigned");
        }
        if signer.debug {
            signs.insert("debug_certificate");
        }
        let manifest = archive
            .unpack("AndroidManifest.xml")
            .ok()
            .flatten()
            .and_then(|m| Manifest::read(&m));
        let Some(manifest) = manifest else {
            signs.insert("unreadable");
            return Some(signs);
        };
        manifest_signs(&manifest, &mut signs);
        if self.borrows(&manifest) {
            signs.insert("names_brand");
        }
        report.package = Some(manifest.package);
        report.label = manifest.label;
        report.permissions = manifest.permissions.into_iter().collect();
        Some(signs)
    }

    fn borrows(&self, manifest: &Manifest) -> bool {
        let label = letters(manifest.label.as_deref().unwrap_or_default());
        let package = letters(&manifest.package);
        self.names
            .iter()
            .any(|name| label.contains(name.as_str()) || package.contains(name.as_str()))
    }
}

fn letters(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && !c.is_ascii_punctuation())
        .flat_map(char::to_lowercase)
        .collect()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).take(1 << 20).any(|w| w == part)
}

impl Rule {
    fn speaks(&self, signs: &BTreeSet<&str>) -> bool {
        let has = |sign: &String| signs.contains(sign.as_str());
        self.all.iter().all(has)
            && (self.any.is_empty() || self.any.iter().any(has))
            && !self.none.iter().any(has)
    }
}

fn archive_signs(archive: &Archive<'_>, signs: &mut BTreeSet<&'static str>) {
    let mut names = BTreeSet::new();
    let mut unpacked = 0u64;
    for entry in &archive.entries {
        let name = entry.name.as_str();
        unpacked = unpacked.saturating_add(entry.unpacked);
        if name.split(['/', '\\']).any(|part| part == "..") || name.starts_with(['/', '\\']) {
            signs.insert("path_traversal");
        }
        if !names.insert(name) && (name == "AndroidManifest.xml" || name.ends_with(".dex")) {
            signs.insert("double_entries");
        }
        if entry.encrypted && (name == "AndroidManifest.xml" || name.ends_with(".dex")) {
            signs.insert("tampered_archive");
        }
        if entry.packed > 0 && entry.unpacked / entry.packed > 1_000 && entry.unpacked > 100 << 20 {
            signs.insert("archive_bomb");
        }
        let hidden = name.starts_with("assets/") || name.starts_with("res/raw/");
        let lower = name.to_ascii_lowercase();
        if hidden && [".apk", ".dex", ".jar"].iter().any(|end| lower.ends_with(end)) {
            signs.insert("hidden_code");
        }
        if PACKERS.iter().any(|p| name.ends_with(p)) {
            signs.insert("packer");
        }
    }
    if unpacked > 8 << 30 {
        signs.insert("archive_bomb");
    }
}

/// Libraries of tools that hide an app's code.
const PACKERS: &[&str] = &[
    "libjiagu.so",
    "libjiagu_art.so",
    "libDexHelper.so",
    "libsecexe.so",
    "libSecShell.so",
    "libshella.so",
    "libshellx.so",
    "libtup.so",
    "libexecmain.so",
    "libprotectClass.so",
    "libnqshield.so",
    "libbaiduprotect.so",
    "libapkprotect.so",
    "libddog.so",
    "libchaosvmp.so",
    "libkdp.so",
];

fn manifest_signs(manifest: &Manifest, signs: &mut BTreeSet<&'static str>) {
    for (permission, sign) in [
        ("INTERNET", "internet"),
        ("RECEIVE_SMS", "reads_sms"),
        ("READ_SMS", "reads_sms"),
        ("SEND_SMS", "sends_sms"),
        ("RECEIVE_MMS", "reads_sms"),
        ("SYSTEM_ALERT_WINDOW", "overlay"),
        ("REQUEST_INSTALL_PACKAGES", "installs_apps"),
        ("REQUEST_DELETE_PACKAGES", "installs_apps"),
        ("READ_CONTACTS", "contacts"),
        ("READ_CALL_LOG", "call_log"),
        ("CALL_PHONE", "calls"),
        ("PROCESS_OUTGOING_CALLS", "diverts_calls"),
        ("ANSWER_PHONE_CALLS", "diverts_calls"),
        ("RECORD_AUDIO", "records"),
        ("CAMERA", "camera"),
        ("RECEIVE_BOOT_COMPLETED", "starts_itself"),
        ("QUERY_ALL_PACKAGES", "sees_apps"),
        ("REQUEST_IGNORE_BATTERY_OPTIMIZATIONS", "stays_awake"),
        ("FOREGROUND_SERVICE_MEDIA_PROJECTION", "records_screen"),
        ("MANAGE_EXTERNAL_STORAGE", "all_files"),
    ] {
        if manifest.asks(permission) {
            signs.insert(sign);
        }
    }
    for (permission, sign) in [
        ("BIND_ACCESSIBILITY_SERVICE", "accessibility"),
        ("BIND_NOTIFICATION_LISTENER_SERVICE", "notifications"),
        ("BIND_DEVICE_ADMIN", "device_admin"),
        ("BIND_VPN_SERVICE", "vpn"),
        ("BIND_INPUT_METHOD", "keyboard"),
    ] {
        if manifest.bound_by(permission) {
            signs.insert(sign);
        }
    }
    if let Some(priority) = manifest.receives("android.provider.Telephony.SMS_RECEIVED") {
        signs.insert("hears_sms");
        if priority >= 999 {
            signs.insert("hears_sms_first");
        }
    }
    if manifest
        .receives("android.provider.Telephony.SMS_DELIVER")
        .is_some()
    {
        signs.insert("messenger");
    }
    if !manifest.has_icon() {
        signs.insert("no_icon");
    }
    if manifest.debuggable {
        signs.insert("debuggable");
    }
    if manifest.target_sdk.is_some_and(|sdk| sdk < 23) {
        signs.insert("asks_nothing");
    }
}
