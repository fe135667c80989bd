//! The book's decisions as given/when/then: given these events, when this is asked, then this event or refusal.

mod accounts;
mod balance;
mod holds;
mod periods;
mod precedence;
mod replay;
mod reversals;
mod transactions;
mod words;

use super::{Book, Violation};
use crate::address::Address;
use crate::amount::Amount;
use crate::command::Command;
use crate::event::BookEvent;
use crate::refusal::Refusal;
use chrono::{DateTime, Utc};
use words::{EVENT, NOW, time};

/// A book with a history, and the time at which something will be asked of it.
struct Given {
    book: Book,
    now: DateTime<Utc>,
}

/// What the book answered.
struct When {
    given: Given,
    decision: Result<BookEvent, Refusal>,
}

/// The book after an event.
struct Then(Book);

/// A book with this history; every event of it was recorded at [`NOW`].
fn given(events: impl IntoIterator<Item = BookEvent>) -> Given {
    let mut book = Book::new();
    for event in events {
        book.evolve(time(NOW), &event)
            .unwrap_or_else(|e| panic!("{event:?} cannot be given: {e}"));
    }
    Given { book, now: time(NOW) }
}

impl Given {
    /// Later than [`NOW`].
    fn at(self, now: &str) -> Given {
        let now = time(now);
        Given { now, ..self }
    }

    /// Asks, with [`EVENT`] as the id of the event.
    fn when(self, command: Command) -> When {
        let decision = self.book.decide(EVENT, self.now, &command);
        When { given: self, decision }
    }

    /// Replays an event that nobody decided; the book must refuse it and stay as it was.
    fn refuses_to_replay(mut self, event: &BookEvent) -> Violation {
        let before = self.book.clone();
        let violation = self.book.evolve(self.now, event).expect_err("it was replayed");
        assert_eq!(self.book, before);
        violation
    }
}

impl When {
    /// The command was accepted as this event, which can be applied.
    fn then(self, event: BookEvent) -> Then {
        assert_eq!(self.decision.as_ref(), Ok(&event));
        self.accepted()
    }

    /// The command was accepted; what matters is what it leaves.
    fn accepted(self) -> Then {
        let When { given, decision } = self;
        let mut book = given.book;
        let event = decision.unwrap_or_else(|refusal| panic!("refused: {refusal}"));
        book.evolve(given.now, &event)
            .unwrap_or_else(|e| panic!("{event:?} was decided but not applied: {e}"));
        Then(book)
    }

    /// The command was refused for this reason.
    fn refused(self, refusal: Refusal) {
        assert_eq!(self.decision, Err(refusal));
    }

    /// The command was refused with this code.
    fn refused_as(self, code: &str) {
        let got = self.decision.as_ref().map_err(Refusal::code);
        assert_eq!(got, Err(code), "{:?}", self.decision);
    }
}

impl Then {
    /// An account looks like this: `balance`, or `balance, held …`.
    fn leaves(self, account: &str, expected: &str) -> Then {
        let account = self
            .0
            .account(&Address::parse(account).unwrap())
            .expect("no such account");
        let text = |minor| Amount::from_minor(minor).unwrap().to_text(account.asset);
        let mut found = text(account.balance());
        if account.held != Amount::ZERO {
            found = format!("{found}, held {}", account.held.to_text(account.asset));
        }
        assert_eq!(found, expected);
        self
    }

    /// Asks on.
    fn when(self, command: Command) -> When {
        Given {
            book: self.0,
            now: time(NOW),
        }
        .when(command)
    }
}
