//! Problem details (RFC 9457): what every answer that is no success looks like.

use crate::kind::{self, Kind};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};

/// The longest text of what somebody sent that a detail says, in characters.
const LONGEST: usize = 400;

/// A detail says what somebody sent, who may have sent much.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A problem. The middleware around all routes writes it out, because only that knows the request's id.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    kind: Kind,
    detail: String,
    members: Map<String, Value>,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    request_id: &'a str,
    #[serde(flatten)]
    members: &'a Map<String, Value>,
}

impl Problem {
    /// A problem of this kind. `detail` says what is wrong in this case and what to do about it.
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Problem {
        Problem {
            kind,
            detail: detail.into(),
            members: Map::new(),
        }
    }

    /// Adds a member for programs.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Problem {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// The problem that an answer of the framework stands for; nothing if it is none.
    pub(crate) fn of_status(status: StatusCode) -> Option<Problem> {
        let (kind, detail) = match status.as_u16() {
            ..400 => return None,
            404 => (kind::NOT_FOUND, "there is nothing at this path, see docs/API.md"),
            405 => (kind::METHOD_NOT_ALLOWED, "the path does not take this method"),
            413 => (kind::PAYLOAD_TOO_LARGE, "the body is too large"),
            415 => (kind::UNSUPPORTED_MEDIA_TYPE, "send Content-Type: application/json"),
            400..500 => (kind::BAD_REQUEST, "the request cannot be read"),
            _ => (kind::INTERNAL, "something went wrong here, the log says what"),
        };
        Some(Problem::new(kind, detail))
    }

    /// What is wrong in this case.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// Its kind.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The complete answer.
    pub(crate) fn render(&self, request_id: &str) -> Response {
        let body = Body {
            r#type: format!("urn:viral:problem:{}", self.kind.code),
            title: self.kind.title,
            status: self.kind.status,
            detail: &self.detail,
            code: self.kind.code,
            request_id,
            members: &self.members,
        };
        // Only texts and numbers: nothing that could not be written.
        let text = serde_json::to_string(&body).unwrap_or_default();
        let status = StatusCode::from_u16(self.kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, text).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self.kind.status {
            401 => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"viral\""));
            }
            503 => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        if let Some(Ok(allow)) = self.members.get("allow").and_then(Value::as_str).map(str::parse) {
            headers.insert(ALLOW, allow);
        }
        response
    }
}

impl IntoResponse for Problem {
    /// An answer that carries the problem, for the middleware to write out.
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
