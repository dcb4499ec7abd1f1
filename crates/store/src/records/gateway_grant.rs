//! Refresh tokens of the gateway.

use super::gateway_row::{gateway_row, select};
use super::read_all;
use crate::{Store, StoreError};
use simwarden_model::{SubscriptionId, Timestamp};

gateway_row! {
    /// A refresh token; only its hash is stored.
    GatewayGrant in "gateway_grant" by ["hash"], put put_gateway_grants {
        /// SHA-256 of the secret, which has 256 random bits.
        hash: [u8; 32] => bytes,
        /// What all tokens of one consent share.
        family: [u8; 16] => bytes,
        /// Whose it is.
        client_id: String => text,
        /// About which line.
        subscription_id: SubscriptionId => id,
        /// Scopes, separated by spaces.
        scopes: String => text,
        /// What for.
        purpose: String => text,
        /// Whether the network itself told which line it is.
        network: bool => flag,
        /// When it ends.
        expires_at: Timestamp => time,
        /// When it was used: once.
        used_at: Option<Timestamp> => opt_time,
        /// When its family was taken back.
        revoked_at: Option<Timestamp> => opt_time,
    }
}

impl Store {
    /// The refresh token with this hash.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn gateway_grant(&self, hash: [u8; 32]) -> Result<Option<GatewayGrant>, StoreError> {
        let sql = format!("{} WHERE hash = $1", select(&TABLE));
        Ok(read_all(&self.db.fetch(&sql, vec![hash.into()]).await?)?.pop())
    }
}

impl crate::Tx {
    /// Uses a token up; answers whether it was there to be used.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn use_gateway_grant(&mut self, hash: [u8; 32], now: Timestamp) -> Result<bool, StoreError> {
        let sql = "UPDATE gateway_grant SET used_at = $1 WHERE hash = $2 AND used_at IS NULL AND revoked_at IS NULL";
        Ok(self.execute(sql, vec![now.into(), hash.into()]).await? == 1)
    }

    /// Takes a whole family back.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn revoke_gateway_family(
        &mut self,
        family: [u8; 16],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE gateway_grant SET revoked_at = $1 WHERE family = $2 AND revoked_at IS NULL";
        self.execute(sql, vec![now.into(), family.into()]).await.map(drop)
    }
}
