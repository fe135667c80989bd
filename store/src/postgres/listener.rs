//! Waking up on new events. Notifications may be lost, so nobody relies on them: they only make waiting shorter.

use super::append::CHANNEL;
use crate::event::Position;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// How long a sleeper sleeps when no notification comes.
const POLL: Duration = Duration::from_millis(500);

/// Follows the notifications of the log's head, from the first time that somebody waits.
#[derive(Debug)]
pub(super) struct Listener {
    pool: PgPool,
    started: OnceLock<(watch::Receiver<Position>, AbortHandle)>,
}

impl Listener {
    pub(super) fn new(pool: PgPool) -> Listener {
        Listener {
            pool,
            started: OnceLock::new(),
        }
    }

    /// Waits for a notification beyond a position, for the deadline or for the next poll.
    pub(super) async fn wake(&self, after: Position, deadline: Instant) {
        let (receiver, _) = self.started.get_or_init(|| {
            let (sender, receiver) = watch::channel(Position::START);
            let task = tokio::spawn(follow(self.pool.clone(), sender));
            (receiver, task.abort_handle())
        });
        let mut receiver = receiver.clone();
        let until = deadline.min(Instant::now() + POLL);
        // A timeout is the poll; an error means that the follower ended, then polling is all there is.
        let woken = tokio::time::timeout_at(until, receiver.wait_for(|position| *position > after)).await;
        if woken.is_ok_and(|followed| followed.is_err()) {
            tokio::time::sleep_until(until).await;
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some((_, task)) = self.started.get() {
            task.abort();
        }
    }
}

async fn follow(pool: PgPool, sender: watch::Sender<Position>) {
    while !sender.is_closed() {
        if let Err(error) = listen(&pool, &sender).await {
            tracing::debug!(%error, "the connection for notifications is gone");
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn listen(pool: &PgPool, sender: &watch::Sender<Position>) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        let notification = listener.recv().await?;
        if let Ok(position) = notification.payload().parse() {
            sender.send_replace(Position(position));
        }
    }
}
