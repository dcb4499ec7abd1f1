//! A PostgreSQL commit that can be believed.
//!
//! With synchronous replication, cancelling a waiting commit makes PostgreSQL answer COMMIT as if all were well and
//! say only by a warning that the standby may not have the data. The driver hands warnings to `tracing`, so a
//! listener is put around this one future: any warning while committing makes the outcome *unknown*.

use crate::StoreError;
use sqlx::{Postgres, Transaction};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tracing::instrument::WithSubscriber;
use tracing::{Event, Level, Metadata, Subscriber, span};

/// Where the driver reports what the server says beside its answers.
const NOTICE_TARGET: &str = "sqlx::postgres::notice";

struct Listener(Arc<AtomicBool>);

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == NOTICE_TARGET && *metadata.level() <= Level::WARN
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        if self.enabled(event.metadata()) {
            self.0.store(true, Ordering::Release);
        }
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

/// Commits, and believes it only when the server had nothing to add.
pub(crate) async fn commit(tx: Transaction<'static, Postgres>) -> Result<(), StoreError> {
    let warned = Arc::new(AtomicBool::new(false));
    let outcome = tx.commit().with_subscriber(Listener(Arc::clone(&warned))).await;
    match outcome {
        Ok(()) if warned.load(Ordering::Acquire) => {
            Err(StoreError::Unknown("the standby did not confirm it".into()))
        }
        Ok(()) => Ok(()),
        // The server may have committed before the answer was lost.
        Err(error) => Err(StoreError::Unknown(error.to_string())),
    }
}
