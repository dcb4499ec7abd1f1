//! What is held against a phone, and how much: weights and limits are data. What the chip proves goes before what the
//! phone says of itself, and the report marks which is which.

use super::attestation::Attestation;
use super::key_description::BootState;
use crate::texts::{Language, text_of};
use serde::{Deserialize, Serialize};

/// What a phone, or an app on it, says of itself. What is not said is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Posture {
    /// Patch level of the system, `2026-08` or `2026-08-05`.
    pub os_patch: Option<String>,
    /// Whether the bootloader is unlocked.
    pub bootloader_unlocked: Option<bool>,
    /// Whether the phone is rooted.
    pub rooted: Option<bool>,
    /// Whether apps may be installed past the store.
    pub unknown_sources: Option<bool>,
    /// Whether there is a screen lock.
    pub screen_lock: Option<bool>,
    /// Whether debugging over USB is on.
    pub usb_debugging: Option<bool>,
    /// Whether the store's app check is on.
    pub app_verification: Option<bool>,
    /// Packages that may read and operate the screen.
    pub accessibility: Vec<String>,
    /// Packages that administer the phone.
    pub device_admins: Vec<String>,
    /// Packages that are installed.
    pub packages: Vec<String>,
}

/// Weights and limits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhonePolicy {
    /// From this sum on a phone is *at risk*.
    pub risk_from: u32,
    /// From this sum on nothing may be moved to it.
    pub danger_from: u32,
    /// Months without a patch that are still well.
    pub patch_months_well: i64,
    /// Months without a patch from which it weighs fully.
    pub patch_months_max: i64,
    /// Weights by reason.
    pub weights: std::collections::BTreeMap<PhoneReason, u32>,
    /// Packages (or beginnings that end in `.`) that let others operate the phone.
    pub remote_control: Vec<String>,
    /// Packages that are used to root phones.
    pub rooting: Vec<String>,
    /// Packages that may rightly read the screen.
    pub accessibility_known: Vec<String>,
}

/// Why a policy was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the phone policy cannot be read: {0}")]
pub struct PolicyError(String);

const BUILT_IN: &str = include_str!("../../data/phone_policy.toml");

impl PhonePolicy {
    /// The built-in policy.
    ///
    /// # Errors
    /// Never for the file as it stands; a test reads it.
    pub fn built_in() -> Result<Self, PolicyError> {
        Self::read(BUILT_IN)
    }

    /// A policy of one's own.
    ///
    /// # Errors
    /// When it is not of the form.
    pub fn read(text: &str) -> Result<Self, PolicyError> {
        toml::from_str(text).map_err(|e| PolicyError(e.to_string()))
    }
}

macro_rules! phone_reasons {
    ($($(#[$meta:meta])* $name:ident = $word:literal;)+) => {
        /// What is held against a phone.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum PhoneReason { $($(#[$meta])* $name),+ }

        impl PhoneReason {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The word of the API and of the texts.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }
        }
    };
}

phone_reasons! {
    /// The chain proves nothing.
    AttestationRefused = "attestation_refused";
    /// The bootloader is unlocked.
    BootloaderUnlocked = "bootloader_unlocked";
    /// The system is not the maker's.
    BootNotVerified = "boot_not_verified";
    /// The system was not mended for long.
    PatchOld = "patch_old";
    /// A lower patch level than the same key showed before.
    RolledBack = "rolled_back";
    /// Rooted.
    Rooted = "rooted";
    /// Apps from anywhere.
    UnknownSources = "unknown_sources";
    /// An app that nobody knows reads the screen.
    AccessibilityAbuse = "accessibility_abuse";
    /// Somebody else can operate the phone.
    RemoteControl = "remote_control";
    /// No screen lock.
    NoScreenLock = "no_screen_lock";
    /// Debugging over USB.
    UsbDebugging = "usb_debugging";
    /// The store's check of apps is off.
    AppVerificationOff = "app_verification_off";
    /// Nothing about the phone is proven.
    NothingProven = "nothing_proven";
}

/// One thing that is held against a phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub reason: PhoneReason,
    /// Proven by the chip; otherwise the phone's own word.
    pub proven: bool,
    /// More exactly: a package, a number of months, why a chain was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What to do.
    pub advice: &'static str,
}

