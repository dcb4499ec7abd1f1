//! The recent updates of operations, kept so that a live stream that was cut off can go on where it stood.
//!
//! One task follows the use cases; every stream reads the ring at its own pace. A stream that stays behind further
//! than the ring reaches is told to load anew: nothing is ever kept for one slow reader.

use prometheus_client::metrics::counter::Counter;
use simwarden_app::{App, Update};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

/// One update, written as JSON once, when the first reader wants it.
pub(crate) struct Item {
    pub update: Update,
    json: OnceLock<Option<String>>,
}

impl Item {
    fn new(update: Update) -> Self {
        Self {
            update,
            json: OnceLock::new(),
        }
    }

    /// The operation as it stands in lists.
    pub(crate) fn json(&self) -> Option<&str> {
        self.json
            .get_or_init(|| {
                simwarden_app::summary(&self.update.operation)
                    .ok()
                    .and_then(|summary| serde_json::to_string(&summary).ok())
            })
            .as_deref()
    }
}

struct Ring {
    items: VecDeque<Arc<Item>>,
    /// Every update with this number or a higher one is here.
    from: i64,
    kept: usize,
}

/// What there is behind a number.
pub(crate) enum Behind {
    /// These, in order.
    Items(Vec<Arc<Item>>),
    /// More than is kept, or a number that never was: load anew and go on behind `end`.
    TooFar { end: i64 },
}

/// The ring and the bell that rings when something is added.
pub(crate) struct Feed {
    ring: Mutex<Ring>,
    written: watch::Receiver<i64>,
    bell: watch::Sender<u64>,
}

/// Items handed out at once, so that one reader does not hold the ring for long.
const AT_ONCE: usize = 256;

impl Feed {
    /// Begins to follow.
    pub(crate) fn start(app: &App, kept: usize, counter: Counter) -> Arc<Self> {
        // Subscribed first: what is written between the two lines is then in the ring and counted as such.
        let mut updates = app.updates();
        let from = *app.written().borrow();
        let feed = Arc::new(Self::new(app.written(), from, kept));
        let weak = Arc::downgrade(&feed);
        tokio::spawn(async move {
            loop {
                let next = updates.recv().await;
                let Some(feed) = weak.upgrade() else {
                    return;
                };
                match next {
                    Ok(update) => {
                        counter.inc();
                        feed.push(update);
                    }
                    Err(RecvError::Lagged(lost)) => {
                        tracing::warn!(lost, "the stream of updates fell behind; pages load anew");
                        feed.lost();
                    }
                    Err(RecvError::Closed) => return,
                }
            }
        });
        feed
    }

    fn new(written: watch::Receiver<i64>, from: i64, kept: usize) -> Self {
        Self {
            ring: Mutex::new(Ring {
                items: VecDeque::new(),
                from,
                kept: kept.max(1),
            }),
            written,
            bell: watch::Sender::new(0),
        }
    }

    fn push(&self, update: Update) {
        {
            let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
            while ring.items.len() >= ring.kept {
                if let Some(gone) = ring.items.pop_front() {
                    ring.from = ring.from.max(gone.update.entry + 1);
                }
            }
            ring.items.push_back(Arc::new(Item::new(update)));
        }
        self.bell.send_modify(|rings| *rings = rings.wrapping_add(1));
    }

    fn lost(&self) {
        {
            let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
            let last = ring.items.back().map(|item| item.update.entry);
            ring.items.clear();
            // What was lost came after the last one that was seen; one more than what is written is past all of it.
            ring.from = (*self.written.borrow()).max(last.unwrap_or(0) + 2);
        }
        self.bell.send_modify(|rings| *rings = rings.wrapping_add(1));
    }

    /// Rings when something was added.
    pub(crate) fn bell(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }

    /// The number behind which a reader begins who wants only what is new.
    pub(crate) fn end(&self) -> i64 {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.items.back().map_or(ring.from - 1, |item| item.update.entry)
    }

    /// What there is behind a number, some at a time.
    pub(crate) fn behind(&self, number: i64) -> Behind {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let end = ring.items.back().map_or(ring.from - 1, |item| item.update.entry);
        let known = *self.written.borrow();
        if number < ring.from - 1 || number > end.max(known) {
            return Behind::TooFar { end };
        }
        let first = ring.items.partition_point(|item| item.update.entry <= number);
        Behind::Items(ring.items.range(first..).take(AT_ONCE).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Behind, Feed};
    use simwarden_app::Update;
    use tokio::sync::watch;

    fn numbers(feed: &Feed, after: i64) -> Result<Vec<i64>, i64> {
        match feed.behind(after) {
            Behind::Items(items) => Ok(items.iter().map(|item| item.update.entry).collect()),
            Behind::TooFar { end } => Err(end),
        }
    }

    #[test]
    fn goes_on_where_it_can_and_says_so_where_it_cannot() {
        let (written, seen) = watch::channel(10);
        let feed = Feed::new(seen, 10, 3);
        assert_eq!((feed.end(), numbers(&feed, 9)), (9, Ok(vec![])));
        assert_eq!(
            numbers(&feed, 8),
            Err(9),
            "updates before the process began are not known"
        );
        assert_eq!(numbers(&feed, 11), Err(9), "a number that was never given");
        let update = |entry| Update {
            entry,
            operation: crate::tests::row::operation_row(entry),
        };
        for entry in [10, 12, 13] {
            feed.push(update(entry));
            written.send_replace(entry + 1);
        }
        assert_eq!(numbers(&feed, 9), Ok(vec![10, 12, 13]));
        assert_eq!(numbers(&feed, 11), Ok(vec![12, 13]));
        feed.push(update(14));
        assert_eq!(numbers(&feed, 10), Ok(vec![12, 13, 14]));
        assert_eq!(numbers(&feed, 9), Err(14), "10 has left the ring");
        feed.lost();
        assert!(numbers(&feed, 14).is_err());
        let end = feed.end();
        assert_eq!(numbers(&feed, end), Ok(vec![]));
    }
}
