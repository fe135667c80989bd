//! Serving until told to stop, and answering what was accepted by then.
//!
//! axum's own loop waits for its clients for ever and takes any number of them, so that whoever opens connections and says
//! nothing takes all the files that the process may open, those of the database too. Here every wait for a client ends, and
//! there are only so many connections: for a new one, the one that has waited longest for its client is closed. One whose
//! request is worked on is not. `docs/adr/0022-the-door-is-bounded.md` says why.

mod activity;
mod connection;
mod waiting;

use crate::limits::Limits;
use crate::router;
use crate::state::AppState;
use activity::Activity;
use axum::Router;
use std::collections::HashMap;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;

/// How long requests that were accepted may still take after the stop.
const GRACE: Duration = Duration::from_secs(10);
/// How long to wait after a connection that could not be accepted.
const BACK_OFF: Duration = Duration::from_millis(50);
/// How often it is told that connections cannot be accepted.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Serves the API on a listener until `shutdown` is over. Then no more connections are accepted, and what is under way
/// is answered, within 10 s. When this returns, the API has let go of its writer.
pub async fn serve(listener: TcpListener, state: AppState, shutdown: impl Future<Output = ()>) {
    serve_routes(listener, router(state.clone()), *state.limits(), shutdown).await;
    state.close();
}

/// Serves any routes as [`serve()`] does those of the API.
pub async fn serve_routes(listener: TcpListener, routes: Router, limits: Limits, shutdown: impl Future<Output = ()>) {
    let mut door = Door::new(routes, limits);
    door.admit_until(&listener, shutdown).await;
    // From now on nobody waits in the system's queue for an answer that does not come.
    drop(listener);
    door.close(GRACE).await;
}

/// Answers on a listener while the platform starts: the process is up, and everything else is 503 `not_ready`. Who comes
/// after `ready` waits in the system's queue for whoever serves this listener next.
pub async fn serve_not_ready(listener: &TcpListener, limits: Limits, ready: impl Future<Output = ()>) {
    let mut door = Door::new(waiting::routes(), limits);
    door.admit_until(listener, ready).await;
    door.close(GRACE).await;
}

/// The open connections.
struct Door {
    router: Router,
    limits: Limits,
    tasks: JoinSet<()>,
    open: HashMap<Id, Arc<Activity>>,
    /// A connection has nothing more to do.
    waits: Arc<Notify>,
    stop: watch::Sender<bool>,
    told: Option<Instant>,
}

impl Door {
    fn new(router: Router, limits: Limits) -> Door {
        Door {
            router,
            limits,
            tasks: JoinSet::new(),
            open: HashMap::new(),
            waits: Arc::default(),
            stop: watch::Sender::new(false),
            told: None,
        }
    }

    /// Lets connections in, and go.
    async fn admit_until(&mut self, listener: &TcpListener, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = self.admit(listener) => {}
                () = &mut shutdown => return,
            }
        }
    }

    /// Lets one connection in, or one go. May be dropped at any point.
    async fn admit(&mut self, listener: &TcpListener) {
        tokio::select! {
            biased;
            // First, so that those that have ended do not count.
            () = ended(&mut self.tasks, &mut self.open) => {}
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => {
                    while self.open.len() >= self.limits.connections {
                        self.make_room().await;
                    }
                    self.let_in(socket);
                }
                Err(error) => self.refused(&error).await,
            },
        }
    }

    fn let_in(&mut self, socket: TcpStream) {
        let activity = Arc::new(Activity::new(self.waits.clone()));
        let (router, stopping) = (self.router.clone(), self.stop.subscribe());
        let serve = connection::run(socket, router, self.limits, activity.clone(), stopping);
        let task = self.tasks.spawn(serve);
        self.open.insert(task.id(), activity);
    }

    /// Has the connection closed that has waited longest for its client, one with nothing to send before others, and waits
    /// until one is closed. While all of them are worked for, new ones wait in the system's queue.
    async fn make_room(&mut self) {
        let waiting = self.open.values();
        let waiting = waiting.filter_map(|activity| Some((activity.waits()?, activity)));
        if let Some((_, longest)) = waiting.min_by_key(|(waits, _)| *waits) {
            longest.ask_to_leave();
        }
        tokio::select! {
            () = ended(&mut self.tasks, &mut self.open) => {}
            () = self.waits.notified() => {}
        }
    }

    /// A connection could not be accepted: most often for want of files, which only those that are open have.
    async fn refused(&mut self, error: &io::Error) {
        // The client has gone again.
        let gone = [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset];
        if gone.contains(&error.kind()) {
            return;
        }
        if self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            self.told = Some(Instant::now());
            let open = self.open.len();
            tracing::error!(
                %error, open,
                "a connection cannot be accepted: where too many files are open, raise the limit (`ulimit -n`) or allow \
                 fewer connections (--http-connections)"
            );
        }
        tokio::time::sleep(BACK_OFF).await;
        if !self.open.is_empty() {
            self.make_room().await;
        }
    }

    /// Waits until everything under way is answered, so long at most; then the rest is cut off.
    async fn close(mut self, grace: Duration) {
        self.stop.send_replace(true);
        let answered = async {
            while !self.tasks.is_empty() {
                ended(&mut self.tasks, &mut self.open).await;
            }
        };
        if tokio::time::timeout(grace, answered).await.is_err() {
            tracing::warn!(
                "some requests were not answered within {} s of the stop",
                grace.as_secs_f32()
            );
        }
    }
}

/// Waits until a connection is closed; for ever where there is none.
async fn ended(tasks: &mut JoinSet<()>, open: &mut HashMap<Id, Arc<Activity>>) {
    let id = match tasks.join_next_with_id().await {
        Some(Ok((id, ()))) => id,
        Some(Err(error)) => error.id(),
        None => return std::future::pending().await,
    };
    open.remove(&id);
}

#[cfg(test)]
mod tests;
