//! Every dependency's licence is one that may be shipped under Apache-2.0. The list is the one of `deny.toml`.

use crate::metadata::Metadata;
use crate::{report, tree};

/// The licences between the brackets of `allow = [ … ]`.
fn allowed() -> Vec<String> {
    let text = tree::read("deny.toml");
    let list = text
        .split_once("allow = [")
        .expect("deny.toml has a list of licences")
        .1;
    let list = list.split_once(']').expect("the list ends").0;
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether an SPDX expression (or the old form with slashes) can be met: one side of each OR, both of each AND.
fn is_met(expression: &str, allowed: &[String]) -> bool {
    let expression = expression.replace(" / ", " OR ").replace('/', " OR ");
    either(
        &mut expression
            .replace('(', " ( ")
            .replace(')', " ) ")
            .split_whitespace()
            .peekable(),
        allowed,
    )
}

type Words<'w> = std::iter::Peekable<std::str::SplitWhitespace<'w>>;

fn either(words: &mut Words<'_>, allowed: &[String]) -> bool {
    let mut met = both(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        met |= both(words, allowed);
    }
    met
}

fn both(words: &mut Words<'_>, allowed: &[String]) -> bool {
    let mut met = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut Words<'_>, allowed: &[String]) -> bool {
    if words.next_if_eq(&"(").is_some() {
        let met = either(words, allowed);
        return words.next() == Some(")") && met;
    }
    let Some(mut name) = words.next().map(str::to_owned) else {
        return false;
    };
    if words.next_if_eq(&"WITH").is_some() {
        name = format!("{name} WITH {}", words.next().unwrap_or_default());
    }
    allowed.contains(&name)
}

#[test]
fn every_licence_is_allowed() {
    let allowed = allowed();
    let findings: Vec<String> = Metadata::read()
        .packages
        .iter()
        .filter(|p| {
            !p.license
                .as_deref()
                .is_some_and(|licence| is_met(licence, &allowed))
        })
        .map(|p| {
            format!(
                "{} {}: {}",
                p.name,
                p.version,
                p.license.as_deref().unwrap_or("no licence")
            )
        })
        .collect();
    report("licences that deny.toml does not allow", &findings);
}

#[test]
fn expressions_are_read_as_written() {
    let allowed = ["MIT".to_owned(), "ISC".to_owned()];
    for met in [
        "MIT",
        "GPL-3.0 OR MIT",
        "MIT/Apache-2.0",
        "(GPL-3.0 OR MIT) AND ISC",
        "ISC AND MIT",
    ] {
        assert!(is_met(met, &allowed), "{met}");
    }
    for unmet in ["GPL-3.0", "MIT AND GPL-3.0", "GPL-3.0 WITH MIT", "(MIT", ""] {
        assert!(!is_met(unmet, &allowed), "{unmet}");
    }
}
