//! The parts of the one binary: configuration, wiring, and what a person sees.

pub mod args;
pub mod bench;
pub mod database;
pub mod embedded;

mod audit;
mod doctor;
mod error;
mod export;
mod import;
mod poster;
mod progress;
mod run;
mod token;
mod up;

pub use error::Error;
pub use run::run;
