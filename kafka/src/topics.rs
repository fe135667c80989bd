//! The topics of the published log.

/// The events of the book: one partition for each book, so their order is the book's.
pub const LEDGER: &str = "viral.ledger.v1";
/// All other events, in partitions by aggregate.
pub const EVENTS: &str = "viral.events.v1";
/// How many partitions [`EVENTS`] has. Fixed: another number would send an aggregate's next event elsewhere.
pub const EVENTS_PARTITIONS: i32 = 8;
