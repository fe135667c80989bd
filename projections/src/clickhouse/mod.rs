//! The log in ClickHouse, for analysts: every event and every entry of the ledger as rows, and views over them.
//!
//! The projector inserts ranges of positions. Which range is next is noted in the database of the read models before it
//! is inserted, so that after a crash the same range is sent again under the same deduplication token; rows of the
//! same events replace themselves in any case. The watermark is written last, in ClickHouse, and the views end there.
//! [`diff`](ClickHouse::diff) reads everything back and compares it with the log.

mod client;
mod course;
mod diff;
mod engagement;
mod gather;
mod insert;
mod metrics;
mod migrate;
mod note;
mod projector;
mod rebuild;
mod rows;
mod stream;

pub use client::ClickHouse;
pub use diff::{ClickHouseDifference, ClickHouseReport};
pub use engagement::EngagementOffset;
pub use projector::ClickHouseProjector;
pub(crate) use projector::NAME;
