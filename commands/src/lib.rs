//! Use cases, and the one way into the log: the [`Writer`].
//!
//! Every use case ends in one [`Unit`]: events of some streams, guards on others and commands to the ledger, appended
//! all or nothing. One writer task per process makes every append, many units to a transaction.

pub mod book_reader;
pub mod error;
pub mod request;
pub mod unit;
pub mod writer;

mod batch;

pub use book_reader::BookAt;
pub use error::{AppendError, Rejection};
pub use request::RequestIdentity;
pub use unit::{Guard, NewEvent, Outcome, Part, Receipt, Unit};
pub use writer::{Clock, Settings, Writer};
