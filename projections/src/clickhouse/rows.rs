//! Rows as they are inserted and read back.

use crate::error::ProjectionError;
use crate::fact::recorded;
use chrono::{DateTime, Utc};
use clickhouse::Row;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use viral_ledger::{Asset, BookEvent, Transaction};
use viral_store::StoredEvent;

/// The digits behind the point of `Decimal(38, 4)`.
const SCALE: u8 = 4;

/// A row of `watermark_rows`.
#[derive(Debug, Clone, PartialEq, Eq, Row, Serialize, Deserialize)]
pub(super) struct Watermark {
    pub(super) source: String,
    pub(super) position: u64,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    pub(super) recorded_at: DateTime<Utc>,
}

impl Watermark {
    /// Everything up to this event.
    pub(super) fn new(source: &str, last: &StoredEvent) -> Watermark {
        Watermark {
            source: source.to_owned(),
            position: last.position.0,
            recorded_at: last.recorded_at,
        }
    }
}

/// A row of `event_rows`.
#[derive(Debug, Clone, PartialEq, Eq, Row, Serialize, Deserialize)]
pub(super) struct EventRow {
    pub(super) position: u64,
    #[serde(with = "clickhouse::serde::uuid")]
    pub(super) event_id: Uuid,
    pub(super) aggregate_type: String,
    pub(super) aggregate_id: String,
    pub(super) sequence: u64,
    pub(super) event_type: String,
    pub(super) event_version: String,
    pub(super) payload: String,
    pub(super) metadata: String,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    pub(super) recorded_at: DateTime<Utc>,
}

/// A row of `ledger_entry_rows`: one side of a posting.
#[derive(Debug, Clone, PartialEq, Eq, Row, Serialize, Deserialize)]
pub(super) struct EntryRow {
    pub(super) position: u64,
    pub(super) posting: u16,
    pub(super) side: String,
    #[serde(with = "clickhouse::serde::uuid")]
    pub(super) transaction_id: Uuid,
    pub(super) account: String,
    pub(super) asset: String,
    /// In units of the fourth digit behind the point.
    pub(super) amount: i128,
    pub(super) code: String,
    pub(super) reference_type: String,
    pub(super) reference_id: String,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    pub(super) effective_at: DateTime<Utc>,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    pub(super) posted_at: DateTime<Utc>,
    #[serde(with = "clickhouse::serde::uuid::option")]
    pub(super) reverses: Option<Uuid>,
    #[serde(with = "clickhouse::serde::uuid::option")]
    pub(super) captures: Option<Uuid>,
}

impl From<&StoredEvent> for EventRow {
    fn from(event: &StoredEvent) -> EventRow {
        EventRow {
            position: event.position.0,
            event_id: event.event_id,
            aggregate_type: event.stream.aggregate_type.to_string(),
            aggregate_id: event.stream.aggregate_id.to_string(),
            sequence: event.sequence,
            event_type: event.event_type.to_string(),
            event_version: event.event_version.to_string(),
            payload: event.payload.clone(),
            metadata: event.metadata.clone(),
            recorded_at: event.recorded_at,
        }
    }
}

/// The entries that an event posted, in the order of posting and side.
///
/// # Errors
/// [`ProjectionError::Halted`] if it is an event of the book that cannot be read.
pub(super) fn entries(event: &StoredEvent) -> Result<Vec<EntryRow>, ProjectionError> {
    let recorded = recorded(event);
    if !recorded.is_of_book() {
        return Ok(Vec::new());
    }
    let bad = |problem: String| ProjectionError::Halted {
        name: super::NAME.to_owned(),
        position: event.position,
        problem,
    };
    let fact = recorded.book().map_err(|error| bad(error.to_string()))?;
    let BookEvent::TransactionPosted(transaction) = fact else {
        return Ok(Vec::new());
    };
    let mut rows = Vec::with_capacity(transaction.postings.len() * 2);
    for (index, posting) in transaction.postings.iter().enumerate() {
        let number = u16::try_from(index).map_err(|_| bad("there are too many postings".to_owned()))?;
        let amount =
            decimal(posting.amount.minor(), posting.asset).ok_or_else(|| bad("an amount is too large".to_owned()))?;
        for (side, account) in [("credit", &posting.credit), ("debit", &posting.debit)] {
            let row = entry(event, &transaction, posting.asset);
            rows.push(EntryRow {
                posting: number,
                side: side.to_owned(),
                account: account.as_str().to_owned(),
                amount,
                ..row
            });
        }
    }
    Ok(rows)
}

fn entry(event: &StoredEvent, transaction: &Transaction, asset: Asset) -> EntryRow {
    let (reference_type, reference_id) = match &transaction.reference {
        Some(reference) => (reference.kind.clone(), reference.id.clone()),
        None => Default::default(),
    };
    EntryRow {
        position: event.position.0,
        posting: 0,
        side: String::new(),
        transaction_id: event.event_id,
        account: String::new(),
        asset: asset.code().to_owned(),
        amount: 0,
        code: transaction.code.as_str().to_owned(),
        reference_type,
        reference_id,
        effective_at: transaction.effective_at,
        posted_at: event.recorded_at,
        reverses: transaction.reverses,
        captures: transaction.captures,
    }
}

/// Minor units of an asset in units of the fourth digit.
fn decimal(minor: i128, asset: Asset) -> Option<i128> {
    let missing = SCALE.checked_sub(asset.scale())?;
    minor.checked_mul(10_i128.checked_pow(u32::from(missing))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_four_digits_whatever_the_asset() {
        for (asset, minor, expected) in [
            ("VCOIN", 15, 15),
            ("USD", 15, 1_500),
            ("JPY", 15, 150_000),
            ("CLF", 1, 1),
        ] {
            assert_eq!(decimal(minor, Asset::parse(asset).unwrap()), Some(expected), "{asset}");
        }
    }
}
