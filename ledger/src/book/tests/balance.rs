//! Debits equal credits after every change, and it is noticed where they do not.

use super::given;
use super::words::*;
use crate::amount::Amount;
use crate::asset::Asset;
use crate::event::BookEvent;

#[test]
fn a_sound_book_is_balanced_since_every_savepoint() {
    let mut book = given([mint(), credit("alice")]).book;
    let first = book.savepoint();
    assert_eq!(first.sequence(), 2);
    let events = [
        credit("bob"),
        paid("alice", "100"),
        BookEvent::TransactionPosted(posted([from("alice", "bob", "30")])),
    ];
    for event in events {
        let before = book.savepoint();
        book.evolve(time(NOW), &event).unwrap();
        assert_eq!(
            (book.unbalanced_since(before), book.unbalanced_since(first)),
            (None, None)
        );
    }
}

#[test]
fn an_account_that_grew_alone_is_noticed() {
    let mut book = given([mint(), credit("alice"), paid("alice", "100")]).book;
    let savepoint = book.savepoint();
    let event = BookEvent::TransactionPosted(posted([from("mint", "alice", "1")]));
    book.evolve(time(NOW), &event).unwrap();
    let alice = book.accounts.get_mut("alice").unwrap();
    alice.credits = alice.credits.checked_add(Amount::from_minor(1).unwrap()).unwrap();
    assert_eq!(book.unbalanced_since(savepoint), Some(Asset::VCOIN));
    book.rollback(savepoint);
    assert_eq!(book.unbalanced_since(savepoint), None);
}
