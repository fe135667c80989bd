//! The published log: every event of the store as its line in Kafka, and the way back.
