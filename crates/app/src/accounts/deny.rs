//! The link that says no: good for one operation, for one use, and for nothing but stopping it and freezing the line.
//! It is sent by mail only, never by SMS, and needs no script and no sign-in: whoever holds it can only protect.

use super::ceremony::{Ceremony, Purpose, over};
use super::world::{AccountNeeds, AccountWrite};
use crate::app::App;
use crate::committer::Job;
use crate::decide::Work;
use crate::draft::Draft;
use crate::followup::needs_of;
use crate::notice::plain_words;
use crate::question::freeze;
use crate::shared::Shared;
use crate::world::{Needs, World};
use crate::{Error, ErrorKind};
use simwarden_model::{ApprovalState, OperationId, Role};
use simwarden_store::Keyring;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// How long such a link stands: longer than any hold.
const LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

/// The link for an operation, when this server knows its own address.
pub(crate) fn deny_link(
    shared: &Shared,
    operation: OperationId,
    draft: &mut Draft<'_>,
) -> Result<Option<String>, Error> {
    let Some(site) = shared.desk.site() else {
        return Ok(None);
    };
    let mut ceremony = Ceremony::new(
        Purpose::Deny,
        serde_json::Value::Null,
        draft.now,
        LIFE,
        draft.entropy,
    );
    ceremony.subject = Some(*operation.as_bytes());
    let code = ceremony.seal(&shared.keyring, draft.entropy)?;
    Ok(Some(format!("{site}/deny/{code}")))
}

impl App {
    /// What the link is about, in plain words by language, and whether it can still be stopped.
    ///
    /// # Errors
    /// When the link is none, or over.
    pub async fn deny_view(&self, code: &str) -> Result<(HashMap<String, String>, bool), Error> {
        let (_, id) = opened(self.keyring(), code, self.now())?;
        let row = self.operation_row(id).await?;
        Ok((plain_words(&row), row.state.is_open()))
    }

    /// Says no by the link: the operation ends or is taken back, and the line is frozen.
    ///
    /// # Errors
    /// When the link is none, was used or is over.
    pub async fn deny(&self, code: &str) -> Result<(), Error> {
        let (ceremony, operation) = opened(self.keyring(), code, self.now())?;
        let eid = self.wished_eid(operation).await?;
        self.commit(Deny {
            shared: self.shared(),
            ceremony,
            operation,
            eid,
        })
        .await
    }
}

fn opened(
    keyring: &Keyring,
    code: &str,
    now: simwarden_model::Timestamp,
) -> Result<(Ceremony, OperationId), Error> {
    let ceremony = Ceremony::open(keyring, code, Purpose::Deny, now)?;
    let id = OperationId::from_bytes(ceremony.subject.ok_or_else(over)?);
    Ok((ceremony, id))
}

struct Deny {
    shared: Arc<Shared>,
    ceremony: Ceremony,
    operation: OperationId,
    eid: Option<String>,
}

impl Job for Deny {
    type Answer = ();

    fn needs(&self) -> Needs {
        Needs {
            accounts: AccountNeeds {
                ceremonies: vec![self.ceremony.id],
                ..AccountNeeds::default()
            },
            ..needs_of(&self.shared, self.operation, self.eid.as_deref())
        }
    }

    fn run(&self, world: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        world.accounts.unspent(self.ceremony.id)?;
        let mut work = Work::load(&self.shared, world, self.operation)?;
        if !work.operation.state.is_open() {
            return Err(Error::new(
                ErrorKind::State,
                "operation_over",
                "this operation is over already; if it was not you who asked, call the hotline",
            ));
        }
        draft.begin_entry("operation.denied_by_link", Role::Subscriber, None);
        draft.account(AccountWrite::Spend(self.ceremony.id, self.ceremony.expires_at));
        let questions = world.questions.get(&self.operation).cloned().unwrap_or_default();
        for mut question in questions {
            if question.state == ApprovalState::Pending {
                question.state = ApprovalState::Refused;
                question.decided_at = Some(draft.now);
                draft.change_approval(question);
            }
        }
        freeze(&mut work, draft)?;
        work.save(draft, false)?;
        draft.end_entry()?;
        Ok(())
    }
}
