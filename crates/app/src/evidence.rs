//! Evidence and answers, as the edge calls them: what is proven for an operation, what the owner says to a question.

use crate::accounts::{Signature, Verified};
use crate::app::App;
use crate::followup::{GiveProof, Given, Outcome};
use crate::notice::plain_words;
use crate::question::{AnswerQuestion, OwnerAnswer};
use crate::views::{QuestionView, summary};
use crate::{Actor, Error};
use simwarden_model::{AccountId, ApprovalId, OperationId, PartyId, Role};

impl App {
    /// Gives evidence for an operation.
    ///
    /// # Errors
    /// When the operation takes none. A wrong code is no error but [`Outcome::Wrong`], and counts.
    pub async fn give_proof(&self, actor: &Actor, id: OperationId, given: Given) -> Result<Outcome, Error> {
        let signed = match &given {
            Given::Passkey(signature) => self.verify_evidence(actor, signature).await?,
            _ => None,
        };
        let eid = self.wished_eid(id).await?;
        self.commit(GiveProof {
            shared: self.shared(),
            actor: actor.clone(),
            operation: id,
            given,
            signed,
            eid,
        })
        .await
    }

    /// The questions that wait for the subscriber.
    ///
    /// # Errors
    /// When the actor is no subscriber.
    pub async fn questions(&self, actor: &Actor) -> Result<Vec<QuestionView>, Error> {
        let party = match (actor.role, actor.party) {
            (Role::Subscriber, Some(party)) => party,
            _ => return Err(Error::forbidden("questions are answered by the owner")),
        };
        let now = self.now();
        let mut views = Vec::new();
        for question in self.store().approvals_pending(party).await? {
            if question.expires_at <= now {
                continue;
            }
            let row = self.operation_row(question.operation_id).await?;
            views.push(QuestionView {
                id: question.id,
                operation: summary(&row)?,
                words: plain_words(&row),
                created_at: question.created_at,
                expires_at: question.expires_at,
            });
        }
        Ok(views)
    }

    /// The owner answers a question.
    ///
    /// # Errors
    /// When the question is over or not theirs; `passkey_needed` for a bare yes of somebody who has a passkey.
    pub async fn answer(
        &self,
        actor: &Actor,
        question: ApprovalId,
        answer: OwnerAnswer,
    ) -> Result<Outcome, Error> {
        self.answered(actor, question, answer, None, false).await
    }

    /// The owner says yes: the number on the other screen, and a passkey's signature over what would happen.
    ///
    /// # Errors
    /// As [`Self::answer`]; `request_changed` when the request is not the one that was signed any more.
    pub async fn approve(
        &self,
        actor: &Actor,
        question: ApprovalId,
        number: i64,
        signature: &Signature,
    ) -> Result<Outcome, Error> {
        let signed = self.verify_approval(actor, signature).await?;
        let wrong = signed.is_none();
        self.answered(actor, question, OwnerAnswer::Yes(number), signed, wrong)
            .await
    }

    async fn answered(
        &self,
        actor: &Actor,
        question: ApprovalId,
        answer: OwnerAnswer,
        signed: Option<Verified>,
        wrong_signature: bool,
    ) -> Result<Outcome, Error> {
        let row = self
            .store()
            .approval(question)
            .await?
            .ok_or_else(|| Error::not_found("question"))?;
        let eid = self.wished_eid(row.operation_id).await?;
        self.commit(AnswerQuestion {
            shared: self.shared(),
            actor: actor.clone(),
            approval: question,
            answer,
            owner_accounts: self.accounts_of(row.party_id).await?,
            signed,
            wrong_signature,
            eid,
        })
        .await
    }

    async fn accounts_of(&self, party: PartyId) -> Result<Vec<AccountId>, Error> {
        let account = self.store().account_of_party(party).await?;
        Ok(account.into_iter().map(|account| account.id).collect())
    }
}
