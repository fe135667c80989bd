//! What only the log in KurrentDB promises, on a fake of it that makes trouble.

mod kurrentdb {
    pub mod figures;
    pub mod outages;
    pub mod races;
    pub mod records;
    pub mod sizes;
    pub mod start;
    pub mod support;
}