/// How a phone stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PhoneLevel {
    /// Proven, and nothing weighs against it.
    Well,
    /// Nothing weighs against it, but nothing is proven either.
    Unproven,
    /// Something should be mended.
    AtRisk,
    /// Nothing may be moved to it.
    Dangerous,
}

/// The outcome.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PhoneReport {
    /// How it stands.
    pub level: PhoneLevel,
    /// Sum of the weights.
    pub score: u32,
    /// What is held against it, the heaviest first.
    pub findings: Vec<Finding>,
    /// What the chip says, when a chain held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attestation: Option<Attestation>,
}

/// Patch levels that one key showed: system (`202608`), vendor and boot (`20260805`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PatchLevels {
    /// The system's.
    pub os: Option<u64>,
    /// The maker's part.
    pub vendor: Option<u64>,
    /// The bootloader's.
    pub boot: Option<u64>,
}

impl PatchLevels {
    /// Those of an attestation; only what the chip itself says.
    #[must_use]
    pub fn of(attestation: &Attestation) -> Self {
        let claims = &attestation.description.hardware_enforced;
        let number = |name| claims.number(name);
        Self {
            os: number("osPatchLevel"),
            vendor: number("vendorPatchLevel"),
            boot: number("bootPatchLevel"),
        }
    }
}

/// Whether a later showing of the same key is lower than an earlier one in any part: the phone was set back to a system
/// with known holes. A part that was shown and now is not counts as lower.
#[must_use]
pub fn rolled_back(before: PatchLevels, now: PatchLevels) -> bool {
    let lower = |before: Option<u64>, now: Option<u64>| before.is_some_and(|b| now.is_none_or(|n| n < b));
    lower(before.os, now.os) || lower(before.vendor, now.vendor) || lower(before.boot, now.boot)
}

struct Sum<'p> {
    policy: &'p PhonePolicy,
    language: Language,
    findings: Vec<(u32, Finding)>,
}

impl Sum<'_> {
    fn add(&mut self, reason: PhoneReason, proven: bool, detail: Option<String>) {
        let weight = self.policy.weights.get(&reason).copied().unwrap_or(0);
        self.add_weighing(reason, proven, detail, weight);
    }

    fn add_weighing(&mut self, reason: PhoneReason, proven: bool, detail: Option<String>, weight: u32) {
        if self
            .findings
            .iter()
            .any(|(_, f)| f.reason == reason && (f.proven || !proven))
        {
            return;
        }
        let advice = text_of(self.language, "phone_advice", reason.word());
        self.findings.push((
            weight,
            Finding {
                reason,
                proven,
                detail,
                advice,
            },
        ));
    }

    fn patch(&mut self, month: i64, today_month: i64, proven: bool) {
        let age = today_month - month;
        let policy = self.policy;
        if age <= policy.patch_months_well {
            return;
        }
        let full = policy.weights.get(&PhoneReason::PatchOld).copied().unwrap_or(0);
        let span = (policy.patch_months_max - policy.patch_months_well).max(1);
        let over = (age - policy.patch_months_well).min(span);
        let part = u32::try_from(i64::from(full) * over / span).unwrap_or(full);
        let part = part.max(1);
        self.add_weighing(PhoneReason::PatchOld, proven, Some(format!("{age} months")), part);
    }
}

/// Weighs what is known of a phone. `today` as year and month.
#[must_use]
pub fn assess(
    attestation: Option<Result<Attestation, super::Refusal>>,
    posture: &Posture,
    before: Option<PatchLevels>,
    today: (i64, i64),
    policy: &PhonePolicy,
    language: Language,
) -> PhoneReport {
    let mut sum = Sum {
        policy,
        language,
        findings: Vec::new(),
    };
    let today_month = today.0 * 12 + today.1;
    let proven = match attestation {
        Some(Ok(attestation)) => {
            weigh_proof(&mut sum, &attestation, before, today_month);
            Some(attestation)
        }
        Some(Err(refusal)) => {
            sum.add(PhoneReason::AttestationRefused, true, Some(refusal.to_string()));
            None
        }
        None => None,
    };
    weigh_word(&mut sum, posture, proven.is_some(), today_month);
    if proven.is_none() {
        sum.add(PhoneReason::NothingProven, false, None);
    }
    let Sum { mut findings, .. } = sum;
    findings.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let score = findings.iter().map(|(weight, _)| weight).sum();
    let level = match () {
        () if score >= policy.danger_from => PhoneLevel::Dangerous,
        () if score >= policy.risk_from => PhoneLevel::AtRisk,
        () if proven.is_none() => PhoneLevel::Unproven,
        () => PhoneLevel::Well,
    };
    PhoneReport {
        level,
        score,
        findings: findings.into_iter().map(|(_, f)| f).collect(),
        attestation: proven,
    }
}

