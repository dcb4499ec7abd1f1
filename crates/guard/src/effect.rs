//! What a rule does when it applies: the grammar of `@effect`.
//!
//! ```text
//! effect  = clause { ";" clause }
//! clause  = "deny"
//!         | "step_up" requirement
//!         | "hold" span [ "after" fact ] "default" ("cancel" | "proceed") [ "release" requirement ]
//!         | "restrict" service ("in" | "out" | "both") [ "a2p" ] [ "from" span ] [ span ] [ "until" requirement ]
//!         | "end" "after" span "unless" requirement
//!         | "refer" place
//!         | "tell"
//! ```
//! A hold counts from the request, or from the moment that an age speaks of. A hold that ends in `cancel` needs an
//! answer: without `release` that is the owner's approval or an answer from the old SIM. No clause loosens anything.

use crate::decision::{Direction, Ending, OnTimeout, Referral, Restriction, Service};
use crate::fact::Fact;
use crate::facts::Facts;
use crate::requirement::{Factor, Requirement};
use crate::span::Span;

/// One clause of an effect.
#[derive(Debug, Clone)]
pub(crate) enum Clause {
    Deny,
    StepUp(Requirement),
    Hold {
        span: Span,
        after: Option<&'static Fact>,
        on_timeout: OnTimeout,
        release: Option<Requirement>,
    },
    Restrict(Restriction),
    End(Ending),
    Refer(Referral),
    Tell,
}

impl Clause {
    /// Whether the clause delays the operation.
    pub(crate) const fn delays(&self) -> bool {
        matches!(self, Self::StepUp(_) | Self::Hold { .. })
    }
}

const GRAMMAR: &str = "write deny, step_up passkey|second_approver, hold 72h default cancel, \
     restrict sms both 24h, end after 35d unless face, refer owned_shop or tell, several joined by `;`";

/// Words by which a rule would loosen something.
const LOOSENING: &[&str] = &[
    "allow",
    "permit",
    "override",
    "unlock",
    "release_lock",
    "ignore_lock",
    "skip",
    "waive",
    "proceed",
    "disarm",
];

/// Reads the text of an `@effect`.
pub(crate) fn parse(text: &str) -> Result<Vec<Clause>, String> {
    let clauses: Vec<Clause> = text
        .split(';')
        .map(|clause| parse_clause(clause.trim()))
        .collect::<Result<_, _>>()?;
    let refers = clauses.iter().any(|clause| matches!(clause, Clause::Refer(_)));
    let stops = clauses
        .iter()
        .any(|clause| clause.delays() || matches!(clause, Clause::Deny));
    if refers && !stops {
        return Err("`refer` says where to go instead, so it needs a deny, hold or step_up beside it".into());
    }
    Ok(clauses)
}

struct Words<'a> {
    clause: &'a str,
    rest: std::iter::Peekable<std::str::SplitWhitespace<'a>>,
}

impl<'a> Words<'a> {
    fn next(&mut self, what: &str) -> Result<&'a str, String> {
        self.rest
            .next()
            .ok_or_else(|| format!("`{}` lacks {what}; {GRAMMAR}", self.clause))
    }

    fn take(&mut self, word: &str) -> bool {
        self.rest.next_if_eq(&word).is_some()
    }

    fn expect(&mut self, word: &str) -> Result<(), String> {
        let next = self.next(&format!("the word `{word}`"))?;
        if next == word {
            Ok(())
        } else {
            Err(format!(
                "`{}` has `{next}` where `{word}` belongs; {GRAMMAR}",
                self.clause
            ))
        }
    }

    fn parse<T: std::str::FromStr<Err = String>>(&mut self, what: &str) -> Result<T, String> {
        self.next(what)?.parse()
    }

    /// What follows the keyword, if the keyword is there.
    fn option<T: std::str::FromStr<Err = String>>(&mut self, keyword: &str) -> Result<Option<T>, String> {
        if self.take(keyword) {
            self.parse(&format!("what follows `{keyword}`")).map(Some)
        } else {
            Ok(None)
        }
    }
}

