//! Rows of a view in the order of the log, as they are needed.

use super::client::{ClickHouse, LONG_PATIENCE};
use crate::error::ProjectionError;
use clickhouse::query::RowCursor;
use std::ops::RangeInclusive;

/// The rows of a window of positions.
pub(super) struct Rows<R: clickhouse::Row> {
    clickhouse: ClickHouse,
    cursor: RowCursor<R>,
    /// The first one that was not asked for yet.
    ahead: Option<R>,
    position: fn(&R) -> u64,
}

impl ClickHouse {
    /// Reads a window of a view, in the order of `position` and the columns of `order`.
    pub(super) async fn rows<R>(
        &self,
        view: &str,
        window: &RangeInclusive<u64>,
        order: &str,
        position: fn(&R) -> u64,
    ) -> Result<Rows<R>, ProjectionError>
    where
        R: clickhouse::RowOwned + clickhouse::RowRead,
    {
        let statement = format!("SELECT ?fields FROM {view} WHERE position BETWEEN ? AND ? ORDER BY position, {order}");
        let query = self.client().query(&statement).bind(window.start()).bind(window.end());
        // It waits while the log is read.
        let query = query.with_setting("http_send_timeout", LONG_PATIENCE.as_secs().to_string());
        let mut rows = Rows {
            clickhouse: self.clone(),
            cursor: query.fetch::<R>().map_err(|error| self.error(error))?,
            ahead: None,
            position,
        };
        rows.ahead = rows.next().await?;
        Ok(rows)
    }
}

impl<R> Rows<R>
where
    R: clickhouse::RowOwned + clickhouse::RowRead,
{
    /// The next rows, up to and with this position.
    pub(super) async fn up_to(&mut self, position: u64) -> Result<Vec<R>, ProjectionError> {
        let mut rows = Vec::new();
        while let Some(row) = self.ahead.take_if(|row| (self.position)(row) <= position) {
            rows.push(row);
            self.ahead = self.next().await?;
        }
        Ok(rows)
    }

    async fn next(&mut self) -> Result<Option<R>, ProjectionError> {
        self.clickhouse.at_length(self.cursor.next()).await
    }
}
