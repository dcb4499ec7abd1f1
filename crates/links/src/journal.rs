//! Effects as lines in a file: the way out for an operator whose systems pick files up, and the default.
//!
//! Each effect is one JSON object a line, with its name; whoever reads the file drops a name that was seen before.
//! Texts to people are in it in the clear, so the file is made readable for its owner only.

use serde::Serialize;
use simwarden_app::ports::{
    Answer, NetworkChange, NetworkCore, Notice, Notifier, PortError, ProfileOrder, SmDpPlus,
};
use simwarden_model::OutboxId;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A file that effects are appended to.
#[derive(Debug, Clone)]
pub struct Journal {
    file: Arc<Mutex<File>>,
}

#[derive(Serialize)]
struct Line<'a, T> {
    effect: &'a str,
    name: OutboxId,
    what: T,
}

#[derive(Serialize)]
struct OrderLine<'a> {
    iccid: &'a str,
    eid: Option<&'a str>,
    operator: &'a str,
}

#[derive(Serialize)]
struct ChangeLine<'a> {
    operation: &'a str,
    undo: bool,
    msisdn: &'a str,
    imsi: Option<&'a str>,
    forward_to: Option<&'a str>,
}

impl Journal {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)?;
        Ok(Self {
            file: Arc::new(Mutex::new(file)),
        })
    }

    async fn write<T: Serialize>(&self, effect: &str, name: OutboxId, what: T) -> Result<(), PortError> {
        let mut line = serde_json::to_vec(&Line { effect, name, what })
            .map_err(|e| PortError::Permanent(e.to_string()))?;
        line.push(b'\n');
        let file = Arc::clone(&self.file);
        let written = tokio::task::spawn_blocking(move || {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.write_all(&line)?;
            file.sync_data()
        });
        match written.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(PortError::Temporary(format!(
                "the journal cannot be written: {error}"
            ))),
            Err(_) => Err(PortError::Temporary("the server is going down".to_owned())),
        }
    }

    async fn order(&self, effect: &str, name: OutboxId, order: &ProfileOrder) -> Result<(), PortError> {
        let what = OrderLine {
            iccid: &order.iccid,
            eid: order.eid.as_deref(),
            operator: &order.operator,
        };
        self.write(effect, name, what).await
    }
}

impl Notifier for Journal {
    fn tell<'a>(&'a self, name: OutboxId, notice: &'a Notice) -> Answer<'a, ()> {
        Box::pin(self.write("tell", name, notice))
    }
}

impl SmDpPlus for Journal {
    fn order<'a>(&'a self, name: OutboxId, order: &'a ProfileOrder) -> Answer<'a, ()> {
        Box::pin(Journal::order(self, "order", name, order))
    }
    fn release<'a>(&'a self, name: OutboxId, order: &'a ProfileOrder) -> Answer<'a, ()> {
        Box::pin(Journal::order(self, "release", name, order))
    }
    /// A file cannot tell what happened on a chip; whoever reads it installs what was released.
    fn is_installed<'a>(&'a self, _: &'a ProfileOrder) -> Answer<'a, bool> {
        Box::pin(async { Ok(true) })
    }
    fn bar<'a>(&'a self, name: OutboxId, order: &'a ProfileOrder) -> Answer<'a, ()> {
        Box::pin(Journal::order(self, "bar", name, order))
    }
}

impl NetworkCore for Journal {
    fn change<'a>(&'a self, name: OutboxId, change: &'a NetworkChange) -> Answer<'a, ()> {
        Box::pin(async move {
            let what = ChangeLine {
                operation: change.operation.as_str(),
                undo: change.undo,
                msisdn: &change.msisdn,
                imsi: change.imsi.as_deref(),
                forward_to: change.forward_to.as_deref(),
            };
            self.write("network", name, what).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Journal;
    use simwarden_app::ports::{NetworkChange, NetworkCore as _, ProfileOrder, SmDpPlus as _};
    use simwarden_model::{OperationKind, OutboxId};

    #[tokio::test]
    async fn each_effect_is_one_line_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("effects.jsonl");
        let journal = Journal::open(&path).unwrap();
        let name = OutboxId::from_bytes([7; 16]);
        let order = ProfileOrder {
            iccid: "8985501".into(),
            eid: None,
            operator: "999-01".into(),
            operation: None,
        };
        journal.release(name, &order).await.unwrap();
        let change = NetworkChange {
            operation: OperationKind::Replace,
            undo: true,
            msisdn: "85512345678".into(),
            imsi: Some("999010000000001".into()),
            forward_to: None,
        };
        journal.change(name, &change).await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["effect"], "release");
        assert_eq!(lines[1]["what"]["undo"], true);
        assert!(lines.iter().all(|line| line["name"] == name.to_string()));
    }
}
