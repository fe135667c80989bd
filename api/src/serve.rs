//! Serving until told to stop, and answering what was accepted by then.

use crate::router;
use crate::state::AppState;
use axum::Router;
use std::io;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// How long requests that were accepted may still take after the stop.
const GRACE: Duration = Duration::from_secs(10);

/// Serves the API on a listener until `shutdown` is over. Then no more connections are accepted, and what is under way
/// is answered, within 10 s. When this returns, the API has let go of its writer.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let result = serve_until(listener, router(state.clone()), shutdown, GRACE).await;
    state.close();
    result
}

async fn serve_until(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
    grace: Duration,
) -> io::Result<()> {
    let (stopping, stopped) = oneshot::channel();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        shutdown.await;
        // Nobody listens when the server has ended by itself.
        let _ = stopping.send(());
    });
    let overdue = async {
        // The other end is only dropped with the server, which has won by then.
        let _ = stopped.await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        result = server => result,
        () = overdue => {
            tracing::warn!("some requests were not answered within {} s of the stop", grace.as_secs_f32());
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpStream;

    #[tokio::test]
    async fn a_request_that_hangs_does_not_hold_up_the_stop() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut connection = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        connection.write_all(request).await.unwrap();
        let (asked, mut is_asked) = tokio::sync::watch::channel(false);
        let hang = get(move || {
            asked.send_replace(true);
            std::future::pending::<&'static str>()
        });
        let shutdown = async move {
            is_asked.wait_for(|asked| *asked).await.unwrap();
        };
        let served = serve_until(
            listener,
            Router::new().route("/", hang),
            shutdown,
            Duration::from_millis(50),
        );
        // Longer means that it hangs.
        tokio::time::timeout(Duration::from_secs(60), served)
            .await
            .unwrap()
            .unwrap();
    }
}
