//! Inserting ranges of the log, and seeing that exactly their rows are there before anybody is told of them.

use super::client::ClickHouse;
use super::projector::ClickHouseProjector;
use super::rows::{EntryRow, EventRow, Watermark, entries};
use crate::error::ProjectionError;
use clickhouse::Row;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;
use viral_store::{Position, StoredEvent};

/// How long an insert may take.
const INSERT: Duration = Duration::from_secs(60);
/// How many events are named in one statement that removes their rows.
const REMOVED: usize = 1_000;

/// How many rows of an event a table has, by the event's position and id.
type Count = BTreeMap<(u64, Uuid), u64>;

/// A table and what its rows are told apart by.
struct Table {
    name: String,
    /// The column with the id of the event that a row comes of.
    event: &'static str,
    /// What the rows of one event differ in.
    row: &'static str,
}

#[derive(Debug, Row, Deserialize)]
struct Counted {
    position: u64,
    #[serde(with = "clickhouse::serde::uuid")]
    event: Uuid,
    rows: u64,
}

impl ClickHouseProjector {
    /// Inserts a range: its events and entries, then the watermark. The same range has the same tokens whoever sends it.
    pub(super) async fn insert(&self, after: Position, events: &[StoredEvent]) -> Result<(), ProjectionError> {
        let Some(last) = events.last() else { return Ok(()) };
        self.insert_rows(after, events, &|table| table.to_owned()).await?;
        let watermark = Watermark::new(self.store.source(), last);
        let token = self.token("watermark_rows", after, last);
        self.clickhouse.insert("watermark_rows", &token, &[watermark]).await
    }

    /// Inserts the events of a range and their entries into the tables that `table` says.
    pub(super) async fn insert_rows(
        &self,
        after: Position,
        events: &[StoredEvent],
        table: &(dyn Fn(&str) -> String + Sync),
    ) -> Result<(), ProjectionError> {
        let Some(last) = events.last() else { return Ok(()) };
        let mut entry_rows: Vec<EntryRow> = Vec::new();
        for event in events {
            entry_rows.extend(entries(event)?);
        }
        let event_rows: Vec<EventRow> = events.iter().map(EventRow::from).collect();
        let of_events = Table {
            name: table("event_rows"),
            event: "event_id",
            row: "aggregate_type",
        };
        let of_entries = Table {
            name: table("ledger_entry_rows"),
            event: "transaction_id",
            row: "asset, account, posting, side",
        };
        let events_of = count(event_rows.iter().map(|row| (row.position, row.event_id)));
        let entries_of = count(entry_rows.iter().map(|row| (row.position, row.transaction_id)));
        // Nobody is told of either before both are there, so neither waits for the other.
        tokio::try_join!(
            self.insert_exactly(&of_events, after, last, &event_rows, &events_of),
            self.insert_exactly(&of_entries, after, last, &entry_rows, &entries_of),
        )?;
        Ok(())
    }

