//! Reads a log's files from a web server.

use crate::http::{BadAddress, agent, beginning, body, prefix};
use simwarden_app::log::{Fetch, FetchError};
use std::time::Duration;
use ureq::Agent;

/// For one file.
const WHOLE: Duration = Duration::from_secs(60);
const OK: u16 = 200;
/// What servers answer for a file that is not there, or no longer kept.
const ABSENT: [u16; 2] = [404, 410];

/// A log on a web server.
#[derive(Debug, Clone)]
pub struct HttpFetch {
    prefix: String,
    token: Option<String>,
    agent: Agent,
}

impl HttpFetch {
    /// A log under an address. `token` is sent as a bearer token: entry bundles are for auditors only.
    ///
    /// # Errors
    /// When it is no plain web address.
    pub fn new(address: &str, token: Option<String>) -> Result<Self, BadAddress> {
        Ok(Self {
            prefix: prefix(address)?,
            token,
            agent: agent(WHOLE),
        })
    }
}

impl Fetch for HttpFetch {
    fn fetch(&self, path: &str, bytes_max: usize) -> Result<Option<Vec<u8>>, FetchError> {
        let mut request = self.agent.get(format!("{}{path}", self.prefix));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let answer = request.call().map_err(|e| FetchError(e.to_string()))?;
        let status = answer.status().as_u16();
        if ABSENT.contains(&status) {
            return Ok(None);
        }
        let bytes = body(answer, bytes_max).map_err(FetchError)?;
        if status != OK {
            return Err(FetchError(format!(
                "the server answered {status}: {}",
                beginning(&bytes)
            )));
        }
        Ok(Some(bytes))
    }
}
