//! What people are told, in their language, on channels that the requester does not hold.

use crate::Error;
use crate::decide::Work;
use crate::draft::Draft;
use crate::ports::Notice;
use crate::secrets::{LineSecret, Of, open, seal, subject_key};
use simwarden_guard::Notify;
use simwarden_model::OutboxId;
use simwarden_store::records::outbox::OutboxItem;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What notices are called among the effects.
pub(crate) const NOTIFY: &str = "notify";

/// Why people are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    Requested,
    Held,
    Denied,
    Question,
    Completed,
    Stopped,
    Frozen,
    RolledBack,
    DownloadElsewhere,
    DownloadCodes,
    DownloadHeld,
    DownloadFailed,
}

impl Occasion {
    #[cfg(test)]
    const ALL: [Self; 12] = [
        Self::Requested,
        Self::Held,
        Self::Denied,
        Self::Question,
        Self::Completed,
        Self::Stopped,
        Self::Frozen,
        Self::RolledBack,
        Self::DownloadElsewhere,
        Self::DownloadCodes,
        Self::DownloadHeld,
        Self::DownloadFailed,
    ];

    const fn key(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Held => "held",
            Self::Denied => "denied",
            Self::Question => "question",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::Frozen => "frozen",
            Self::RolledBack => "rolled_back",
            Self::DownloadElsewhere => "download_elsewhere",
            Self::DownloadCodes => "download_codes",
            Self::DownloadHeld => "download_held",
            Self::DownloadFailed => "download_failed",
        }
    }
}

type Texts = HashMap<String, String>;

static TEXTS: LazyLock<[(&'static str, Texts); 3]> = LazyLock::new(|| {
    let read = |text: &str| serde_json::from_str(text).unwrap_or_default();
    [
        ("km", read(include_str!("../../../content/km/notices.json"))),
        ("en", read(include_str!("../../../content/en/notices.json"))),
        ("zh", read(include_str!("../../../content/zh/notices.json"))),
    ]
});

/// The language of notices when nobody chose one.
pub(crate) const LANGUAGE: &str = "km";
/// Where a notice says to stop an operation; the portal's own link comes with the portal.
pub(crate) const STOP: &str = "*555#";

fn texts(language: &str) -> &'static Texts {
    let found = TEXTS.iter().find(|(name, _)| *name == language);
    &found.unwrap_or(&TEXTS[0]).1
}

/// One text in one language.
pub(crate) fn text(language: &str, key: &str) -> String {
    texts(language).get(key).cloned().unwrap_or_default()
}

/// What an owner reads before approving, in every language: what would happen, to which line, asked where.
pub(crate) fn plain_words(
    operation: &simwarden_store::records::operation::Operation,
) -> HashMap<String, String> {
    let place = operation
        .shop
        .clone()
        .unwrap_or_else(|| operation.channel.to_string());
    TEXTS
        .iter()
        .map(|(language, texts)| {
            let text = |key: &str| texts.get(key).map_or("", String::as_str);
            let words = text("sign")
                .replace("{operation}", text(&format!("operation.{}", operation.kind)))
                .replace("{line}", &operation.line_masked)
                .replace("{place}", &place);
            ((*language).to_owned(), words)
        })
        .collect()
}

fn write(occasion: Occasion, language: &str, work: &Work<'_>) -> String {
    let texts = texts(language);
    let text = |key: &str| texts.get(key).map_or("", String::as_str);
    let operation = text(&format!("operation.{}", work.operation.kind));
    let until = work
        .operation
        .hold_until
        .map_or_else(String::new, |at| at.to_string()[..16].replace('T', " "));
    text(occasion.key())
        .replace("{operation}", operation)
        .replace("{line}", &work.operation.line_masked)
        .replace("{until}", &until)
        .replace("{stop}", STOP)
}

