//! What the tests of the whole platform share: a real PostgreSQL, Kafka and ClickHouse, a fake of KurrentDB, and processes of the real binary.

pub mod clickhouse;
pub mod component;
pub mod files;
pub mod hold;
pub mod journey;
pub mod kafka;
pub mod kurrentdb;
pub mod pooler;
pub mod process;
pub mod proxy;
pub mod published;
pub mod samples;
pub mod schemas;
pub mod server;
pub mod standby;
