//! The API of a server, as a person or a machine with one token uses it.

use crate::DrillError;
use crate::client::{Answer, Connection};
use crate::wire::{Ask, Checked, Evidence, Operation, OwnersAnswer, Problem, Questions, RolledBack, Taken};
use bytes::Bytes;
use hyper::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::Mutex;

/// What a request answers, later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, DrillError>> + Send + 'a>>;

/// A request.
#[derive(Debug, Clone)]
pub struct Call {
    /// Whether it changes something.
    pub post: bool,
    /// Path and query.
    pub path: String,
    /// Who asks.
    pub token: String,
    /// `application/json` or `application/x-ndjson`.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// A way to a server. Over HTTP in life; tests answer in their own process.
pub trait Api: Send + Sync {
    /// Sends one request.
    fn call(&self, call: Call) -> Later<'_, Answer>;
}

/// The API over HTTP, with a few kept-alive connections.
#[derive(Debug)]
pub struct HttpApi {
    base_url: String,
    idle: Mutex<Vec<Connection>>,
}

/// Connections kept for the next request.
const IDLE_MAX: usize = 16;

impl HttpApi {
    /// The API at an address such as `http://127.0.0.1:8080`.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(base_url: &str) -> Result<Self, DrillError> {
        Connection::new(base_url)?;
        Ok(Self {
            base_url: base_url.to_owned(),
            idle: Mutex::default(),
        })
    }
}

impl Api for HttpApi {
    fn call(&self, call: Call) -> Later<'_, Answer> {
        Box::pin(async move {
            let kept = self.idle.lock().await.pop();
            let mut connection = match kept {
                Some(connection) => connection,
                None => Connection::new(&self.base_url)?,
            };
            let method = if call.post { Method::POST } else { Method::GET };
            let answer = connection
                .send(
                    method,
                    &call.path,
                    Some(&call.token),
                    call.content_type,
                    Bytes::from(call.body),
                )
                .await?;
            let mut idle = self.idle.lock().await;
            if idle.len() < IDLE_MAX {
                idle.push(connection);
            }
            Ok(answer)
        })
    }
}

/// Somebody's token at a server.
#[derive(Clone)]
pub struct Session {
    api: Arc<dyn Api>,
    token: String,
    /// Who it is, for the narrator.
    pub name: String,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({})", self.name)
    }
}

impl Session {
    /// A session with a token.
    #[must_use]
    pub fn new(api: Arc<dyn Api>, token: String, name: String) -> Self {
        Self { api, token, name }
    }

    /// The token itself, for load generators.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.token
    }

    async fn send<T: DeserializeOwned>(&self, call: Call) -> Result<T, DrillError> {
        let answer = self.api.call(call).await?;
        if !(200..300).contains(&answer.status) {
            let problem: Problem = serde_json::from_slice(&answer.body).unwrap_or_default();
            return Err(DrillError::Refused {
                status: answer.status,
                code: problem.code,
                detail: problem.detail,
            });
        }
        serde_json::from_slice(&answer.body)
            .map_err(|why| DrillError::Transport(format!("the answer cannot be read: {why}")))
    }

    async fn post<T: DeserializeOwned>(&self, path: String, body: &impl Serialize) -> Result<T, DrillError> {
        let body = serde_json::to_vec(body).map_err(|why| DrillError::Setup(why.to_string()))?;
        self.send(self.call(true, path, body)).await
    }

    fn call(&self, post: bool, path: String, body: Vec<u8>) -> Call {
        Call {
            post,
            path,
            token: self.token.clone(),
            content_type: "application/json",
            body,
        }
    }

    /// Asks for an operation.
    ///
    /// # Errors
    /// When the server refuses the request itself; a decision against it is an answer.
    pub async fn ask(&self, ask: &Ask) -> Result<Operation, DrillError> {
        self.post("/v1/operations".to_owned(), ask).await
    }

    /// An operation as it now stands.
    ///
    /// # Errors
    /// When it is not theirs to see.
    pub async fn operation(&self, id: &str) -> Result<Operation, DrillError> {
        self.send(self.call(false, format!("/v1/operations/{id}"), Vec::new()))
            .await
    }

    /// Gives a code of an authenticator.
    ///
    /// # Errors
    /// When the operation takes no evidence. A wrong code is an answer.
    pub async fn give_code(&self, id: &str, code: &str) -> Result<Checked, DrillError> {
        let evidence = Evidence {
            kind: "totp".to_owned(),
            code: Some(code.to_owned()),
        };
        self.post(format!("/v1/operations/{id}/evidence"), &evidence)
            .await
    }

    /// Approves as a second member of staff.
    ///
    /// # Errors
    /// When they may not.
    pub async fn approve(&self, id: &str) -> Result<Checked, DrillError> {
        let evidence = Evidence {
            kind: "second_approver".to_owned(),
            code: None,
        };
        self.post(format!("/v1/operations/{id}/evidence"), &evidence)
            .await
    }

    /// The questions that wait for the owner.
    ///
    /// # Errors
    /// When they are no subscriber.
    pub async fn questions(&self) -> Result<Questions, DrillError> {
        self.send(self.call(false, "/v1/approvals".to_owned(), Vec::new()))
            .await
    }

    /// The owner answers: yes with the number on the other screen, or no.
    ///
    /// # Errors
    /// When the question is over.
    pub async fn answer(&self, question: &str, number: Option<i64>) -> Result<Checked, DrillError> {
        let answer = OwnersAnswer {
            answer: if number.is_some() { "yes" } else { "no" }.to_owned(),
            number,
        };
        self.post(format!("/v1/approvals/{question}"), &answer).await
    }

    /// Whether the last entry of an operation is in a published checkpoint.
    ///
    /// # Errors
    /// When the server keeps no log, or the operation is not theirs.
    pub async fn is_published(&self, id: &str) -> Result<bool, DrillError> {
        let call = self.call(false, format!("/v1/operations/{id}/proof"), Vec::new());
        match self.send::<serde_json::Value>(call).await {
            Ok(_) => Ok(true),
            Err(DrillError::Refused { code, .. }) if code == "not_yet_published" => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Takes a finished operation back.
    ///
    /// # Errors
    /// When they may not.
    pub async fn roll_back(&self, id: &str) -> Result<RolledBack, DrillError> {
        self.send(self.call(true, format!("/v1/operations/{id}/rollback"), Vec::new()))
            .await
    }

    /// Delivers events.
    ///
    /// # Errors
    /// When they are no feed.
    pub async fn deliver(&self, events: &[serde_json::Value]) -> Result<Taken, DrillError> {
        let mut body = Vec::new();
        for event in events {
            body.extend_from_slice(event.to_string().as_bytes());
            body.push(b'\n');
        }
        let mut call = self.call(true, "/v1/events".to_owned(), body);
        call.content_type = "application/x-ndjson";
        self.send(call).await
    }
}
