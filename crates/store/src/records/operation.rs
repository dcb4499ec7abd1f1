//! Requested operations.

use super::{FromColumns, Kept, digest_columns, read_all, update_versioned};
use crate::columns::Columns;
use crate::db::{Arg, Table, Tx};
use crate::{Store, StoreError};
use simwarden_model::{
    Channel, Claim, OperationId, OperationKind, OperationState, PartyId, Role, SubscriptionId, Timestamp,
    TokenId,
};

const TABLE: Table = Table {
    name: "operation",
    columns: &[
        "id",
        "operator",
        "subscription_id",
        "party_id",
        "kind",
        "channel",
        "actor_role",
        "actor",
        "shop",
        "terminal",
        "claim",
        "state",
        "exclusive",
        "verdict",
        "reasons",
        "rules",
        "requirements",
        "policy_hash",
        "hold_until",
        "on_timeout",
        "context",
        "evidence",
        "steps",
        "line_masked",
        "sealed",
        "requested_at",
        "updated_at",
        "entry",
        "version",
    ],
};
/// The columns, as read.
pub(super) const COLUMNS: &str = "id, operator, subscription_id, party_id, kind, channel, actor_role, actor, shop, terminal, claim, state, exclusive, verdict, reasons, rules, requirements, policy_hash, hold_until, on_timeout, context, evidence, steps, line_masked, sealed, requested_at, updated_at, entry, version";

/// A requested operation and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Its name, shown to everybody who takes part.
    pub id: OperationId,
    /// MCC-MNC of the operator.
    pub operator: String,
    /// The line it is about; none for a registration that has not happened yet.
    pub subscription_id: Option<SubscriptionId>,
    /// The owner of that line, or to be.
    pub party_id: PartyId,
    /// What is asked.
    pub kind: OperationKind,
    /// Where it was asked.
    pub channel: Channel,
    /// Who asked, by role.
    pub actor_role: Role,
    /// Who asked, by token.
    pub actor: TokenId,
    /// The shop it was asked in.
    pub shop: Option<String>,
    /// The terminal it was asked at.
    pub terminal: Option<String>,
    /// What is said of the old phone.
    pub claim: Option<Claim>,
    /// Where it stands.
    pub state: OperationState,
    /// Whether it is open and moves the number, so that no second one may.
    pub exclusive: bool,
    /// The guard's last word.
    pub verdict: String,
    /// Reason codes, JSON.
    pub reasons: String,
    /// Rules that applied, JSON.
    pub rules: String,
    /// What is still asked for, JSON.
    pub requirements: String,
    /// The policy that decided.
    pub policy_hash: Vec<u8>,
    /// Until when it is held.
    pub hold_until: Option<Timestamp>,
    /// What becomes of it then.
    pub on_timeout: Option<String>,
    /// What the requester's system said of the request, JSON: no secrets, no personal data.
    pub context: String,
    /// Evidence given so far, JSON: kinds, times, who; no secrets.
    pub evidence: String,
    /// The steps and how far they are, JSON.
    pub steps: String,
    /// The number, masked, for lists.
    pub line_masked: String,
    /// Target chip, phone, contact: under the owner's key.
    pub sealed: Option<Vec<u8>>,
    /// When it was asked.
    pub requested_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The ledger entry of its last change.
    pub entry: i64,
    /// Grows with every change, from 1.
    pub version: i64,
}

impl Operation {
    fn args(&self) -> Vec<Arg> {
        vec![
            self.id.into(),
            self.operator.clone().into(),
            self.subscription_id.into(),
            self.party_id.into(),
            self.kind.as_str().into(),
            self.channel.as_str().into(),
            self.actor_role.as_str().into(),
            self.actor.into(),
            self.shop.clone().into(),
            self.terminal.clone().into(),
            self.claim.map(|v| v.as_str()).into(),
            self.state.as_str().into(),
            self.exclusive.into(),
            self.verdict.clone().into(),
            self.reasons.clone().into(),
            self.rules.clone().into(),
            self.requirements.clone().into(),
            self.policy_hash.clone().into(),
            self.hold_until.into(),
            self.on_timeout.clone().into(),
            self.context.clone().into(),
            self.evidence.clone().into(),
            self.steps.clone().into(),
            self.line_masked.clone().into(),
            self.sealed.clone().into(),
            self.requested_at.into(),
            self.updated_at.into(),
            self.entry.into(),
            self.version.into(),
        ]
    }
}

impl FromColumns for Operation {
    fn from_columns(c: &mut Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: c.id()?,
            operator: c.text()?,
            subscription_id: c.opt_id()?,
            party_id: c.id()?,
            kind: c.named()?,
            channel: c.named()?,
            actor_role: c.named()?,
            actor: c.id()?,
            shop: c.opt_text()?,
            terminal: c.opt_text()?,
            claim: c.opt_named()?,
            state: c.named()?,
            exclusive: c.flag()?,
            verdict: c.text()?,
            reasons: c.text()?,
            rules: c.text()?,
            requirements: c.text()?,
            policy_hash: c.blob()?,
            hold_until: c.opt_time()?,
            on_timeout: c.opt_text()?,
            context: c.text()?,
            evidence: c.text()?,
            steps: c.text()?,
            line_masked: c.text()?,
            sealed: c.opt_blob()?,
            requested_at: c.time()?,
            updated_at: c.time()?,
            entry: c.int()?,
            version: c.int()?,
        })
    }
}

