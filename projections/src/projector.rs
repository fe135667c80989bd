//! The projector: everything that writes read models.

use crate::batch::{self, Job, Stopped};
use crate::error::ProjectionError;
use crate::model::{Fold, READ_MODELS, ReadModel};
use crate::registry::{self, Parked, Target};
use crate::unseal::Unseal;
use sqlx::{Executor as _, PgConnection, PgPool};
use std::sync::Arc;
use viral_store::feed::{Feeds, StoreFeed};
use viral_store::{Checkpoint, EventStore, Position, StoredEvent, units};

/// Keeps the read models of a database up to date, rebuilds them and resumes what was left out. Any number of
/// processes may do this at once: whoever comes second to a batch finds that it is done.
#[derive(Clone)]
pub struct Projector {
    pub(crate) pool: PgPool,
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) unseal: Arc<dyn Unseal>,
    pub(crate) feeds: Arc<dyn Feeds>,
}

/// Events that follow a position, to be applied together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch<'a> {
    /// Where they follow.
    pub(crate) after: Checkpoint,
    /// They end with a unit.
    pub(crate) events: &'a [StoredEvent],
    /// Where the feed goes on after the last of them.
    pub(crate) place: Option<&'a str>,
}

impl std::fmt::Debug for Projector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Projector")
            .field("store", &self.store)
            .field("feeds", &self.feeds)
            .finish_non_exhaustive()
    }
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is applied, up to here.
    Moved(Checkpoint),
    /// Somebody else moved the read model meanwhile; it may have another version now.
    Overtaken,
    /// The read model is stopped, now or already.
    Halted(Position, String),
}

impl Projector {
    /// A projector over a pool from [`crate::connect`], following this log.
    pub fn new(pool: PgPool, store: Arc<dyn EventStore>, unseal: Arc<dyn Unseal>) -> Projector {
        let feeds = Arc::new(StoreFeed::new(store.clone()));
        Projector {
            pool,
            store,
            unseal,
            feeds,
        }
    }

    /// Follows the log by other feeds than the store's own. Rebuilding and resuming read the store all the same.
    pub fn with_feeds(self, feeds: Arc<dyn Feeds>) -> Projector {
        Projector { feeds, ..self }
    }

    /// Makes the tables and views of read models that were never set up. They are empty until they are run or rebuilt.
    pub async fn prepare(&self) -> Result<(), ProjectionError> {
        for model in &READ_MODELS {
            if registry::find(&self.pool, model.name, Target::Live).await?.is_none() {
                self.create(model).await?;
            }
        }
        Ok(())
    }

    async fn create(&self, model: &'static ReadModel) -> Result<(), ProjectionError> {
        let mut transaction = self.pool.begin().await?;
        // Whoever starts at the same time waits here, and then finds it done.
        sqlx::query("SELECT pg_advisory_xact_lock(hashtext('viral projections'), hashtext('create'))")
            .execute(&mut *transaction)
            .await?;
        if registry::find(&mut *transaction, model.name, Target::Live)
            .await?
            .is_some()
        {
            return Ok(());
        }
        let latest: Option<i32> = sqlx::query_scalar("SELECT max(version) FROM projections WHERE name = $1")
            .bind(model.name)
            .fetch_one(&mut *transaction)
            .await?;
        let version = latest.unwrap_or(0) + 1;
        registry::create_in_tx(&mut transaction, model, version, Target::Live).await?;
        for table in model.tables {
            transaction.execute(table.create_indexes(version).as_str()).await?;
            transaction.execute(table.create_view(version).as_str()).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Applies a batch to a version of a read model.
    pub(crate) async fn advance(
        &self,
        model: &'static ReadModel,
        target: Target,
        batch: Batch<'_>,
    ) -> Result<Step, ProjectionError> {
        let (mut batch, mut careful) = (batch, false);
        loop {
            let mut transaction = self.pool.begin().await?;
            let mut fold = (model.fold)();
            let tried = self
                .advance_in_tx(&mut transaction, model, target, careful, fold.as_mut(), batch)
                .await;
            let problem = match tried {
                Ok((step, parked)) => {
                    transaction.commit().await?;
                    tell_parked(model, &parked);
                    return Ok(step);
                }
                Err(Stopped::Refused(_)) if !careful => {
                    careful = true;
                    continue;
                }
                Err(Stopped::Refused(problem)) => return Err(ProjectionError::Database(problem)),
                Err(Stopped::Failed(error)) => return Err(error),
                Err(Stopped::Bad(index, problem)) => {
                    let position = batch
                        .events
                        .get(index)
                        .map_or(batch.after.position, |event| event.position);
                    let before = units::start(batch.events, index);
                    if before > 0 {
                        // Everything up to the bad unit first; the feed's place is behind it.
                        batch.events = &batch.events[..before];
                        batch.place = None;
                        continue;
                    }
                    (position, problem.0)
                }
            };
            drop(transaction);
            return self.halted(model, target, batch.after, problem).await;
        }
    }

    /// One attempt at a batch. Whoever begins the transaction commits it.
    pub(crate) async fn advance_in_tx<'a>(
        &self,
        connection: &mut PgConnection,
        model: &'static ReadModel,
        target: Target,
        careful: bool,
        fold: &mut dyn Fold,
        batch: Batch<'a>,
    ) -> Result<(Step, Vec<Parked<'a>>), Stopped> {
        let (none, Batch { after, events, place }) = (Vec::new(), batch);
        let Some(registered) = registry::lock_in_tx(connection, model.name, target).await? else {
            return Ok((Step::Overtaken, none));
        };
        if registered.schema_version != model.schema_version {
            return Err(Stopped::Failed(ProjectionError::OtherSchema {
                name: model.name.to_owned(),
                found: registered.schema_version,
                own: model.schema_version,
            }));
        }
        if registered.position != after.position {
            return Ok((Step::Overtaken, none));
        }
        if let Some(problem) = registered.problem {
            return Ok((Step::Halted(after.position, problem), none));
        }
        if events.is_empty() {
            return Ok((Step::Moved(after), none));
        }
        let job = Job {
            model,
            version: registered.version,
            unseal: self.unseal.as_ref(),
            careful,
        };
        let parked = batch::apply_in_tx(connection, &job, fold, events).await?;
        let to = after.after_all(events);
        registry::move_in_tx(connection, model.name, registered.version, &to, place).await?;
        Ok((Step::Moved(to), parked))
    }

    /// Stops a live read model at a bad event. One that is being built is given up by whoever builds it.
    pub(crate) async fn halted(
        &self,
        model: &ReadModel,
        target: Target,
        after: Checkpoint,
        (position, problem): (Position, String),
    ) -> Result<Step, ProjectionError> {
        tracing::error!(
            projection = model.name, %position, %problem,
            "the read model stops: `viral projections resume {}` once the cause is mended", model.name
        );
        if target == Target::Live {
            let text = format!("event {position}: {problem}");
            registry::halt(&self.pool, model.name, after.position, &text).await?;
        }
        Ok(Step::Halted(position, problem))
    }
}

/// Parking is loud: a read model without some of its events is a wrong one until somebody looks.
pub(crate) fn tell_parked(model: &ReadModel, parked: &[Parked<'_>]) {
    for Parked { event, problem } in parked {
        match problem {
            Some(problem) => tracing::error!(
                projection = model.name, position = %event.position, stream = %event.stream, %problem,
                "a bad event: its aggregate is left out from here on until `viral projections resume {}`", model.name
            ),
            None => tracing::warn!(
                projection = model.name, position = %event.position, stream = %event.stream,
                "left out: an earlier event of this aggregate is bad"
            ),
        }
    }
}
