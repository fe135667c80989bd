//! Any text is a state or is refused; what is accepted prints back to the same bytes, and can be reported on.

#![no_main]

use libfuzzer_sys::fuzz_target;
use viral_ledger::{Book, TrialBalance};

fuzz_target!(|text: &str| {
    let Ok(book) = Book::from_state_text(text, 1) else {
        return;
    };
    assert_eq!(book.state_text(), text);
    assert_eq!(book.state_hash(), Book::hash_of_text(text));
    assert_eq!(TrialBalance::of(&book, 1).accounts.len(), book.account_count());
    for totals in book.totals().values() {
        assert_eq!(totals.debits, totals.credits);
    }
});
