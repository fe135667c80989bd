//! Why money of the platform moved. Its accounts move only because of events of the domain, which say exactly what the
//! ledger does in their unit: no more, no less, nothing else, and in their order. Elsewhere the ledger may do anything,
//! but not on the platform's accounts.

use super::Finding;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::VecDeque;
use viral_domain::{Effect, effects};
use viral_ledger::event::AccountOpened;
use viral_ledger::{Address, Book, BookEvent, Command};
use viral_store::{Position, StoredEvent};

/// What the unit that the log is in does to the ledger.
#[derive(Default)]
pub(super) struct Consequences {
    /// What events of the domain said and the ledger has not done yet.
    due: VecDeque<Due>,
    /// Whether the unit has an event of the domain.
    has_domain_events: bool,
    /// The unit's last event of the ledger that no event of the domain said.
    unsaid: Option<Position>,
}

/// Something that the ledger must do.
struct Due {
    position: Position,
    event_type: Cow<'static, str>,
    effect: Effect,
}

impl Consequences {
    /// Ends the unit: everything that was said must have been done.
    pub(super) fn end_unit(&mut self) -> Result<(), Finding> {
        match std::mem::take(self).due.pop_front() {
            None => Ok(()),
            Some(due) => Err(Finding {
                position: due.position,
                problem: format!("its unit does not {}, as {} says", due.task(), due.event_type),
            }),
        }
    }

    /// Takes in an event of the domain with its effects.
    pub(super) fn of_domain(&mut self, event: &StoredEvent, effects: Vec<Effect>) -> Result<(), String> {
        if let Some(position) = self.unsaid {
            return Err(format!(
                "it stands behind position {position} of its unit, where the ledger did what no event of the domain says"
            ));
        }
        self.has_domain_events = true;
        self.due.extend(effects.into_iter().map(|effect| Due {
            position: event.position,
            event_type: event.event_type.clone(),
            effect,
        }));
        Ok(())
    }

    /// Checks an event of the ledger against what is due, on the book before it. Whether the money allows it is the book's
    /// business, and by which rules of input it was decided nobody asks: they may have been others.
    pub(super) fn of_ledger(&mut self, event: &StoredEvent, actual: &BookEvent, book: &Book) -> Result<(), String> {
        if let Some(due) = self.due.pop_front() {
            return due.check(event, actual, book);
        }
        if self.has_domain_events {
            return Err("no event of the domain in its unit says that this happens".to_owned());
        }
        self.unsaid = Some(event.position);
        match reserved(actual, book) {
            Some(address) if !opens_for_platform(actual) => Err(format!(
                "{address} is an account of the platform, but no event of the domain in its unit says that this happens"
            )),
            _ => Ok(()),
        }
    }
}

impl Due {
    fn check(&self, event: &StoredEvent, actual: &BookEvent, book: &Book) -> Result<(), String> {
        let said = format!("{} at position {}", self.event_type, self.position);
        let expected = book.carry_out(event.event_id, event.recorded_at, &self.effect.command);
        if expected != *actual {
            let difference = difference(&expected, actual).unwrap_or_default();
            return Err(format!("it is not what {said} says: {difference}"));
        }
        match self.effect.id {
            Some(id) if id != event.event_id => Err(format!("its id is not {id}, as {said} says")),
            _ => Ok(()),
        }
    }

    /// What is to be done, in words.
    fn task(&self) -> String {
        let id = self.effect.id.map(|id| format!(" {id}")).unwrap_or_default();
        match &self.effect.command {
            Command::OpenAccount { account, .. } => format!("open the account {account}"),
            Command::Post(transaction) => format!("post the transaction{id} ({})", transaction.code),
            Command::PlaceHold { account, .. } => format!("place the hold{id} on {account}"),
            Command::Capture { hold, transaction } => {
                format!("capture the hold {hold} by the transaction{id} ({})", transaction.code)
            }
            Command::VoidHold { hold, .. } => format!("void the hold {hold}"),
            other => format!("carry out {other:?}"),
        }
    }
}

/// The first field, by name, in which two events differ.
fn difference(expected: &BookEvent, actual: &BookEvent) -> Option<String> {
    let (expected, actual) = (serde_json::to_value(expected).ok()?, serde_json::to_value(actual).ok()?);
    let (expected, actual) = (expected.as_object()?, actual.as_object()?);
    // Of events of different types only that is worth saying.
    let names = std::iter::once("type").chain(expected.keys().chain(actual.keys()).map(String::as_str));
    let text = |value: Option<&Value>| value.map_or("absent".to_owned(), Value::to_string);
    names
        .map(|name| (name, expected.get(name), actual.get(name)))
        .find_map(|(name, expected, actual)| {
            let (should, is) = (text(expected), text(actual));
            (expected != actual).then(|| format!("{name} should be {should}, it is {is}"))
        })
}

/// The first of the platform's accounts that an event touches.
fn reserved<'a>(event: &'a BookEvent, book: &'a Book) -> Option<&'a Address> {
    let one = match event {
        BookEvent::AccountOpened(opened) => &opened.account,
        BookEvent::AccountFrozen(changed) | BookEvent::AccountUnfrozen(changed) | BookEvent::AccountClosed(changed) => {
            &changed.account
        }
        BookEvent::HoldPlaced(placed) => &placed.account,
        BookEvent::HoldVoided(released) | BookEvent::HoldExpired(released) => &book.hold(released.hold)?.account,
        BookEvent::TransactionPosted(transaction) => {
            let both = transaction
                .postings
                .iter()
                .flat_map(|posting| [&posting.debit, &posting.credit]);
            return both.into_iter().find(|address| address.is_reserved());
        }
        BookEvent::PeriodClosed(_) | BookEvent::SnapshotTaken(_) => return None,
    };
    one.is_reserved().then_some(one)
}

/// The platform's own accounts are opened before anything happens that an event could say.
fn opens_for_platform(event: &BookEvent) -> bool {
    let BookEvent::AccountOpened(AccountOpened {
        account,
        asset,
        may_go_negative,
        normal_side,
    }) = event
    else {
        return false;
    };
    effects::platform_accounts(*asset).contains(&Command::OpenAccount {
        account: account.clone(),
        asset: *asset,
        normal_side: *normal_side,
        may_go_negative: *may_go_negative,
    })
}
