//! Whose client certificate may order over ES2+, and for whom.

use super::world::SmdpWrite;
use crate::committer::Job;
use crate::draft::Draft;
use crate::entry::hex;
use crate::shared::Shared;
use crate::world::{Needs, World};
use crate::{Actor, App, Error};
use simwarden_model::Role;
use simwarden_store::records::es2plus_caller::Es2plusCaller;
use std::sync::Arc;

/// The most characters of an owner, a name, an address.
const TEXT_CHARS_MAX: usize = 200;

/// A caller of ES2+.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Es2Caller {
    /// SHA-256 of its client certificate.
    pub certificate: [u8; 32],
    /// The operator (`456-01`) or reseller (`456-01/shop`) whose profiles it may touch, and nobody else's.
    pub owner: String,
    /// What people call it.
    pub name: String,
    /// Where it wants to be told of downloads: an https:// address.
    pub callback: Option<String>,
}

impl App {
    /// The caller of a client certificate; none when it may order nothing.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn es2_caller(&self, certificate: [u8; 32]) -> Result<Option<Es2Caller>, Error> {
        let row = self.store().es2plus_caller(certificate).await?;
        Ok(row.and_then(|row| self.vouched(row)))
    }

    /// The callers of an owner, or all.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn es2_callers(&self, owner: Option<&str>) -> Result<Vec<Es2Caller>, Error> {
        let rows = self.store().es2plus_callers(owner).await?;
        Ok(rows.into_iter().filter_map(|row| self.vouched(row)).collect())
    }

    fn vouched(&self, row: Es2plusCaller) -> Option<Es2Caller> {
        if row.mac != row.expected_mac(self.keyring()) {
            tracing::error!(
                name = row.name,
                "an ES2+ caller was entered behind the ledger's back"
            );
            return None;
        }
        Some(Es2Caller {
            certificate: row.certificate,
            owner: row.owner,
            name: row.name,
            callback: row.callback,
        })
    }

    /// Lets a client certificate order for an owner, from now on.
    ///
    /// # Errors
    /// When the actor is not the installation itself, or a text is empty or too long.
    pub async fn add_es2_caller(&self, actor: &Actor, caller: &Es2Caller) -> Result<(), Error> {
        let texts = [&caller.owner, &caller.name];
        let fits = |text: &str| !text.trim().is_empty() && text.chars().count() <= TEXT_CHARS_MAX;
        if !texts.iter().all(|text| fits(text)) || !caller.callback.as_deref().is_none_or(fits) {
            return Err(Error::invalid(
                "caller_text",
                "owner, name and callback have 1 to 200 characters",
            ));
        }
        self.commit(SetCaller {
            shared: self.shared(),
            actor: actor.clone(),
            change: Change::Add(caller.clone()),
        })
        .await
    }

    /// Takes its right away, from the next call on.
    ///
    /// # Errors
    /// When the actor is not the installation itself.
    pub async fn remove_es2_caller(&self, actor: &Actor, certificate: [u8; 32]) -> Result<(), Error> {
        self.commit(SetCaller {
            shared: self.shared(),
            actor: actor.clone(),
            change: Change::Remove(certificate),
        })
        .await
    }
}

enum Change {
    Add(Es2Caller),
    Remove([u8; 32]),
}

struct SetCaller {
    shared: Arc<Shared>,
    actor: Actor,
    change: Change,
}

impl Job for SetCaller {
    type Answer = ();

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn run(&self, _: &World, draft: &mut Draft<'_>) -> Result<(), Error> {
        if self.actor.role != Role::System {
            return Err(Error::forbidden(
                "who orders over ES2+ is set at the installation itself",
            ));
        }
        let (kind, certificate, owner) = match &self.change {
            Change::Add(caller) => ("es2plus.caller_added", caller.certificate, Some(&caller.owner)),
            Change::Remove(certificate) => ("es2plus.caller_removed", *certificate, None),
        };
        draft.begin_entry(kind, self.actor.role, Some(self.actor.token));
        draft.entry().detail = serde_json::json!({ "certificate_sha256": hex(&certificate), "owner": owner });
        draft.smdp(match &self.change {
            Change::Add(caller) => {
                let mut row = Es2plusCaller {
                    certificate,
                    owner: caller.owner.clone(),
                    name: caller.name.clone(),
                    callback: caller.callback.clone(),
                    added_at: draft.now,
                    mac: [0; 32],
                };
                row.mac = row.expected_mac(&self.shared.keyring);
                SmdpWrite::Caller(row)
            }
            Change::Remove(certificate) => SmdpWrite::RemoveCaller(*certificate),
        });
        draft.end_entry()?;
        Ok(())
    }
}
