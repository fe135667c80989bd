//! How long work says how far it is. Whoever called draws a bar, writes a line, or does nothing.

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Events of the log.
    Events,
    /// Bytes of a file, as it is on the disk.
    Bytes,
}

/// Takes reports of progress. All calls come from the one task that does the work, often: they should return at once.
pub trait Progress: Send + Sync {
    /// A part of the work begins, `name` is for people: "reading the log".
    fn begin(&self, name: &str, unit: Unit, total: u64);

    /// So much of the present part is done.
    fn advance(&self, done: u64);

    /// So many rows of a file were read.
    fn rows(&self, _rows: u64) {}
}

/// Says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: &str, _: Unit, _: u64) {}

    fn advance(&self, _: u64) {}
}
