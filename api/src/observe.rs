//! What happens around every request: its id, its line in the access log, its time limit, and problems written out.

use crate::problem::Problem;
use crate::state::AppState;
use crate::{error, kind};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, ETAG};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tracing::Instrument;
use uuid::Uuid;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
pub(crate) const MAX_ID: usize = 128;

/// The id of a request: the caller's, or a fresh one.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) Arc<str>);

impl RequestId {
    fn of(request: &Request) -> RequestId {
        RequestId(match given(request, &REQUEST_ID) {
            Some(id) => id,
            None => Uuid::now_v7().to_string().into(),
        })
    }
}

/// What several requests of one undertaking have in common, and their events: the caller's id for it, or else the
/// request's own.
#[derive(Debug, Clone)]
pub(crate) struct CorrelationId(pub(crate) Arc<str>);

impl CorrelationId {
    fn of(request: &Request, id: &RequestId) -> CorrelationId {
        CorrelationId(given(request, &CORRELATION_ID).unwrap_or_else(|| id.0.clone()))
    }
}

/// The caller's id if it is of visible ASCII and not too long: it goes into the log, the events and the answer.
fn given(request: &Request, header: &HeaderName) -> Option<Arc<str>> {
    let given = request.headers().get(header).and_then(|value| value.to_str().ok());
    let usable = |id: &&str| (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
    given.filter(usable).map(Arc::from)
}

/// When a request must be answered. The time that its body takes to come is the client's, and does not count.
#[derive(Debug, Clone)]
pub(crate) struct Deadline {
    until: watch::Sender<Instant>,
    body: Duration,
    answer: Duration,
}

impl Deadline {
    fn of(state: &AppState) -> Deadline {
        let (body, answer) = (state.limits().body, state.request_timeout());
        Deadline {
            until: watch::Sender::new(Instant::now() + answer),
            body,
            answer,
        }
    }

    /// Waits for a body, as long as its client may take.
    pub(crate) async fn body<T>(&self, body: impl Future<Output = T>) -> Result<T, Problem> {
        self.set(self.body + self.answer);
        let body = tokio::time::timeout(self.body, body).await;
        self.set(self.answer);
        body.map_err(|_| {
            let seconds = self.body.as_secs_f32();
            let detail = format!("the body did not come within {seconds} s: nothing was done");
            Problem::new(kind::BODY_TIMEOUT, detail)
        })
    }

    fn set(&self, from_now: Duration) {
        self.until.send_replace(Instant::now() + from_now);
    }

    async fn passed(&self) {
        let mut changes = self.until.subscribe();
        loop {
            let until = *changes.borrow_and_update();
            tokio::select! {
                () = tokio::time::sleep_until(until.into()) => return,
                // Its sender is our own.
                _ = changes.changed() => {}
            }
        }
    }
}

/// Gives every answer the id of its request, where there is no state yet.
pub(crate) async fn identify(request: Request, next: Next) -> Response {
    let id = RequestId::of(&request);
    finish(next.run(request).await, &id).0
}

/// The outermost middleware.
pub(crate) async fn observe(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let start = Instant::now();
    let id = RequestId::of(&request);
    let correlation = CorrelationId::of(&request, &id);
    request.extensions_mut().insert(correlation.clone());
    let deadline = Deadline::of(&state);
    request.extensions_mut().insert(deadline.clone());
    let method = request.method().clone();
    // The path as it is registered: what stands in its place may be long, and is in the events where it matters.
    let path = request.extensions().get::<MatchedPath>().cloned();
    let path = path.as_ref().map_or("-", MatchedPath::as_str);

    let span = tracing::info_span!("request", request_id = %id.0, correlation_id = %correlation.0);
    let response = tokio::select! {
        response = next.run(request).instrument(span) => response,
        () = deadline.passed() => late(&state).into_response(),
    };
    let (response, code) = finish(response, &id);

    let ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = response.status().as_u16();
    tracing::info!(
        target: "viral_api::access",
        %method, path, status, code, ms, request_id = %id.0, correlation_id = %correlation.0
    );
    response
}

fn late(state: &AppState) -> Problem {
    let seconds = state.request_timeout().as_secs_f32();
    let detail = format!(
        "no answer within {seconds} s. Whether a write was carried out is not known: repeat it with the same \
         Idempotency-Key, nothing happens twice"
    );
    Problem::new(kind::TIMEOUT, detail)
}

/// Writes out the problem that the answer carries, or the one that it stands for where the framework made it. Gives
/// the problem's code too.
fn finish(mut response: Response, id: &RequestId) -> (Response, Option<&'static str>) {
    let carried = response.extensions_mut().remove::<Problem>();
    let problem = carried.or_else(|| Problem::of_status(response.status()));
    if let Some(problem) = &problem {
        response = problem.render(&id.0);
    }
    let headers = response.headers_mut();
    // What has a tag may be kept by its reader, who asks whether it is still the same. Nothing else is kept.
    let keep = if headers.contains_key(ETAG) {
        "private, no-cache"
    } else {
        "no-store"
    };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        headers.insert(REQUEST_ID, value);
    }
    (response, problem.map(|problem| problem.kind().code))
}

/// The answer to a request whose handler panicked. The panic's message stays inside.
pub(crate) fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    error::internal(&"a handler panicked").into_response()
}

#[cfg(test)]
mod tests {
    use crate::{AppState, Tokens, surround};
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use axum::routing::get;
    use std::sync::Arc;
    use std::time::Duration;
    use tower::ServiceExt;
    use uuid::Uuid;
    use viral_commands::{Commands, Settings, Vault, Writer};
    use viral_domain::Terms;
    use viral_store::MemoryStore;

    /// What two routes that misbehave answer once they are surrounded.
    async fn answer(path: &str) -> (u16, String) {
        let store = Arc::new(MemoryStore::new(Uuid::nil()));
        let (writer, _) = Writer::start(store.clone(), Settings::default()).await.unwrap();
        let commands = Commands::new(writer, Terms::default(), Vault::new(store, &[0; 32]));
        let state = AppState::new(commands, Tokens::new()).with_request_timeout(Duration::from_millis(50));
        let routes = Router::new()
            .route(
                "/panics",
                get(async || -> &'static str { panic!("a secret in a panic") }),
            )
            .route("/hangs", get(std::future::pending::<&'static str>));
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = surround(routes, state).oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_panic_is_a_problem_without_details() {
        let (status, body) = answer("/panics").await;
        assert_eq!(status, 500);
        assert!(body.contains("\"code\":\"internal\""), "{body}");
        assert!(!body.contains("secret"), "{body}");
    }

    #[tokio::test]
    async fn a_handler_that_hangs_is_a_problem() {
        let (status, body) = answer("/hangs").await;
        assert_eq!(status, 503);
        assert!(body.contains("\"code\":\"timeout\""), "{body}");
    }
}
