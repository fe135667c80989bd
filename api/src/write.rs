//! What all writes have in common: a key that makes them repeatable, one unit, and an answer rebuilt from its events.

use crate::auth::Caller;
use crate::error::{self, Addressed};
use crate::gate::Way;
use crate::json;
use crate::kind;
use crate::observe::{CorrelationId, Deadline};
use crate::problem::Problem;
use crate::query::{NoQuery, Params};
use crate::state::AppState;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use viral_commands::book_reader::book_event;
use viral_commands::error::FollowError;
use viral_commands::{Outcome, Part, RequestIdentity, Unit, UseCase, read_event};
use viral_domain::Aggregate;
use viral_ledger::BookEvent;
use viral_store::StoredEvent;

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const POSITION: HeaderName = HeaderName::from_static("viral-position");
pub(crate) const MAX_KEY: usize = 255;

/// A write that was asked for, with its fields.
pub(crate) struct Write<T, Q = NoQuery> {
    pub(crate) body: T,
    pub(crate) query: Q,
    canonical_body: String,
    key: String,
    pub(crate) caller: Caller,
    correlation: CorrelationId,
}

impl<T: DeserializeOwned, Q: DeserializeOwned + Send, S: Send + Sync> FromRequest<S> for Write<T, Q> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Write<T, Q>, Problem> {
        let (mut parts, raw) = request.into_parts();
        let Params(query) = Params::<Q>::from_request_parts(&mut parts, state).await?;
        let key = idempotency_key(&parts.headers)?;
        let caller = Caller::from_request_parts(&mut parts, state).await?;
        // The middleware around all routes has put it there.
        let missing = || error::internal(&"a write without a correlation id");
        let correlation = parts.extensions.get::<CorrelationId>().cloned().ok_or_else(missing)?;
        let headers = parts.headers.clone();
        let body = body(Request::from_parts(parts, raw), state, crate::MAX_BODY).await?;
        if !body.is_empty() {
            check_content_type(&headers)?;
        }
        let (body, canonical_body) = json::read(&body)?;
        Ok(Write {
            body,
            query,
            canonical_body,
            key,
            caller,
            correlation,
        })
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    let mut keys = headers.get_all(IDEMPOTENCY_KEY).iter();
    let invalid = || {
        let detail = format!("send one Idempotency-Key of 1 to {MAX_KEY} visible ASCII characters");
        Problem::new(kind::KEY_INVALID, detail)
    };
    let key = keys.next().ok_or_else(|| {
        let detail = "send a header Idempotency-Key with a fresh value, such as a UUID, for every new request, and the \
                      same one when you repeat a request";
        Problem::new(kind::KEY_REQUIRED, detail)
    })?;
    let key = key.to_str().map_err(|_| invalid())?;
    let usable = (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
    if usable && keys.next().is_none() {
        Ok(key.to_owned())
    } else {
        Err(invalid())
    }
}

/// The whole body; one that is longer than `limit`, which its route has set, is refused.
pub(crate) async fn body<S: Send + Sync>(request: Request, state: &S, limit: usize) -> Result<Bytes, Problem> {
    let deadline = request.extensions().get::<Deadline>().cloned();
    // The middleware around all routes has put it there.
    let deadline = deadline.ok_or_else(|| error::internal(&"a request without a deadline"))?;
    let way = request.extensions().get::<Way>().cloned();
    let way = way.ok_or_else(|| error::internal(&"a request without a way through the gate"))?;
    let body = deadline.body(Bytes::from_request(request, state)).await?;
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(kind::PAYLOAD_TOO_LARGE, format!("a body has at most {limit} bytes"))
        }
        _ => Problem::new(kind::BAD_REQUEST, "the body ended before it was complete"),
    })?;
    way.pass().await?;
    Ok(body)
}

/// What a body is said to be, without parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> &str {
    let given = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim()
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    if media_type(headers).eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let detail = "the body must be JSON: send Content-Type: application/json";
    Err(Problem::new(kind::UNSUPPORTED_MEDIA_TYPE, detail))
}

