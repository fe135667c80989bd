//! Use cases, and the one way into the log: the [`Writer`].
//!
//! Every use case ends in one [`Unit`]: events of some streams, guards on others and commands to the ledger, appended
//! all or nothing. One writer task per process makes every append, many units to a transaction.

pub mod acceptance;
pub mod aggregates;
pub mod book_reader;
pub mod caller;
pub mod commands;
pub mod engagement;
pub mod error;
pub mod privacy;
pub mod request;
pub mod unit;
pub mod use_cases;
pub mod writer;

mod batch;
mod kept;
mod locks;
mod lookups;
mod plan;
mod work;

pub use aggregates::read_event;
pub use book_reader::BookAt;
pub use caller::{Caller, Request, Scope};
pub use commands::{Commands, Environment, UseCase, first_event};
pub use engagement::{Engagement, EngagementError, EngagementSink, SinkError, Unrecorded};
pub use error::{AppendError, CommandError, Rejection};
pub use privacy::Vault;
pub use request::RequestIdentity;
pub use unit::{Guard, NewEvent, Outcome, Part, Receipt, Unit};
pub use writer::{Clock, Settings, Writer};
