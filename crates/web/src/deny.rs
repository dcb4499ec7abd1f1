//! `GET` and `POST /deny/{code}`: the page behind the one-time link in a mail. It works without JavaScript and without a
//! sign-in, and can only say no: the operation ends and the line is frozen.

use crate::WebState;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use simwarden_app::Error;
use std::fmt::Write as _;

/// The page may send its form here, and nothing else.
const CSP: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// What the page says, by language.
struct Words {
    language: &'static str,
    button: &'static str,
    hint: &'static str,
    done: &'static str,
    over: &'static str,
}

const WORDS: [Words; 3] = [
    Words {
        language: "km",
        button: "ទេ មិនមែនខ្ញុំទេ៖ បញ្ឈប់ និងបង្កក",
        hint: "បើអ្នកជាអ្នកស្នើសុំ អ្នកមិនចាំបាច់ធ្វើអ្វីនៅទីនេះទេ៖ ទំព័រនេះមិនអាចយល់ព្រមបានឡើយ។",
        done: "បានបញ្ឈប់ហើយ។ លេខរបស់អ្នកត្រូវបានបង្កកប្រឆាំងនឹងការផ្លាស់ប្ដូរ។ ការហៅ និងសារនៅតែដំណើរការ។",
        over: "តំណនេះត្រូវបានប្រើ ឬផុតកំណត់ហើយ។ បើមិនមែនជាអ្នកទេ សូមហៅទៅខ្សែបន្ទាន់។",
    },
    Words {
        language: "en",
        button: "No, it is not me: stop it and freeze my number",
        hint: "If it was you, there is nothing to do here: this page cannot approve anything.",
        done: "Stopped. Your number is frozen against changes; calls and messages go on. The hotline will call you.",
        over: "This link was used or is over. If it was not you who asked, call the hotline.",
    },
    Words {
        language: "zh",
        button: "不是我本人：停止并冻结我的号码",
        hint: "如果是您本人，则无需在此操作：此页面不能批准任何请求。",
        done: "已停止。您的号码已冻结，无法更改；通话和短信照常。热线将致电给您。",
        over: "此链接已被使用或已过期。如果不是您本人请求，请致电热线。",
    },
];

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn page(status: StatusCode, inner: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"km\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\">\
         <title>simwarden</title><h1>simwarden</h1>{inner}</html>"
    );
    (
        status,
        [
            (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (CONTENT_SECURITY_POLICY, CSP),
        ],
        html,
    )
        .into_response()
}

/// The same in every language.
fn said(status: StatusCode, words: fn(&Words) -> &'static str) -> Response {
    let inner = WORDS.iter().fold(String::new(), |mut inner, own| {
        let _ = write!(inner, "<p lang=\"{}\">{}</p>", own.language, words(own));
        inner
    });
    page(status, &inner)
}

fn over(error: &Error) -> Response {
    tracing::debug!(code = error.code, "a link that says no was not taken");
    said(StatusCode::GONE, |words| words.over)
}

pub(crate) async fn view(State(state): State<WebState>, Path(code): Path<String>) -> Response {
    let words = match state.inner.app.deny_view(&code).await {
        Ok((words, true)) => words,
        Ok((_, false)) => return said(StatusCode::GONE, |words| words.over),
        Err(error) => return over(&error),
    };
    let mut inner = String::from("<form method=\"post\">");
    for own in &WORDS {
        let asked = words.get(own.language).map_or("", String::as_str);
        let _ = write!(
            inner,
            "<section lang=\"{}\"><p>{}</p><p><button type=\"submit\">{}</button></p><p><small>{}</small></p></section>",
            own.language,
            escaped(asked),
            own.button,
            own.hint
        );
    }
    inner.push_str("</form>");
    page(StatusCode::OK, &inner)
}

pub(crate) async fn deny(State(state): State<WebState>, Path(code): Path<String>) -> Response {
    match state.inner.app.deny(&code).await {
        Ok(()) => said(StatusCode::OK, |words| words.done),
        Err(error) => over(&error),
    }
}
