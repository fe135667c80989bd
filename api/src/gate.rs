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
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Paths that are answered however much there is to do: those who look after the process ask there.
const ALWAYS: [&str; 2] = ["/healthz", "/readyz"];

/// Where measurements come in, in bodies of several megabytes.
const MEASUREMENTS: &str = "/v1/engagement";
/// How many of these are worked on at once.
const BODIES: usize = 16;

/// The gates of an API.
#[derive(Debug)]
pub(crate) struct Gates {
    reads: Arc<Gate>,
    writes: Arc<Gate>,
    measurements: Arc<Gate>,
}

#[derive(Debug)]
struct Gate {
    places: Arc<Semaphore>,
    queue: Semaphore,
}

/// The way of one request through its gate. A request with a body goes once that is there: who sends it slowly, or not at
/// all, keeps nobody else out.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    gate: Arc<Gate>,
    place: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
}

impl Way {
    /// Takes a place, as soon as there is one.
    pub(crate) async fn pass(&self) -> Result<(), Problem> {
        self.set(Some(self.gate.enter().await?));
        Ok(())
    }

    fn set(&self, place: Option<OwnedSemaphorePermit>) {
        // A panic elsewhere cannot leave it half changed.
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }
}

impl Gates {
    pub(crate) fn new(limits: &Limits) -> Gates {
        let gate = |places| {
            Arc::new(Gate {
                places: Arc::new(Semaphore::new(places)),
                queue: Semaphore::new(limits.queue),
            })
        };
        Gates {
            reads: gate(limits.reads),
            writes: gate(limits.writes),
            measurements: gate(BODIES.min(limits.writes)),
        }
    }

    fn of(&self, method: &Method, path: Option<&str>) -> &Arc<Gate> {
        match (method.is_safe(), path) {
            (true, _) => &self.reads,
            (false, Some(MEASUREMENTS)) => &self.measurements,
            (false, _) => &self.writes,
        }
    }
}

impl Gate {
    /// A place to work in, as soon as there is one.
    async fn enter(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let overloaded = |_| {
            let detail = "more requests wait than this process can take on: try again, a write with the same key";
            Problem::new(kind::OVERLOADED, detail)
        };
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Ok(place);
        }
        let _queued = self.queue.try_acquire().map_err(overloaded)?;
        // Nobody closes it.
        self.places
            .clone()
            .acquire_owned()
            .await
            .map_err(|error| crate::error::internal(&error))
    }
}

/// Lets a request through when there is a place for it, which it has until its answer is made. One that writes takes its
/// place when its body has been read (`write::body`).
pub(crate) async fn enter(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    if path.is_some_and(|path| ALWAYS.contains(&path)) {
        return Ok(next.run(request).await);
    }
    let way = Way {
        gate: state.gates().of(request.method(), path).clone(),
        place: Arc::default(),
    };
    if request.method().is_safe() {
        way.pass().await?;
    }
    request.extensions_mut().insert(way.clone());
    let response = next.run(request).await;
    way.set(None);
    Ok(response)
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
