//! Cursors: where the next page of a list begins. Callers take them as they are.

use crate::kind;
use crate::problem::Problem;
use chrono::{DateTime, Datelike, Utc};
use uuid::Uuid;
use viral_ledger::Address;
use viral_projections::queries::{EntryKey, FlagKey, TimeKey, TransactionKey};
use viral_store::Position;

/// Where the next page of a list begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cursor {
    /// Accounts after this one.
    Accounts(Address),
    /// Transactions after this position.
    Transactions(Position),
    /// Accounts after this one, in the trial balance as of a position.
    TrialBalance(Position, Address),
    /// Holds after this one.
    Holds(Uuid),
    /// Campaigns after this one.
    Campaigns(TimeKey),
    /// Assignments of a campaign after this one.
    Assignments(TimeKey),
    /// Events of a campaign's history after this position.
    CampaignEvents(Position),
    /// Entries of a statement after this one.
    Statement(EntryKey),
    /// Payouts after this one.
    Payouts(TimeKey),
    /// Flags after this one.
    Flags(FlagKey),
    /// Transactions of a wallet after this one.
    Wallet(TransactionKey),
}

impl Cursor {
    /// The text that is handed out.
    pub(crate) fn to_text(&self) -> String {
        hex::encode(match self {
            Cursor::Accounts(address) => format!("a/{address}"),
            Cursor::Transactions(position) => format!("t/{position}"),
            Cursor::TrialBalance(position, address) => format!("b/{position}/{address}"),
            Cursor::Holds(id) => format!("h/{id}"),
            Cursor::Campaigns(key) => format!("c/{}", time_key(key)),
            Cursor::Assignments(key) => format!("as/{}", time_key(key)),
            Cursor::CampaignEvents(position) => format!("ce/{position}"),
            Cursor::Statement(EntryKey {
                effective_at,
                position,
                posting,
            }) => format!("s/{}/{position}/{posting}", effective_at.timestamp_micros()),
            Cursor::Payouts(key) => format!("p/{}", time_key(key)),
            Cursor::Flags(FlagKey { score, raised_at, id }) => {
                format!("f/{score}/{}/{id}", raised_at.timestamp_micros())
            }
            Cursor::Wallet(TransactionKey { position, posting }) => format!("w/{position}/{posting}"),
        })
    }

    /// Reads a text that was handed out. Each list asks for its own kind and answers [`invalid`] to the others.
    pub(crate) fn parse(text: &str) -> Result<Cursor, Problem> {
        let read = || -> Option<Cursor> {
            let text = String::from_utf8(hex::decode(text).ok()?).ok()?;
            let (list, place) = text.split_once('/')?;
            match list {
                "a" => Some(Cursor::Accounts(Address::stored(place).ok()?)),
                "t" => Some(Cursor::Transactions(Position(place.parse().ok()?))),
                "b" => {
                    let (position, address) = place.split_once('/')?;
                    let address = Address::stored(address).ok()?;
                    Some(Cursor::TrialBalance(Position(position.parse().ok()?), address))
                }
                "h" => Some(Cursor::Holds(Uuid::try_parse(place).ok()?)),
                "c" => parse_time_key(place).map(Cursor::Campaigns),
                "as" => parse_time_key(place).map(Cursor::Assignments),
                "ce" => Some(Cursor::CampaignEvents(Position(place.parse().ok()?))),
                "s" => parse_entry_key(place).map(Cursor::Statement),
                "p" => parse_time_key(place).map(Cursor::Payouts),
                "f" => parse_flag_key(place).map(Cursor::Flags),
                "w" => parse_transaction_key(place).map(Cursor::Wallet),
                _ => None,
            }
        };
        read().ok_or_else(invalid)
    }
}

fn time_key(key: &TimeKey) -> String {
    format!("{}/{}", key.at.timestamp_micros(), key.id)
}

fn parse_time_key(text: &str) -> Option<TimeKey> {
    let (at, id) = text.split_once('/')?;
    let (at, id) = (parse_micros(at)?, Uuid::try_parse(id).ok()?);
    Some(TimeKey { at, id })
}

fn parse_entry_key(text: &str) -> Option<EntryKey> {
    let (effective_at, place) = text.split_once('/')?;
    let (position, posting) = place.split_once('/')?;
    Some(EntryKey {
        effective_at: parse_micros(effective_at)?,
        position: Position(position.parse().ok()?),
        posting: posting.parse().ok()?,
    })
}

/// A time of the log: those have whole microseconds and years of four digits.
fn parse_micros(text: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::from_timestamp_micros(text.parse().ok()?)?;
    (1..=9_999).contains(&time.year()).then_some(time)
}

fn parse_flag_key(text: &str) -> Option<FlagKey> {
    let (score, rest) = text.split_once('/')?;
    let TimeKey { at, id } = parse_time_key(rest)?;
    Some(FlagKey {
        score: score.parse().ok()?,
        raised_at: at,
        id,
    })
}

fn parse_transaction_key(text: &str) -> Option<TransactionKey> {
    let (position, posting) = text.split_once('/')?;
    let (position, posting) = (Position(position.parse().ok()?), posting.parse().ok()?);
    Some(TransactionKey { position, posting })
}

/// The problem of a cursor that this list did not give out.
pub(crate) fn invalid() -> Problem {
    Problem::new(
        kind::INVALID_CURSOR,
        "the cursor is not one that this list gave out: take next_cursor as it is, or begin without one",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_back() {
        let address = Address::parse("customer:1").unwrap();
        let time_key = TimeKey {
            at: "2026-03-01T12:00:00.000001Z".parse().unwrap(),
            id: Uuid::from_u128(6),
        };
        for cursor in [
            Cursor::Accounts(address.clone()),
            Cursor::Transactions(Position(7)),
            Cursor::TrialBalance(Position(u64::MAX), address),
            Cursor::Holds(Uuid::from_u128(5)),
            Cursor::Payouts(time_key),
            Cursor::Flags(FlagKey {
                score: 100,
                raised_at: time_key.at,
                id: time_key.id,
            }),
            Cursor::Wallet(TransactionKey {
                position: Position(7),
                posting: 2,
            }),
            Cursor::Campaigns(time_key),
            Cursor::Assignments(time_key),
            Cursor::CampaignEvents(Position(3)),
            Cursor::Statement(EntryKey {
                effective_at: time_key.at,
                position: Position(4),
                posting: 1,
            }),
        ] {
            assert_eq!(Cursor::parse(&cursor.to_text()), Ok(cursor));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "a/x",
            "zz",
            "ff",
            "é",
            "a/",
            "t/-1",
            "t/99999999999999999999",
            "b/1",
            "h/1",
            "p/1/x",
            "f/256/1/00000000-0000-0000-0000-000000000006",
            "w/1",
            "w/1/-1",
            "x/1",
            "c/1",
            "c/1/1",
            "c/9223372036854775807/00000000-0000-0000-0000-000000000001",
            "as/x/00000000-0000-0000-0000-000000000001",
            "ce/-1",
            "s/1/1",
            "s/1/1/-1",
        ] {
            assert_eq!(Cursor::parse(text), Err(invalid()), "{text}");
            assert_eq!(Cursor::parse(&hex::encode(text)).is_ok(), text == "a/x", "{text}");
        }
    }
}
