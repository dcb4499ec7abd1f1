//! A small HTTP/1.1 client with kept-alive connections, for a server on this machine or its network. Plain HTTP: the
//! demonstration and the load generator speak to a loopback address.

use crate::DrillError;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::net::TcpStream;

/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long an answer may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

/// One connection, kept alive, opened anew when the server closed it.
#[derive(Debug)]
pub struct Connection {
    authority: String,
    sender: Option<SendRequest<Full<Bytes>>>,
}

fn broken(error: impl std::fmt::Display) -> DrillError {
    DrillError::Transport(error.to_string())
}

/// `host:port` of `http://host:port`.
fn authority(base_url: &str) -> Result<String, DrillError> {
    let rest = base_url
        .strip_prefix("http://")
        .ok_or_else(|| DrillError::Transport(format!("`{base_url}` does not begin with http://")))?;
    let authority = rest.trim_end_matches('/');
    Ok(if authority.contains(':') {
        authority.to_owned()
    } else {
        format!("{authority}:80")
    })
}

impl Connection {
    /// A connection to a server such as `http://127.0.0.1:8080`; opened with the first request.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(base_url: &str) -> Result<Self, DrillError> {
        Ok(Self {
            authority: authority(base_url)?,
            sender: None,
        })
    }

    async fn open(&self) -> Result<SendRequest<Full<Bytes>>, DrillError> {
        let stream = TcpStream::connect(&self.authority).await.map_err(broken)?;
        stream.set_nodelay(true).map_err(broken)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(broken)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended");
            }
        });
        Ok(sender)
    }

    /// Sends a request and reads the whole answer. A request is sent once: whether the server saw one that broke off is
    /// not known.
    ///
    /// # Errors
    /// When the server cannot be reached, closes in between, or takes too long.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        token: Option<&str>,
        content_type: &str,
        body: Bytes,
    ) -> Result<Answer, DrillError> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.authority)
            .header(CONTENT_TYPE, content_type);
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(body)).map_err(broken)?;
        let kept = match self.sender.take() {
            Some(mut sender) => sender.ready().await.is_ok().then_some(sender),
            None => None,
        };
        let mut sender = match kept {
            Some(sender) => sender,
            None => self.open().await?,
        };
        let answer = tokio::time::timeout(ANSWER_TIME_MAX, async {
            let answer = sender.send_request(request).await.map_err(broken)?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX)
                .collect()
                .await
                .map_err(broken)?
                .to_bytes();
            Ok::<Answer, DrillError>(Answer { status, body })
        });
        let answer = answer.await.map_err(|_| broken("no answer within 30 s"))??;
        self.sender = Some(sender);
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::{Connection, authority};
    use bytes::Bytes;
    use hyper::Method;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[test]
    fn addresses() {
        assert_eq!(authority("http://127.0.0.1:8080/").unwrap(), "127.0.0.1:8080");
        assert_eq!(authority("http://localhost").unwrap(), "localhost:80");
        assert!(authority("https://127.0.0.1").is_err());
    }

    #[tokio::test]
    async fn keeps_its_connection_and_opens_a_new_one_when_it_was_closed() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", server.local_addr().unwrap());
        let served = tokio::spawn(async move {
            let mut seen = Vec::new();
            for answers in [2, 1] {
                let (mut stream, _) = server.accept().await.unwrap();
                for _ in 0..answers {
                    let mut buffer = vec![0; 4096];
                    let n = stream.read(&mut buffer).await.unwrap();
                    seen.push(String::from_utf8_lossy(&buffer[..n]).into_owned());
                    stream
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                        .await
                        .unwrap();
                }
            }
            seen
        });
        let mut connection = Connection::new(&address).unwrap();
        for _ in 0..3 {
            let mut answer = Err(crate::DrillError::Setup(String::new()));
            // The closing may be noticed only by the request that meets it.
            for _ in 0..2 {
                answer = connection
                    .send(
                        Method::POST,
                        "/v1/x",
                        Some("swt_1"),
                        "application/json",
                        Bytes::from_static(b"{}"),
                    )
                    .await;
                if answer.is_ok() {
                    break;
                }
            }
            assert_eq!(answer.unwrap().body, "ok");
        }
        let seen = served.await.unwrap();
        assert_eq!(seen.len(), 3);
        assert!(seen[0].starts_with("POST /v1/x HTTP/1.1") && seen[0].contains("Bearer swt_1"));
    }
}
