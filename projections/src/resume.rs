//! Going on after somebody mended the cause: parked events are applied in their order, a stopped read model moves again.

use crate::batch::{self, Job, Stopped};
use crate::error::ProjectionError;
use crate::model::ReadModel;
use crate::projector::{Projector, tell_parked};
use crate::registry::{self, Target};
use sqlx::{PgConnection, Row as _};
use std::collections::{BTreeMap, BTreeSet};
use viral_store::{Position, StoredEvent, StreamId};

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resumed {
    /// It was stopped, and is tried again. If the event is still bad it stops there again.
    pub was_halted: bool,
    /// How many parked events were applied.
    pub applied: usize,
    /// How many are still parked.
    pub still_parked: usize,
}

/// How many events of a stream are read at once.
const PAGE: usize = 1_000;

impl Projector {
    /// Tries again what a read model could not take in.
    pub async fn resume(&self, name: &str) -> Result<Resumed, ProjectionError> {
        let model = ReadModel::named(name)?;
        let mut transaction = self.pool.begin().await?;
        let found = registry::lock_in_tx(&mut transaction, model.name, Target::Live).await?;
        let live = found.ok_or_else(|| ProjectionError::NotSetUp(name.to_owned()))?;
        if live.schema_version != model.schema_version {
            return Err(ProjectionError::OtherSchema {
                name: name.to_owned(),
                found: live.schema_version,
                own: model.schema_version,
            });
        }
        let was_halted = registry::unhalt_in_tx(&mut transaction, model.name).await?;
        let taken = take_parked_in_tx(&mut transaction, model.name, live.version).await?;
        let events = self.events_at(&taken).await?;
        let job = Job {
            model,
            version: live.version,
            unseal: self.unseal.as_ref(),
            careful: true,
        };
        let mut fold = (model.fold)();
        let applied = batch::apply_in_tx(&mut transaction, &job, fold.as_mut(), &events).await;
        let parked = applied.map_err(|stopped| match stopped {
            Stopped::Failed(error) => error,
            Stopped::Refused(problem) => ProjectionError::Database(problem),
            Stopped::Bad(_, problem) => ProjectionError::Failed(problem.0),
        })?;
        transaction.commit().await?;
        tell_parked(model, &parked);
        Ok(Resumed {
            was_halted,
            applied: events.len() - parked.len(),
            still_parked: parked.len(),
        })
    }

    /// The events of these streams at these positions, in the order of the log.
    async fn events_at(
        &self,
        wanted: &BTreeMap<StreamId, BTreeSet<Position>>,
    ) -> Result<Vec<StoredEvent>, ProjectionError> {
        let mut events = Vec::new();
        for (stream, positions) in wanted {
            let mut sequence = 0;
            loop {
                let page = self.store.read_stream(stream, sequence, PAGE).await?;
                let full = page.len() == PAGE;
                sequence = page.last().map_or(sequence, |event| event.sequence);
                events.extend(page.into_iter().filter(|event| positions.contains(&event.position)));
                if !full {
                    break;
                }
            }
        }
        events.sort_by_key(|event| event.position);
        Ok(events)
    }
}

/// Takes all parked events of a version out of their table.
async fn take_parked_in_tx(
    connection: &mut PgConnection,
    name: &str,
    version: i32,
) -> Result<BTreeMap<StreamId, BTreeSet<Position>>, ProjectionError> {
    let statement = "DELETE FROM parked_events WHERE projection = $1 AND version = $2 \
         RETURNING aggregate_type, aggregate_id, position";
    let rows = sqlx::query(statement)
        .bind(name)
        .bind(version)
        .fetch_all(connection)
        .await?;
    let mut taken: BTreeMap<StreamId, BTreeSet<Position>> = BTreeMap::new();
    for row in rows {
        let stream = StreamId::new(row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?);
        taken
            .entry(stream)
            .or_default()
            .insert(registry::position(row.try_get(2)?));
    }
    Ok(taken)
}
