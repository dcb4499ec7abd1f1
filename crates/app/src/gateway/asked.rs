//! Who asked about whom: every question is kept for the subscriber to see, and a client that asks about unusually many
//! is reported.
//!
//! Questions are gathered and written a few times a second, so that asking costs no sync of the disk; the next question
//! is refused when they cannot be written.

use super::access::Caller;
use super::write::{Do, GatewayWrite};
use super::{Denied, Gateway};
use crate::Error;
use crate::entry::hex;
use crate::world::Needs;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use simwarden_model::{Role, SubscriptionId, Timestamp, TokenId};
use simwarden_store::records::gateway_query::GatewayQuery;
use std::collections::{HashMap, HashSet};
use std::sync::PoisonError;

/// Questions that may wait to be written.
const WAITING_MAX: usize = 50_000;
/// Questions written at once.
const AT_ONCE: usize = 2_000;
/// The window in which a client's questions are looked at, in microseconds.
const HOUR_US: i64 = 3_600_000_000;

/// From when on a client's questions are unusual; an operator may set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FanOut {
    /// Different lines in an hour.
    pub lines_max: usize,
    /// Numbers in an hour that are not ours: somebody searches for numbers.
    pub unknown_max: u32,
}

impl Default for FanOut {
    fn default() -> Self {
        Self {
            lines_max: 1_000,
            unknown_max: 200,
        }
    }
}

/// What one client asked within the hour.
#[derive(Default)]
struct Window {
    hour: i64,
    lines: HashSet<SubscriptionId>,
    unknown: u32,
    reported: bool,
}

/// The questions that wait, and what each client asked lately.
#[derive(Default)]
pub(super) struct AskedLately {
    waiting: Vec<GatewayQuery>,
    windows: HashMap<String, Window>,
    reports: Vec<(String, usize, u32)>,
}

/// A question, as the subscriber sees it.
#[derive(Debug, Clone, Serialize)]
pub struct AskedView {
    /// Who asked.
    pub client: String,
    /// What: `sim-swap/check` …
    pub api: String,
    /// What for; empty where the client did not say.
    pub purpose: String,
    /// When.
    pub at: Timestamp,
}

impl AskedLately {
    fn window(&mut self, client: &str, now: Timestamp) -> &mut Window {
        let hour = now.as_micros().div_euclid(HOUR_US);
        let window = self.windows.entry(client.to_owned()).or_default();
        if window.hour != hour {
            *window = Window {
                hour,
                ..Window::default()
            };
        }
        window
    }

    fn look(&mut self, client: &str, now: Timestamp, limit: FanOut) {
        let window = self.window(client, now);
        let many = window.lines.len() > limit.lines_max || window.unknown > limit.unknown_max;
        if many && !window.reported {
            window.reported = true;
            let report = (client.to_owned(), window.lines.len(), window.unknown);
            self.reports.push(report);
        }
    }
}

impl Gateway {
    /// Keeps a question about a line.
    ///
    /// # Errors
    /// [`Denied::Full`] when questions can no longer be kept.
    pub(super) fn asked(&self, caller: &Caller, line: SubscriptionId) -> Result<(), Denied> {
        let now = self.now();
        let id = *TokenId::new(now, self.draw::<10>()).as_bytes();
        let mut lately = self.inner.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if lately.waiting.len() >= WAITING_MAX {
            return Err(Denied::Full(
                "questions cannot be recorded at the moment; try again",
            ));
        }
        lately.waiting.push(GatewayQuery {
            id,
            subscription_id: line,
            client_id: caller.client_id().to_owned(),
            api: caller.api.to_owned(),
            purpose: caller.purpose().to_owned(),
            at: now,
        });
        let limit = self.inner.config.fan_out;
        let window = lately.window(caller.client_id(), now);
        if window.lines.len() <= limit.lines_max {
            window.lines.insert(line);
        }
        lately.look(caller.client_id(), now, limit);
        Ok(())
    }

    /// Counts a question about a number that is not ours.
    pub(super) fn asked_unknown(&self, caller: &Caller) {
        let now = self.now();
        let mut lately = self.inner.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let window = lately.window(caller.client_id(), now);
        window.unknown = window.unknown.saturating_add(1);
        lately.look(caller.client_id(), now, self.inner.config.fan_out);
    }

    /// Writes what was asked, and reports whoever asks about too many.
    pub(super) async fn write_asked(&self) -> Result<(), Error> {
        loop {
            let (rows, reports) = {
                let mut lately = self.inner.asked.lock().unwrap_or_else(PoisonError::into_inner);
                let rest = lately.waiting.len().min(AT_ONCE);
                let rest = lately.waiting.split_off(rest);
                let rows = std::mem::replace(&mut lately.waiting, rest);
                (rows, std::mem::take(&mut lately.reports))
            };
            if rows.is_empty() && reports.is_empty() {
                return Ok(());
            }
            for (client, lines, unknown) in &reports {
                tracing::warn!(%client, lines, unknown, "a client of the gateway asks about unusually many numbers");
            }
            let kept = rows.clone();
            let job = Do {
                needs: Needs::default(),
                run: move |_: &_, draft: &mut crate::draft::Draft<'_>| {
                    draft.begin_entry("gateway.asked", Role::System, None);
                    draft.entry().detail = serde_json::json!({
                        "questions": rows.len(),
                        "sha256": digest(&rows),
                        "unusual": reports.iter().map(|(client, lines, unknown)| {
                            serde_json::json!({ "client": client, "lines": lines, "unknown": unknown })
                        }).collect::<Vec<_>>(),
                    });
                    draft.gateway(GatewayWrite::Queries(rows.clone()));
                    draft.end_entry().map(drop)
                },
            };
            if let Err(error) = self.app().commit(job).await {
                let mut lately = self.inner.asked.lock().unwrap_or_else(PoisonError::into_inner);
                lately.waiting.splice(0..0, kept);
                return Err(error);
            }
        }
    }

    pub(super) async fn asked_about(&self, line: SubscriptionId) -> Result<Vec<AskedView>, Error> {
        self.write_asked().await?;
        let rows = self.app().store().gateway_queries(line, 1_000).await?;
        Ok(rows
            .into_iter()
            .map(|row| AskedView {
                client: row.client_id,
                api: row.api,
                purpose: row.purpose,
                at: row.at,
            })
            .collect())
    }
}

/// Over the rows, so that none can be taken out later without a trace.
fn digest(rows: &[GatewayQuery]) -> String {
    let mut hash = Sha256::new();
    for row in rows {
        hash.update(row.id);
        hash.update(row.subscription_id.as_bytes());
        for text in [&row.client_id, &row.api, &row.purpose] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
    }
    hex(&hash.finalize())
}