fn weigh_proof(sum: &mut Sum<'_>, proof: &Attestation, before: Option<PatchLevels>, today_month: i64) {
    let claims = &proof.description.hardware_enforced;
    match &claims.root_of_trust {
        Some(root) => {
            if !root.device_locked {
                sum.add(PhoneReason::BootloaderUnlocked, true, None);
            }
            if root.verified_boot_state != BootState::Verified {
                sum.add(
                    PhoneReason::BootNotVerified,
                    true,
                    Some(format!("{:?}", root.verified_boot_state)),
                );
            }
        }
        None => sum.add(
            PhoneReason::BootNotVerified,
            true,
            Some("the chip does not say".into()),
        ),
    }
    let levels = PatchLevels::of(proof);
    let months = [
        levels.os,
        levels.vendor.map(|l| l / 100),
        levels.boot.map(|l| l / 100),
    ];
    let month = |level: u64| i64::try_from(level / 100 * 12 + level % 100).unwrap_or(0);
    match months.into_iter().flatten().filter(|l| *l > 0).min() {
        Some(oldest) => sum.patch(month(oldest), today_month, true),
        None => sum.add(PhoneReason::PatchOld, true, Some("the chip does not say".into())),
    }
    if before.is_some_and(|before| rolled_back(before, levels)) {
        sum.add(PhoneReason::RolledBack, true, None);
    }
}

fn weigh_word(sum: &mut Sum<'_>, posture: &Posture, proven: bool, today_month: i64) {
    if !proven {
        if let Some((year, month)) = posture.os_patch.as_deref().and_then(year_and_month) {
            sum.patch(year * 12 + month, today_month, false);
        }
        if posture.bootloader_unlocked == Some(true) {
            sum.add(PhoneReason::BootloaderUnlocked, false, None);
        }
    }
    let policy = sum.policy;
    let among = |list: &[String], package: &str| {
        list.iter().any(|known| match known.strip_suffix('.') {
            Some(_) => package.starts_with(known.as_str()),
            None => package == known,
        })
    };
    let first = |packages: &[String], list: &[String]| packages.iter().find(|p| among(list, p)).cloned();
    let rooting = first(&posture.packages, &policy.rooting);
    if posture.rooted == Some(true) || rooting.is_some() {
        sum.add(PhoneReason::Rooted, false, rooting);
    }
    let everything = [
        &posture.packages[..],
        &posture.accessibility,
        &posture.device_admins,
    ]
    .concat();
    if let Some(package) = first(&everything, &policy.remote_control) {
        sum.add(PhoneReason::RemoteControl, false, Some(package));
    }
    let stranger = posture.accessibility.iter().find(|p| {
        let package = p.split('/').next().unwrap_or(p);
        !among(&policy.accessibility_known, package) && !among(&policy.remote_control, package)
    });
    if let Some(package) = stranger {
        sum.add(PhoneReason::AccessibilityAbuse, false, Some(package.clone()));
    }
    for (said, bad, reason) in [
        (posture.unknown_sources, true, PhoneReason::UnknownSources),
        (posture.screen_lock, false, PhoneReason::NoScreenLock),
        (posture.usb_debugging, true, PhoneReason::UsbDebugging),
        (posture.app_verification, false, PhoneReason::AppVerificationOff),
    ] {
        if said == Some(bad) {
            sum.add(reason, false, None);
        }
    }
}

fn year_and_month(text: &str) -> Option<(i64, i64)> {
    let mut parts = text.split('-');
    let (year, month) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    ((2008..=2200).contains(&year) && (1..=12).contains(&month)).then_some((year, month))
}
