//! Delivers events to the sinks of the gateway's clients, over HTTPS, to public addresses only.
//!
//! The addresses are checked after the name was resolved and are then the ones that are connected to, so a name that
//! answers differently the second time gains nothing. Redirects are not followed, proxies not asked.

use crate::http::{beginning, body};
use simwarden_app::gateway::{EventSink, SandboxSink, SinkAnswer, SinkCall};
use simwarden_app::ports::{Answer, PortError};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Error};

/// For the whole exchange.
const WHOLE: Duration = Duration::from_secs(10);
/// For the connection alone.
const CONNECT: Duration = Duration::from_secs(5);
/// Of an answer, this much is read.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// The way to the sinks.
#[derive(Debug, Clone, Default)]
pub struct HttpSink;

/// Resolves names to public addresses; to this machine only where a sandbox says so.
#[derive(Debug)]
struct PublicOnly {
    this_machine_too: bool,
}

impl Resolver for PublicOnly {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = DefaultResolver::default().resolve(uri, config, timeout)?;
        let mut kept = self.empty();
        for address in found.iter() {
            let allowed = if self.this_machine_too {
                address.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST)
            } else {
                is_public(address)
            };
            if allowed {
                kept.push(*address);
            }
        }
        if kept.is_empty() {
            return Err(Error::HostNotFound);
        }
        Ok(kept)
    }
}

fn is_public(address: &SocketAddr) -> bool {
    match address.ip() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// Whether the whole internet reaches it (IANA's special-purpose registry).
fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b));
    !special
}

/// Global unicast without the parts that lead to IPv4 addresses or nowhere.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    let global = (0x2000..0x4000).contains(&a);
    let special = (a == 0x2001 && (b < 0x0200 || b == 0x0DB8)) || a == 0x2002 || (a == 0x3FFF && b < 0x1000);
    global && !special
}

fn agent(sandbox: Option<&SandboxSink>) -> Result<Agent, PortError> {
    let mut tls = TlsConfig::builder();
    if let Some(sandbox) = sandbox {
        let certificate = Certificate::from_pem(sandbox.ca_pem.as_bytes()).map_err(|_| {
            PortError::Permanent("the sandbox's certificate authority cannot be read".to_owned())
        })?;
        tls = tls.root_certs(RootCerts::from([certificate]));
    }
    let config = Agent::config_builder()
        .timeout_global(Some(WHOLE))
        .timeout_connect(Some(CONNECT))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .https_only(true)
        .proxy(None)
        .user_agent("simwarden")
        .tls_config(tls.build())
        .build();
    let resolver = PublicOnly {
        this_machine_too: sandbox.is_some(),
    };
    Ok(Agent::with_parts(config, DefaultConnector::default(), resolver))
}

fn call(call: &SinkCall) -> Result<SinkAnswer, PortError> {
    let sandbox = call
        .sandbox
        .as_ref()
        .filter(|sandbox| call.sink.starts_with(&sandbox.prefix));
    let mut request = agent(sandbox)?
        .post(&call.sink)
        .header("content-type", "application/cloudevents+json")
        .header("x-correlator", &call.correlator);
    if let Some(bearer) = &call.bearer {
        request = request.header("authorization", format!("Bearer {bearer}"));
    }
    let answer = request.send(&call.body).map_err(|error| match error {
        Error::BadUri(_) | Error::RequireHttpsOnly(_) => {
            PortError::Permanent("the sink's address cannot be used".to_owned())
        }
        other => PortError::Temporary(other.to_string()),
    })?;
    let status = answer.status().as_u16();
    let said = body(answer, ANSWER_BYTES_MAX).unwrap_or_default();
    match status {
        200..=299 => Ok(SinkAnswer::Taken),
        410 => Ok(SinkAnswer::Gone),
        408 | 425 | 429 | 500..=599 => Err(PortError::Temporary(format!("{status}: {}", beginning(&said)))),
        300..=399 => Err(PortError::Permanent(format!(
            "{status}: redirects are not followed"
        ))),
        _ => Err(PortError::Permanent(format!("{status}: {}", beginning(&said)))),
    }
}

impl EventSink for HttpSink {
    fn deliver<'a>(&'a self, event: &'a SinkCall) -> Answer<'a, SinkAnswer> {
        let event = event.clone();
        Box::pin(async move {
            tokio::task::spawn_blocking(move || call(&event))
                .await
                .unwrap_or_else(|error| Err(PortError::Temporary(error.to_string())))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{call, is_public};
    use simwarden_app::gateway::{SandboxSink, SinkCall};
    use simwarden_app::ports::PortError;

    #[test]
    fn what_is_not_the_open_internet_is_not_reached() {
        let public = |ip: &str| is_public(&format!("{ip}:443").parse().unwrap());
        for open in ["1.1.1.1", "203.0.112.1", "[2606:4700::1111]", "[2a00:1450::1]"] {
            assert!(public(open), "{open}");
        }
        for closed in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.7",
            "224.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[fd00::1]",
            "[fe80::1]",
            "[2001:db8::1]",
            "[2002:7f00:1::]",
            "[ff02::1]",
        ] {
            assert!(!public(closed), "{closed}");
        }
    }

    #[test]
    fn this_machine_is_not_called_and_plain_http_neither() {
        let to = |sink: &str, sandbox: Option<SandboxSink>| {
            call(&SinkCall {
                sink: sink.to_owned(),
                bearer: None,
                body: "{}".to_owned(),
                correlator: "a".to_owned(),
                sandbox,
            })
        };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        listener.set_nonblocking(true).unwrap();
        for sink in ["https://127.0.0.1", "https://localhost", "https://[::1]"] {
            assert!(
                matches!(
                    to(&format!("{sink}:{port}/a"), None),
                    Err(PortError::Temporary(_))
                ),
                "{sink}"
            );
        }
        assert!(matches!(
            to(&format!("http://127.0.0.1:{port}/a"), None),
            Err(PortError::Permanent(_))
        ));
        // A sandbox opens its own prefix only.
        let other = SandboxSink {
            prefix: "https://127.0.0.1:1/".to_owned(),
            ca_pem: String::new(),
        };
        assert!(to(&format!("https://127.0.0.1:{port}/a"), Some(other)).is_err());
        let nobody_came = listener.accept().unwrap_err();
        assert_eq!(nobody_came.kind(), std::io::ErrorKind::WouldBlock);
    }
}
