//! Bad luck, with real processes: kill -9, a database that goes away, a full disk.

mod chaos {
    pub mod disk;
    pub mod kill;
    pub mod outage;
    pub mod two_processes;
}
