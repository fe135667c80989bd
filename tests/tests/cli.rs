//! The binary as its users call it, on a real PostgreSQL.

mod cli {
    pub mod acceptance;
    pub mod bad_input;
    pub mod clocks;
    pub mod copies;
    pub mod demo;
    pub mod door;
    pub mod environment;
    pub mod journey;
    pub mod kurrentdb;
    pub mod old_logs;
    pub mod privacy;
    pub mod projections_cli;
    pub mod restore;
    pub mod stack;
    pub mod tampering;
    pub mod up;
}
