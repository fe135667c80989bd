//! The use cases on the log in memory: what sponsors, creators, admins and workers can do, what is refused, what happens
//! once however often it is asked, and what holds when many do it at once.

// These are tests from the first line to the last; clippy only knows functions that are marked as such.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod contention;
mod diary;
mod dice;
mod dry_runs;
mod fraud;
mod given_when_then;
mod guards;
mod idempotency;
mod journeys;
mod large;
mod model;
mod payouts;
mod privacy;
mod races;
mod refusals;
mod replay;
#[allow(unreachable_pub)] // Public where it is at home.
#[path = "../../../tests/src/schemas.rs"]
mod schemas;
mod spy;
mod stage;
mod storable;
mod times;
mod torn;
mod world;
