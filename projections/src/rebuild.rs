//! Rebuilding a read model beside the live one. Writes and reads go on; at the end the new version takes the place of
//! the old one in one transaction. A rebuild that ends half-way leaves the live version as it was, and what it left
//! behind is removed by the next one.

use crate::batch::Stopped;
use crate::error::ProjectionError;
use crate::model::{Fold, ReadModel};
use crate::projector::{Batch, Projector, Step, tell_parked};
use crate::rebuild_lock::RebuildLock;
use crate::registry::{self, Target};
use sqlx::{Executor as _, PgConnection};
use std::time::Duration;
use viral_store::feed::{Feed as _, StoreFeed};
use viral_store::{Checkpoint, Position, StoredEvent};

/// How many events are applied in one transaction.
const BATCH: usize = 10_000;
/// How many events may be left for the transaction that replaces the live version.
const CLOSE: usize = 1_000;
/// How many rows are kept in memory from one batch to the next: nobody else writes to the new version.
const KEPT_ROWS: usize = 100_000;
/// How long the replacing transaction waits for readers of the old tables, at first and at most. Short at first, because
/// new readers wait behind it.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(3));
/// How often it is tried.
const ATTEMPTS: u32 = 60;

/// A version in the making.
struct Building {
    model: &'static ReadModel,
    version: i32,
    feed: StoreFeed,
    at: Checkpoint,
    /// Its rows from the last batches.
    fold: Box<dyn Fold>,
}

impl Projector {
    /// Builds a read model anew and puts it in the place of the live one. `progress` is told the position reached and
    /// the end of the log.
    ///
    /// # Errors
    /// [`ProjectionError::RebuildInProgress`] if another process is at it; [`ProjectionError::Halted`] if a ledger read
    /// model meets a bad event. The live version is as before then.
    pub async fn rebuild(
        &self,
        name: &str,
        progress: &mut (dyn FnMut(Position, Position) + Send),
    ) -> Result<(), ProjectionError> {
        let model = ReadModel::named(name)?;
        let lock = RebuildLock::take(&self.pool, name).await?;
        let rebuilt = self.rebuild_locked(model, progress).await;
        if rebuilt.is_err() {
            // As far as possible now; the next rebuild does it in any case.
            let _ = self.remove_building(model).await;
        }
        lock.release().await;
        rebuilt
    }

    async fn rebuild_locked(
        &self,
        model: &'static ReadModel,
        progress: &mut (dyn FnMut(Position, Position) + Send),
    ) -> Result<(), ProjectionError> {
        self.remove_building(model).await?;
        let mut building = self.begin_building(model).await?;
        self.fill(&mut building, progress).await?;
        let mut transaction = self.pool.begin().await?;
        transaction.execute("SET LOCAL statement_timeout = 0").await?;
        for table in model.tables {
            transaction
                .execute(table.create_indexes(building.version).as_str())
                .await?;
        }
        transaction.commit().await?;
        let mut patience = PATIENCE.0;
        for _ in 0..ATTEMPTS {
            self.fill(&mut building, progress).await?;
            match self.try_replace(&mut building, patience).await {
                Ok(true) => return Ok(()),
                // Too much was written meanwhile.
                Ok(false) => {}
                Err(error) if error.is_retryable() => {
                    tracing::info!(projection = model.name, %error, "the old tables are in use: trying again");
                    tokio::time::sleep(patience).await;
                    patience = (patience * 3 / 2).min(PATIENCE.1);
                }
                Err(error) => return Err(error),
            }
        }
        Err(ProjectionError::Unavailable(format!(
            "the tables of {} are in use all the time: end the long queries, then try again",
            model.name
        )))
    }

