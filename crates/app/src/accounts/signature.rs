//! A passkey signs one request: not "yes", but *what* would happen.
//!
//! The challenge is SHA-256 over 32 random bytes and the request in one canonical text (which operation, on which line,
//! to which chip, asked where and by whom; for a question also the number and its end). So a signature counts for this
//! request and for no other; when the request changes before the answer comes, the signature is refused; and together
//! with the ledger entry that holds it, anybody with the subject's key can check it again without this server.

use super::account::AccountKey;
use super::ceremony::{Ceremony, Purpose, over};
use super::relying_party::{CLONED, credential_of};
use super::session::signed_in;
use super::sign_in::{PasskeySecret, Used};
use super::view::Begun;
use super::world::AccountWrite;
use crate::app::App;
use crate::draft::Draft;
use crate::operation::{KeptContext, Parts};
use crate::proof::{Proof, ProofKind};
use crate::secrets::{Of, Wish, open, seal, subject_key};
use crate::shared::Shared;
use crate::world::World;
use crate::{Actor, Error, ErrorKind};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use simwarden_guard::SETTLED;
use simwarden_model::{
    AccountId, ApprovalId, ApprovalState, CeremonyId, OperationId, PartyId, Role, Timestamp,
};
use simwarden_store::records::approval::Approval;
use simwarden_store::records::operation::Operation;
use simwarden_store::records::passkey::PasskeyRow;

/// What is to be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// An operation, as evidence that its owner wants it.
    Operation(OperationId),
    /// The yes to a question, with the number seen on the other screen.
    Question(ApprovalId, i64),
}

/// A signature as it comes from the browser.
#[derive(Debug, Clone)]
pub struct Signature {
    /// The challenge, as it was handed out.
    pub ceremony: String,
    /// What the browser answered.
    pub credential: Value,
}

/// A signature that was checked, except for whether the request is still the same.
pub(crate) struct Verified {
    account: AccountId,
    ceremony: (CeremonyId, Timestamp),
    subject: [u8; 16],
    nonce: [u8; 32],
    challenge: [u8; 32],
    used: Used,
    credential: Value,
    synced: bool,
    since: Timestamp,
}

/// The request in one canonical text: the keys sorted, nothing left out that says what would happen.
fn request_text(
    operation: &Operation,
    wish: &Wish,
    context: &KeptContext,
    question: Option<(&Approval, i64)>,
) -> Result<String, Error> {
    let text = json!({
        "v": 1,
        "operation": operation.id,
        "kind": operation.kind,
        "line": operation.subscription_id,
        "owner": operation.party_id,
        "channel": operation.channel,
        "claim": operation.claim,
        "asked_by": operation.actor,
        "asked_at": operation.requested_at,
        "shop": operation.shop,
        "wish": wish,
        "lock_scope": context.lock_scope,
        "new_owner": context.new_owner,
        "question": question.map(|(question, number)| json!({
            "id": question.id, "number": number, "expires_at": question.expires_at,
        })),
    });
    serde_json::to_string(&text).map_err(Error::internal)
}

fn challenge_of(nonce: &[u8; 32], text: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"simwarden signed request 1\n");
    hash.update(nonce);
    hash.update(text.as_bytes());
    hash.finalize().into()
}

impl Verified {
    /// Whether the signature is for this subject and the request is still what was signed.
    ///
    /// # Errors
    /// `challenge_over` for another subject or a second use, `request_changed` when the request is another by now.
    fn holds(&self, subject: &[u8; 16], text: &str, world: &World) -> Result<(), Error> {
        world.accounts.unspent(self.ceremony.0)?;
        if self.subject != *subject {
            return Err(over());
        }
        if challenge_of(&self.nonce, text) != self.challenge {
            return Err(Error::new(
                ErrorKind::State,
                "request_changed",
                "the request is not the one that was signed any more: look at it again",
            ));
        }
        Ok(())
    }

    /// The account whose passkey signed; jobs must read it.
    pub(crate) const fn account(&self) -> AccountId {
        self.account
    }

    pub(crate) const fn ceremony(&self) -> CeremonyId {
        self.ceremony.0
    }

