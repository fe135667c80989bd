//! Whether ClickHouse says what the log says: every row and column, read back, and the sums that its views give.

use super::client::ClickHouse;
use super::rows::{EntryRow, EventRow, entries};
use crate::error::ProjectionError;
use clickhouse::Row;
use serde::Deserialize;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::Debug;
use viral_store::{EventStore, Position};

/// How many positions are compared at once.
const RANGE: u64 = 5_000;
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
    /// The first differences, in the order of their positions, then those of sums. Nothing is told beyond these.
    pub differences: Vec<ClickHouseDifference>,
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
        self.differences
            .iter()
            .filter_map(|difference| difference.position)
            .min()
    }

    fn differs(
        &mut self,
        table: &'static str,
        position: Option<u64>,
        expected: Option<String>,
        actual: Option<String>,
    ) {
        if self.differences.len() < TOLD {
            self.differences.push(ClickHouseDifference {
                table,
                position: position.map(Position),
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
            let text = format!("{self} holds the log {source}, this one is {}", store.source());
            return Err(ProjectionError::ClickHouse(text));
        }
        let head = store.head().await?.position;
        if watermark > head {
            let text = format!(
                "{self} is at position {watermark}, the log ends at {head}: it was restored to an earlier moment"
            );
            return Err(ProjectionError::ClickHouse(text));
        }
        let mut report = ClickHouseReport {
            position: watermark,
            ..ClickHouseReport::default()
        };
        let mut sums = BTreeMap::<(String, String), Sums>::new();
        let mut at = Position::START;
        while at < watermark {
            let to = Position((at.0 + RANGE).min(watermark.0));
            self.compare_range(store, (at, to), &mut report, &mut sums).await?;
            at = to;
            progress(at, watermark);
        }
        self.compare_derived(watermark, &mut report).await?;
        self.compare_sums(watermark, &mut report, sums).await?;
        Ok(report)
    }

    async fn compare_range(
        &self,
        store: &dyn EventStore,
        (after, to): (Position, Position),
        report: &mut ClickHouseReport,
        sums: &mut BTreeMap<(String, String), Sums>,
    ) -> Result<(), ProjectionError> {
        let count = usize::try_from(to.0 - after.0).unwrap_or(usize::MAX);
        let events = store.read_after(after, count).await?;
        let (mut event_rows, mut entry_rows) = (Vec::with_capacity(events.len()), Vec::new());
        for event in events.iter().take_while(|event| event.position <= to) {
            event_rows.push(EventRow::from(event));
            entry_rows.extend(entries(event)?);
        }
        for row in &entry_rows {
            let sums = sums.entry((row.account.clone(), row.asset.clone())).or_default();
            sums.count += 1;
            match row.side.as_str() {
                "debit" => sums.debits += row.amount,
                _ => sums.credits += row.amount,
            }
        }
        report.events += event_rows.len() as u64;
        report.entries += entry_rows.len() as u64;
        let found = self.events_between(after.next(), to).await?;
        report.compare("events", &event_rows, &found, |row| (row.position, 0, ""));
        let statement = "SELECT ?fields FROM ledger_entry_rows FINAL WHERE position BETWEEN ? AND ? \
             ORDER BY position, posting, side";
        let query = self.client().query(statement).bind(after.next().0).bind(to.0);
        let found = self.within(query.fetch_all::<EntryRow>()).await?;
        report.compare("ledger_entries", &entry_rows, &found, |row| {
            (row.position, row.posting, &row.side)
        });
        Ok(())
    }

    /// Columns that ClickHouse made itself of others.
    async fn compare_derived(&self, watermark: Position, report: &mut ClickHouseReport) -> Result<(), ProjectionError> {
        for (table, rows, condition) in [
            (
                "events",
                "event_rows",
                "recorded_date != toDate(recorded_at, 'UTC') OR actor != JSONExtractString(metadata, 'actor') \
                 OR correlation_id != JSONExtractString(metadata, 'correlationid') \
                 OR unit_id != toUUIDOrZero(JSONExtractString(metadata, 'unitid'))",
            ),
            (
                "ledger_entries",
                "ledger_entry_rows",
                "effective_date != toDate32(effective_at) OR posted_date != toDate(posted_at, 'UTC')",
            ),
        ] {
            let statement = format!(
                "SELECT position FROM {rows} FINAL WHERE position <= {watermark} AND ({condition}) ORDER BY position LIMIT {TOLD}"
            );
            for position in self
                .at_length(self.client().query(&statement).fetch_all::<u64>())
                .await?
            {
                let expected = "columns that follow from the others".to_owned();
                report.differs(table, Some(position), Some(expected), Some("others".to_owned()));
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
