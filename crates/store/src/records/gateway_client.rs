//! Clients of the gateway.

use super::gateway_row::{gateway_row, select};
use super::{digest_columns, read_all};
use crate::{Keyring, Store, StoreError};
use simwarden_model::Timestamp;

gateway_row! {
    /// A client: who it is and what it may do, as JSON.
    GatewayClientRow in "gateway_client" by ["id"], put put_gateway_clients {
        /// The name that it gives itself by, `client_id`.
        id: String => text,
        /// Keys, grants, scopes, limits, sinks: JSON.
        settings: String => text,
        /// Whether a sandbox seed made it.
        sandbox: bool => flag,
        /// When it was frozen, if it is.
        frozen_at: Option<Timestamp> => opt_time,
        /// Over all of the above, keyed: a row that somebody made without the master key is not believed.
        mac: [u8; 32] => bytes,
    }
}

impl GatewayClientRow {
    /// The code of this row under the installation's key.
    #[must_use]
    pub fn expected_mac(&self, keyring: &Keyring) -> [u8; 32] {
        let mut columns = self.args();
        columns.pop();
        keyring.vouch("gateway_client", &digest_columns(TABLE.name, &columns))
    }
}

impl Store {
    /// Every client, at most 10,000.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn gateway_clients(&self) -> Result<Vec<GatewayClientRow>, StoreError> {
        let sql = format!("{} ORDER BY id LIMIT 10000", select(&TABLE));
        read_all(&self.db.fetch(&sql, vec![]).await?)
    }
}

impl crate::Tx {
    /// Takes the sandbox's clients away.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn drop_sandbox_clients(&mut self) -> Result<(), StoreError> {
        let sql = "DELETE FROM gateway_client WHERE sandbox = 1";
        self.execute(sql, vec![]).await.map(drop)
    }
}
