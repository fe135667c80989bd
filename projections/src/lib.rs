//! The read side: tables in PostgreSQL that answer what pages and reports ask, built from the log and nothing else.
//!
//! A read model is one folder: its tables (`table.rs`) and a pure fold (`apply.rs`) that says which rows an event
//! touches and what becomes of them. Everything else is common to all of them and here: the [`Projector`] applies events
//! and moves a checkpoint in one transaction, so each event counts exactly once; a rebuild fills a new version of the
//! tables beside the live one and replaces it in one transaction; [`diff`] folds the whole log in memory and compares
//! every column. Read models can be thrown away at any time, and nothing that acts on the world may hang on one.

mod batch;
mod campaigns;
mod checkpoints;
mod clickhouse;
mod diff;
mod engagement;
mod error;
mod fact;
mod fraud_flags;
mod load;
mod model;
mod outdated;
mod payouts;
mod projector;
pub mod queries;
mod rebuild;
mod rebuild_lock;
mod registry;
mod resume;
mod rows;
mod runner;
mod session;
pub mod status;
mod sums;
mod table;
mod unknown;
mod unreadable;
mod unseal;
mod users;
mod wallets;

pub use checkpoints::{Behind, Checkpoints};
pub use clickhouse::{ClickHouse, ClickHouseDifference, ClickHouseProjector, ClickHouseReport, EngagementOffset};
pub use diff::{Compared, Difference, ParkedEvent, Report, diff};
pub use engagement::EngagementTable;
pub use error::ProjectionError;
pub use model::{READ_MODELS, ReadModel, WhenBad, view_names};
pub use outdated::mark_outdated;
pub use projector::Projector;
pub use resume::Resumed;
pub use session::{connect, connect_briefly};
pub use status::{State, Status, furthest, list};
pub use table::Table;
pub use unknown::{Passed, passed_by};
pub use unreadable::UnreadableRecords;
pub use unseal::{Unseal, UnsealError};