impl Kept for Operation {
    const KIND: &'static str = TABLE.name;

    fn row_id(&self) -> [u8; 16] {
        *self.id.as_bytes()
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn digest(&self) -> [u8; 32] {
        digest_columns(Self::KIND, &self.args())
    }
}

impl Tx {
    /// Adds rows.
    ///
    /// # Errors
    /// When the database cannot be written; [`StoreError::Conflict`] when one is there already.
    pub async fn insert_operations(&mut self, rows: &[Operation]) -> Result<(), StoreError> {
        let rows = rows.iter().map(|row| row.args()).collect();
        self.insert(&TABLE, rows, "").await.map(drop)
    }

    /// Writes a new version over the one before it.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when somebody else was faster.
    pub async fn update_operation(&mut self, row: &Operation) -> Result<(), StoreError> {
        update_versioned(self, &TABLE, row.args(), row.row_id(), row.version()).await
    }

    /// The rows with these ids; ids that are not there are left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn operations(&mut self, ids: &[OperationId]) -> Result<Vec<Operation>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM operation WHERE id IN (KEYS)");
        read_all(
            &self
                .fetch_in(&sql, ids.iter().map(|id| (*id).into()).collect())
                .await?,
        )
    }
}

impl Store {
    /// The row with this id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn operation(&self, id: OperationId) -> Result<Option<Operation>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM operation WHERE id = $1");
        Ok(read_all(&self.db.fetch(&sql, vec![id.into()]).await?)?.pop())
    }

    /// Operations, the newest first: of one operator or all, in one state or all, older than `before`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn operations_page(
        &self,
        operator: Option<&str>,
        state: Option<OperationState>,
        before: Option<OperationId>,
        limit: u32,
    ) -> Result<Vec<Operation>, StoreError> {
        // Identifiers are born in order of time, so they page without gaps however many share one microsecond.
        let sql = format!(
            "SELECT {COLUMNS} FROM operation \
             WHERE ($1 = '' OR operator = $1) AND ($2 = '' OR state = $2) AND id < $3 ORDER BY id DESC LIMIT $4"
        );
        let before = before.map_or([0xff; 16], |id| *id.as_bytes());
        let args = vec![
            operator.unwrap_or("").into(),
            state.map_or("", OperationState::as_str).into(),
            before.into(),
            i64::from(limit).into(),
        ];
        read_all(&self.db.fetch(&sql, args).await?)
    }

    /// Operations of one line, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn operations_of(
        &self,
        line: SubscriptionId,
        limit: u32,
    ) -> Result<Vec<Operation>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM operation WHERE subscription_id = $1 ORDER BY id DESC LIMIT $2");
        read_all(
            &self
                .db
                .fetch(&sql, vec![line.into(), i64::from(limit).into()])
                .await?,
        )
    }

    /// Operations whose hold is over.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn operations_due(&self, now: Timestamp, limit: u32) -> Result<Vec<OperationId>, StoreError> {
        let sql = "SELECT id FROM operation WHERE hold_until IS NOT NULL AND hold_until <= $1 ORDER BY hold_until LIMIT $2";
        let rows = self
            .db
            .fetch(sql, vec![now.into(), i64::from(limit).into()])
            .await?;
        rows.iter().map(|row| row.columns().id()).collect()
    }
}

impl Tx {
    /// The open operations that move the numbers of these lines.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn exclusive_operations(
        &mut self,
        lines: &[SubscriptionId],
    ) -> Result<Vec<(SubscriptionId, OperationId)>, StoreError> {
        let sql =
            "SELECT subscription_id, id FROM operation WHERE subscription_id IN (KEYS) AND exclusive = 1";
        let rows = self
            .fetch_in(sql, lines.iter().map(|id| (*id).into()).collect())
            .await?;
        rows.iter()
            .map(|row| {
                let mut c = row.columns();
                Ok((c.id()?, c.id()?))
            })
            .collect()
    }

    /// The times of the last operations that one member of staff asked for and that move numbers, the newest first,
    /// at most `most`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn moves_by_actor(
        &mut self,
        actor: TokenId,
        since: Timestamp,
        most: u32,
    ) -> Result<Vec<Timestamp>, StoreError> {
        let sql = "SELECT requested_at FROM operation WHERE actor = $1 AND actor_role <> 'subscriber' AND requested_at > $2 \
                   AND kind IN ('issue', 'replace', 'transfer_device', 'transfer_owner', 'port_out', 'recycle') \
                   ORDER BY requested_at DESC LIMIT $3";
        let rows = self
            .fetch(sql, vec![actor.into(), since.into(), i64::from(most).into()])
            .await?;
        rows.iter().map(|row| row.columns().time()).collect()
    }
}
