//! The read side on a real PostgreSQL: what the tables say, that each event counts once whatever happens, rebuilds while
//! writes go on, and that a comparison with the log finds what was changed.

mod projections {
    pub mod bad_events;
    pub mod clickhouse;
    pub mod clickhouse_trouble;
    pub mod differences;
    pub mod engagement;
    pub mod exactly_once;
    pub mod exactness;
    pub mod queries;
    pub mod rebuild;
    pub mod roles;
    pub mod story;
    pub mod tables;
    pub mod traffic;
    pub mod world;
}
