//! Bad luck, with real processes: kill -9, a database or a broker that goes away, a full disk, topics that
//! are deleted, and everybody at once.

mod chaos {
    pub mod bad_luck;
    pub mod clickhouse;
    pub mod clickhouse_projectors;
    pub mod clickhouse_scene;
    pub mod disk;
    pub mod engagement;
    pub mod failover;
    pub mod failover_load;
    pub mod failover_scene;
    pub mod journey;
    pub mod journey_kills;
    pub mod journey_races;
    pub mod journey_workers;
    pub mod kill;
    pub mod outage;
    pub mod relay_broker;
    pub mod relay_kills;
    pub mod relay_outage;
    pub mod relay_topics;
    pub mod two_processes;
}
