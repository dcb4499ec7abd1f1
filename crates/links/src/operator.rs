//! Tells operators' systems how downloads go: ES2+ HandleDownloadProgressInfo over HTTPS.

use crate::http::{CONNECT, beginning, body, prefix};
use simwarden_app::ports::{Answer, OperatorLink, PortError, ProgressCall};
use simwarden_model::OutboxId;
use std::time::Duration;
use ureq::Agent;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

/// For the whole exchange.
const WHOLE: Duration = Duration::from_secs(15);
/// The most of an answer that is read.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
const FUNCTION: &str = "gsma/rsp2/es2plus/handleDownloadProgressInfo";

/// How this server shows itself to operators' systems, PEM.
#[derive(Default, Clone)]
pub struct ClientIdentity {
    /// The roots that their servers must have; the common ones of the web when left out.
    pub roots: Option<Vec<u8>>,
    /// Our certificate chain and its key.
    pub client: Option<(Vec<u8>, Vec<u8>)>,
}

/// What of an identity cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadIdentity(String);

impl std::fmt::Display for BadIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the {} cannot be read; give PEM", self.0)
    }
}

impl std::error::Error for BadIdentity {}

/// The certificates of a PEM text.
fn certificates(pem: &[u8], what: &str) -> Result<Vec<Certificate<'static>>, BadIdentity> {
    let bad = || BadIdentity(what.to_owned());
    let mut found = Vec::new();
    for item in ureq::tls::parse_pem(pem) {
        if let ureq::tls::PemItem::Certificate(certificate) = item.map_err(|_| bad())? {
            found.push(certificate);
        }
    }
    if found.is_empty() { Err(bad()) } else { Ok(found) }
}

/// The way to operators' systems.
#[derive(Debug, Clone)]
pub struct OperatorCalls {
    agent: Agent,
}

impl OperatorCalls {
    /// Makes the client.
    ///
    /// # Errors
    /// [`BadIdentity`] when roots, certificate or key do not read.
    pub fn new(identity: &ClientIdentity) -> Result<Self, BadIdentity> {
        let mut tls = TlsConfig::builder();
        if let Some(roots) = &identity.roots {
            tls = tls.root_certs(RootCerts::from(certificates(roots, "operators' roots")?));
        }
        if let Some((chain, key)) = &identity.client {
            let chain = certificates(chain, "client certificate")?;
            let key = PrivateKey::from_pem(key).map_err(|_| BadIdentity("client key".to_owned()))?;
            tls = tls.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
        }
        let agent = Agent::config_builder()
            .tls_config(tls.build())
            .timeout_global(Some(WHOLE))
            .timeout_connect(Some(CONNECT))
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent("simwarden")
            .build()
            .into();
        Ok(Self { agent })
    }

    fn call(&self, call: &ProgressCall) -> Result<(), PortError> {
        let again = |why: String| PortError::Temporary(why);
        let address = prefix(&call.callback).map_err(|bad| PortError::Permanent(bad.to_string()))?;
        let answer = self
            .agent
            .post(format!("{address}{FUNCTION}"))
            .header("x-admin-protocol", "gsma/rsp/v2.2.2")
            .content_type("application/json")
            .send(&call.body)
            .map_err(|error| again(error.to_string()))?;
        let status = answer.status().as_u16();
        let said = body(answer, ANSWER_BYTES_MAX).map_err(again)?;
        match status {
            200..=299 => Ok(()),
            _ => Err(again(format!("status {status}: {}", beginning(&said)))),
        }
    }
}

impl OperatorLink for OperatorCalls {
    fn progress<'a>(&'a self, _: OutboxId, call: &'a ProgressCall) -> Answer<'a, ()> {
        let (way, call) = (self.clone(), call.clone());
        Box::pin(async move {
            tokio::task::spawn_blocking(move || way.call(&call))
                .await
                .unwrap_or_else(|error| Err(PortError::Temporary(error.to_string())))
        })
    }
}
