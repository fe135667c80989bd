//! The rows of the log in ClickHouse, and a bare insert.

use super::failed;
use crate::Error;
use chrono::{DateTime, Utc};
use clickhouse::{Client, Row, RowOwned, RowWrite};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A row of `event_rows`.
#[derive(Debug, Row, Serialize, Deserialize)]
pub(super) struct EventRow {
    position: u64,
    #[serde(with = "clickhouse::serde::uuid")]
    event_id: Uuid,
    aggregate_type: String,
    aggregate_id: String,
    sequence: u64,
    event_type: String,
    event_version: String,
    payload: String,
    metadata: String,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    recorded_at: DateTime<Utc>,
}

/// A row of `ledger_entry_rows`.
#[derive(Debug, Row, Serialize, Deserialize)]
pub(super) struct EntryRow {
    position: u64,
    posting: u16,
    side: String,
    #[serde(with = "clickhouse::serde::uuid")]
    transaction_id: Uuid,
    account: String,
    asset: String,
    amount: i128,
    code: String,
    reference_type: String,
    reference_id: String,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    effective_at: DateTime<Utc>,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    posted_at: DateTime<Utc>,
    #[serde(with = "clickhouse::serde::uuid::option")]
    reverses: Option<Uuid>,
    #[serde(with = "clickhouse::serde::uuid::option")]
    captures: Option<Uuid>,
}

/// What the projector inserted at once.
pub(super) struct Range {
    pub(super) events: Vec<EventRow>,
    pub(super) entries: Vec<EntryRow>,
}

/// Everything that the projector has inserted just now, range by range.
pub(super) async fn inserted(client: &Client) -> Result<Vec<Range>, Error> {
    let failed = failed("reading the rows of the benchmark");
    // What one insert made is a part with one number, and is listed for eight minutes after it was merged with others.
    let sizes = "SELECT any(rows) FROM system.parts WHERE database = currentDatabase() AND table = 'event_rows' \
         AND min_block_number = max_block_number GROUP BY min_block_number ORDER BY min_block_number";
    let sizes = client.query(sizes).fetch_all::<u64>().await.map_err(&failed)?;
    let events = "SELECT ?fields FROM event_rows FINAL WHERE position > ? AND position <= ? ORDER BY position";
    let entries = "SELECT ?fields FROM ledger_entry_rows FINAL WHERE position > ? AND position <= ? \
         ORDER BY position, posting, side";
    let (mut ranges, mut after) = (Vec::with_capacity(sizes.len()), 0);
    for size in sizes {
        let to = after + size;
        let events = client.query(events).bind(after).bind(to).fetch_all::<EventRow>();
        let entries = client.query(entries).bind(after).bind(to).fetch_all::<EntryRow>();
        ranges.push(Range {
            events: events.await.map_err(&failed)?,
            entries: entries.await.map_err(&failed)?,
        });
        after = to;
    }
    Ok(ranges)
}

/// Inserts rows in one part, and nothing more.
pub(super) async fn insert<R>(client: &Client, table: &str, rows: &[R]) -> Result<(), Error>
where
    R: RowOwned + RowWrite,
{
    if rows.is_empty() {
        return Ok(());
    }
    let inserted = async {
        let mut insert = client.insert::<R>(table).await?.with_setting("async_insert", "0");
        for row in rows {
            insert.write(row).await?;
        }
        insert.end().await
    };
    inserted.await.map_err(failed("a bare insert"))
}