    /// Inserts the rows of a range, and sees that these are there and no others. A server may remember a token whose rows it
    /// has lost. And a log that was restored to an earlier moment goes on differently: rows of its old course stay beside
    /// the new ones where their keys are others.
    ///
    /// Several projectors may do this at once: each inserts the same rows, and removes none of this log.
    async fn insert_exactly<R>(
        &self,
        table: &Table,
        after: Position,
        last: &StoredEvent,
        rows: &[R],
        expected: &Count,
    ) -> Result<(), ProjectionError>
    where
        R: clickhouse::RowOwned + clickhouse::RowWrite,
    {
        let (name, to) = (&table.name, last.position);
        let token = self.token(name, after, last);
        if !rows.is_empty() {
            self.clickhouse.insert(name, &token, rows).await?;
        }
        let found = self.clickhouse.count(table, after, to).await?;
        if found == *expected {
            return Ok(());
        }
        let foreign: Vec<_> = found
            .into_keys()
            .filter(|event| !expected.contains_key(event))
            .collect();
        tracing::warn!(
            table = name, %after, %to, foreign = foreign.len(), expected = expected.len(),
            "rows of events that the log does not have there are removed, and its own inserted again"
        );
        self.clickhouse.remove(table, &foreign).await?;
        // Those may have replaced rows of ours.
        if !rows.is_empty() {
            let fresh = format!("{token} {}", Uuid::now_v7());
            self.clickhouse.insert(name, &fresh, rows).await?;
        }
        let found = self.clickhouse.count(table, after, to).await?;
        let differs = found.iter().find(|(event, rows)| expected.get(event) != Some(rows));
        let differs = differs.or_else(|| expected.iter().find(|(event, _)| !found.contains_key(event)));
        match differs {
            None => Ok(()),
            Some((&(position, id), _)) => Err(ProjectionError::ClickHouse(format!(
                "{name} of {} has other rows of event {id} at position {position} than were inserted just now: see whether \
                 anybody else writes to it, or changed the table",
                self.clickhouse
            ))),
        }
    }

    /// The same for the same events, and no others: a log that was restored may go on differently.
    fn token(&self, table: &str, after: Position, last: &StoredEvent) -> String {
        let (source, to, id) = (self.store.source(), last.position, last.event_id);
        format!("{source} {table} {after}-{to} {id}")
    }
}

fn count(events: impl Iterator<Item = (u64, Uuid)>) -> Count {
    events.fold(Count::new(), |mut counts, event| {
        *counts.entry(event).or_default() += 1;
        counts
    })
}

impl ClickHouse {
    /// Inserts rows in one part, once for each token.
    pub(super) async fn insert<R>(&self, table: &str, token: &str, rows: &[R]) -> Result<(), ProjectionError>
    where
        R: clickhouse::RowOwned + clickhouse::RowWrite,
    {
        let inserted = tokio::time::timeout(INSERT * 2, async {
            let mut insert = self
                .client()
                .insert::<R>(table)
                .await?
                .with_setting("async_insert", "0")
                .with_setting("insert_deduplicate", "1")
                .with_setting("insert_deduplication_token", token)
                .with_setting("wait_end_of_query", "1")
                .with_timeouts(Some(INSERT), Some(INSERT));
            for row in rows {
                insert.write(row).await?;
            }
            insert.end().await
        });
        match inserted.await {
            Ok(inserted) => inserted.map_err(|error| self.error(error)),
            Err(_) => Err(ProjectionError::ClickHouseAway(format!(
                "ClickHouse at {self} did not take rows within {} s",
                (INSERT * 2).as_secs()
            ))),
        }
    }

    /// How many rows of which events a table has in a range.
    async fn count(&self, table: &Table, after: Position, to: Position) -> Result<Count, ProjectionError> {
        let Table { name, event, row } = table;
        let statement = format!(
            "SELECT position, {event} AS event, uniqExact({row}) AS rows FROM {name} \
             WHERE position > {after} AND position <= {to} GROUP BY position, event"
        );
        let counted = self
            .within(self.client().query(&statement).fetch_all::<Counted>())
            .await?;
        let counts = counted.into_iter().map(|row| ((row.position, row.event), row.rows));
        Ok(counts.collect())
    }

    /// Removes the rows of events, each by its position and id.
    async fn remove(&self, table: &Table, events: &[(u64, Uuid)]) -> Result<(), ProjectionError> {
        let Table { name, event, .. } = table;
        for events in events.chunks(REMOVED) {
            let listed: Vec<String> = events
                .iter()
                .map(|(position, id)| format!("({position}, '{id}')"))
                .collect();
            let listed = listed.join(", ");
            let statement = format!("ALTER TABLE {name} DELETE WHERE (position, {event}) IN ({listed})");
            let asked = self.client().query_raw(&statement).with_setting("mutations_sync", "2");
            self.at_length(asked.execute()).await?;
        }
        Ok(())
    }
}
