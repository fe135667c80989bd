//! Moments: `--as-of` a position or a time, and the effective date up to which a report counts.

use crate::error::AuditError;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use std::str::FromStr;
use viral_ledger::timestamp;
use viral_store::event::time_text;
use viral_store::{EventStore, Position};

/// A place in the history of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AsOf {
    /// The end of the log.
    #[default]
    Head,
    /// After the event at this position; 0 is before the first one.
    Position(Position),
    /// After everything that was recorded at or before this time.
    Recorded(DateTime<Utc>),
}

/// Transactions that take effect at or before this time count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cutoff(pub DateTime<Utc>);

/// A text that is no moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct InvalidMoment {
    /// What was written.
    text: String,
    /// What may be written.
    expected: &'static str,
}

impl FromStr for AsOf {
    type Err = InvalidMoment;

    fn from_str(text: &str) -> Result<AsOf, InvalidMoment> {
        let expected =
            "a position (digits), a time such as 2026-01-31T12:00:00Z (RFC 3339) or a date such as 2026-01-31";
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            let position = text.parse().map_err(|_| InvalidMoment::new(text, expected))?;
            return Ok(AsOf::Position(Position(position)));
        }
        let time = parse_time(text).ok_or_else(|| InvalidMoment::new(text, expected))?;
        Ok(AsOf::Recorded(time))
    }
}

impl FromStr for Cutoff {
    type Err = InvalidMoment;

    fn from_str(text: &str) -> Result<Cutoff, InvalidMoment> {
        let expected = "a time such as 2026-01-31T12:00:00Z (RFC 3339) or a date such as 2026-01-31";
        let time = parse_time(text).ok_or_else(|| InvalidMoment::new(text, expected))?;
        Ok(Cutoff(time))
    }
}

impl InvalidMoment {
    fn new(text: &str, expected: &'static str) -> InvalidMoment {
        let text = text.chars().take(64).collect();
        InvalidMoment { text, expected }
    }
}

/// An RFC 3339 time, or a date: its last microsecond in UTC.
fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&Utc));
    }
    let date: NaiveDate = text.parse().ok().filter(|_| text.len() == 10)?;
    let last = NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999)?;
    Some(timestamp::truncate(date.and_time(last).and_utc()))
}

impl AsOf {
    /// The last position that is part of it. The answer is fixed: events that are appended later do not move it.
    pub async fn resolve(self, store: &dyn EventStore) -> Result<Position, AuditError> {
        let head = store.head().await?.position;
        match self {
            AsOf::Head => Ok(head),
            AsOf::Position(asked) if asked > head => Err(AuditError::BeyondHead { asked, head }),
            AsOf::Position(asked) => Ok(asked),
            AsOf::Recorded(time) => last_recorded(store, head, time).await,
        }
    }
}

/// The last position up to `head` that was recorded at or before a time. Times never go back along the log, so a few
/// single events are enough.
async fn last_recorded(store: &dyn EventStore, head: Position, time: DateTime<Utc>) -> Result<Position, AuditError> {
    // Everything up to `within` counts, nothing after `beyond` does.
    let (mut within, mut beyond) = (0, head.0);
    while within < beyond {
        let middle = within + (beyond - within).div_ceil(2);
        let before = Position(middle - 1);
        let Some(event) = store.read_after(before, 1).await?.pop() else {
            let problem = format!("missing, though the head of the log says {head}");
            return Err(AuditError::broken(Position(middle), problem));
        };
        if event.recorded_at <= time {
            within = middle;
        } else {
            beyond = middle - 1;
        }
    }
    Ok(Position(within))
}

impl std::fmt::Display for Cutoff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&time_text(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_times_and_dates_are_told_apart() {
        assert_eq!("42".parse(), Ok(AsOf::Position(Position(42))));
        let time: DateTime<Utc> = "2026-01-31T12:00:00Z".parse().unwrap();
        assert_eq!("2026-01-31T13:00:00+01:00".parse(), Ok(AsOf::Recorded(time)));
        let last: DateTime<Utc> = "2026-01-31T23:59:59.999999Z".parse().unwrap();
        assert_eq!("2026-01-31".parse(), Ok(AsOf::Recorded(last)));
        assert_eq!("2026-01-31".parse(), Ok(Cutoff(last)));
        assert_eq!(Cutoff(last).to_string(), "2026-01-31T23:59:59.999999Z");
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "-1",
            "1.5",
            "yesterday",
            "2026-02-30",
            "2026-1-1",
            "2026-01-31T12:00:00",
            "99999999999999999999",
        ] {
            let error = text.parse::<AsOf>().unwrap_err().to_string();
            assert!(error.contains("is not a position"), "{error}");
        }
        assert!("42".parse::<Cutoff>().is_err());
    }
}
