//! What the client of a connection is waited for, and since when. The task of the connection is the only one that changes
//! this, while it polls the connection; the door reads it.

use crate::limits::Limits;
use hyper::body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

/// Of one connection.
#[derive(Debug)]
pub(super) struct Activity {
    state: Mutex<State>,
    /// Told whenever a connection has nothing more to do but to wait for its client.
    waits: Arc<Notify>,
    /// The door asks the connection to close, to make room for another.
    leave: Notify,
}

#[derive(Debug, Clone, Copy)]
struct State {
    phase: Phase,
    since: Instant,
    /// Since when the client takes nothing of what is sent.
    stuck: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The headers of a request are to come: it has begun, or the connection is new.
    Headers,
    /// The body of a request is to come: whoever reads it has nothing to do until then.
    Body,
    /// A request is worked on.
    Busy,
    /// Between two requests.
    Idle,
}

impl Activity {
    pub(super) fn new(waits: Arc<Notify>) -> Activity {
        let state = State {
            phase: Phase::Headers,
            since: Instant::now(),
            stuck: None,
        };
        Activity {
            state: Mutex::new(state),
            waits,
            leave: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere cannot leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, phase: Phase) {
        let mut state = self.state();
        (state.phase, state.since) = (phase, Instant::now());
    }

    /// Whether there is an answer that the client does not take, and since when it is waited for; none while a request is
    /// worked on. One that takes nothing is waited for whatever it has sent besides: that is not looked at meanwhile.
    pub(super) fn waits(&self) -> Option<(bool, Instant)> {
        let state = *self.state();
        let idle = (state.phase != Phase::Busy).then_some((false, state.since));
        state.stuck.map(|since| (true, since)).or(idle)
    }

    /// Asks the connection to close if its client is still waited for.
    pub(super) fn ask_to_leave(&self) {
        self.leave.notify_one();
    }

    /// Waits until the connection is asked to close.
    pub(super) fn asked_to_leave(&self) -> Notified<'_> {
        self.leave.notified()
    }

    /// Tells the door to look again.
    pub(super) fn tell_the_door(&self) {
        self.waits.notify_one();
    }

    /// Whether nothing is under way: no request is read or worked on, and no answer sent.
    pub(super) fn rests(&self) -> bool {
        let state = *self.state();
        matches!(state.phase, Phase::Headers | Phase::Idle) && state.stuck.is_none()
    }

    /// When the patience with the client ends, if it is waited for.
    pub(super) fn deadline(&self, limits: &Limits) -> Option<Instant> {
        let state = *self.state();
        let phase = match state.phase {
            Phase::Headers => Some(state.since + limits.header),
            Phase::Idle => Some(state.since + limits.idle),
            // A body has a limit of its own, and an answer (`observe::Deadline`).
            Phase::Body | Phase::Busy => None,
        };
        let stuck = state.stuck.map(|since| since + limits.write);
        phase.into_iter().chain(stuck).min()
    }

    fn received(&self) {
        if self.state().phase == Phase::Idle {
            self.enter(Phase::Headers);
        }
    }

    /// Whether whoever reads the body of a request waits for more of it.
    fn reads(&self, waits: bool) {
        let phase = self.state().phase;
        match (phase, waits) {
            (Phase::Busy, true) => {
                self.enter(Phase::Body);
                self.waits.notify_one();
            }
            (Phase::Body, false) => self.enter(Phase::Busy),
            _ => {}
        }
    }

    fn sends(&self, stuck: bool) {
        let mut state = self.state();
        let begins = stuck && state.stuck.is_none();
        state.stuck = stuck.then(|| state.stuck.unwrap_or_else(Instant::now));
        if begins {
            self.waits.notify_one();
        }
    }
}

/// A request is worked on, until this is dropped.
#[derive(Debug)]
pub(super) struct Busy(Arc<Activity>);

impl Busy {
    pub(super) fn begin(activity: Arc<Activity>) -> Busy {
        activity.enter(Phase::Busy);
        Busy(activity)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.enter(Phase::Idle);
        self.0.tell_the_door();
    }
}

/// The body of a request.
pub(super) struct Asked<B> {
    pub(super) body: B,
    pub(super) activity: Arc<Activity>,
}

impl<B: Body + Unpin> Body for Asked<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        self.activity.reads(polled.is_pending());
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer: its request is worked on until all of it is handed over.
pub(super) struct Answer<B> {
    pub(super) body: B,
    pub(super) _busy: Busy,
}

impl<B: Body + Unpin> Body for Answer<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A socket that tells what comes and goes.
#[derive(Debug)]
pub(super) struct Watched<S> {
    pub(super) socket: S,
    pub(super) activity: Arc<Activity>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.received();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> Watched<S> {
    fn sent<T>(&self, poll: Poll<T>) -> Poll<T> {
        self.activity.sends(poll.is_pending());
        poll
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        let poll = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.sent(poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let poll = Pin::new(&mut self.socket).poll_write_vectored(cx, slices);
        self.sent(poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_takes_nothing_is_waited_for_whatever_it_sends() {
        let activity = Arc::new(Activity::new(Arc::default()));
        assert!(matches!(activity.waits(), Some((false, _))));
        let busy = Busy::begin(activity.clone());
        assert_eq!(activity.waits(), None);
        activity.sends(true);
        assert!(matches!(activity.waits(), Some((true, _))));
        activity.sends(false);
        assert_eq!(activity.waits(), None);
        activity.reads(true);
        assert!(matches!(activity.waits(), Some((false, _))) && !activity.rests());
        activity.reads(false);
        assert_eq!(activity.waits(), None);
        drop(busy);
        assert!(matches!(activity.waits(), Some((false, _))) && activity.rests());
    }
}