/// Puts a notice for each recipient into the outbox, sealed. Nobody is told twice of one occasion.
pub(crate) fn queue_notices(
    work: &Work<'_>,
    occasion: Occasion,
    to: &[Notify],
    draft: &mut Draft<'_>,
) -> Result<(), Error> {
    let Some(line) = work.line() else { return Ok(()) };
    let owner = line.row.party_id;
    let key = subject_key(&work.shared.keyring, work.world.keys.get(&owner))?;
    let secret: LineSecret = match &line.row.sealed {
        Some(sealed) => open(&key, Of::Line, line.row.id.as_bytes(), sealed)?,
        None => return Ok(()),
    };
    let language = secret.language.clone().unwrap_or_else(|| LANGUAGE.to_owned());
    let text = write(occasion, &language, work);
    let mut seen: Vec<Notify> = Vec::new();
    let mut queued: Vec<Notify> = Vec::new();
    for recipient in to {
        if seen.contains(recipient) {
            continue;
        }
        seen.push(*recipient);
        let (phone, email) = match recipient {
            Notify::OldSim => (Some(secret.msisdn.clone()), None),
            Notify::Contact => (secret.contact_phone.clone(), secret.contact_email.clone()),
            Notify::OldContact => match &secret.old_contact {
                Some(old) if old.contains('@') => (None, Some(old.clone())),
                old => (old.clone(), None),
            },
            Notify::Email => (None, secret.contact_email.clone()),
            _ => (None, None),
        };
        let reachable = phone.is_some() || email.is_some();
        let personal = matches!(
            recipient,
            Notify::OldSim | Notify::Contact | Notify::OldContact | Notify::Email
        );
        if personal && !reachable {
            continue;
        }
        let id = OutboxId::draw(draft.now, draft.entropy);
        let mut text = text.clone();
        // By mail only: people are told never to open links in an SMS.
        let stoppable = matches!(
            occasion,
            Occasion::Requested | Occasion::Held | Occasion::Question
        );
        if stoppable
            && phone.is_none()
            && email.is_some()
            && let Some(link) = crate::accounts::deny_link(work.shared, work.operation.id, draft)?
        {
            text = format!("{text}\n{link}");
        }
        let notice = Notice {
            to: *recipient,
            phone,
            email,
            language: language.clone(),
            text,
        };
        let sealed = seal(&key, Of::Notice, id.as_bytes(), &notice, draft.entropy)?;
        draft.outbox(OutboxItem {
            id,
            operation_id: Some(work.operation.id),
            party_id: Some(owner),
            kind: NOTIFY.to_owned(),
            payload: serde_json::json!({ "to": recipient, "occasion": occasion.key() }).to_string(),
            sealed: Some(sealed),
            due_at: draft.now,
            attempts: 0,
            done_at: None,
            outcome: None,
            entry: draft.index(),
        });
        queued.push(*recipient);
    }
    if !queued.is_empty() {
        draft.history(
            "notice_queued",
            &work.about(),
            &serde_json::json!({ "to": queued, "occasion": occasion.key() }),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Occasion, TEXTS};
    use simwarden_model::OperationKind;

    #[test]
    fn every_notice_has_a_text_in_every_language_with_the_same_gaps() {
        let gaps = |text: &str| {
            let mut found: Vec<&str> = text
                .split('{')
                .skip(1)
                .filter_map(|rest| rest.split('}').next())
                .collect();
            found.sort_unstable();
            found.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let english = &TEXTS[1].1;
        for (language, texts) in TEXTS.iter() {
            for occasion in Occasion::ALL {
                let text = texts.get(occasion.key()).expect("a text");
                assert_eq!(
                    gaps(text),
                    gaps(&english[occasion.key()]),
                    "{language} {occasion:?}"
                );
            }
            for kind in OperationKind::NAMES {
                assert!(
                    texts.contains_key(&format!("operation.{kind}")),
                    "{language} lacks {kind}"
                );
            }
            for happened in crate::accounts::Happened::ALL {
                assert!(
                    texts.contains_key(happened.key()),
                    "{language} lacks {happened:?}"
                );
            }
            assert_eq!(gaps(&texts["sign"]), ["line", "operation", "place"], "{language}");
            assert_eq!(
                texts.len(),
                english.len(),
                "{language} has texts that nobody uses"
            );
        }
    }
}
