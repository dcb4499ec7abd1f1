//! `GET /v1/stream`: operations as they are made and change, as server-sent events (WHATWG HTML, 9.2).

use crate::auth::Caller;
use crate::body::Query;
use crate::stream::{Behind, Feed};
use crate::{Problem, WebState};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use simwarden_app::{ErrorKind, may_watch};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep_until};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Go on behind this event; the header `Last-Event-ID` goes before it.
    after: Option<i64>,
}

#[utoipa::path(
    get, path = "/v1/stream", tag = "operations",
    params(Wanted, ("Last-Event-ID" = Option<i64>, Header, description = "Go on behind this event")),
    responses(
        (status = 200, description = "`operation` events with the operation as in lists; `reload` when what was \
            missed is no longer kept; a comment every ten seconds", body = String,
            content_type = "text/event-stream"),
        (status = "default", description = "Problem", body = crate::shapes::ProblemDetails,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn handle(
    State(state): State<WebState>,
    caller: Caller,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let after = last_event_id(&headers)?.or(wanted.after);
    let permit = Arc::clone(&state.inner.streams)
        .try_acquire_owned()
        .map_err(|_| Problem::unavailable("too_many_streams", "too many pages are open; try again"))?;
    state.inner.metrics.streams.inc();
    let feed = &state.inner.feed;
    let bell = feed.bell();
    let stop = state.inner.stop.clone();
    let stream = Live {
        after: after.unwrap_or_else(|| feed.end()),
        caller,
        bell,
        stop,
        begun: false,
        beat: Instant::now() + state.inner.limits.stream_beat,
        _permit: permit,
        state,
    };
    let body = Body::from_stream(futures_util::stream::unfold(stream, async |mut live| {
        let text = live.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(text)), live))
    }));
    Ok((
        [
            (CONTENT_TYPE, "text/event-stream"),
            (CACHE_CONTROL, "no-store"),
            (HeaderName::from_static("x-accel-buffering"), "no"),
        ],
        body,
    )
        .into_response())
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    match headers.get("last-event-id") {
        None => Ok(None),
        Some(value) if value.is_empty() => Ok(None),
        Some(value) => value
            .to_str()
            .ok()
            .and_then(|text| text.parse().ok())
            .map(Some)
            .ok_or_else(|| Problem::field("Last-Event-ID", "the number of an event")),
    }
}

/// One open line.
struct Live {
    state: WebState,
    caller: Caller,
    after: i64,
    bell: watch::Receiver<u64>,
    stop: watch::Receiver<bool>,
    begun: bool,
    beat: Instant,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Live {
    fn drop(&mut self) {
        self.state.inner.metrics.streams.dec();
    }
}

impl Live {
    /// The next piece of text, or the end.
    async fn next(&mut self) -> Option<String> {
        if !self.begun {
            self.begun = true;
            return Some("retry: 2000\n: simwarden\n\n".to_owned());
        }
        loop {
            if *self.stop.borrow() {
                return None;
            }
            // On a busy line too: a token that was taken back ends its lines.
            if Instant::now() >= self.beat {
                self.beat = Instant::now() + self.state.inner.limits.stream_beat;
                return self.still_holds().await.then(|| ": beat\n\n".to_owned());
            }
            self.bell.borrow_and_update();
            let text = self.news(&self.state.inner.feed.clone());
            if !text.is_empty() {
                return Some(text);
            }
            tokio::select! {
                rung = self.bell.changed() => rung.ok()?,
                // Whoever drops the sender does not want the streams to end.
                Ok(()) = self.stop.changed() => {}
                () = sleep_until(self.beat) => {}
            }
        }
    }

    fn news(&mut self, feed: &Feed) -> String {
        let mut text = String::new();
        loop {
            let items = match feed.behind(self.after) {
                Behind::Items(items) => items,
                Behind::TooFar { end } => {
                    self.after = end;
                    let _ = write!(text, "event: reload\nid: {end}\ndata: {{}}\n\n");
                    return text;
                }
            };
            let Some(last) = items.last() else {
                return text;
            };
            self.after = last.update.entry;
            for item in &items {
                if !may_watch(&self.caller.actor, &item.update) {
                    continue;
                }
                if let Some(json) = item.json() {
                    let _ = write!(
                        text,
                        "event: operation\nid: {}\ndata: {json}\n\n",
                        item.update.entry
                    );
                }
            }
            if !text.is_empty() {
                return text;
            }
        }
    }

    /// Whether the token is still valid; a database that does not answer ends no line.
    async fn still_holds(&self) -> bool {
        let app = &self.state.inner.app;
        // A session changes its secret while the line is open, and showing the old one would end it.
        let held = match self.caller.actor.session {
            Some(session) => app.session_stands(session).await,
            None => app.authenticate(&self.caller.secret).await.map(|_| true),
        };
        match held {
            Ok(held) => held,
            Err(error) => error.kind != ErrorKind::Unauthenticated,
        }
    }
}
