//! Properties of the ledger, over random histories.
//!
//! A history is a list of numbers; each is the seed of one step, which looks at the state and asks for something that is
//! likely to be accepted, or spoils it in one to three ways. Every answer is compared with a model of the ledger that was
//! written from the design alone. A history that fails is shrunk, printed as commands, and its seed is kept in
//! `ledger/proptest-regressions/`, which belongs into the repository. `PROPTEST_CASES` raises the number of histories.

// These are tests from the first line to the last; clippy only knows functions that are marked as such.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod amounts;
mod dice;
mod generator;
mod histories;
mod independence;
mod model;
mod schema;
mod spoil;
mod tally;
mod world;

use proptest::test_runner::{Config, FileFailurePersistence};

/// At least so many cases, with failing seeds kept where they can be checked in.
fn config(cases: u32) -> Config {
    let default = Config::default();
    Config {
        // PROPTEST_CASES is part of the default; 256 is its default.
        cases: default.cases.max(cases),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "proptest-regressions/properties.txt",
        ))),
        ..default
    }
}