    /// Takes the signature as evidence for an operation, in the entry that is open.
    pub(crate) fn enter(
        &self,
        shared: &Shared,
        actor: &Actor,
        about: (&Operation, &Wish, &KeptContext, Option<(&Approval, i64)>),
        world: &World,
        draft: &mut Draft<'_>,
    ) -> Result<Proof, Error> {
        let (operation, wish, context, question) = about;
        let text = request_text(operation, wish, context, question)?;
        let subject = question.map_or(*operation.id.as_bytes(), |(question, _)| *question.id.as_bytes());
        self.holds(&subject, &text, world)?;
        let account = super::account::known(world, self.account)?;
        if account.party_id != Some(operation.party_id) || account.disabled_at.is_some() {
            return Err(over());
        }
        let owner = world.keys.get(&operation.party_id);
        let key = AccountKey::of(&shared.keyring, account.party_id, owner)?;
        let row = self.used.write(account.id, &key, world, draft)?;
        draft.account(AccountWrite::Spend(self.ceremony.0, self.ceremony.1));
        let kept = json!({
            "text": text,
            "nonce": super::ceremony::base64url(&self.nonce),
            "answer": self.credential,
            "key": self.used.secret.key["cred"]["cred"],
            "passkey": row.id,
        });
        let subject_key = subject_key(&shared.keyring, owner)?;
        let sealed = seal(
            &subject_key,
            Of::Signature,
            self.ceremony.0.as_bytes(),
            &kept,
            draft.entropy,
        )?;
        draft.entry().seal(&sealed);
        Ok(Proof {
            kind: ProofKind::Passkey,
            at: draft.now,
            by: actor.token,
            shop: None,
            since: self.since,
            party: actor.party,
            synced: self.synced,
        })
    }
}

/// Whether a passkey is good and has been there long enough to speak for its owner.
pub(crate) fn settled(passkey: &PasskeyRow, now: Timestamp) -> bool {
    passkey.is_good() && now.since(passkey.added_at) >= SETTLED.duration()
}

/// Whether this person has a passkey that has settled: then a yes without its signature is none.
pub(crate) fn has_settled_passkey(world: &World, party: PartyId, now: Timestamp) -> bool {
    world
        .accounts
        .accounts
        .values()
        .filter(|account| account.party_id == Some(party) && account.disabled_at.is_none())
        .filter_map(|account| world.accounts.passkeys.get(&account.id))
        .flatten()
        .any(|passkey| settled(passkey, now))
}

impl App {
    /// Begins a signature by a passkey of the owner who is signed in.
    ///
    /// # Errors
    /// When the actor is not the owner, has no passkey, or the question is over.
    pub async fn begin_signature(&self, actor: &Actor, what: Sign) -> Result<Begun, Error> {
        let (account, _) = signed_in(actor)?;
        if actor.role != Role::Subscriber {
            return Err(Error::forbidden("the owner of a line signs what happens to it"));
        }
        let (operation, question, purpose) = match what {
            Sign::Operation(id) => (self.seen(actor, id).await?, None, Purpose::Evidence),
            Sign::Question(id, number) => {
                let question = self
                    .store()
                    .approval(id)
                    .await?
                    .filter(|question| Some(question.party_id) == actor.party)
                    .ok_or_else(|| Error::not_found("question"))?;
                if question.state != ApprovalState::Pending || question.expires_at <= self.now() {
                    return Err(Error::new(
                        ErrorKind::State,
                        "question_over",
                        "this question is over; nothing was changed",
                    ));
                }
                let operation = self.seen(actor, question.operation_id).await?;
                (operation, Some((question, number)), Purpose::Approval)
            }
        };
        let account = self.usable_account(account).await?.ok_or_else(over)?;
        let key = self.account_key(&account).await?;
        let mut keys = Vec::new();
        for row in self.store().passkeys_of(account.id).await? {
            if row.is_good() && self.is_our_passkey(&row) {
                let secret: PasskeySecret = key.open(Of::Passkey, row.id.as_bytes(), &row.sealed)?;
                keys.push(secret.key);
            }
        }
        if keys.is_empty() {
            return Err(Error::new(
                ErrorKind::State,
                "no_passkey",
                "this account has no passkey: add one; it counts after 72 hours",
            ));
        }
        let owner = self.store().subject_keys(&[operation.party_id]).await?.pop();
        let owner = subject_key(self.keyring(), owner.as_ref())?;
        let wish: Wish = match &operation.sealed {
            Some(sealed) => open(&owner, Of::Operation, operation.id.as_bytes(), sealed)?,
            None => Wish::default(),
        };
        let context = Parts::of(&operation)?.context;
        let signed = question.as_ref().map(|(question, number)| (question, *number));
        let text = request_text(&operation, &wish, &context, signed)?;
        let nonce: [u8; 32] = self.draw();
        let challenge = challenge_of(&nonce, &text);
        let (options, state) = self.desk().passkeys()?.begin_signature(&keys, &challenge)?;
        let subject = match what {
            Sign::Operation(id) => *id.as_bytes(),
            Sign::Question(id, _) => *id.as_bytes(),
        };
        self.hand_out(purpose, options, state, |ceremony| {
            ceremony.account = Some(account.id);
            ceremony.subject = Some(subject);
            ceremony.nonce = nonce;
        })
    }