    async fn remove_building(&self, model: &'static ReadModel) -> Result<(), ProjectionError> {
        let mut transaction = self.pool.begin().await?;
        if let Some(left) = registry::lock_in_tx(&mut transaction, model.name, Target::Building).await? {
            registry::remove_in_tx(&mut transaction, model, left.version).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    async fn begin_building(&self, model: &'static ReadModel) -> Result<Building, ProjectionError> {
        let mut transaction = self.pool.begin().await?;
        let live = registry::find(&mut *transaction, model.name, Target::Live).await?;
        let version = live.map_or(0, |live| live.version) + 1;
        registry::create_in_tx(&mut transaction, model, version, Target::Building).await?;
        transaction.commit().await?;
        Ok(Building {
            model,
            version,
            feed: StoreFeed::new(self.store.clone()),
            at: Checkpoint::START,
            fold: (model.fold)(),
        })
    }

    /// Applies the log until little of it is left.
    async fn fill(
        &self,
        building: &mut Building,
        progress: &mut (dyn FnMut(Position, Position) + Send),
    ) -> Result<(), ProjectionError> {
        loop {
            let head = self.store.head().await?.position;
            let events = building.feed.read_on(&building.at, BATCH, Duration::ZERO).await?;
            if !events.is_empty() {
                self.fill_batch(building, &events).await?;
            }
            let at = building.at.position;
            progress(at, head.max(at));
            if events.len() < CLOSE {
                return Ok(());
            }
        }
    }

    async fn fill_batch(&self, building: &mut Building, events: &[StoredEvent]) -> Result<(), ProjectionError> {
        let kept: usize = building.fold.tables().iter().map(|rows| rows.len()).sum();
        if kept > KEPT_ROWS {
            building.fold = (building.model.fold)();
        }
        let mut transaction = self.pool.begin().await?;
        let step = match self.fill_in_tx(&mut transaction, building, events).await {
            Ok(step) => {
                transaction.commit().await?;
                step
            }
            Err(Stopped::Failed(error)) => return Err(error),
            // The live way finds the bad event among them.
            Err(Stopped::Refused(_) | Stopped::Bad(..)) => {
                drop(transaction);
                building.fold = (building.model.fold)();
                let batch = building.batch(events);
                self.advance(building.model, Target::Building, batch).await?
            }
        };
        building.take(step)
    }

    async fn fill_in_tx(
        &self,
        connection: &mut PgConnection,
        building: &mut Building,
        events: &[StoredEvent],
    ) -> Result<Step, Stopped> {
        let (model, batch) = (building.model, building.batch(events));
        let fold = building.fold.as_mut();
        let (step, parked) = self
            .advance_in_tx(connection, model, Target::Building, false, fold, batch)
            .await?;
        tell_parked(model, &parked);
        Ok(step)
    }

    /// Applies what is left and puts the new version in the place of the live one. Answers false if too much is left.
    async fn try_replace(&self, building: &mut Building, patience: Duration) -> Result<bool, ProjectionError> {
        let model = building.model;
        let mut transaction = self.pool.begin().await?;
        transaction.execute("SET LOCAL statement_timeout = 0").await?;
        // From here on the live version stays where it is: nobody will see the position go back.
        let live = registry::lock_in_tx(&mut transaction, model.name, Target::Live).await?;
        let events = building.feed.read_on(&building.at, BATCH, Duration::ZERO).await?;
        if events.len() > CLOSE {
            return Ok(false);
        }
        let before = building.at;
        match self.fill_in_tx(&mut transaction, building, &events).await {
            Ok(step) => building.take(step)?,
            Err(Stopped::Failed(error)) => return Err(error),
            Err(Stopped::Refused(_) | Stopped::Bad(..)) => {
                drop(transaction);
                building.fold = (model.fold)();
                self.fill_batch(building, &events).await?;
                return Ok(false);
            }
        }
        let replaced = async {
            // Reading first and locking then could lock somebody out who reads two tables: give up before that does.
            let limit = format!("SET LOCAL lock_timeout = '{}ms'", patience.as_millis());
            transaction.execute(limit.as_str()).await?;
            for table in model.tables {
                transaction
                    .execute(table.create_view(building.version).as_str())
                    .await?;
            }
            if let Some(live) = live {
                registry::remove_in_tx(&mut transaction, model, live.version).await?;
            }
            sqlx::query("UPDATE projections SET state = 'live' WHERE name = $1 AND version = $2")
                .bind(model.name)
                .bind(building.version)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok::<(), ProjectionError>(())
        };
        let replaced = replaced.await;
        if replaced.is_err() {
            // What was applied in the transaction is taken back with it.
            (building.at, building.fold) = (before, (model.fold)());
        }
        replaced.map(|()| true)
    }
}

impl Building {
    fn batch<'a>(&self, events: &'a [StoredEvent]) -> Batch<'a> {
        Batch {
            after: self.at,
            events,
            place: None,
        }
    }

    fn take(&mut self, step: Step) -> Result<(), ProjectionError> {
        match step {
            Step::Moved(to) => {
                self.at = to;
                Ok(())
            }
            // Only a process that did not see our lock could have done that.
            Step::Overtaken => Err(ProjectionError::RebuildInProgress(self.model.name.to_owned())),
            Step::Halted(position, problem) => Err(ProjectionError::Halted {
                name: self.model.name.to_owned(),
                position,
                problem,
            }),
        }
    }
}
