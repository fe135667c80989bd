//! The published log: every event of the store as its line in Kafka, and the way back.
//!
//! [`Relay`] publishes what the store has, in order, and remembers nothing: where it goes on it reads from the topics.
//! [`KafkaFeeds`] gives the whole log back, merged by position from all partitions, so that whoever follows it does not
//! know where it comes from; [`archive`] reads all that was published, for auditors and after the loss of the store.
//!
//! [`engagement`] has what is no event: measurements, in a topic of their own.
//!
//! What may be relied on, whoever reads: the first occurrence of each event is in its partition in the order of the log,
//! and none is left out. Records may come twice, after a relay or its connection was cut off; a reader keeps the highest
//! position that it has seen.

pub mod archive;
pub mod asyncapi;
pub mod attributes;
pub mod catalogue;
#[cfg(test)]
mod checked_in;
mod cluster;
pub mod engagement;
mod error;
mod feed;
mod fetch;
mod merge;
pub mod partition;
mod pausing;
pub mod record;
mod relay;
mod tails;
pub mod topics;
mod version;

pub use archive::{Archive, read_all};
pub use cluster::Cluster;
pub use engagement::{EngagementReader, EngagementTopic};
pub use error::KafkaError;
pub use feed::KafkaFeeds;
pub use relay::{Relay, Standing, Status};
pub use tails::{Tail, tails};
pub use version::MetadataVersion;
