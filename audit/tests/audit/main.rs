//! The auditor's tools on logs that the writer made, and on copies of them that somebody changed.

// A test that cannot go on panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod approvals;
mod copies;
mod desk;
mod export;
mod history;
mod import;
mod import_bad;
mod import_balances;
mod journey;
mod poster;
mod programs;
mod replay;
mod restore;
mod statements;
mod tampered;
mod verify;
mod verify_contents;
mod verify_domain;
mod verify_reserved;
