//! Comparing read models with the log: the whole log is folded again in memory, by the same pure folds, and every
//! column of every row is compared. Memory holds all rows of one read model, twice.

mod compare;
mod tables;

use crate::batch;
use crate::error::ProjectionError;
use crate::model::{Fold, READ_MODELS, ReadModel};
use crate::unseal::Unseal;
use sqlx::PgPool;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use viral_store::{EventStore, Position, StoredEvent, StreamId};

/// A cell, a row or an event that is not as the log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which table; the read model's name if it is about an event that was neither applied nor left out openly.
    pub table: String,
    /// The row's id; the aggregate, if it is about an event.
    pub key: String,
    /// Which column; none if the whole row is missing or too many.
    pub column: Option<String>,
    /// What the log says. A whole row is a JSON object; none is null, or no row.
    pub expected: Option<String>,
    /// What stands in the table.
    pub actual: Option<String>,
    /// The last event that touched the row.
    pub position: Option<Position>,
    /// Its type.
    pub event_type: Option<String>,
}

/// An event that a read model left out openly. The rows of its aggregate are as they were before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedEvent {
    /// Which read model.
    pub projection: String,
    /// Which event.
    pub position: Position,
    /// Of which aggregate.
    pub stream: StreamId,
    /// Of which type.
    pub event_type: String,
    /// What is wrong; none if only an earlier event of its aggregate is bad.
    pub problem: Option<String>,
}

/// A read model that was compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Which.
    pub name: String,
    /// Which version of its tables.
    pub version: i32,
    /// As of which event.
    pub position: Position,
    /// How many rows were expected.
    pub rows: usize,
    /// Why it stopped there, if it did.
    pub problem: Option<String>,
}

/// What a comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What was compared.
    pub compared: Vec<Compared>,
    /// What differs, in the order of tables and keys.
    pub differences: Vec<Difference>,
    /// What was left out.
    pub parked: Vec<ParkedEvent>,
}

impl Report {
    /// Nothing differs, nothing was left out, nothing stopped.
    pub fn holds(&self) -> bool {
        let stopped = self.compared.iter().any(|compared| compared.problem.is_some());
        self.differences.is_empty() && self.parked.is_empty() && !stopped
    }
}

/// How many events are read at once.
const PAGE: u64 = 10_000;

/// Compares all read models with the log. The pool may be of any role that reads the read models.
pub async fn diff(pool: &PgPool, store: &dyn EventStore, unseal: &dyn Unseal) -> Result<Report, ProjectionError> {
    let mut report = Report::default();
    for model in &READ_MODELS {
        let found = tables::read(pool, model).await?;
        let (mut fold, unexpected) = replay(model, store, unseal, &found).await?;
        let rows = compare::model(fold.as_mut(), &found, &mut report.differences)?;
        report.differences.extend(unexpected);
        report.compared.push(Compared {
            name: model.name.to_owned(),
            version: found.registered.version,
            position: found.registered.position,
            rows,
            problem: found.registered.problem,
        });
        report.parked.extend(found.parked);
    }
    name_events(store, &mut report.differences).await?;
    Ok(report)
}

/// Folds the log up to where the tables are. Events that the tables left out openly are left out here, too; others that
/// cannot be taken in are differences.
async fn replay(
    model: &'static ReadModel,
    store: &dyn EventStore,
    unseal: &dyn Unseal,
    found: &tables::Found,
) -> Result<(Box<dyn Fold>, Vec<Difference>), ProjectionError> {
    let parked: HashSet<Position> = found.parked.iter().map(|parked| parked.position).collect();
    let mut bad: HashSet<StreamId> = HashSet::new();
    let (mut fold, mut unexpected) = ((model.fold)(), Vec::new());
    for rows in fold.tables() {
        rows.make_whole();
    }
    let mut at = Position::START;
    while at < found.registered.position {
        let limit = PAGE.min(found.registered.position.0 - at.0);
        let events = store
            .read_after(at, usize::try_from(limit).unwrap_or(usize::MAX))
            .await?;
        let Some(last) = events.last() else { break };
        at = last.position;
        for item in batch::read(model, unseal, &events).await? {
            let event = item.stored;
            if parked.contains(&event.position) || bad.contains(&event.stream) {
                continue;
            }
            if let Err(problem) = batch::apply_one(fold.as_mut(), &item) {
                bad.insert(event.stream.clone());
                unexpected.push(left_out(model, event, problem.0));
            }
        }
        for rows in fold.tables() {
            rows.written();
        }
    }
    Ok((fold, unexpected))
}

fn left_out(model: &ReadModel, event: &StoredEvent, problem: String) -> Difference {
    Difference {
        table: model.name.to_owned(),
        key: event.stream.to_string(),
        column: None,
        expected: Some(format!("left out from here on: {problem}")),
        actual: Some("not among the parked events".to_owned()),
        position: Some(event.position),
        event_type: Some(event.event_type.to_string()),
    }
}

/// Looks up which events the differences name.
async fn name_events(store: &dyn EventStore, differences: &mut [Difference]) -> Result<(), ProjectionError> {
    let mut names: HashMap<Position, Option<String>> = HashMap::new();
    for difference in differences
        .iter_mut()
        .filter(|difference| difference.event_type.is_none())
    {
        let Some(position) = difference.position.filter(|position| *position > Position::START) else {
            continue;
        };
        let name = match names.entry(position) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let event = store.event_at(position).await?;
                unknown.insert(event.map(|event| event.event_type.into_owned()))
            }
        };
        difference.event_type.clone_from(name);
    }
    Ok(())
}
