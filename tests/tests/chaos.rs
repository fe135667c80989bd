//! Bad luck, with real processes: kill -9, a database that goes away, a full disk, and everybody at once.

mod chaos {
    pub mod disk;
    pub mod journey;
    pub mod journey_kills;
    pub mod journey_races;
    pub mod journey_workers;
    pub mod kill;
    pub mod outage;
    pub mod two_processes;
}
