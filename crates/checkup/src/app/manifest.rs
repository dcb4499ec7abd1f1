//! What a manifest says: who the app is, what it asks for, and which of its parts the system may call.

use super::axml::{self, Element};
use std::collections::BTreeSet;

/// A service or receiver.
#[derive(Debug, Clone, Default)]
pub(crate) struct Part {
    pub kind: String,
    pub permission: Option<String>,
    pub actions: Vec<String>,
    pub categories: Vec<String>,
    pub priority: i32,
}

/// The manifest.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manifest {
    pub package: String,
    pub label: Option<String>,
    pub permissions: BTreeSet<String>,
    pub debuggable: bool,
    pub target_sdk: Option<u32>,
    pub parts: Vec<Part>,
}

impl Manifest {
    /// Reads a binary manifest. `None` when it is none.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut found = Self::default();
        for element in axml::read(bytes)? {
            found.take(&element);
        }
        (!found.package.is_empty()).then_some(found)
    }

    fn take(&mut self, element: &Element) {
        let name = || element.text("name").unwrap_or_default().to_owned();
        match element.name.as_str() {
            "manifest" => self.package = element.text("package").unwrap_or_default().to_owned(),
            "uses-permission" | "uses-permission-sdk-23" => {
                self.permissions.insert(name());
            }
            "uses-sdk" => self.target_sdk = element.attribute("targetSdkVersion").map(|a| a.number),
            "application" => {
                self.label = element.text("label").map(str::to_owned);
                self.debuggable = element.attribute("debuggable").is_some_and(|a| a.number != 0);
            }
            kind @ ("service" | "receiver" | "activity" | "activity-alias" | "provider") => {
                self.parts.push(Part {
                    kind: kind.to_owned(),
                    permission: element.text("permission").map(str::to_owned),
                    ..Part::default()
                })
            }
            "intent-filter" => {
                let priority = element
                    .attribute("priority")
                    .map_or(0, |a| a.number.cast_signed());
                if let Some(part) = self.parts.last_mut() {
                    part.priority = part.priority.max(priority);
                }
            }
            "action" | "category" => {
                if let Some(part) = self.parts.last_mut() {
                    if element.name == "action" {
                        part.actions.push(name())
                    } else {
                        part.categories.push(name())
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether it asks for a permission of the system, named without its beginning.
    pub(crate) fn asks(&self, permission: &str) -> bool {
        self.permissions
            .contains(&format!("android.permission.{permission}"))
    }

    /// Whether a part is bound by a permission that only the system has.
    pub(crate) fn bound_by(&self, permission: &str) -> bool {
        let whole = format!("android.permission.{permission}");
        self.parts
            .iter()
            .any(|p| p.permission.as_deref() == Some(whole.as_str()))
    }

    /// The highest priority of a receiver of an action.
    pub(crate) fn receives(&self, action: &str) -> Option<i32> {
        let hears = |p: &&Part| p.kind == "receiver" && p.actions.iter().any(|a| a == action);
        self.parts.iter().filter(hears).map(|p| p.priority).max()
    }

    /// Whether it can be started from the home screen.
    pub(crate) fn has_icon(&self) -> bool {
        let starts = |p: &Part| {
            p.categories
                .iter()
                .any(|c| c.ends_with(".LAUNCHER") || c.ends_with("_LAUNCHER"))
        };
        self.parts.iter().any(starts)
    }
}
