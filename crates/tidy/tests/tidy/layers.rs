//! No arrow points up: which crate of the house may depend on which, and who alone may know SQL and HTTP.

use crate::metadata::Metadata;
use crate::report;

const MODEL: &[&str] = &["model"];
const CORE: &[&str] = &["model", "guard", "detect", "identity", "checkup", "rsp", "ledger"];

/// The crates that one crate may depend on, tests aside.
fn may_use(name: &str) -> Option<Vec<&'static str>> {
    let with = |more: &[&'static str]| [CORE, more].concat();
    Some(match name {
        "model" | "tidy" => vec![],
        "guard" | "detect" | "identity" | "checkup" | "rsp" | "ledger" => MODEL.to_vec(),
        // The engine's threads and files; knows nothing of the house but the engine.
        "replay" => vec!["model", "detect"],
        // As a core crate in what it may use; not for the product's own logic, whose judge it is.
        "euicc" => MODEL.to_vec(),
        "store" => CORE.to_vec(),
        "app" => with(&["store"]),
        // Not on the store: what they need of it goes through the use cases.
        "links" | "web" => with(&["app"]),
        "drill" => with(&["app", "store", "euicc"]),
        "simwarden" => with(&["store", "app", "links", "web", "drill", "euicc", "replay"]),
        _ => return None,
    })
}

#[test]
fn no_arrow_points_up() {
    let mut findings = Vec::new();
    let metadata = Metadata::read();
    for package in metadata.members() {
        let name = package.name.trim_start_matches("simwarden-");
        let Some(allowed) = may_use(name) else {
            findings.push(format!(
                "{name} is new: say in tidy's layers.rs and docs/ARCHITECTURE.md where it stands"
            ));
            continue;
        };
        for dependency in &package.dependencies {
            let Some(used) = dependency.name.strip_prefix("simwarden-") else {
                continue;
            };
            if dependency.kind.as_deref() != Some("dev") && !allowed.contains(&used) {
                findings.push(format!("{name} depends on {used}; it may use only {allowed:?}"));
            }
        }
    }
    report("dependencies that point up or across", &findings);
}

/// Who alone may depend on these, tests aside.
const KEPT_TO: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("rusqlite", &["store"]),
    ("axum", &["web"]),
    ("utoipa", &["web"]),
    ("cedar-policy", &["guard"]),
];
/// What brings files, sockets, threads or clocks with it: nothing for a core crate.
const NOT_IN_CORE: &[&str] = &[
    "tokio",
    "async-std",
    "axum",
    "hyper",
    "reqwest",
    "ureq",
    "sqlx",
    "rusqlite",
    "getrandom",
    "rand",
    "tempfile",
    "tracing-subscriber",
    "anyhow",
];

#[test]
fn only_the_store_knows_sql_and_only_the_edge_knows_http() {
    let mut findings = Vec::new();
    let metadata = Metadata::read();
    for package in metadata.members() {
        let name = package.name.trim_start_matches("simwarden-");
        for dependency in package
            .dependencies
            .iter()
            .filter(|d| d.kind.as_deref() != Some("dev"))
        {
            for (kept, to) in KEPT_TO {
                if dependency.name == *kept && !to.contains(&name) {
                    findings.push(format!("{name} depends on {kept}, which only {to:?} may"));
                }
            }
            if (CORE.contains(&name) || name == "euicc") && NOT_IN_CORE.contains(&dependency.name.as_str()) {
                findings.push(format!(
                    "{name} is core and does no I/O, yet depends on {}",
                    dependency.name
                ));
            }
        }
    }
    report("dependencies in the wrong crate", &findings);
}

/// The store hears PostgreSQL's "the standby did not confirm" through `tracing`; a feature that compiles events out
/// would make it deaf, and an unconfirmed commit would pass for a confirmed one.
#[test]
fn no_crate_compiles_warnings_out() {
    let metadata = Metadata::read();
    let mut findings = Vec::new();
    for (name, features) in metadata.features() {
        if name == "tracing" || name == "log" {
            for feature in features {
                if [
                    "max_level_off",
                    "max_level_error",
                    "release_max_level_off",
                    "release_max_level_error",
                ]
                .contains(&feature)
                {
                    findings.push(format!("{name} has the feature {feature}"));
                }
            }
        }
    }
    report("features that compile warnings out", &findings);
}
