//! Who asked about a line.

use super::gateway_row::{gateway_row, select};
use super::read_all;
use crate::{Store, StoreError};
use simwarden_model::{SubscriptionId, Timestamp};

gateway_row! {
    /// One question.
    GatewayQuery in "gateway_query" by ["id"], put put_gateway_queries {
        /// Born in order of time.
        id: [u8; 16] => bytes,
        /// About which line.
        subscription_id: SubscriptionId => id,
        /// Who asked.
        client_id: String => text,
        /// What: `sim-swap/check` …
        api: String => text,
        /// What for; empty where the client said nothing.
        purpose: String => text,
        /// When.
        at: Timestamp => time,
    }
}

impl Store {
    /// Who asked about a line, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn gateway_queries(
        &self,
        line: SubscriptionId,
        most: u32,
    ) -> Result<Vec<GatewayQuery>, StoreError> {
        let sql = format!(
            "{} WHERE subscription_id = $1 ORDER BY id DESC LIMIT $2",
            select(&TABLE)
        );
        let args = vec![line.into(), i64::from(most).into()];
        read_all(&self.db.fetch(&sql, args).await?)
    }
}
