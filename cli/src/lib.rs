//! The parts of the one binary.

pub mod bench;
pub mod embedded;
