//! How many requests are worked on at once, and how many wait for that: what comes on top is refused at once, before it
//! costs anything. Reads, writes and measurements have a gate each, so that no number of reads, and none of measurements,
//! whose bodies are large, delays a payment.

use crate::kind;
use crate::limits::Limits;
use crate::problem::Problem;
use crate::state::AppState;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Paths that are answered however much there is to do: those who look after the process ask there.
const ALWAYS: [&str; 2] = ["/healthz", "/readyz"];

/// Where measurements come in, in bodies of several megabytes.
const MEASUREMENTS: &str = "/v1/engagement";
/// How many of these are worked on at once.
const BODIES: usize = 16;

/// The gates of an API.
#[derive(Debug)]
pub(crate) struct Gates {
    reads: Gate,
    writes: Gate,
    measurements: Gate,
}

#[derive(Debug)]
struct Gate {
    places: Semaphore,
    queue: Semaphore,
}

impl Gates {
    pub(crate) fn new(limits: &Limits) -> Gates {
        let gate = |places| Gate {
            places: Semaphore::new(places),
            queue: Semaphore::new(limits.queue),
        };
        Gates {
            reads: gate(limits.reads),
            writes: gate(limits.writes),
            measurements: gate(BODIES.min(limits.writes)),
        }
    }

    fn of(&self, method: &Method, path: Option<&str>) -> &Gate {
        match (method.is_safe(), path) {
            (true, _) => &self.reads,
            (false, Some(MEASUREMENTS)) => &self.measurements,
            (false, _) => &self.writes,
        }
    }
}

impl Gate {
    /// A place to work in, as soon as there is one.
    async fn enter(&self) -> Result<SemaphorePermit<'_>, Problem> {
        let overloaded = |_| {
            let detail = "more requests wait than this process can take on: try again, a write with the same key";
            Problem::new(kind::OVERLOADED, detail)
        };
        if let Ok(place) = self.places.try_acquire() {
            return Ok(place);
        }
        let _queued = self.queue.try_acquire().map_err(overloaded)?;
        // Nobody closes it.
        self.places
            .acquire()
            .await
            .map_err(|error| crate::error::internal(&error))
    }
}

/// Lets a request through when there is a place for it, which it has until its answer is made.
pub(crate) async fn enter(State(state): State<AppState>, request: Request, next: Next) -> Result<Response, Problem> {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    if path.is_some_and(|path| ALWAYS.contains(&path)) {
        return Ok(next.run(request).await);
    }
    let _place = state.gates().of(request.method(), path).enter().await?;
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_more_than_the_queue_is_refused_and_reads_do_not_count_for_writes() {
        let limits = Limits {
            reads: 1,
            writes: 1,
            queue: 1,
            ..Limits::default()
        };
        let gates = Gates::new(&limits);
        let reads = gates.of(&Method::GET, None);
        let place = reads.enter().await.unwrap();
        let mut waits = std::pin::pin!(reads.enter());
        let refused = tokio::select! {
            biased;
            _ = &mut waits => panic!("there is no second place"),
            refused = reads.enter() => refused.unwrap_err(),
        };
        assert_eq!((refused.kind().status, refused.kind().code), (503, "overloaded"));
        drop(gates.of(&Method::POST, Some("/v1/payouts")).enter().await.unwrap());
        drop(place);
        drop(waits.await.unwrap());
    }
}
