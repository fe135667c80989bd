//! How much the API takes on at once, and how long it waits for its clients.

use std::time::Duration;

/// Limits on connections and requests. Each keeps one client, or many, from taking everything that a process has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a client may take to send the headers of a request; on a new connection, from its beginning.
    pub header: Duration,
    /// How long a connection is kept open between two requests.
    pub idle: Duration,
    /// How long a client may take to send a request's body.
    pub body: Duration,
    /// How long a client may take nothing of an answer that is being sent.
    pub write: Duration,
    /// How many connections are open at once. For the next one, the one that has waited longest for its client is closed.
    pub connections: usize,
    /// How many reads are worked on at once.
    pub reads: usize,
    /// How many other requests are worked on at once.
    pub writes: usize,
    /// How many reads, and how many other requests, wait for that. Further ones are refused with 503 `overloaded`.
    pub queue: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            header: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            body: Duration::from_secs(30),
            write: Duration::from_secs(30),
            connections: 500,
            reads: 256,
            writes: 1_024,
            queue: 1_024,
        }
    }
}
