//! From texts of a request to values of the ledger. What comes out of here need not be checked again.

use crate::history::AsOf;
use crate::json::AmountText;
use crate::kind::{self, Kind};
use crate::problem::Problem;
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use uuid::Uuid;
use viral_domain::Vcoin;
use viral_ledger::amount::AmountError;
use viral_ledger::{Address, Amount, Asset, Code};
use viral_store::Position;

/// Where a text stands in a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// The number of the posting, from 1, if it is part of one.
    posting: Option<usize>,
    field: &'static str,
}

impl Place {
    /// A field of the body, the path or the query.
    pub(crate) fn field(field: &'static str) -> Place {
        Place { posting: None, field }
    }

    /// A field of a posting, counted from 1.
    pub(crate) fn posting(posting: usize, field: &'static str) -> Place {
        let posting = Some(posting);
        Place { posting, field }
    }

    fn problem(self, kind: Kind, what: impl std::fmt::Display) -> Problem {
        let problem = match self.posting {
            Some(posting) => {
                Problem::new(kind, format!("posting {posting}, {}: {what}", self.field)).with("posting", posting)
            }
            None => Problem::new(kind, format!("{}: {what}", self.field)),
        };
        problem.with("field", Value::from(self.field))
    }

    pub(crate) fn address(self, text: &str) -> Result<Address, Problem> {
        Address::parse(text).map_err(|error| self.problem(kind::INVALID_ADDRESS, error))
    }

    /// An address whose account may be changed by generic writes.
    pub(crate) fn open_address(self, text: &str) -> Result<Address, Problem> {
        let address = self.address(text)?;
        self.not_reserved(&address)?;
        Ok(address)
    }

    /// Refuses addresses whose accounts move only through the domain's own use cases.
    pub(crate) fn not_reserved(self, address: &Address) -> Result<(), Problem> {
        if !address.is_reserved() {
            return Ok(());
        }
        let what = format!(
            "{address} is reserved: accounts under user: campaign: payout: platform: and stripe: move only through \
             their own use cases"
        );
        Err(self
            .problem(kind::RESERVED_ADDRESS, what)
            .with("account", address.as_str()))
    }

    pub(crate) fn asset(self, text: &str) -> Result<Asset, Problem> {
        Asset::parse(text).map_err(|error| self.problem(kind::UNKNOWN_ASSET, error))
    }

    pub(crate) fn amount(self, text: &AmountText, asset: Asset) -> Result<Amount, Problem> {
        let text = match text {
            AmountText::Text(text) => text,
            AmountText::Number => {
                let what = "amounts are strings, because JSON numbers lose digits: write \"12.50\", not 12.50";
                return Err(self.problem(kind::INVALID_AMOUNT, what));
            }
        };
        Amount::parse(text, asset).map_err(|error| {
            let kind = match error {
                AmountError::Syntax(_) => kind::INVALID_AMOUNT,
                AmountError::TooManyDigits { .. } => kind::TOO_MANY_DIGITS,
                AmountError::OutOfRange => kind::AMOUNT_OUT_OF_RANGE,
            };
            self.problem(kind, error)
        })
    }

    /// A UUID with its hyphens.
    pub(crate) fn id(self, text: &str) -> Result<Uuid, Problem> {
        let id = Uuid::try_parse(text).ok().filter(|_| text.len() == 36);
        id.ok_or_else(|| {
            let what = "an id is a UUID such as 0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071";
            self.problem(kind::INVALID_ID, what)
        })
    }

    /// An amount of V-Coin.
    pub(crate) fn vcoin(self, text: &AmountText) -> Result<Vcoin, Problem> {
        self.amount(text, Asset::VCOIN).map(Vcoin)
    }

    pub(crate) fn code(self, text: &str) -> Result<Code, Problem> {
        Code::parse(text).map_err(|error| self.problem(kind::INVALID_CODE, error))
    }

    pub(crate) fn time(self, text: &str) -> Result<DateTime<Utc>, Problem> {
        rfc3339(text).ok_or_else(|| {
            let what = "write a time as in RFC 3339, such as 2026-01-31T12:00:00Z";
            self.problem(kind::INVALID_TIME, what)
        })
    }

    pub(crate) fn date(self, text: &str) -> Result<NaiveDate, Problem> {
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
        // The format takes signs, and shorter and longer numbers too.
        date.filter(|date| date.to_string() == text)
            .ok_or_else(|| self.problem(kind::INVALID_DATE, "write a date such as 2026-01-31"))
    }
}

/// An id in the path: a UUID with its hyphens.
pub(crate) fn id(text: &str) -> Result<Uuid, Problem> {
    Place::field("id").id(text)
}

/// The parameter `as_of`: a position, or a time.
pub(crate) fn as_of(text: &str) -> Result<AsOf, Problem> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let read = if digits {
        // A number that no position can be is beyond the head of any log.
        Some(AsOf::Position(Position(text.parse().unwrap_or(u64::MAX))))
    } else {
        rfc3339(text).map(AsOf::Time)
    };
    read.ok_or_else(|| {
        let what = "write a position such as 4711, or a time as in RFC 3339 such as 2026-01-31T12:00:00Z (with an \
                    offset, spell the + as %2B)";
        Place::field("as_of").problem(kind::INVALID_AS_OF, what)
    })
}

/// A leap second is the second after it, as in the time of clocks and databases: kept as `23:59:60` it would be another
/// time in the log than in the read models, and at the end of the year 9999 one that they cannot tell.
fn rfc3339(text: &str) -> Option<DateTime<Utc>> {
    const SECOND: u32 = 1_000_000_000;
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    let nanos = time.timestamp_subsec_nanos();
    DateTime::from_timestamp(time.timestamp() + i64::from(nanos / SECOND), nanos % SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_ids_have_one_spelling() {
        let place = Place::field("through");
        assert!(place.date("2026-01-31").is_ok());
        for text in [
            "",
            "2026-1-31",
            "2026-02-30",
            "+2026-01-1",
            "20260131",
            "2026-01-31T00:00:00Z",
        ] {
            assert!(place.date(text).is_err(), "{text}");
        }
        assert!(id("0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071").is_ok());
        for text in [
            "",
            "0199a3c45d6e7f809a1b2c3d4e5f6071",
            "urn:uuid:0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071",
            "1",
        ] {
            assert!(id(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_leap_second_is_the_second_after_it() {
        let time = |text| Place::field("at").time(text).unwrap();
        assert_eq!(time("2016-12-31T23:59:60.5Z"), time("2017-01-01T00:00:00.5Z"));
        assert_eq!(time("2016-12-31T23:59:60Z").to_rfc3339(), "2017-01-01T00:00:00+00:00");
        assert_eq!(
            time("2016-12-31T23:59:59.25Z").to_rfc3339(),
            "2016-12-31T23:59:59.250+00:00"
        );
    }

    #[test]
    fn as_of_is_a_position_or_a_time() {
        assert_eq!(as_of("0"), Ok(AsOf::Position(Position(0))));
        assert_eq!(as_of(&"9".repeat(40)), Ok(AsOf::Position(Position(u64::MAX))));
        let time = "2026-01-31T13:00:00+01:00";
        assert_eq!(as_of(time), Ok(AsOf::Time("2026-01-31T12:00:00Z".parse().unwrap())));
        for text in ["", "-1", "1.5", "2026-01-31", "now", "2026-01-31T13:00:00 01:00"] {
            assert!(as_of(text).is_err(), "{text}");
        }
    }
}
