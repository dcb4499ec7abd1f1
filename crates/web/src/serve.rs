//! The sockets: TLS or a plain loopback, bounded connections, no patience for the slow, an orderly end.
//!
//! Plain HTTP is served on loopback addresses only; elsewhere tokens would travel in the clear. HTTP/2 is offered over
//! TLS, by ALPN. A connection that has not sent a whole request head in time is closed, whichever trick it plays.

use crate::auth::Peer;
use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::Service as _;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// Why the server does not begin.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Plain HTTP where others could listen.
    #[error(
        "{0} is no loopback address: plain HTTP would show tokens to the network. Give a certificate and its key, or \
         listen on 127.0.0.1 behind a proxy that speaks TLS"
    )]
    PlainOutside(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {cause}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        cause: io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("the TLS certificate or key cannot be used: {0}")]
    Tls(String),
}

/// Limits of the sockets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeLimits {
    /// Open connections in all; the next one waits in the system's queue.
    pub connections_max: usize,
    /// Open connections of one address; loopback excepted, where a proxy may stand.
    pub connections_per_address_max: usize,
    /// How long a request head, a handshake or the wait for the next request may take.
    pub head_time_max: Duration,
    /// How long requests at work may take to end when the server stops.
    pub stop_time_max: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connections_max: 4_096,
            connections_per_address_max: 256,
            head_time_max: Duration::from_secs(20),
            stop_time_max: Duration::from_secs(10),
        }
    }
}

/// Bytes of a request head.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Headers of a request.
const HEADERS_MAX: usize = 64;
/// Requests at the same time on one HTTP/2 connection.
const STREAMS_MAX: u32 = 128;
/// The pause after the system refused a connection, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Reads a certificate chain and its key, both PEM, for TLS 1.2 and 1.3.
///
/// # Errors
/// [`ServeError::Tls`] when they cannot be read or do not belong together.
pub fn tls_config(chain_pem: &[u8], key_pem: &[u8]) -> Result<Arc<ServerConfig>, ServeError> {
    let fail = |what: &str, why: &dyn std::fmt::Display| ServeError::Tls(format!("{what}: {why}"));
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain_pem)
        .collect::<Result<_, _>>()
        .map_err(|why| fail("certificate", &why))?;
    if chain.is_empty() {
        return Err(fail("certificate", &"there is none in the file; give PEM"));
    }
    let key = PrivateKeyDer::from_pem_slice(key_pem).map_err(|why| fail("key", &why))?;
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|why| fail("TLS", &why))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|why| fail("certificate and key", &why))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Phones open a connection for every call; a ticket spares them, and this server, the signature.
    config.ticketer = tokio_rustls::rustls::crypto::ring::Ticketer::new().map_err(|why| fail("TLS", &why))?;
    Ok(Arc::new(config))
}

/// As [`tls_config`], for clients that show a certificate under one of these roots (PEM, or one DER); all others end in
/// the handshake.
///
/// # Errors
/// [`ServeError::Tls`] when something cannot be read or does not belong together.
pub fn mutual_tls_config(
    chain_pem: &[u8],
    key_pem: &[u8],
    roots: &[u8],
) -> Result<Arc<ServerConfig>, ServeError> {
    let fail = |what: &str, why: &dyn std::fmt::Display| ServeError::Tls(format!("{what}: {why}"));
    let mut trusted = RootCertStore::empty();
    let pem: Result<Vec<CertificateDer<'static>>, _> = CertificateDer::pem_slice_iter(roots).collect();
    let mut found = pem.map_err(|why| fail("roots of clients", &why))?;
    if found.is_empty() {
        found.push(CertificateDer::from(roots.to_vec()));
    }
    for root in found {
        trusted.add(root).map_err(|why| fail("roots of clients", &why))?;
    }
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), provider.clone())
        .build()
        .map_err(|why| fail("roots of clients", &why))?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain_pem)
        .collect::<Result<_, _>>()
        .map_err(|why| fail("certificate", &why))?;
    let key = PrivateKeyDer::from_pem_slice(key_pem).map_err(|why| fail("key", &why))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|why| fail("TLS", &why))?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)
        .map_err(|why| fail("certificate and key", &why))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// SHA-256 of the certificate that the client of a connection has proven to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientCertificate(pub [u8; 32]);

/// A socket that listens.
pub struct Listening {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    limits: ServeLimits,
    address: SocketAddr,
}

