//! Following the log: each read model in a task of its own, so that a slow or stopped one holds up no other.

use crate::error::ProjectionError;
use crate::model::{READ_MODELS, ReadModel};
use crate::projector::{Projector, Step};
use crate::registry::{self, Target};
use crate::units;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use viral_store::Position;
use viral_store::feed::{Feed, StoreFeed};

/// How many events are applied in one transaction.
const BATCH: usize = 2_000;
/// How long one look for new events takes. Notifications make it shorter.
const WAIT: Duration = Duration::from_secs(5);
/// How often a stopped read model is looked at, whether somebody resumed it.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Pauses after errors, from the first to the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

impl Projector {
    /// Keeps all read models up to date until `stop` says true, or nobody can say so any more. Tables that are missing
    /// are made, those of another schema are rebuilt. A database that is away is waited for.
    ///
    /// # Errors
    /// When the database is not set up for it, or a task panicked.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) -> Result<(), ProjectionError> {
        tokio::select! {
            prepared = self.prepare_patiently() => prepared?,
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
        }
        let mut tasks = JoinSet::new();
        for model in &READ_MODELS {
            let (projector, mut stop) = (self.clone(), stop.clone());
            tasks.spawn(async move {
                tokio::select! {
                    // A batch that is under way is rolled back: the next start applies it again.
                    _ = stop.wait_for(|stop| *stop) => {}
                    () = projector.follow(model) => {}
                }
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.map_err(|e| ProjectionError::Failed(e.to_string()))?;
        }
        Ok(())
    }

    async fn prepare_patiently(&self) -> Result<(), ProjectionError> {
        let mut pause = PAUSES.0;
        loop {
            match self.prepare().await {
                Err(error) if error.is_retryable() => rest(&mut pause, "all", &error).await,
                other => return other,
            }
        }
    }

    /// Never ends by itself.
    async fn follow(&self, model: &'static ReadModel) {
        self.rebuild_if_outdated(model).await;
        let mut feed = StoreFeed::new(self.store.clone());
        let (mut at, mut pause) = (None, PAUSES.0);
        loop {
            match self.step(model, &mut feed, &mut at).await {
                Ok(true) => pause = PAUSES.0,
                Ok(false) => tokio::time::sleep(LOOK_AGAIN).await,
                Err(error) => {
                    at = None;
                    rest(&mut pause, model.name, &error).await;
                }
            }
        }
    }

    /// One batch. `at` is where the read model is, as far as we know. Answers false if the read model is stopped.
    async fn step(
        &self,
        model: &'static ReadModel,
        feed: &mut dyn Feed,
        at: &mut Option<Position>,
    ) -> Result<bool, ProjectionError> {
        let after = match *at {
            Some(position) => position,
            None => {
                let found = registry::find(&self.pool, model.name, Target::Live).await?;
                let live = found.ok_or_else(|| ProjectionError::NotSetUp(model.name.to_owned()))?;
                if live.problem.is_some() {
                    return Ok(false);
                }
                live.position
            }
        };
        *at = Some(after);
        let events = units::read_after(feed, after, BATCH, WAIT).await?;
        if events.is_empty() {
            return Ok(true);
        }
        match self.advance(model, Target::Live, after, &events).await? {
            Step::Moved(position) => *at = Some(position),
            Step::Overtaken => *at = None,
            Step::Halted(..) => {
                *at = None;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Tables whose schema is not ours are rebuilt, once, when a process starts: two versions of the program that run
    /// at the same time must not take turns.
    async fn rebuild_if_outdated(&self, model: &'static ReadModel) {
        let mut pause = PAUSES.0;
        loop {
            match self.try_rebuild_if_outdated(model).await {
                Ok(()) => return,
                Err(error @ ProjectionError::Halted { .. }) => {
                    tracing::error!(projection = model.name, %error, "it cannot be rebuilt");
                    return;
                }
                Err(error) => rest(&mut pause, model.name, &error).await,
            }
        }
    }

    async fn try_rebuild_if_outdated(&self, model: &'static ReadModel) -> Result<(), ProjectionError> {
        let Some(live) = registry::find(&self.pool, model.name, Target::Live).await? else {
            return Ok(());
        };
        if live.schema_version == model.schema_version {
            return Ok(());
        }
        tracing::info!(
            projection = model.name,
            found = live.schema_version,
            own = model.schema_version,
            "the schema has changed: rebuilding"
        );
        self.rebuild(model.name, &mut |_, _| {}).await
    }
}

/// Says what is wrong and waits, longer each time.
async fn rest(pause: &mut Duration, projection: &str, error: &ProjectionError) {
    if error.is_retryable() {
        tracing::warn!(projection, %error, "trying again");
    } else {
        tracing::error!(projection, %error, "no progress; trying again");
    }
    tokio::time::sleep(*pause).await;
    *pause = (*pause * 2).min(PAUSES.1);
}
