//! Whether ClickHouse says what the log says: every row and column, read back, and the sums that its views give.

use super::client::ClickHouse;
use super::rows::{EntryRow, EventRow, entries};
use crate::error::ProjectionError;
use clickhouse::Row;
use serde::Deserialize;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::RangeInclusive;
use viral_store::{EventStore, Position, StoredEvent};

/// How many positions are compared at once.
const PAGE: u64 = 5_000;
/// How many positions ClickHouse is asked for at once, at least, and how often it is asked for all of them, at most. Its
/// tables are not sorted by position, so each question costs a look at all positions.
const WINDOW: u64 = 100_000;
const WINDOWS: u64 = 64;
/// How many differences are told.
const TOLD: usize = 20;

/// What came of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClickHouseReport {
    /// The watermark: up to here everything was compared.
    pub position: Position,
    /// How many events were compared.
    pub events: u64,
    /// How many entries of the ledger.
    pub entries: u64,
    /// How many sums, of an account in an asset.
    pub sums: u64,
    /// Differences as they were found: page by page, in each those of events before those of entries; at the end those of
    /// sums. Nothing is told beyond these.
    pub differences: Vec<ClickHouseDifference>,
    /// The first position that differs, told or not.
    first: Option<Position>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClickHouseDifference {
    /// In which table or view.
    pub table: &'static str,
    /// At which position; none for a sum.
    pub position: Option<Position>,
    /// What the log says; nothing if it has no such row.
    pub expected: Option<String>,
    /// What ClickHouse says; nothing if it has no such row.
    pub actual: Option<String>,
}

/// The entries of an account in an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Sums {
    count: u64,
    debits: i128,
    credits: i128,
}

#[derive(Debug, Row, Deserialize)]
struct SumsRow {
    account: String,
    asset: String,
    count: u64,
    debits: i128,
    credits: i128,
}

impl ClickHouseReport {
    /// Whether everything is equal.
    pub fn holds(&self) -> bool {
        self.differences.is_empty()
    }

    /// The first position that differs.
    pub fn first(&self) -> Option<Position> {
        self.first
    }

    fn differs(
        &mut self,
        table: &'static str,
        position: Option<u64>,
        expected: Option<String>,
        actual: Option<String>,
    ) {
        let position = position.map(Position);
        self.first = self.first.into_iter().chain(position).min();
        if self.differences.len() < TOLD {
            self.differences.push(ClickHouseDifference {
                table,
                position,
                expected,
                actual,
            });
        }
    }

    /// Compares rows in the order of their keys, which begin with the position.
    fn compare<R: PartialEq + Debug>(
        &mut self,
        table: &'static str,
        expected: &[R],
        actual: &[R],
        key: for<'a> fn(&'a R) -> (u64, u16, &'a str),
    ) {
        let (mut expected, mut actual) = (expected.iter().peekable(), actual.iter().peekable());
        loop {
            let order = match (expected.peek(), actual.peek()) {
                (None, None) => return,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(ours), Some(theirs)) => key(ours).cmp(&key(theirs)),
            };
            let ours = expected.next_if(|_| order.is_le());
            let theirs = actual.next_if(|_| order.is_ge());
            if ours != theirs {
                let position = ours.or(theirs).map(|row| key(row).0);
                self.differs(
                    table,
                    position,
                    ours.map(|row| format!("{row:?}")),
                    theirs.map(|row| format!("{row:?}")),
                );
            }
        }
    }
}

/// A comparison that is going on.
struct Comparison<'a> {
    report: ClickHouseReport,
    /// Of the log, by account and asset.
    sums: BTreeMap<(String, String), Sums>,
    progress: &'a mut (dyn FnMut(Position, Position) + Send),
}

impl Comparison<'_> {
    /// Compares the rows that events should have with those that were found.
    fn compare(
        &mut self,
        events: &[StoredEvent],
        event_rows: &[EventRow],
        entry_rows: &[EntryRow],
    ) -> Result<(), ProjectionError> {
        let expected: Vec<EventRow> = events.iter().map(EventRow::from).collect();
        let report = &mut self.report;
        report.compare("events", &expected, event_rows, |row| (row.position, 0, ""));
        report.events += expected.len() as u64;
        let mut expected = Vec::new();
        for event in events {
            expected.extend(entries(event)?);
        }
        report.compare("ledger_entries", &expected, entry_rows, |row| {
            (row.position, row.posting, &row.side)
        });
        report.entries += expected.len() as u64;
        for row in expected {
            let sums = self.sums.entry((row.account, row.asset)).or_default();
            sums.count += 1;
            match row.side.as_str() {
                "debit" => sums.debits += row.amount,
                _ => sums.credits += row.amount,
            }
        }
        Ok(())
    }
}

