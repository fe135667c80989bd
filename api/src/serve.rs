//! Serving until told to stop, and answering what was accepted by then.

use crate::router;
use crate::state::AppState;
use std::io;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// How long requests that were accepted may still take after the stop.
const GRACE: Duration = Duration::from_secs(10);

/// Serves the API on a listener until `shutdown` is over. Then no more connections are accepted, and what is under way
/// is answered, within 10 s.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stopping, stopped) = oneshot::channel();
    let server = axum::serve(listener, router(state)).with_graceful_shutdown(async move {
        shutdown.await;
        // Nobody listens when the server has ended by itself.
        let _ = stopping.send(());
    });
    let overdue = async {
        // The other end is only dropped with the server, which has won by then.
        let _ = stopped.await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        result = server => result,
        () = overdue => {
            tracing::warn!("some requests were not answered within {} s of the stop", GRACE.as_secs());
            Ok(())
        }
    }
}
