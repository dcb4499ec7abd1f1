//! What subscribers agreed to.

use super::gateway_row::{gateway_row, select};
use super::read_all;
use crate::{Store, StoreError};
use simwarden_model::{SubscriptionId, Timestamp};

gateway_row! {
    /// One consent, or its withdrawal.
    GatewayConsent in "gateway_consent" by ["subscription_id", "purpose", "client_id"], put put_gateway_consents {
        /// The line.
        subscription_id: SubscriptionId => id,
        /// What for, as a term of the W3C Data Privacy Vocabulary: `dpv:FraudPreventionAndDetection`.
        purpose: String => text,
        /// For which client; every one where it is empty.
        client_id: String => text,
        /// `granted`, `denied` or `objected`.
        state: String => text,
        /// The legal basis: `consent`, `contract`, `legitimate_interest` …
        basis: String => text,
        /// Since when.
        changed_at: Timestamp => time,
    }
}

impl Store {
    /// Every consent of a line, at most 1,000.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn gateway_consents(&self, line: SubscriptionId) -> Result<Vec<GatewayConsent>, StoreError> {
        let sql = format!(
            "{} WHERE subscription_id = $1 ORDER BY purpose, client_id LIMIT 1000",
            select(&TABLE)
        );
        read_all(&self.db.fetch(&sql, vec![line.into()]).await?)
    }
}

impl crate::Tx {
    /// Forgets every consent of a line: it goes to somebody else.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn drop_gateway_consents(&mut self, line: SubscriptionId) -> Result<(), StoreError> {
        let sql = "DELETE FROM gateway_consent WHERE subscription_id = $1";
        self.execute(sql, vec![line.into()]).await.map(drop)
    }
}
