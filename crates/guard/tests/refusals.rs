//! A wrong rule is refused when it is loaded, with file, line and what to write instead.

use simwarden_guard::{Engine, PackFile, PackSource, Shelf};

const PERMIT: &str = "@text(\"Owners lock.\")\n@source(\"test\")\npermit (principal == Role::\"subscriber\", \
                      action == Action::\"lock\", resource);";

/// Loads one rule beside a harmless permit and returns the complaint.
fn refusal(rule: &str) -> String {
    let file = |name: &str, text: &str| PackFile {
        path: format!("house/{name}.cedar"),
        text: text.to_owned(),
    };
    let source = PackSource {
        name: "house".into(),
        rules: vec![file("permit", PERMIT), file("rule", rule)],
        cases: Vec::new(),
    };
    match Engine::load(&source) {
        Ok(_) => panic!("was loaded:\n{rule}"),
        Err(error) => error.to_string(),
    }
}

/// A forbid with this effect and condition.
fn forbid(effect: &str, condition: &str) -> String {
    format!(
        "@text(\"Test.\")\n@effect(\"{effect}\")\n@reason(\"recent_swap\")\n@source(\"test\")\n\
         forbid (principal, action in Action::\"sensitive\", resource)\nwhen {{ {condition} }};"
    )
}

#[track_caller]
fn refused(rule: &str, says: &[&str]) {
    let error = refusal(rule);
    for word in says {
        assert!(error.contains(word), "`{word}` is missing in: {error}");
    }
}

#[test]
fn unknown_facts_and_wrong_types() {
    refused(
        &forbid("deny", "context.line.swap_agee < 10"),
        &["house/rule.cedar:6", "swap_agee"],
    );
    refused(
        &forbid("deny", "context.line.frozen < 10"),
        &["house/rule.cedar:6", "Long"],
    );
    refused(
        &forbid("deny", "context.line.swap_age"),
        &["house/rule.cedar", "Bool"],
    );
    refused(&forbid("deny", "context.nothing.frozen"), &["no fact"]);
    refused(&forbid("deny", "context.line.frozen &&"), &["house/rule.cedar:6"]);
}

#[test]
fn names_that_do_not_exist() {
    let rule = forbid("deny", "context.line.frozen");
    refused(
        &rule.replace("\"sensitive\"", "\"replce\""),
        &["replce", "replace"],
    );
    refused(
        &rule.replace("principal,", "principal == Role::\"agnt\","),
        &["rule.cedar:5", "agnt", "agent"],
    );
    refused(
        &rule.replace("resource)", "resource == Channel::\"store\")"),
        &["store", "owned_shop"],
    );
}

#[test]
fn weak_proofs_can_neither_be_asked_for_nor_read() {
    for word in [
        "kba",
        "call_log",
        "recent_payment",
        "sms_to_new_sim",
        "passkey|sms",
        "pin",
    ] {
        refused(
            &forbid(&format!("step_up {word}"), "context.line.frozen"),
            &["house/rule.cedar:2", "@effect", "never suffices"],
        );
    }
    refused(
        &forbid("deny", "!context.weak.knowledge"),
        &["knowledge questions", "no rule can count them"],
    );
}

#[test]
fn what_would_loosen() {
    refused(
        &forbid("allow", "context.line.frozen"),
        &["rule.cedar:2", "would loosen"],
    );
    refused(&forbid("unlock", "context.line.frozen"), &["would loosen"]);
    refused(
        &forbid("deny", "!context.line.frozen"),
        &["rule.cedar:6", "loosen"],
    );
    refused(&forbid("deny", "context.line.swap_age > 10"), &["loosen"]);
    refused(&forbid("deny", "context.evidence.passkey"), &["loosen"]);
    refused(
        &forbid("deny", "context.line.frozen || context.evidence.passkey"),
        &["as bad and as good"],
    );
    refused(
        &forbid("deny", "context.line.frozen == false"),
        &["has no direction"],
    );
    refused(
        &forbid(
            "deny",
            "if context.line.frozen then true else context.line.prepaid",
        ),
        &["never to loosen"],
    );
    refused(&forbid("deny", "context.line has frozen"), &["`has`"]);
    refused(
        &PERMIT.replace("resource);", "resource) when { context.line.frozen };"),
        &["permits more as facts get worse"],
    );
}

#[test]
fn emergency_calls_cannot_be_named() {
    for service in ["emergency", "all", "117", "119"] {
        refused(
            &forbid(&format!("restrict {service} both 24h"), "context.line.frozen"),
            &["rule.cedar:2", "never restricted"],
        );
    }
}

#[test]
fn what_protects_is_never_delayed() {
    let rule = forbid("hold 24h default cancel", "context.line.frozen")
        .replace("action in Action::\"sensitive\"", "action");
    refused(&rule, &["rule.cedar", "would delay `lock`", "sensitive"]);
    let rule = forbid("step_up passkey", "context.line.frozen")
        .replace("in Action::\"sensitive\"", "== Action::\"suspend\"")
        .replace("principal,", "principal == Role::\"subscriber\",");
    refused(&rule, &["would delay `suspend`"]);
}

#[test]
fn readers_are_permitted_nothing() {
    let open = "@text(\"Anybody.\")\n@source(\"test\")\npermit (principal, action, resource);";
    refused(open, &["auditor, feed or admin"]);
}

#[test]
fn annotations() {
    let rule = forbid("deny", "context.line.frozen");
    refused(
        &rule.replace("@reason(\"recent_swap\")\n", ""),
        &["needs @reason"],
    );
    refused(&rule.replace("@effect(\"deny\")\n", ""), &["needs @effect"]);
    refused(&rule.replace("@source(\"test\")\n", ""), &["add @source"]);
    refused(&rule.replace("@text(\"Test.\")\n", ""), &["add @text"]);
    refused(
        &rule.replace("recent_swap", "Recent Swap"),
        &["rule.cedar:3", "reason code"],
    );
    refused(
        &format!("@notify(\"neighbour\")\n{rule}"),
        &["rule.cedar:1", "old_contact"],
    );
    refused(&format!("@phase_in(\"soon\")\n{rule}"), &["2026-01-31"]);
    refused(&format!("@max_share(\"2\")\n{rule}"), &["0.10"]);
    refused(&format!("@record(\"long\")\n{rule}"), &["3y"]);
    refused(
        &format!("@confidence(\"sure\")\n{rule}"),
        &["seen, memory, conflict, house"],
    );
    refused(&format!("@exempt(\"me\")\n{rule}"), &["no annotation @exempt"]);
    refused(&format!("@id(\"other\")\n{rule}"), &["name of the file"]);
    refused(&format!("@effect(\"deny\")\n{PERMIT}"), &["belong to a `forbid`"]);
}

#[test]
fn every_problem_is_listed_at_once() {
    let error = refusal(&forbid("kba", "!context.line.frozen"));
    assert!(error.lines().count() >= 3, "{error}");
}

#[test]
fn packs_and_files() {
    let two = format!("{PERMIT}\n{PERMIT}");
    refused(&two, &["one file holds one Cedar policy"]);
    let shelf = Shelf::built_in().unwrap();
    let error = shelf.source(&["kh-defaut"]).unwrap_err().to_string();
    assert!(error.contains("kh-default"), "{error}");
    let big = PackFile {
        path: "house/big.cedar".into(),
        text: "x".repeat(65_537),
    };
    assert!(
        Shelf::from_files([big])
            .unwrap_err()
            .to_string()
            .contains("64 KiB")
    );
    assert!(Engine::load(&PackSource::default()).is_err());
}
