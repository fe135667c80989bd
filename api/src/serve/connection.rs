//! One connection, until its client leaves or is too slow, or the stop.

use super::activity::{Activity, Answer, Asked, Busy, Watched};
use crate::limits::Limits;
use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// How much of a request's headers is kept of a connection, and of an answer that is made piece by piece and that its client
/// does not take. One that is made whole is kept whole.
const BUFFER: usize = 64 * 1024;

/// Serves a connection.
pub(super) async fn run(
    socket: TcpStream,
    router: Router,
    limits: Limits,
    activity: Arc<Activity>,
    mut stopping: watch::Receiver<bool>,
) {
    let router = TowerToHyperService::new(router);
    let begin = activity.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let busy = Busy::begin(begin.clone());
        let answer = router.call(request.map(|body| Asked {
            body,
            activity: begin.clone(),
        }));
        async move {
            let answer = answer.await?;
            Ok::<_, Infallible>(answer.map(|body| Answer { body, _busy: busy }))
        }
    });
    let socket = TokioIo::new(Watched {
        socket,
        activity: activity.clone(),
    });
    let connection = http1::Builder::new()
        .max_buf_size(BUFFER)
        .serve_connection(socket, service);
    let mut connection = pin!(connection);
    let mut timer = pin!(sleep_until(Instant::now() + limits.header));
    // An error means that nobody can say so any more: a reason to stop as well.
    let mut stop = pin!(async move {
        let _ = stopping.wait_for(|stop| *stop).await;
    });
    let mut asked = pin!(activity.asked_to_leave());
    let mut stopped = false;
    let serve = poll_fn(|cx| {
        if !stopped && stop.as_mut().poll(cx).is_ready() {
            stopped = true;
            connection.as_mut().graceful_shutdown();
        }
        // What goes wrong with a connection is its client's affair. After the stop half a request is none.
        if connection.as_mut().poll(cx).is_ready() || (stopped && activity.rests()) {
            return Poll::Ready(());
        }
        // After the poll, so that a request that has come is seen: it is worked on, and the door looks for another.
        if asked.as_mut().poll(cx).is_ready() {
            if activity.waits().is_some() {
                return Poll::Ready(());
            }
            asked.set(activity.asked_to_leave());
            activity.tell_the_door();
            cx.waker().wake_by_ref();
        }
        // What is waited for changes only by the poll above.
        let Some(deadline) = activity.deadline(&limits) else {
            return Poll::Pending;
        };
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(cx)
    });
    serve.await;
}
