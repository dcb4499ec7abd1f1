//! Sessions that wait for the chip's first signature: in memory, bounded.

use simwarden_model::Timestamp;
use simwarden_rsp::{Session, TransactionId};
use std::collections::{HashMap, VecDeque};

/// Sessions kept; the oldest goes first.
const BEGUN_MAX: usize = 65_536;

/// The sessions, and their order of beginning.
#[derive(Default)]
pub(crate) struct Begun {
    sessions: HashMap<TransactionId, Session>,
    order: VecDeque<(TransactionId, Timestamp)>,
}

impl Begun {
    pub(crate) fn add(&mut self, session: Session, now: Timestamp) {
        while let Some((oldest, ends)) = self.order.front().copied() {
            // Ids stay in the order until they come to its front, also those of sessions that went on.
            if ends > now && self.order.len() < BEGUN_MAX {
                break;
            }
            self.order.pop_front();
            self.sessions.remove(&oldest);
        }
        self.order.push_back((session.transaction, session.expires_at));
        self.sessions.insert(session.transaction, session);
    }

    pub(crate) fn get(&self, transaction: &TransactionId) -> Option<Session> {
        self.sessions.get(transaction).cloned()
    }

    pub(crate) fn remove(&mut self, transaction: &TransactionId) {
        self.sessions.remove(transaction);
    }
}

#[cfg(test)]
mod tests {
    use super::{BEGUN_MAX, Begun};
    use simwarden_model::Timestamp;
    use simwarden_rsp::session::Phase;
    use simwarden_rsp::{Session, TransactionId};

    fn session(n: u64, begun: i64) -> Session {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&n.to_be_bytes());
        Session {
            transaction: TransactionId::new(id),
            server_challenge: [0; 16],
            ci: [0; 20],
            ours: [0; 20],
            begun_at: Timestamp::from_micros(begun),
            expires_at: Timestamp::from_micros(begun + 10),
            phase: Phase::Init,
            code_refused: false,
            authenticated: None,
        }
    }

    #[test]
    fn a_flood_keeps_the_newest_and_the_old_go_by_themselves() {
        let mut begun = Begun::default();
        for n in 0..u64::try_from(BEGUN_MAX).unwrap() + 5 {
            begun.add(session(n, 0), Timestamp::from_micros(0));
        }
        assert_eq!(begun.sessions.len(), BEGUN_MAX);
        assert!(begun.get(&session(4, 0).transaction).is_none());
        assert!(begun.get(&session(5, 0).transaction).is_some());
        begun.add(session(1_000_000, 20), Timestamp::from_micros(20));
        assert_eq!((begun.sessions.len(), begun.order.len()), (1, 1));
        begun.remove(&session(1_000_000, 20).transaction);
        assert!(begun.sessions.is_empty());
    }
}
