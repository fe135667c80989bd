//! Cursors: where the next page of a list begins. Callers take them as they are.

use crate::kind;
use crate::problem::Problem;
use uuid::Uuid;
use viral_ledger::Address;
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
}

impl Cursor {
    /// The text that is handed out.
    pub(crate) fn to_text(&self) -> String {
        hex::encode(match self {
            Cursor::Accounts(address) => format!("a/{address}"),
            Cursor::Transactions(position) => format!("t/{position}"),
            Cursor::TrialBalance(position, address) => format!("b/{position}/{address}"),
            Cursor::Holds(id) => format!("h/{id}"),
        })
    }

    /// Reads a text that was handed out. Each list asks for its own kind and answers [`invalid`] to the others.
    pub(crate) fn parse(text: &str) -> Result<Cursor, Problem> {
        let read = || -> Option<Cursor> {
            let text = String::from_utf8(hex::decode(text).ok()?).ok()?;
            let (list, place) = text.split_once('/')?;
            match list {
                "a" => Some(Cursor::Accounts(Address::parse(place).ok()?)),
                "t" => Some(Cursor::Transactions(Position(place.parse().ok()?))),
                "b" => {
                    let (position, address) = place.split_once('/')?;
                    let address = Address::parse(address).ok()?;
                    Some(Cursor::TrialBalance(Position(position.parse().ok()?), address))
                }
                "h" => Some(Cursor::Holds(Uuid::try_parse(place).ok()?)),
                _ => None,
            }
        };
        read().ok_or_else(invalid)
    }
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
        for cursor in [
            Cursor::Accounts(address.clone()),
            Cursor::Transactions(Position(7)),
            Cursor::TrialBalance(Position(u64::MAX), address),
            Cursor::Holds(Uuid::from_u128(5)),
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
            "x/1",
        ] {
            assert_eq!(Cursor::parse(text), Err(invalid()), "{text}");
            assert_eq!(Cursor::parse(&hex::encode(text)).is_ok(), text == "a/x", "{text}");
        }
    }
}
