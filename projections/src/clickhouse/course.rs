//! Whether ClickHouse holds this log, in the course that it took: a log that was restored to an earlier moment may go on
//! differently.

use super::projector::ClickHouseProjector;
use crate::error::ProjectionError;
use crate::registry::Registered;
use chrono::{DateTime, Utc};
use clickhouse::Row;
use serde::Deserialize;
use uuid::Uuid;
use viral_store::Position;

/// How somebody mends what this finds.
const MEND: &str = "run `viral projections rebuild clickhouse`";

#[derive(Debug, Row, Deserialize)]
struct Kept {
    position: u64,
    #[serde(with = "clickhouse::serde::uuid")]
    event_id: Uuid,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    recorded_at: DateTime<Utc>,
}

impl ClickHouseProjector {
    /// Compares what is noted with what ClickHouse has, and begins where both agree.
    pub(super) async fn agree(&self) -> Result<Registered, ProjectionError> {
        let has = self.check_source().await?;
        self.check_course(has).await?;
        let noted = self.noted().await?;
        let head = self.store.head().await?.position;
        let is_waiting = noted.intended.is_some_and(|intended| intended > head);
        if noted.position == has && !is_waiting {
            return Ok(noted);
        }
        // The watermark is written after everything else: ClickHouse has what it says, whatever was noted. It may have
        // been restored or emptied, or the note of the last range was lost with its database.
        tracing::warn!(noted = %noted.position, clickhouse = %has, "going on from where ClickHouse is");
        self.begin_at(&noted, has).await
    }

    /// Where ClickHouse is, if it is this log's.
    pub(super) async fn check_source(&self) -> Result<Position, ProjectionError> {
        self.clickhouse.check_log(self.store.source()).await
    }

    /// Refuses a ClickHouse that has other events up to its watermark than the log, or lost some, as far as a few of them
    /// tell. What is beyond the watermark is looked at when it is inserted.
    async fn check_course(&self, watermark: Position) -> Result<(), ProjectionError> {
        if watermark == Position::START {
            return Ok(());
        }
        let clickhouse = &self.clickhouse;
        let head = self.store.head().await?.position;
        if watermark > head {
            return Err(ProjectionError::ClickHouse(format!(
                "{clickhouse} is at position {watermark}, the log ends at {head}: it was restored to an earlier moment; {MEND}"
            )));
        }
        let positions = looked_at(watermark.0);
        let statement = "SELECT ?fields FROM event_rows FINAL WHERE position IN ?";
        let query = clickhouse.client().query(statement).bind(&positions);
        let kept = clickhouse.within(query.fetch_all::<Kept>()).await?;
        for position in positions {
            let stored = self.store.event_at(Position(position)).await?;
            // An id that derives from a request may stand there in both histories.
            let stored = stored.map(|event| (event.event_id, event.recorded_at));
            let mut found = kept.iter().filter(|kept| kept.position == position).peekable();
            if found.peek().is_none() {
                return Err(ProjectionError::ClickHouse(format!(
                    "event_rows of {clickhouse} has nothing at position {position}, though its watermark is {watermark}: \
                     somebody removed rows; {MEND}"
                )));
            }
            if found.any(|found| Some((found.event_id, found.recorded_at)) != stored) {
                return Err(ProjectionError::ClickHouse(format!(
                    "event_rows of {clickhouse} has another event at position {position} than the log, which was restored \
                     to an earlier moment and went on differently; {MEND}"
                )));
            }
        }
        Ok(())
    }
}

/// The last position, and those before it at distances of powers of two.
fn looked_at(last: u64) -> Vec<u64> {
    let distances = (0..u64::BITS).map(|power| 1_u64 << power);
    let before = distances.map_while(|distance| last.checked_sub(distance).filter(|position| *position > 0));
    std::iter::once(last).chain(before).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_positions_of_all_of_the_log_are_looked_at() {
        assert_eq!(looked_at(1), [1]);
        assert_eq!(looked_at(2), [2, 1]);
        assert_eq!(looked_at(20), [20, 19, 18, 16, 12, 4]);
        assert_eq!(looked_at(u64::MAX).len(), 65);
    }
}
