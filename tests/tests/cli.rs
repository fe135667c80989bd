//! The binary as its users call it, on a real PostgreSQL.

mod cli {
    pub mod bad_input;
    pub mod journey;
    pub mod tampering;
    pub mod up;
}
