//! Phones and mailboxes.

use super::{Port, SimWorld, TEXTS_MAX};
use simwarden_app::ports::{Answer, Notice, Notifier, OperatorLink, ProgressCall};
use simwarden_model::{OutboxId, Timestamp};

/// A text that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// When.
    pub at: Timestamp,
    /// `km`, `en`, `zh`.
    pub language: String,
    /// What it says.
    pub text: String,
}

impl Notifier for SimWorld {
    fn tell<'a>(&'a self, name: OutboxId, notice: &'a Notice) -> Answer<'a, ()> {
        Box::pin(async move {
            self.meet(Port::Notifier).await?;
            let at = self.clock.now();
            let mut inner = self.lock();
            if !inner.first(name, format!("tell {:?} {:?}", notice.phone, notice.email)) {
                return Ok(());
            }
            for to in notice.phone.iter().chain(&notice.email) {
                let texts = inner.texts.entry(to.clone()).or_default();
                if texts.len() == TEXTS_MAX {
                    texts.remove(0);
                }
                texts.push(Text {
                    at,
                    language: notice.language.clone(),
                    text: notice.text.clone(),
                });
            }
            Ok(())
        })
    }
}

impl OperatorLink for SimWorld {
    /// No operator of this world has a system that wants to be told.
    fn progress<'a>(&'a self, name: OutboxId, call: &'a ProgressCall) -> Answer<'a, ()> {
        Box::pin(async move {
            self.lock().first(name, format!("progress {}", call.callback));
            Ok(())
        })
    }
}
