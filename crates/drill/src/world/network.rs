//! The network core: which eSIM a number follows, where its calls go.

use super::{Port, SimWorld};
use simwarden_app::ports::{Answer, NetworkChange, NetworkCore};
use simwarden_model::{OperationKind, OutboxId};

impl NetworkCore for SimWorld {
    fn change<'a>(&'a self, name: OutboxId, change: &'a NetworkChange) -> Answer<'a, ()> {
        Box::pin(async move {
            self.meet(Port::Network).await?;
            let mut inner = self.lock();
            let meaning = format!(
                "{} undo={} {} {:?} {:?}",
                change.operation, change.undo, change.msisdn, change.imsi, change.forward_to
            );
            if !inner.first(name, meaning) {
                return Ok(());
            }
            let number = change.msisdn.clone();
            match change.operation {
                OperationKind::SetForwarding => match (&change.forward_to, change.undo) {
                    (Some(to), false) => {
                        inner.forwards.insert(number, to.clone());
                    }
                    _ => {
                        inner.forwards.remove(&number);
                    }
                },
                OperationKind::Suspend | OperationKind::Resume => {
                    let suspended = (change.operation == OperationKind::Suspend) != change.undo;
                    if suspended {
                        inner.suspended.insert(number);
                    } else {
                        inner.suspended.remove(&number);
                    }
                }
                OperationKind::PortOut if !change.undo => {
                    inner.follows.remove(&number);
                    inner.ported.insert(number);
                }
                _ => {
                    if let Some(imsi) = &change.imsi {
                        inner.follows.insert(number, imsi.clone());
                    }
                }
            }
            Ok(())
        })
    }
}
