//! What the gateway knows of lines beyond the registry's rows.

use super::gateway_row::{gateway_row, select};
use super::read_all;
use crate::{Store, StoreError};
use simwarden_model::{SubscriptionId, Timestamp};

gateway_row! {
    /// One line.
    GatewayLine in "gateway_line" by ["subscription_id"], put put_gateway_lines {
        /// Which.
        subscription_id: SubscriptionId => id,
        /// `consumer` or `m2m`.
        class: String => text,
        /// When its number first had a SIM under this contract.
        activated_at: Option<Timestamp> => opt_time,
        /// When it was first seen in a device.
        device_first_seen_at: Option<Timestamp> => opt_time,
        /// Since when the present holder has the number.
        holder_since_at: Option<Timestamp> => opt_time,
        /// Holders before: JSON, `[{"from": …, "until": …}]` in microseconds.
        holders: String => text,
        /// `PAYG`, `PAYM` or `Business`.
        contract: Option<String> => opt_text,
        /// Whether its owner's record is compared only with the right document.
        id_document_required: bool => flag,
        /// Kinds of call forwarding that are set, separated by spaces.
        forwarding: String => text,
        /// `ok`, `incapable`, `landline` or `barred`.
        sms: String => text,
        /// The owner's record, under their own key.
        sealed: Option<Vec<u8>> => opt_blob,
        /// Whether a sandbox seed made it.
        sandbox: bool => flag,
    }
}

impl Store {
    /// What is known of a line.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn gateway_line(&self, line: SubscriptionId) -> Result<Option<GatewayLine>, StoreError> {
        let sql = format!("{} WHERE subscription_id = $1", select(&TABLE));
        Ok(read_all(&self.db.fetch(&sql, vec![line.into()]).await?)?.pop())
    }

    /// The lines that a sandbox seed made, at most 10,000.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn sandbox_lines(&self) -> Result<Vec<GatewayLine>, StoreError> {
        let sql = format!("{} WHERE sandbox = 1 LIMIT 10000", select(&TABLE));
        read_all(&self.db.fetch(&sql, vec![]).await?)
    }

    /// When a line was last moved to another SIM and to another phone, as events of the network told.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn line_moves(
        &self,
        number: crate::BlindIndex,
    ) -> Result<(Option<Timestamp>, Option<Timestamp>), StoreError> {
        let sql = "SELECT swap_at, imei_changed_at FROM line_signal WHERE msisdn_idx = $1";
        let rows = self.db.fetch(sql, vec![number.into()]).await?;
        match rows.first() {
            Some(row) => {
                let mut c = row.columns();
                Ok((c.opt_time()?, c.opt_time()?))
            }
            None => Ok((None, None)),
        }
    }
}
