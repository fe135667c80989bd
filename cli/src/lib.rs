//! The parts of the one binary: configuration, wiring, and what a person sees.

pub mod args;
pub mod bench;
pub mod database;
pub mod embedded;
pub mod engagement;
pub mod services;

mod audit;
mod client;
mod continuity;
mod demo;
mod diff;
mod doctor;
mod environment;
mod error;
mod event_store;
mod export;
mod front;
mod import;
mod limits;
mod metrics;
mod opening;
mod payout;
mod platform;
mod poster;
mod progress;
mod projections;
mod published;
mod restore;
mod run;
mod running;
mod secrets;
mod source;
mod terms;
mod unseal;
mod up;

pub use error::Error;
pub use run::run;
