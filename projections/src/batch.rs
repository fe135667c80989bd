//! A batch of events, applied within a transaction that somebody else begins and commits together with the checkpoint.

use crate::error::{ProjectionError, is_refused_value};
use crate::fact::{self, Event, Problem};
use crate::load;
use crate::model::{Fold, ReadModel, WhenBad};
use crate::registry::{self, Parked};
use crate::unknown;
use crate::unseal::{Unseal, UnsealError};
use sqlx::{Executor as _, PgConnection};
use std::collections::HashSet;
use viral_domain::Sealed;
use viral_store::{StoredEvent, StreamId};

/// What a batch is applied to.
pub(crate) struct Job<'a> {
    pub(crate) model: &'static ReadModel,
    pub(crate) version: i32,
    pub(crate) unseal: &'a dyn Unseal,
    /// Write after each event, to find the one whose rows the database refuses.
    pub(crate) careful: bool,
}

/// Why a batch was not applied. The transaction has to be rolled back.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The database refuses a row: to be done again, carefully.
    Refused(String),
    /// A read model that leaves nothing out met a bad event, the one of this index.
    Bad(usize, Problem),
    /// Something else is wrong; the batch may be fine.
    Failed(ProjectionError),
}

impl<E: Into<ProjectionError>> From<E> for Stopped {
    fn from(error: E) -> Stopped {
        Stopped::Failed(error.into())
    }
}

/// An event that the read model wants.
pub(crate) struct Item<'a> {
    /// Its index in the batch.
    index: usize,
    pub(crate) stored: &'a StoredEvent,
    pub(crate) event: Result<Event, Problem>,
}

/// Reads the events that a read model wants, and opens what is sealed in them.
pub(crate) async fn read<'a>(
    model: &ReadModel,
    unseal: &dyn Unseal,
    events: &'a [StoredEvent],
) -> Result<Vec<Item<'a>>, UnsealError> {
    let mut items: Vec<Item<'a>> = Vec::new();
    for (index, stored) in events.iter().enumerate() {
        let event = match model.is_about(stored) {
            true => fact::read(stored).transpose(),
            false if fact::recorded(stored).is_in_known_stream() => continue,
            false => None,
        };
        match event {
            Some(event) => items.push(Item { index, stored, event }),
            None => unknown::pass_by(model.name, stored),
        }
    }
    let sealed = |item: &Item<'_>| item.event.as_ref().ok().and_then(|event| event.sealed().cloned());
    let all: Vec<Sealed> = items.iter().filter_map(sealed).collect();
    if all.is_empty() {
        return Ok(items);
    }
    let mut opened = open(unseal, &all).await?.into_iter();
    for item in &mut items {
        if let Ok(event) = &mut item.event
            && event.sealed().is_some()
        {
            match opened.next() {
                Some(Ok(clear)) => event.clear = clear,
                Some(Err(problem)) => item.event = Err(problem),
                None => return Err(UnsealError::Unavailable("not everything was answered".to_owned())),
            }
        }
    }
    Ok(items)
}

/// Opens all at once; one by one if something among them is damaged.
async fn open(unseal: &dyn Unseal, all: &[Sealed]) -> Result<Vec<Result<Option<String>, Problem>>, UnsealError> {
    match unseal.unseal(all).await {
        Ok(opened) => return Ok(opened.into_iter().map(Ok).collect()),
        Err(UnsealError::Damaged(_)) => {}
        Err(error) => return Err(error),
    }
    let mut opened = Vec::with_capacity(all.len());
    for sealed in all {
        opened.push(match unseal.unseal(std::slice::from_ref(sealed)).await {
            Ok(clear) => Ok(clear.into_iter().next().flatten()),
            Err(UnsealError::Damaged(problem)) => Err(Problem(problem)),
            Err(error) => return Err(error),
        });
    }
    Ok(opened)
}

/// Applies events to the tables of a version. Answers which of them were left out, and why.
pub(crate) async fn apply_in_tx<'a>(
    connection: &mut PgConnection,
    job: &Job<'_>,
    fold: &mut dyn Fold,
    events: &'a [StoredEvent],
) -> Result<Vec<Parked<'a>>, Stopped> {
    let items = read(job.model, job.unseal, events).await?;
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let mut left_out = left_out_in_tx(connection, job, &items).await?;
    let readable: Vec<&Event> = items.iter().filter_map(|item| item.event.as_ref().ok()).collect();
    load::touched_in_tx(connection, job.version, fold, &readable).await?;
    let mut parked = Vec::new();
    for item in &items {
        let stream = &item.stored.stream;
        let problem = if left_out.contains(stream) {
            None
        } else {
            match apply_one_in_tx(connection, job, fold, item).await? {
                Ok(()) => continue,
                Err(problem) if job.model.when_bad == WhenBad::Halt => return Err(Stopped::Bad(item.index, problem)),
                Err(problem) => Some(problem),
            }
        };
        left_out.insert(stream.clone());
        let event = item.stored;
        parked.push(Parked { event, problem });
    }
    match load::flush_in_tx(connection, job.version, fold).await {
        Ok(()) => load::written(fold),
        Err(error) if is_refused_value(&error) => return Err(Stopped::Refused(error.to_string())),
        Err(error) => return Err(error.into()),
    }
    registry::park_in_tx(connection, job.model.name, job.version, &parked).await?;
    Ok(parked)
}

/// The aggregates that are left out from before.
async fn left_out_in_tx(
    connection: &mut PgConnection,
    job: &Job<'_>,
    items: &[Item<'_>],
) -> Result<HashSet<StreamId>, ProjectionError> {
    if job.model.when_bad == WhenBad::Halt {
        return Ok(HashSet::new());
    }
    let streams: HashSet<&StreamId> = items.iter().map(|item| &item.stored.stream).collect();
    let streams: Vec<&StreamId> = streams.into_iter().collect();
    registry::parked_streams_in_tx(connection, job.model.name, job.version, &streams).await
}

/// Applies an event, or leaves the rows as they were and says what is wrong with it.
async fn apply_one_in_tx(
    connection: &mut PgConnection,
    job: &Job<'_>,
    fold: &mut dyn Fold,
    item: &Item<'_>,
) -> Result<Result<(), Problem>, ProjectionError> {
    if let Err(problem) = apply_one(fold, item) {
        return Ok(Err(problem));
    }
    if !job.careful {
        return Ok(Ok(()));
    }
    connection.execute("SAVEPOINT event").await?;
    match load::flush_in_tx(connection, job.version, fold).await {
        Ok(()) => {
            load::written(fold);
            connection.execute("RELEASE SAVEPOINT event").await?;
            Ok(Ok(()))
        }
        Err(error) if is_refused_value(&error) => {
            connection.execute("ROLLBACK TO SAVEPOINT event").await?;
            undo(fold);
            Ok(Err(Problem(format!("the database refuses it: {error}"))))
        }
        Err(error) => Err(error.into()),
    }
}

/// Applies an event to rows in memory; after a problem they are as before.
pub(crate) fn apply_one(fold: &mut dyn Fold, item: &Item<'_>) -> Result<(), Problem> {
    let event = item.event.as_ref().map_err(Clone::clone)?;
    for rows in fold.tables() {
        rows.begin(event.position);
    }
    let applied = fold.apply(event);
    if applied.is_err() {
        undo(fold);
    }
    applied
}

fn undo(fold: &mut dyn Fold) {
    for rows in fold.tables() {
        rows.undo();
    }
}
