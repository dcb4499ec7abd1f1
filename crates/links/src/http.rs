//! What every HTTP link has in common: limits.

use std::io::Read as _;
use std::time::Duration;
use ureq::Agent;

/// For the connection alone.
pub(crate) const CONNECT: Duration = Duration::from_secs(5);

/// An address that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadAddress(String);

impl std::fmt::Display for BadAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "`{}` is no http:// or https:// address without user, query or fragment",
            self.0
        )
    }
}

impl std::error::Error for BadAddress {}

/// An HTTP client that gives up on the whole exchange after `whole`.
pub(crate) fn agent(whole: Duration) -> Agent {
    Agent::config_builder()
        .timeout_global(Some(whole))
        .timeout_connect(Some(CONNECT))
        .max_redirects(0)
        .http_status_as_error(false)
        .user_agent("simwarden")
        .build()
        .into()
}

/// Checks a prefix and ends it with a slash.
pub(crate) fn prefix(address: &str) -> Result<String, BadAddress> {
    let bad = || BadAddress(address.chars().take(200).collect());
    let uri: ureq::http::Uri = address.parse().map_err(|_| bad())?;
    let web = matches!(uri.scheme_str(), Some("http" | "https"));
    let user = uri
        .authority()
        .is_none_or(|authority| authority.as_str().contains('@'));
    if !web || user || uri.query().is_some() || address.contains('#') {
        return Err(bad());
    }
    Ok(format!("{}/", address.trim_end_matches('/')))
}

/// Reads a body of at most `bytes_max` bytes.
pub(crate) fn body(answer: ureq::http::Response<ureq::Body>, bytes_max: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut reader = answer.into_body().into_reader().take(bytes_max as u64 + 1);
    reader.read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() > bytes_max {
        return Err(format!("the answer has more than {bytes_max} bytes"));
    }
    Ok(bytes)
}

/// The beginning of an answer, for a message.
pub(crate) fn beginning(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::prefix;

    #[test]
    fn a_prefix_is_a_plain_web_address() {
        assert_eq!(
            prefix("https://log.example/kh").unwrap(),
            "https://log.example/kh/"
        );
        assert_eq!(
            prefix("http://127.0.0.1:8080//").unwrap(),
            "http://127.0.0.1:8080/"
        );
        for bad in [
            "",
            "log.example",
            "file:///etc/passwd",
            "https://u:p@log.example",
            "https://a/?q",
            "https://a/#f",
        ] {
            assert!(prefix(bad).is_err(), "{bad}");
        }
    }
}
