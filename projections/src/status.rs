//! What there is and how it is, for operators.

use crate::error::ProjectionError;
use crate::registry;
use sqlx::{PgPool, Row as _};
use viral_store::{Checkpoint, EventStore, Position};

/// What a version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is the one that is read.
    Live,
    /// It is being built beside it, or a rebuild ended half-way.
    Building,
}

impl State {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Live => "live",
            State::Building => "building",
        }
    }
}

/// A version of a read model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Which read model.
    pub name: String,
    /// Which version of its tables.
    pub version: i32,
    /// What that version is.
    pub state: State,
    /// The last event that its tables contain.
    pub position: Position,
    /// The end of the log.
    pub head: Position,
    /// How many events were left out.
    pub parked: u64,
    /// Why it stopped, if it did.
    pub problem: Option<String>,
    /// Why it does not move on for now, though it is tried again and again.
    pub refusal: Option<String>,
}

/// The last event that any read model contains, where it is known which.
pub async fn furthest(pool: &PgPool) -> Result<Option<Checkpoint>, ProjectionError> {
    registry::furthest(pool).await
}

/// What is wrong with a read model that has events which the log lost, and what to do.
pub(crate) fn lost_events(name: &str, position: Position) -> String {
    format!("it has events up to position {position} that the log lost: run `viral projections rebuild {name}`")
}

/// All versions of all read models of this log, in the order of their names.
pub async fn list(pool: &PgPool, log: &dyn EventStore) -> Result<Vec<Status>, ProjectionError> {
    let statement = "SELECT name, version, state = 'live', position, problem, refusal, \
         (SELECT count(*) FROM parked_events AS parked \
           WHERE parked.projection = projections.name AND parked.version = projections.version) \
         FROM projections ORDER BY name, version";
    let rows = sqlx::query(statement).fetch_all(pool).await?;
    // Asked last: only one that has lost events is beyond it.
    let head = log.head().await?.position;
    rows.iter()
        .map(|row| {
            let (name, position): (String, _) = (row.try_get(0)?, registry::position(row.try_get(3)?));
            let problem: Option<String> = row.try_get(4)?;
            Ok(Status {
                // Whoever fills it stops it for that; nobody may have run since the log went back.
                problem: problem.or_else(|| (position > head).then(|| lost_events(&name, position))),
                name,
                version: row.try_get(1)?,
                state: if row.try_get(2)? { State::Live } else { State::Building },
                position,
                head,
                refusal: row.try_get(5)?,
                parked: row.try_get::<i64, _>(6)?.unsigned_abs(),
            })
        })
        .collect()
}