impl Listening {
    /// Listens; port 0 takes any free one.
    ///
    /// # Errors
    /// [`ServeError::PlainOutside`] without TLS on an address that others reach.
    pub async fn bind(
        address: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
        limits: ServeLimits,
    ) -> Result<Self, ServeError> {
        if tls.is_none() && !address.ip().to_canonical().is_loopback() {
            return Err(ServeError::PlainOutside(address));
        }
        let fail = |cause| ServeError::Bind { address, cause };
        let listener = TcpListener::bind(address).await.map_err(fail)?;
        Ok(Self {
            address: listener.local_addr().map_err(fail)?,
            listener,
            tls: tls.map(TlsAcceptor::from),
            limits,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` becomes true or its sender is gone; then ends what is at work, within bounds.
    pub async fn serve(self, router: Router, stop: watch::Receiver<bool>) {
        let room = Arc::new(Semaphore::new(self.limits.connections_max));
        let crowd = Arc::new(Crowd::default());
        let mut at_work = JoinSet::new();
        let mut stopped = pin!(is_true(stop.clone()));
        loop {
            let accepted = tokio::select! {
                () = &mut stopped => break,
                Some(_) = at_work.join_next(), if !at_work.is_empty() => continue,
                accepted = accept(&self.listener, &room) => accepted,
            };
            let Some((stream, peer, permit)) = accepted else {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let Some(place) = crowd.enter(peer, self.limits.connections_per_address_max) else {
                continue;
            };
            let connection = Connection {
                router: router.clone(),
                peer,
                certificate: None,
                limits: self.limits.clone(),
                stop: stop.clone(),
            };
            let tls = self.tls.clone();
            at_work.spawn(async move {
                let _held = (permit, place);
                connection.run(stream, tls).await;
            });
        }
        drop(self.listener);
        let ended = timeout(self.limits.stop_time_max, async {
            while at_work.join_next().await.is_some() {}
        });
        if ended.await.is_err() {
            tracing::warn!(left = at_work.len(), "connections were cut off at the end");
            at_work.shutdown().await;
        }
    }
}

/// Waits until it is true, or nobody can make it true any more.
async fn is_true(mut stop: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is an end too.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, IpAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            // Small answers must not wait for a full packet.
            let _ = stream.set_nodelay(true);
            Some((stream, peer.ip().to_canonical(), permit))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection was not accepted");
            None
        }
    }
}

/// How many connections each address has.
#[derive(Default)]
struct Crowd(Mutex<HashMap<IpAddr, usize>>);

/// One place in the crowd; given back when dropped.
struct Place {
    crowd: Arc<Crowd>,
    peer: IpAddr,
}

impl Crowd {
    fn enter(self: &Arc<Self>, peer: IpAddr, most: usize) -> Option<Place> {
        let mut crowd = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = crowd.entry(peer).or_default();
        if *count >= most && !peer.is_loopback() {
            return None;
        }
        *count += 1;
        Some(Place {
            crowd: Arc::clone(self),
            peer,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut crowd = self.crowd.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = crowd.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                crowd.remove(&self.peer);
            }
        }
    }
}

struct Connection {
    router: Router,
    peer: IpAddr,
    /// Of the client, when TLS asked for one.
    certificate: Option<ClientCertificate>,
    limits: ServeLimits,
    stop: watch::Receiver<bool>,
}

impl Connection {
    async fn run(mut self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        let Some(tls) = tls else {
            return self.http1(stream).await;
        };
        let Ok(Ok(stream)) = timeout(self.limits.head_time_max, tls.accept(stream)).await else {
            return;
        };
        let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        self.certificate = shown.map(|der| ClientCertificate(Sha256::digest(der).into()));
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            self.http2(stream).await;
        } else {
            self.http1(stream).await;
        }
    }

    /// The router, with the peer's address entered into every request.
    fn service(
        &self,
        seen: &Arc<AtomicBool>,
    ) -> impl hyper::service::Service<
        hyper::Request<Incoming>,
        Response = axum::response::Response,
        Error = std::convert::Infallible,
        Future: Send + 'static,
    > + Clone
    + use<> {
        let inner = TowerToHyperService::new(self.router.clone());
        let (peer, seen) = (Peer(self.peer), Arc::clone(seen));
        let certificate = self.certificate;
        hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
            seen.store(true, Ordering::Relaxed);
            let mut request: Request = request.map(axum::body::Body::new);
            request.extensions_mut().insert(peer);
            if let Some(certificate) = certificate {
                request.extensions_mut().insert(certificate);
            }
            inner.call(request)
        })
    }

    async fn http1<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S) {
        let seen = Arc::new(AtomicBool::new(false));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head_time_max)
            .max_buf_size(HEAD_BYTES_MAX)
            .max_headers(HEADERS_MAX)
            .keep_alive(true)
            .serve_connection(TokioIo::new(stream), self.service(&seen));
        let mut connection = pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => return log_end(ended),
            () = is_true(self.stop.clone()) => {}
        }
        connection.as_mut().graceful_shutdown();
        log_end(connection.await);
    }

    async fn http2<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S) {
        let seen = Arc::new(AtomicBool::new(false));
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(self.limits.head_time_max)
            .keep_alive_timeout(self.limits.head_time_max)
            .max_concurrent_streams(STREAMS_MAX)
            .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX))
            .serve_connection(TokioIo::new(stream), self.service(&seen));
        let mut connection = pin!(connection);
        // HTTP/2 has no timeout of its own for the first words.
        let first = async {
            tokio::time::sleep(self.limits.head_time_max).await;
            if seen.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            ended = connection.as_mut() => return log_end(ended),
            () = first => return,
            () = is_true(self.stop.clone()) => {}
        }
        connection.as_mut().graceful_shutdown();
        log_end(connection.await);
    }
}

/// Connections that end badly are the network's daily bread.
fn log_end(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}
