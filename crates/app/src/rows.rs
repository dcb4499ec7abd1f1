//! Single rows, for those who carry effects out.

use crate::Error;
use crate::app::App;
use crate::secrets::{Of, Wish, open, subject_key};
use simwarden_model::{OperationId, PartyId, SubscriptionId};
use simwarden_store::SubjectKey;
use simwarden_store::records::operation::Operation;
use simwarden_store::records::outbox::OutboxItem;
use simwarden_store::records::profile::Profile;
use simwarden_store::records::subscription::Subscription;

impl App {
    pub(crate) async fn outbox_due(&self, published: i64) -> Result<Vec<OutboxItem>, Error> {
        Ok(self
            .store()
            .outbox_due(self.now(), published, crate::worker::TAKEN)
            .await?)
    }

    pub(crate) async fn operation_row(&self, id: OperationId) -> Result<Operation, Error> {
        self.store()
            .operation(id)
            .await?
            .ok_or_else(|| Error::not_found("operation"))
    }

    pub(crate) async fn line_row(&self, id: SubscriptionId) -> Result<Subscription, Error> {
        self.store()
            .subscription(id)
            .await?
            .ok_or_else(|| Error::not_found("line"))
    }

    pub(crate) async fn profile_rows(&self, line: SubscriptionId) -> Result<Vec<Profile>, Error> {
        Ok(self.store().profiles_of(line).await?)
    }

    pub(crate) async fn key_of(&self, party: Option<PartyId>) -> Result<SubjectKey, Error> {
        let party = party.ok_or_else(|| Error::not_found("party"))?;
        subject_key(self.keyring(), self.store().subject_keys(&[party]).await?.first())
    }

    /// The chip that an operation is for.
    pub(crate) async fn wished_eid(&self, id: OperationId) -> Result<Option<String>, Error> {
        let row = self.operation_row(id).await?;
        let Some(sealed) = &row.sealed else {
            return Ok(None);
        };
        let key = self.key_of(Some(row.party_id)).await?;
        let wish: Wish = open(&key, Of::Operation, row.id.as_bytes(), sealed)?;
        Ok(wish.eid)
    }
}
