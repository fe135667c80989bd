//! Rounds: every rule is applied, then the log is waited for.

use crate::rules::{self, Job};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use viral_commands::{AppendError, Caller, CommandError, Commands};
use viral_projections::queries::ReadModels;
use viral_store::feed::{Feed, FeedError, Feeds, StoreFeed};
use viral_store::{Checkpoint, StoreError};

/// How long a round waits for something to happen: deadlines pass without an event.
const TICK: Duration = Duration::from_secs(1);
/// The least time between two rounds, so that a busy log does not mean a round for every event.
const PAUSE: Duration = Duration::from_millis(100);
/// How long to wait after an error.
const BACK_OFF: Duration = Duration::from_secs(1);
/// How many events are taken from the feed at once. They only say that something has happened.
const PAGE: usize = 1_000;

/// Applies the rules until it is told to stop.
#[derive(Clone)]
pub struct Workers {
    commands: Commands,
    read_models: ReadModels,
    caller: Caller,
    feeds: Arc<dyn Feeds>,
}

/// What a round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Round {
    /// How many things were done now.
    pub done: usize,
    /// How many had been done before, or were refused because the state has moved on.
    pub superfluous: usize,
    /// How many could not be done: the log says why.
    pub failed: usize,
}

impl Workers {
    /// Workers over these use cases and read models.
    pub fn new(commands: Commands, read_models: ReadModels) -> Workers {
        let feeds = Arc::new(StoreFeed::new(commands.writer().store().clone()));
        Workers {
            commands,
            read_models,
            caller: Caller::system("workers"),
            feeds,
        }
    }

    /// Hears of what happens by other feeds than the store's own.
    pub fn with_feeds(self, feeds: Arc<dyn Feeds>) -> Workers {
        Workers { feeds, ..self }
    }

    /// Works until `stop` is ready. A store that cannot be reached is waited for.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let work = async {
            let mut feed = None;
            loop {
                match self.round().await {
                    Ok(round) if round.done > 0 => tracing::info!(done = round.done, "workers"),
                    // Tried again, but not as often as the log moves.
                    Ok(round) if round.failed > 0 => tokio::time::sleep(BACK_OFF).await,
                    Ok(_) => {}
                    Err(error) => {
                        tracing::warn!(%error, "the workers wait");
                        tokio::time::sleep(BACK_OFF).await;
                    }
                }
                tokio::time::sleep(PAUSE).await;
                if let Err(error) = self.wait(&mut feed).await {
                    // The next round takes place all the same: what is due does not come from the feed.
                    tracing::debug!(%error, "feed unavailable; polling");
                    feed = None;
                    tokio::time::sleep(BACK_OFF).await;
                }
            }
        };
        tokio::select! {
            () = work => {}
            () = stop => {}
        }
    }

    /// Waits until something happens, or it is time for another round.
    async fn wait(&self, following: &mut Option<(Box<dyn Feed>, Checkpoint)>) -> Result<(), FeedError> {
        let (feed, seen) = match following {
            Some(following) => following,
            None => {
                // Whatever it has seen last: what is due does not come from here.
                let at = self.commands.writer().store().continuity().furthest();
                following.insert((self.feeds.open(&at, None), at))
            }
        };
        let events = feed.read_on(seen, PAGE, TICK).await?;
        *seen = seen.after_all(&events);
        Ok(())
    }

    /// Applies every rule once. What cannot be done for its own sake, such as one aggregate that cannot be read, is told
    /// and does not keep the rest from being done.
    pub async fn round(&self) -> Result<Round, CommandError> {
        let mut round = Round::default();
        for job in rules::due(&self.commands, &self.read_models).await? {
            match self.carry_out(&job).await {
                Ok(true) => round.done += 1,
                Ok(false) => round.superfluous += 1,
                Err(CommandError::Append(error)) if error.is_retryable() => return Err(error.into()),
                Err(error) => {
                    tracing::error!(?job, %error, "this cannot be done");
                    round.failed += 1;
                }
            }
        }
        Ok(round)
    }

    /// Answers whether the job was done just now. A refusal means that the state has moved on since the read model was
    /// written: then there is nothing to do.
    async fn carry_out(&self, job: &Job) -> Result<bool, CommandError> {
        match job.run(&self.commands, &self.caller).await {
            Ok(outcome) => Ok(!outcome.is_duplicate()),
            Err(CommandError::Refused { code, message }) => {
                tracing::debug!(?job, code, message, "nothing to do any more");
                Ok(false)
            }
            Err(CommandError::NotFound { .. } | CommandError::Append(AppendError::Rejected(_))) => Ok(false),
            Err(CommandError::Append(AppendError::Conflict { .. } | AppendError::Outdated { .. })) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// What the read models say when they cannot be read.
pub(crate) fn unavailable(error: impl std::fmt::Display) -> CommandError {
    CommandError::Append(AppendError::Unavailable(StoreError::Unavailable(error.to_string())))
}
