//! The published log: every event of the store as its line in Kafka, and the way back.

pub mod asyncapi;
pub mod attributes;
pub mod catalogue;
pub mod topics;

#[cfg(test)]
mod checked_in;