    /// Checks a signature that is evidence. `Ok(None)` when it is wrong in a way that counts.
    pub(crate) async fn verify_evidence(
        &self,
        actor: &Actor,
        signature: &Signature,
    ) -> Result<Option<Verified>, Error> {
        self.verify_signature(actor, Purpose::Evidence, signature).await
    }

    /// Checks a signature that is a yes. `Ok(None)` when it is wrong in a way that counts.
    pub(crate) async fn verify_approval(
        &self,
        actor: &Actor,
        signature: &Signature,
    ) -> Result<Option<Verified>, Error> {
        self.verify_signature(actor, Purpose::Approval, signature).await
    }

    /// Checks a signature. `Ok(None)` when it is wrong in a way that counts as a failed challenge.
    async fn verify_signature(
        &self,
        actor: &Actor,
        purpose: Purpose,
        signature: &Signature,
    ) -> Result<Option<Verified>, Error> {
        let (account, _) = signed_in(actor)?;
        let ceremony = Ceremony::open(self.keyring(), &signature.ceremony, purpose, self.now())?;
        let (Some(owner), Some(subject)) = (ceremony.account, ceremony.subject) else {
            return Err(over());
        };
        if owner != account {
            return Err(over());
        }
        self.refuse_spent(&ceremony).await?;
        let account = self.usable_account(owner).await?.ok_or_else(over)?;
        let credential = credential_of(&signature.credential)?;
        let Some(row) = self.passkey_by_credential(&account, &credential).await? else {
            return Ok(None);
        };
        let key = self.account_key(&account).await?;
        let mut secret: PasskeySecret = key.open(Of::Passkey, row.id.as_bytes(), &row.sealed)?;
        let challenge = challenge_in(&ceremony.state)?;
        let site = self.desk().passkeys()?;
        let signed = match site.finish_signature(ceremony.state, &signature.credential, &secret.key) {
            Ok(signed) => signed,
            Err(error) if error.code == CLONED => {
                self.bar_passkey(&account, row.id).await?;
                return Err(error);
            }
            Err(error) if error.kind == ErrorKind::Forbidden => {
                tracing::info!(code = error.code, "a signature over a request was wrong");
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        secret.key = signed.key;
        let since = if row.synced {
            row.added_at.max(actor.since)
        } else {
            row.added_at
        };
        Ok(Some(Verified {
            account: account.id,
            ceremony: (ceremony.id, ceremony.expires_at),
            subject,
            nonce: ceremony.nonce,
            challenge,
            used: Used {
                id: row.id,
                secret,
                counter: signed.counter,
            },
            credential: signature.credential.clone(),
            synced: row.synced,
            since,
        }))
    }
}

/// The challenge that the answer was checked against.
fn challenge_in(state: &Value) -> Result<[u8; 32], Error> {
    use base64::Engine as _;
    let text = state["ast"]["challenge"].as_str().ok_or_else(over)?;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| over())?;
    bytes.try_into().map_err(|_| over())
}