fn parse_clause(clause: &str) -> Result<Clause, String> {
    let mut words = Words {
        clause,
        rest: clause.split_whitespace().peekable(),
    };
    let parsed = match words.next("an effect")? {
        "deny" => Clause::Deny,
        "tell" => Clause::Tell,
        "step_up" => Clause::StepUp(words.parse("a requirement")?),
        "refer" => Clause::Refer(words.parse("a place")?),
        "hold" => hold(&mut words)?,
        "restrict" => restrict(&mut words)?,
        "end" => {
            words.expect("after")?;
            let after = words.parse("a span")?;
            words.expect("unless")?;
            Clause::End(Ending {
                after,
                unless: words.parse("a requirement")?,
            })
        }
        word if LOOSENING.contains(&word) => {
            return Err(format!(
                "`{word}` would loosen a decision, and no rule can: rules only deny, hold, ask for more or restrict; \
                 say who may ask at all in a `permit`"
            ));
        }
        word => return Err(format!("`{word}` is no effect; {GRAMMAR}")),
    };
    match words.rest.next() {
        None => Ok(parsed),
        Some(word) => Err(format!("`{clause}` does not need `{word}`; {GRAMMAR}")),
    }
}

fn hold(words: &mut Words<'_>) -> Result<Clause, String> {
    let span = words.parse("a span")?;
    let after = if words.take("after") {
        let path = words.next("the age to count from")?;
        let fact = Facts::find(path).filter(|fact| fact.kind.is_age());
        Some(fact.ok_or_else(|| format!("`{path}` is no age; hold … after line.contact_change_age"))?)
    } else {
        None
    };
    words.expect("default")?;
    let on_timeout = words.parse("cancel or proceed")?;
    let release = match (words.option("release")?, on_timeout) {
        (Some(release), _) => Some(release),
        (None, OnTimeout::Cancel) => Some(Requirement::any_of(&[
            Factor::OwnerApproval,
            Factor::OldSimConfirm,
        ])),
        (None, OnTimeout::Proceed) => None,
    };
    Ok(Clause::Hold {
        span,
        after,
        on_timeout,
        release,
    })
}

fn restrict(words: &mut Words<'_>) -> Result<Clause, String> {
    let service = match words.next("a service")? {
        word @ ("emergency" | "emergency_calls" | "all" | "service" | "112" | "117" | "118" | "119"
        | "911") => {
            return Err(format!(
                "`restrict {word}` would reach emergency calls, which are never restricted; name sms, voice, data, \
                 forwarding or roaming"
            ));
        }
        word => word.parse::<Service>()?,
    };
    let direction = words.parse::<Direction>("in, out or both")?;
    let a2p_only = words.take("a2p");
    let from = words.option("from")?;
    let lasts = match words.rest.next_if(|word| *word != "until") {
        Some(span) => Some(span.parse::<Span>()?),
        None => None,
    };
    let until = words.option("until")?;
    if lasts.is_none() && until.is_none() {
        return Err(format!(
            "`{}` has no end; add a span (24h) or `until` with a requirement",
            words.clause
        ));
    }
    Ok(Clause::Restrict(Restriction {
        service,
        direction,
        from,
        lasts,
        until,
        a2p_only,
    }))
}

#[cfg(test)]
mod tests {
    use super::{Clause, parse};

    #[test]
    fn reads_every_form() {
        let text = "deny; step_up passkey|document+face(far<=100ppm,pad>=2); hold 6h default cancel; \
                    hold 72h after line.contact_change_age default proceed release in_person; \
                    restrict sms both a2p from 2h 24h; restrict voice out until face; \
                    end after 35d unless face; refer owned_shop; tell";
        assert_eq!(parse(text).unwrap().len(), 9);
        let Clause::Hold { release, .. } = &parse("hold 6h default cancel").unwrap()[0] else {
            panic!("no hold");
        };
        assert_eq!(
            release.as_ref().unwrap().to_string(),
            "owner_approval|old_sim_confirm"
        );
    }

    #[test]
    fn says_what_to_write_instead() {
        for (text, said) in [
            ("", "lacks an effect"),
            ("hold", "lacks a span"),
            ("hold 72x default cancel", "72h"),
            ("hold 72h", "the word `default`"),
            ("hold 72h default maybe", "default cancel"),
            ("hold 72h after line.prepaid default cancel", "is no age"),
            ("step_up kba", "knowledge questions"),
            ("step_up passkey|sms_new_sim", "never suffices"),
            ("step_up pasky", "use one of: passkey"),
            ("step_up fingers(11)", "1 to 10"),
            ("step_up face(far<=1%)", "far<=100ppm"),
            ("restrict emergency both 24h", "never restricted"),
            ("restrict all both 24h", "never restricted"),
            ("restrict sms both", "has no end"),
            ("allow", "would loosen"),
            ("unlock", "would loosen"),
            ("refer owned_shop", "needs a deny"),
            ("deny now", "does not need `now`"),
            ("end after 35d", "unless"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
