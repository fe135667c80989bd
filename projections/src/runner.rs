//! Following the log: each read model in a task of its own, so that a slow or stopped one holds up no other.

use crate::error::ProjectionError;
use crate::model::{READ_MODELS, ReadModel};
use crate::projector::{Batch, Projector, Step};
use crate::registry::{self, Target};
use crate::status::lost_events;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use viral_store::feed::{Feed, FeedError};
use viral_store::{Checkpoint, StoreError, StoredEvent};

/// How many events are applied in one transaction.
const BATCH: usize = 2_000;
/// How long one look for new events takes. Notifications make it shorter.
const WAIT: Duration = Duration::from_secs(5);
/// How long more is waited for where only the position would move: each move is a transaction.
const LINGER: Duration = Duration::from_millis(10);
/// How often a stopped read model is looked at, whether somebody resumed it.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Pauses after errors, from the first to the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// A read model that moves on.
struct Following {
    feed: Box<dyn Feed>,
    /// Where the read model is, as far as we know.
    at: Checkpoint,
}

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
        let (mut following, mut pause) = (None, PAUSES.0);
        loop {
            match self.step(model, &mut following).await {
                Ok(true) => pause = PAUSES.0,
                Ok(false) => tokio::time::sleep(LOOK_AGAIN).await,
                Err(error) => {
                    following = None;
                    rest(&mut pause, model.name, &error).await;
                }
            }
        }
    }

    /// One batch. Answers false if the read model is stopped.
    async fn step(&self, model: &'static ReadModel, slot: &mut Option<Following>) -> Result<bool, ProjectionError> {
        let mut following = match slot.take() {
            Some(following) => following,
            None => match self.begin(model).await? {
                Some(following) => following,
                None => return Ok(false),
            },
        };
        let after = following.at;
        let events = match next(following.feed.as_mut(), model, &after).await {
            Ok(events) => events,
            Err(FeedError::Incomplete(problem)) => {
                // Nobody but an operator can help: seen in `viral projections list` and `viral doctor`.
                let next = after.position.next();
                self.halted(model, Target::Live, after, (next, problem)).await?;
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        if !events.is_empty() {
            let given = after.after_all(&events).position;
            let place = following.feed.place();
            let batch = Batch {
                after,
                events: &events,
                place: place.as_deref(),
            };
            match self.advance(model, Target::Live, batch).await? {
                Step::Moved(to) if to.position == given => following.at = to,
                Step::Overtaken => match self.live(model).await? {
                    Some(live) if live.position >= given => following.at = live.checkpoint(self.store.as_ref()).await?,
                    // The feed would have to go back: the next step opens another one.
                    _ => return Ok(true),
                },
                // Up to a bad event only.
                Step::Moved(_) => return Ok(true),
                Step::Halted(..) => return Ok(false),
            }
        }
        *slot = Some(following);
        Ok(true)
    }

    /// Opens a feed where the read model is; none if it is stopped.
    async fn begin(&self, model: &'static ReadModel) -> Result<Option<Following>, ProjectionError> {
        let Some(live) = self.live(model).await? else {
            return Ok(None);
        };
        let Some(at) = self.where_it_is(model, &live).await? else {
            return Ok(None);
        };
        Ok(Some(Following {
            feed: self.feeds.open(&at, live.place.as_deref()),
            at,
        }))
    }

    /// The checkpoint of a read model. One that has events which the log lost is wrong until somebody has it rebuilt: it
    /// stops, and none is answered.
    async fn where_it_is(
        &self,
        model: &'static ReadModel,
        live: &registry::Registered,
    ) -> Result<Option<Checkpoint>, ProjectionError> {
        let at = match live.checkpoint(self.store.as_ref()).await {
            Ok(at) if self.store.has(&at).await? => return Ok(Some(at)),
            Ok(at) => at.position,
            Err(StoreError::WentBack(went_back)) => went_back.seen,
            Err(error) => return Err(error.into()),
        };
        let problem = lost_events(model.name, at);
        tracing::error!(projection = model.name, problem, "the read model stops");
        registry::halt(&self.pool, model.name, live.position, &problem).await?;
        Ok(None)
    }

    /// The live version, unless it is stopped.
    async fn live(&self, model: &'static ReadModel) -> Result<Option<registry::Registered>, ProjectionError> {
        let found = registry::find(&self.pool, model.name, Target::Live).await?;
        let live = found.ok_or_else(|| ProjectionError::NotSetUp(model.name.to_owned()))?;
        Ok(Some(live).filter(|live| live.problem.is_none()))
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

/// The next events, with more of them where the first are nothing to this read model.
async fn next(feed: &mut dyn Feed, model: &ReadModel, after: &Checkpoint) -> Result<Vec<StoredEvent>, FeedError> {
    let mut events = feed.read_on(after, BATCH, WAIT).await?;
    let left = BATCH.saturating_sub(events.len());
    if !events.is_empty() && left > 0 && !events.iter().any(|event| model.is_about(event)) {
        tokio::time::sleep(LINGER).await;
        // An error comes again when these are applied.
        let more = feed.read_on(&after.after_all(&events), left, Duration::ZERO).await;
        events.extend(more.unwrap_or_default());
    }
    Ok(events)
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
