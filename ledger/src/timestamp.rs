//! Times as text: RFC 3339 in UTC with exactly six fraction digits, the precision of the log.

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};
use serde::{Deserialize, Deserializer, Serializer};

/// The text of a time, `2026-01-31T12:00:00.000000Z`.
pub fn to_text(time: &DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Cuts a time to whole microseconds.
pub fn truncate(time: DateTime<Utc>) -> DateTime<Utc> {
    time.trunc_subsecs(6)
}

/// Serialises a time as [`to_text`] does; for `#[serde(with)]`.
pub fn serialize<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&to_text(time))
}

/// Reads an RFC 3339 time and cuts it to whole microseconds.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    DateTime::<Utc>::deserialize(deserializer).map(truncate)
}

/// The same for times that may be absent.
pub mod option {
    use super::{DateTime, Deserialize, Deserializer, Serializer, Utc, to_text, truncate};

    /// Serialises a time that is there; an absent one should be skipped.
    pub fn serialize<S: Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => serializer.serialize_str(&to_text(time)),
            None => serializer.serialize_none(),
        }
    }

    /// Reads an RFC 3339 time, or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
        Ok(Option::<DateTime<Utc>>::deserialize(deserializer)?.map(truncate))
    }
}
