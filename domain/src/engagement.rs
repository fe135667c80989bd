//! Measurements of engagement: how often something was seen and clicked, for how long, and what came of it.
//!
//! They are measurements and not state: no event of the log says them, no money moves because of them. A measurement is
//! identified by its platform and the id that its source gave it. The same one with a higher version corrects it.

use crate::ids::{CampaignId, UserId};
use crate::text::{InvalidText, check_identifier, check_line};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use viral_ledger::timestamp;

/// The longest name of a platform, in characters.
pub const MAX_PLATFORM: usize = 64;
/// The longest id of a source, in characters.
pub const MAX_ID: usize = 255;
/// The highest version: what every reader of JSON can hold exactly.
pub const MAX_VERSION: u64 = 9_007_199_254_740_991;
/// The largest figure of one measurement.
pub const MAX_FIGURE: u64 = 1_000_000_000;
/// How far a source's clock may be ahead of ours.
const AHEAD: TimeDelta = TimeDelta::days(1);

/// A measurement, and when it came in: of equal versions the later one counts, whatever ways they take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// What was measured.
    pub measurement: Measurement,
    /// When it came in.
    pub at: DateTime<Utc>,
}

/// What was measured for a creator's part in a campaign on a platform. `platform` and `id` say which measurement it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Measurement {
    /// Where it was measured, such as `youtube`: lower-case letters, digits, `-` and `_`.
    #[schemars(length(min = 1, max = 64), pattern("^[a-z0-9_-]+$"))]
    pub platform: String,
    /// The source's own id of the measurement.
    #[schemars(length(min = 1, max = 255))]
    pub id: String,
    /// Which version of it: a higher one replaces a lower one, of equal ones the last that came in counts.
    #[schemars(range(max = 9_007_199_254_740_991_u64))]
    pub version: u64,
    /// For which campaign.
    pub campaign_id: CampaignId,
    /// For which creator.
    pub creator_id: UserId,
    /// The time that it counts for.
    #[serde(with = "timestamp")]
    #[schemars(with = "DateTime<Utc>")]
    pub timestamp: DateTime<Utc>,
    /// How often it was shown.
    #[schemars(range(max = 1_000_000_000_u64))]
    pub impressions: u64,
    /// How often it was clicked.
    #[schemars(range(max = 1_000_000_000_u64))]
    pub clicks: u64,
    /// How long it was watched, in seconds.
    #[schemars(range(max = 1_000_000_000_u64))]
    pub watch_time: u64,
    /// How often somebody did what the campaign is for.
    #[schemars(range(max = 1_000_000_000_u64))]
    pub conversions: u64,
}

impl Measurement {
    /// Whether it can be kept, at this time.
    ///
    /// # Errors
    /// [`InvalidText`] naming the field and what is wrong with it.
    pub fn check(&self, now: DateTime<Utc>) -> Result<(), InvalidText> {
        let wrong = |field: &'static str, problem: String| Err(InvalidText { field, problem });
        check_line("platform", &self.platform, MAX_PLATFORM)?;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        if !self.platform.bytes().all(plain) {
            let problem = "has other characters than a to z, 0 to 9, - and _: write it such as youtube".to_owned();
            return wrong("platform", problem);
        }
        check_identifier("id", &self.id, MAX_ID)?;
        if self.version > MAX_VERSION {
            return wrong("version", format!("is more than {MAX_VERSION}"));
        }
        for (field, figure) in [
            ("impressions", self.impressions),
            ("clicks", self.clicks),
            ("watch_time", self.watch_time),
            ("conversions", self.conversions),
        ] {
            if figure > MAX_FIGURE {
                return wrong(field, format!("is more than {MAX_FIGURE}"));
            }
        }
        if self.timestamp.date_naive() < EARLIEST {
            return wrong("timestamp", format!("is before {EARLIEST}"));
        }
        if self.timestamp.date_naive() > LATEST {
            return wrong("timestamp", format!("is after {LATEST}"));
        }
        if now
            .checked_add_signed(AHEAD)
            .is_some_and(|latest| self.timestamp > latest)
        {
            return wrong("timestamp", "is more than a day in the future".to_owned());
        }
        Ok(())
    }
}

/// Nothing was measured before.
const EARLIEST: NaiveDate = match NaiveDate::from_ymd_opt(2000, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// No database has to know later times.
const LATEST: NaiveDate = match NaiveDate::from_ymd_opt(2100, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn some() -> Measurement {
        Measurement {
            platform: "youtube".to_owned(),
            id: "video-7/2026-03-01T12".to_owned(),
            version: 1,
            campaign_id: CampaignId(Uuid::from_u128(1)),
            creator_id: UserId(Uuid::from_u128(2)),
            timestamp: "2026-03-01T12:00:00Z".parse().unwrap(),
            impressions: 1_000,
            clicks: 50,
            watch_time: 3_600,
            conversions: 0,
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let now = "2026-03-02T00:00:00Z".parse().unwrap();
        let told = |change: fn(&mut Measurement)| {
            let mut row = some();
            change(&mut row);
            row.check(now)
                .map_or_else(|problem| problem.to_string(), |()| "ok".to_owned())
        };
        type Change = fn(&mut Measurement);
        let table: [(Change, &str); 12] = [
            (|_| {}, "ok"),
            (|row| row.timestamp += TimeDelta::days(1), "ok"),
            (
                |row| row.timestamp += TimeDelta::days(2),
                "timestamp is more than a day",
            ),
            (
                |row| row.timestamp -= TimeDelta::days(10_000),
                "timestamp is before 2000-01-01",
            ),
            (
                |row| row.timestamp = DateTime::<Utc>::MAX_UTC,
                "timestamp is after 2100-01-01",
            ),
            (|row| row.platform.clear(), "platform must not be empty"),
            (
                |row| row.platform = "YouTube".to_owned(),
                "platform has other characters",
            ),
            (|row| row.platform = "y".repeat(65), "platform has more than 64"),
            (|row| row.id = "a\nb".to_owned(), "id has U+000A as character 2"),
            (|row| row.version = MAX_VERSION + 1, "version is more than"),
            (|row| row.watch_time = MAX_FIGURE + 1, "watch_time is more than"),
            (|row| row.clicks = MAX_FIGURE, "ok"),
        ];
        for (change, expected) in table {
            assert!(told(change).starts_with(expected), "{expected}: {}", told(change));
        }
    }

    #[test]
    fn its_json_has_every_field() {
        let text = serde_json::to_string(&some()).unwrap();
        assert_eq!(serde_json::from_str::<Measurement>(&text).unwrap(), some());
        assert!(text.contains(r#""timestamp":"2026-03-01T12:00:00.000000Z""#), "{text}");
        assert!(serde_json::from_str::<Measurement>(&text.replace("clicks", "taps")).is_err());
    }
}
