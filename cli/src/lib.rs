//! The parts of the one binary: configuration, wiring, and what a person sees.

pub mod args;
pub mod bench;
pub mod database;
pub mod embedded;

mod audit;
mod client;
mod demo;
mod diff;
mod doctor;
mod error;
mod event_store;
mod export;
mod import;
mod payout;
mod platform;
mod poster;
mod progress;
mod projections;
mod run;
mod secrets;
mod terms;
mod unseal;
mod up;

pub use error::Error;
pub use run::run;