impl ClickHouse {
    /// Compares everything up to the watermark with the log. `progress` is told the position reached and the watermark.
    ///
    /// # Errors
    /// [`ProjectionError::NotSetUp`] if there is no watermark, [`ProjectionError::ClickHouse`] if it is another log's or
    /// beyond this one.
    pub async fn diff(
        &self,
        store: &dyn EventStore,
        progress: &mut (dyn FnMut(Position, Position) + Send),
    ) -> Result<ClickHouseReport, ProjectionError> {
        let Some((source, watermark)) = self.watermark().await? else {
            return Err(ProjectionError::NotSetUp(super::NAME.to_owned()));
        };
        if source != store.source() {
            return Err(self.another_log(&source, store.source()));
        }
        let head = store.head().await?.position;
        if watermark > head {
            let text = format!(
                "{self} is at position {watermark}, the log ends at {head}: it was restored to an earlier moment"
            );
            return Err(ProjectionError::ClickHouse(text));
        }
        let mut comparison = Comparison {
            report: ClickHouseReport {
                position: watermark,
                ..ClickHouseReport::default()
            },
            sums: BTreeMap::new(),
            progress,
        };
        // The first window has what is before the first position, too: nothing is.
        let (mut from, width) = (0, WINDOW.max(watermark.0.div_ceil(WINDOWS)));
        while from <= watermark.0 {
            let to = from.saturating_add(width).min(watermark.0);
            self.compare_window(store, from..=to, &mut comparison).await?;
            from = to + 1;
        }
        let Comparison { mut report, sums, .. } = comparison;
        self.compare_derived(watermark, &mut report).await?;
        self.compare_sums(watermark, &mut report, sums).await?;
        Ok(report)
    }

    /// Compares the rows of some positions. They are read in one go, and the log beside them.
    async fn compare_window(
        &self,
        store: &dyn EventStore,
        window: RangeInclusive<u64>,
        comparison: &mut Comparison<'_>,
    ) -> Result<(), ProjectionError> {
        let mut event_rows = self
            .rows::<EventRow>("events", &window, "aggregate_type", |row| row.position)
            .await?;
        let mut entry_rows = self
            .rows::<EntryRow>("ledger_entries", &window, "posting, side", |row| row.position)
            .await?;
        let mut at = Position(window.start().saturating_sub(1));
        while at.0 < *window.end() {
            let to = Position((at.0 + PAGE).min(*window.end()));
            let events = store
                .read_after(at, usize::try_from(to.0 - at.0).unwrap_or(usize::MAX))
                .await?;
            let found = (event_rows.up_to(to.0).await?, entry_rows.up_to(to.0).await?);
            comparison.compare(&events, &found.0, &found.1)?;
            at = to;
            (comparison.progress)(at, comparison.report.position);
        }
        Ok(())
    }

    /// Columns that ClickHouse made itself of others.
    async fn compare_derived(&self, watermark: Position, report: &mut ClickHouseReport) -> Result<(), ProjectionError> {
        for (view, condition) in [
            (
                "events",
                "recorded_date != toDate(recorded_at, 'UTC') OR actor != JSONExtractString(metadata, 'actor') \
                 OR correlation_id != JSONExtractString(metadata, 'correlationid') \
                 OR unit_id != toUUIDOrZero(JSONExtractString(metadata, 'unitid'))",
            ),
            (
                "ledger_entries",
                "effective_date != toDate32(effective_at) OR posted_date != toDate(posted_at, 'UTC') \
                 OR debit != if(side = 'debit', amount, 0) OR credit != if(side = 'credit', amount, 0)",
            ),
        ] {
            let statement = format!(
                "SELECT position FROM {view} WHERE position <= {watermark} AND ({condition}) ORDER BY position LIMIT {TOLD}"
            );
            for position in self
                .at_length(self.client().query(&statement).fetch_all::<u64>())
                .await?
            {
                let expected = "columns that follow from the others".to_owned();
                report.differs(view, Some(position), Some(expected), Some("others".to_owned()));
            }
        }
        Ok(())
    }

    /// What the view says in sum.
    async fn compare_sums(
        &self,
        watermark: Position,
        report: &mut ClickHouseReport,
        expected: BTreeMap<(String, String), Sums>,
    ) -> Result<(), ProjectionError> {
        let statement = "SELECT account, asset, count() AS count, sum(debit) AS debits, sum(credit) AS credits \
             FROM ledger_entries WHERE position <= ? GROUP BY account, asset";
        let query = self.client().query(statement).bind(watermark.0);
        let found = self.at_length(query.fetch_all::<SumsRow>()).await?;
        let mut actual: BTreeMap<(String, String), Sums> = found
            .into_iter()
            .map(|row| {
                let sums = Sums {
                    count: row.count,
                    debits: row.debits,
                    credits: row.credits,
                };
                ((row.account, row.asset), sums)
            })
            .collect();
        report.sums = expected.len() as u64;
        let told = |key: &(String, String), sums: &Sums| format!("{} in {}: {sums:?}", key.0, key.1);
        for (key, sums) in &expected {
            let found = actual.remove(key);
            if found != Some(*sums) {
                let found = found.map(|found| told(key, &found));
                report.differs("ledger_entries in sum", None, Some(told(key, sums)), found);
            }
        }
        for (key, sums) in &actual {
            report.differs("ledger_entries in sum", None, None, Some(told(key, sums)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_position_is_known_however_much_was_told_before() {
        let mut report = ClickHouseReport::default();
        for position in 101..=120 + TOLD as u64 {
            report.differs("events", Some(position), None, None);
        }
        report.differs("ledger_entries", Some(50), None, None);
        report.differs("sums", None, None, None);
        assert_eq!((report.differences.len(), report.first()), (TOLD, Some(Position(50))));
    }
}