impl<T, Q> Write<T, Q> {
    /// Appends one unit of these parts. `operation` and `path` tell requests with the same body apart; the path is
    /// made of parsed values, so that another spelling of it is the same request.
    pub(crate) async fn append(
        &self,
        state: &AppState,
        operation: &str,
        path: &str,
        addressed: Addressed,
        parts: Vec<Part>,
    ) -> Result<Written, Problem> {
        let principal = self.caller.principal().name();
        let identity = RequestIdentity::new(principal, &self.key, operation, path, &self.canonical_body);
        let mut unit = Unit::new(identity.unit_id, parts)
            .with_request_hash(identity.request_hash)
            .with_actor(principal.to_owned());
        unit.correlation_id = Some(self.correlation.0.to_string());
        let outcome = state
            .writer()?
            .append(unit)
            .await
            .map_err(|error| addressed.problem(error))?;
        Ok(Written { outcome })
    }
}

impl<T, Q> Write<T, Q> {
    /// Carries out a use case of the domain; `operation` and `path` as in [`Write::append`].
    pub(crate) async fn run<U: UseCase>(
        &self,
        state: &AppState,
        operation: &str,
        path: &str,
        case: &U,
    ) -> Result<Written, Problem> {
        let (caller, request) = (self.caller.to_commands(), self.request(operation, path));
        let outcome = state.commands()?.run(&caller, &request, case).await?;
        Ok(Written { outcome })
    }

    /// Says what [`Write::run`] would answer, without doing it.
    pub(crate) async fn rehearse<U: UseCase>(
        &self,
        state: &AppState,
        operation: &str,
        path: &str,
        case: &U,
    ) -> Result<Written, Problem> {
        let (caller, request) = (self.caller.to_commands(), self.request(operation, path));
        let outcome = state.commands()?.rehearse(&caller, &request, case).await?;
        Ok(Written { outcome })
    }

    fn request(&self, operation: &str, path: &str) -> viral_commands::Request {
        let principal = self.caller.principal().name();
        let identity = RequestIdentity::new(principal, &self.key, operation, path, &self.canonical_body);
        viral_commands::Request::keyed(identity, self.correlation.0.to_string())
    }
}

/// A unit that is in the log, by this call or by an earlier one with the same key, or would be after a dry run.
pub(crate) struct Written {
    outcome: Outcome,
}

impl Written {
    /// The last event of the unit, which the answer is made of.
    pub(crate) fn event(&self) -> Result<&StoredEvent, Problem> {
        let last = self.outcome.events().last();
        last.ok_or_else(|| error::internal(&"a unit without events"))
    }

    /// The events of one kind of aggregate, in their order.
    pub(crate) fn events_of<A: Aggregate>(&self) -> Vec<A::Event> {
        let of_kind = |event: &&StoredEvent| event.stream.aggregate_type == A::TYPE;
        let events = self.outcome.events().iter().filter(of_kind);
        events.filter_map(|event| read_event(event).ok()).collect()
    }

    /// The same event as the book reads it.
    pub(crate) fn book_event(&self) -> Result<BookEvent, Problem> {
        read_book_event(self.event()?)
    }

    /// The answer. Nothing in `body` may come from anything but the unit's events, or a repeated call would get
    /// another answer.
    pub(crate) fn answer(
        &self,
        status: StatusCode,
        location: Option<String>,
        body: &impl Serialize,
    ) -> Result<Response, Problem> {
        let text = serde_json::to_string(body).map_err(|e| error::internal(&e))?;
        let mut response = (status, text).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(POSITION, self.event()?.position.0.into());
        if let Some(location) = location {
            let location = HeaderValue::try_from(location).map_err(|e| error::internal(&e))?;
            headers.insert(LOCATION, location);
        }
        self.mark_replayed(&mut response);
        Ok(response)
    }

    /// The answer to a dry run: there is no place in the log that it could name.
    pub(crate) fn dry_answer(&self, body: &impl Serialize) -> Response {
        let mut response = Json(body).into_response();
        self.mark_replayed(&mut response);
        response
    }

    fn mark_replayed(&self, response: &mut Response) {
        if self.outcome.is_duplicate() {
            response
                .headers_mut()
                .insert(REPLAYED, HeaderValue::from_static("true"));
        }
    }
}

/// Reads an event of the book out of the log.
pub(crate) fn read_book_event(event: &StoredEvent) -> Result<BookEvent, Problem> {
    book_event(event).map_err(|error| Problem::from(FollowError::unread(event.position, error)))
}
