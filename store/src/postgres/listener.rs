//! Waking up on new events. Notifications may be lost, so nobody relies on them: they only make waiting shorter. Any role of
//! the database may send one, as often as it likes and with any text, so a notification says nothing but that the head may
//! have moved: it is looked at, so often at most, and only a head that has moved wakes anybody.

use super::append::CHANNEL;
use super::error::from_sqlx;
use super::read;
use crate::error::StoreError;
use crate::event::Position;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// How long a sleeper sleeps when no notification comes.
const POLL: Duration = Duration::from_millis(500);
/// The least time between two looks at the head that notifications cause.
const PAUSE: Duration = Duration::from_millis(10);

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

    /// Sees the head move from now on.
    pub(super) fn subscribe(&self) -> Sleeper {
        let (receiver, _) = self.started.get_or_init(|| {
            let (sender, receiver) = watch::channel(Position::START);
            let task = tokio::spawn(follow(self.pool.clone(), sender));
            (receiver, task.abort_handle())
        });
        let mut receiver = receiver.clone();
        receiver.mark_unchanged();
        Sleeper(receiver)
    }
}

/// Somebody who waits for the head to move.
pub(super) struct Sleeper(watch::Receiver<Position>);

impl Sleeper {
    /// Waits until the head has moved, for the deadline or for the next poll.
    pub(super) async fn wake(&mut self, deadline: Instant) {
        let until = deadline.min(Instant::now() + POLL);
        // A timeout is the poll; an error means that the follower ended, then polling is all there is.
        let woken = tokio::time::timeout_at(until, self.0.changed()).await;
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

async fn listen(pool: &PgPool, sender: &watch::Sender<Position>) -> Result<(), StoreError> {
    let mut listener = PgListener::connect_with(pool).await.map_err(from_sqlx)?;
    listener.listen(CHANNEL).await.map_err(from_sqlx)?;
    let announced = Notify::new();
    let receive = async {
        loop {
            listener.recv().await.map_err(from_sqlx)?;
            announced.notify_one();
        }
    };
    let look = || async {
        let head = read::head(pool).await?;
        sender.send_if_modified(|known| std::mem::replace(known, head.position) != head.position);
        Ok(())
    };
    tokio::select! {
        ended = receive => ended,
        ended = look_when(&announced, look) => ended,
    }
}

/// Looks after every announcement, but not more often than once in a pause: those that come meanwhile are one.
async fn look_when<F>(announced: &Notify, mut look: impl FnMut() -> F) -> Result<(), StoreError>
where
    F: Future<Output = Result<(), StoreError>>,
{
    loop {
        announced.notified().await;
        look().await?;
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn enough() -> Result<(), StoreError> {
        Err(StoreError::Setup("enough".to_owned()))
    }

    #[tokio::test]
    async fn a_flood_of_announcements_is_looked_at_once_in_a_pause() {
        let (announced, began, looks) = (Notify::new(), Instant::now(), Cell::new(0));
        let look = || async {
            looks.set(looks.get() + 1);
            if looks.get() == 5 { enough() } else { Ok(()) }
        };
        let flood = async {
            loop {
                announced.notify_one();
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            ended = look_when(&announced, look) => assert!(ended.is_err()),
            () = flood => {}
        }
        assert!(began.elapsed() >= 4 * PAUSE);
    }

    #[tokio::test]
    async fn what_is_announced_meanwhile_is_looked_at_afterwards() {
        let (announced, looks) = (Notify::new(), Cell::new(0));
        announced.notify_one();
        let look = || async {
            looks.set(looks.get() + 1);
            announced.notify_one();
            if looks.get() == 2 { enough() } else { Ok(()) }
        };
        assert!(look_when(&announced, look).await.is_err());
    }
}
