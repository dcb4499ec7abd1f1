//! Who wants to be told of a line's swaps, and what is on its way to them.

use super::gateway_row::select;
use super::read_all;
use crate::{Store, StoreError};
use simwarden_model::{SubscriptionId, Timestamp};

pub use event::GatewayEvent;
pub use watch::GatewayWatch;

mod watch {
    use crate::records::gateway_row::gateway_row;
    use simwarden_model::{SubscriptionId, Timestamp};

    gateway_row! {
        /// A subscription to events about one line.
        GatewayWatch in "gateway_watch" by ["id"], put put_gateway_watches {
            /// Its name.
            id: [u8; 16] => bytes,
            /// Whose it is.
            client_id: String => text,
            /// About which line.
            subscription_id: SubscriptionId => id,
            /// Whether the subscriber stood behind it, so that no number is ever said.
            three_legged: bool => flag,
            /// Where to, with which credential, about which number: under the installation's common key.
            sealed: Vec<u8> => blob,
            /// Since when.
            starts_at: Timestamp => time,
            /// Until when.
            expires_at: Option<Timestamp> => opt_time,
            /// Until when the credential holds.
            token_expires_at: Option<Timestamp> => opt_time,
            /// After how many events it ends.
            events_max: Option<i64> => opt_int,
            /// How many there were.
            events_sent: i64 => int,
            /// The newest swap that was told of.
            seen_at: Timestamp => time,
            /// `ACTIVE`, `EXPIRED`, `INACTIVE` or `DELETED`.
            state: String => text,
        }
    }
    pub(super) const TABLE_OF: &crate::db::Table = &TABLE;
}

mod event {
    use crate::records::gateway_row::gateway_row;
    use simwarden_model::Timestamp;

    gateway_row! {
        /// One event for one client.
        GatewayEvent in "gateway_event" by ["id"], put put_gateway_events {
            /// Its name; receivers drop a second one with the same name.
            id: [u8; 16] => bytes,
            /// Under which subscription.
            watch_id: [u8; 16] => bytes,
            /// To whom.
            client_id: String => text,
            /// `swapped` or `subscription-ended`.
            kind: String => text,
            /// What is sent, under the installation's common key.
            sealed: Vec<u8> => blob,
            /// When to try next.
            due_at: Timestamp => time,
            /// How often it was tried.
            attempts: i64 => int,
            /// When it was delivered, or given up.
            done_at: Option<Timestamp> => opt_time,
            /// What became of it: `delivered`, or why it was given up.
            outcome: Option<String> => opt_text,
        }
    }
    pub(super) const TABLE_OF: &crate::db::Table = &TABLE;
}

impl Store {
    /// One subscription.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn gateway_watch(&self, id: [u8; 16]) -> Result<Option<GatewayWatch>, StoreError> {
        let sql = format!("{} WHERE id = $1", select(watch::TABLE_OF));
        Ok(read_all(&self.db.fetch(&sql, vec![id.into()]).await?)?.pop())
    }

    /// The subscriptions of a client that still stand, the oldest first, at most 1,000.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn gateway_watches_of(&self, client: &str) -> Result<Vec<GatewayWatch>, StoreError> {
        let sql = format!(
            "{} WHERE client_id = $1 AND state = 'ACTIVE' ORDER BY id LIMIT 1000",
            select(watch::TABLE_OF)
        );
        read_all(&self.db.fetch(&sql, vec![client.into()]).await?)
    }

    /// The subscriptions that stand and whose line was swapped since they last heard, or whose time is up; at most 256.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn gateway_watches_due(
        &self,
        now: Timestamp,
        soon: Timestamp,
    ) -> Result<Vec<(GatewayWatch, Option<Timestamp>)>, StoreError> {
        let columns: Vec<String> = watch::TABLE_OF
            .columns
            .iter()
            .map(|column| format!("w.{column}"))
            .collect();
        let sql = format!(
            "SELECT {}, s.swapped_at FROM gateway_watch w JOIN subscription s ON s.id = w.subscription_id \
             WHERE w.state = 'ACTIVE' AND (s.swapped_at > w.seen_at OR w.expires_at <= $1 OR w.token_expires_at <= $2) \
             ORDER BY w.id LIMIT 256",
            columns.join(", ")
        );
        let rows = self.db.fetch(&sql, vec![now.into(), soon.into()]).await?;
        rows.iter()
            .map(|row| {
                let mut c = row.columns();
                let watch = super::FromColumns::from_columns(&mut c)?;
                Ok((watch, c.opt_time()?))
            })
            .collect()
    }

    /// Events that are due, the oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn gateway_events_due(
        &self,
        now: Timestamp,
        most: u32,
    ) -> Result<Vec<GatewayEvent>, StoreError> {
        let sql = format!(
            "{} WHERE done_at IS NULL AND due_at <= $1 ORDER BY due_at LIMIT $2",
            select(event::TABLE_OF)
        );
        let args = vec![now.into(), i64::from(most).into()];
        read_all(&self.db.fetch(&sql, args).await?)
    }

    /// Events to a client that were given up, the newest first, at most 1,000.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn gateway_dead_letters(&self, client: &str) -> Result<Vec<GatewayEvent>, StoreError> {
        let sql = format!(
            "{} WHERE client_id = $1 AND done_at IS NOT NULL AND outcome <> 'delivered' ORDER BY id DESC LIMIT 1000",
            select(event::TABLE_OF)
        );
        read_all(&self.db.fetch(&sql, vec![client.into()]).await?)
    }
}

impl crate::Tx {
    /// Ends every subscription to one line, or of one client's.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn drop_gateway_watches(&mut self, line: SubscriptionId) -> Result<(), StoreError> {
        let sql = "DELETE FROM gateway_watch WHERE subscription_id = $1";
        self.execute(sql, vec![line.into()]).await.map(drop)
    }
}
