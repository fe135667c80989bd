//! Times as text: RFC 3339 in UTC with exactly six fraction digits, the precision of the log.

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};
use serde::{Deserialize, Deserializer, Serializer};

/// The text of a time, `2026-01-31T12:00:00.000000Z`.
pub fn to_text(time: &DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Cuts a time to whole microseconds. A leap second, which databases do not know, is the second after it.
pub fn truncate(time: DateTime<Utc>) -> DateTime<Utc> {
    let nanoseconds = time.timestamp_subsec_nanos();
    let regular = match nanoseconds.checked_sub(NANOSECONDS) {
        // Out of range only at the end of chrono's own calendar.
        Some(rest) => DateTime::from_timestamp(time.timestamp() + 1, rest).unwrap_or(time),
        None => time,
    };
    regular.trunc_subsecs(6)
}

/// In a second; chrono counts a leap second as nanoseconds beyond these.
const NANOSECONDS: u32 = 1_000_000_000;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leap_second_is_the_second_after_it() {
        for (text, kept) in [
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000000Z"),
            ("2016-12-31T23:59:60.123456789Z", "2017-01-01T00:00:00.123456Z"),
            ("2016-12-31T23:59:59.999999999Z", "2016-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(to_text(&truncate(text.parse().unwrap())), kept);
        }
    }
}
