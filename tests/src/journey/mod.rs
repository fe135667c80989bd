//! Many clients in one campaign at once, and what must hold whatever they do. The clients are real: HTTP, tokens, keys.
//! What they did is checked against a reading of the log that shares no code with the product.

mod audit;
mod book;
mod calls;
mod campaigns;
mod chance;
mod client;
mod ledger;
mod people;
mod play;
mod settle;

pub use audit::{caught_up, check_audits};
pub use book::Book;
pub use campaigns::{Campaign, Campaigns};
pub use chance::Chance;
pub use client::{Done, Known, Person, Tally};
pub use ledger::Ledger;
pub use people::{Board, Mission, Payout, Stage, id, in_millis, operator, register};
pub use play::{CLIENTS, Crowd, Until};
pub use settle::{pages, settle};

/// V-Coin in its smallest unit, read from a text such as "12.5000".
pub fn minor(text: &str) -> i128 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction:0<4}");
    digits.parse().unwrap_or_else(|_| panic!("{text} is no amount"))
}
