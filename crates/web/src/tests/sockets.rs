//! The sockets, over real TCP.

use super::world::World;
use crate::{Listening, ServeError, ServeLimits, tls_config};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

const HERE: &str = "127.0.0.1:0";

fn short() -> ServeLimits {
    ServeLimits {
        head_time_max: Duration::from_secs(1),
        ..ServeLimits::default()
    }
}

async fn serve(world: &World, limits: ServeLimits) -> (SocketAddr, watch::Sender<bool>, JoinHandle<()>) {
    let listening = Listening::bind(HERE.parse().unwrap(), None, limits)
        .await
        .unwrap();
    let address = listening.address();
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(listening.serve(world.router.clone(), stopped));
    (address, stop, task)
}

/// Everything until the other side closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut text)).await;
    let _ = read.expect("the server closes in time");
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn plain_http_is_refused_where_others_could_listen() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused = Listening::bind(address.parse().unwrap(), None, ServeLimits::default()).await;
        assert!(matches!(refused, Err(ServeError::PlainOutside(_))), "{address}");
    }
}

#[tokio::test]
async fn one_connection_serves_many_requests_and_ends_in_order() {
    let world = World::build().await;
    let (address, stop, task) = serve(&world, ServeLimits::default()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let two = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(two.as_bytes()).await.unwrap();
    let text = rest(&mut stream).await;
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 2, "{text}");
    let idle = TcpStream::connect(address).await.unwrap();
    stop.send_replace(true);
    tokio::time::timeout(Duration::from_secs(9), task)
        .await
        .expect("ends in time")
        .unwrap();
    drop(idle);
    assert!(
        TcpStream::connect(address).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn who_is_slow_or_says_nonsense_is_cut_off() {
    let world = World::build().await;
    let (address, _stop, _) = serve(&world, short()).await;
    for opening in [
        "",
        "G",
        "GET / HTTP/1.1\r\nhost: x\r\nx-slow: ",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(opening.as_bytes()).await.unwrap();
        let text = rest(&mut stream).await;
        assert!(!text.starts_with("HTTP/1.1 2"), "`{opening}`: {text}");
    }
    for nonsense in [
        format!(
            "GET /healthz HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n",
            "y".repeat(100_000)
        ),
        format!(
            "GET /healthz HTTP/1.1\r\nhost: x\r\n{}\r\n",
            "a: b\r\n".repeat(200)
        ),
        format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(100_000)),
        "GET /healthz HTTP/1.1\r\nhost: x\r\nauthorization: a\0b\r\n\r\n".to_owned(),
        "POST /v1/session HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n".to_owned(),
        "POST /v1/session HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}".to_owned(),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The server may answer and close before everything was written.
        let _ = stream.write_all(nonsense.as_bytes()).await;
        let text = rest(&mut stream).await;
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{text}");
    }
    let mut fine = TcpStream::connect(address).await.unwrap();
    fine.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    assert!(rest(&mut fine).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn tls_offers_both_versions_of_http() {
    let world = World::build().await;
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (chain, private) = (key.cert.pem(), key.signing_key.serialize_pem());
    let config = tls_config(chain.as_bytes(), private.as_bytes()).unwrap();
    assert!(tls_config(b"nothing", private.as_bytes()).is_err());
    assert!(tls_config(chain.as_bytes(), b"nothing").is_err());
    let listening = Listening::bind(HERE.parse().unwrap(), Some(config), short())
        .await
        .unwrap();
    let address = listening.address();
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(listening.serve(world.router.clone(), stopped));
    let mut roots = RootCertStore::empty();
    let root = tokio_rustls::rustls::pki_types::CertificateDer::from_pem_slice(chain.as_bytes()).unwrap();
    roots.add(root).unwrap();
    for protocol in ["http/1.1", "h2"] {
        let provider = std::sync::Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        client.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(client));
        let tcp = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = connector.connect(name, tcp).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol.as_bytes()));
        let mut text = Vec::new();
        if protocol == "h2" {
            // Silence after the handshake: the server must not wait for ever.
            let _ = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut text))
                .await
                .expect("the server closes in time");
        } else {
            let sent = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
            stream.write_all(sent).await.unwrap();
            // A missing close_notify is no error here.
            let _ = stream.read_to_end(&mut text).await;
            assert!(String::from_utf8_lossy(&text).starts_with("HTTP/1.1 200"));
        }
    }
}
