//! Asks a witness for its cosignature, C2SP tlog-witness over HTTP.

use crate::http::{BadAddress, agent, beginning, body, prefix};
use simwarden_app::log::{CosignError, CosignFuture, Cosigner};
use simwarden_ledger::{MAX_NOTE_BYTES, parse_conflict};
use std::time::Duration;
use ureq::Agent;

/// For the whole exchange.
const WHOLE: Duration = Duration::from_secs(10);
const OK: u16 = 200;
const CONFLICT: u16 = 409;

/// The way to one witness.
#[derive(Debug, Clone)]
pub struct HttpCosigner {
    address: String,
    agent: Agent,
}

impl HttpCosigner {
    /// `submission_prefix` is the address that the witness gives out, as in a tlog-policy.
    ///
    /// # Errors
    /// When it is no plain web address.
    pub fn new(submission_prefix: &str) -> Result<Self, BadAddress> {
        Ok(Self {
            address: format!("{}add-checkpoint", prefix(submission_prefix)?),
            agent: agent(WHOLE),
        })
    }

    fn ask(&self, request: &[u8]) -> Result<Vec<u8>, CosignError> {
        let unreachable = |e: String| CosignError::Unreachable(e);
        let answer = self
            .agent
            .post(&self.address)
            .content_type("text/plain; charset=utf-8")
            .send(request);
        let answer = answer.map_err(|e| unreachable(e.to_string()))?;
        let status = answer.status().as_u16();
        let bytes = body(answer, MAX_NOTE_BYTES).map_err(unreachable)?;
        match status {
            OK => Ok(bytes),
            CONFLICT => match parse_conflict(&bytes) {
                Ok(latest) => Err(CosignError::Conflict { latest }),
                Err(error) => Err(CosignError::Refused {
                    status,
                    reason: error.to_string(),
                }),
            },
            _ => Err(CosignError::Refused {
                status,
                reason: beginning(&bytes),
            }),
        }
    }
}

impl Cosigner for HttpCosigner {
    fn cosign(&self, request_body: Vec<u8>) -> CosignFuture<'_> {
        let way = self.clone();
        Box::pin(async move {
            tokio::task::spawn_blocking(move || way.ask(&request_body))
                .await
                .unwrap_or_else(|error| Err(CosignError::Unreachable(error.to_string())))
        })
    }
}
