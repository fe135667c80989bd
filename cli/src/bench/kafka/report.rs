//! What was measured of the published log.

use super::super::meter::Compared;
use serde::Serialize;
use std::fmt::Write as _;

/// The published log.
#[derive(Debug, Clone, Serialize)]
pub(in crate::bench) struct KafkaReport {
    /// In the log that was published and read.
    pub(super) events: u64,
    /// The relay, beside a bare producer.
    pub(super) relay: Compared,
    /// The feed, beside a bare consumer.
    pub(super) feed: Compared,
    pub(super) delay: DelayToConsumer,
    pub(super) take_over: TakeOver,
    pub(super) outage: Outage,
}

/// From the answer of the API to somebody else's consumer.
#[derive(Debug, Clone, Serialize)]
pub(super) struct DelayToConsumer {
    pub(super) events_per_second: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) max_ms: f64,
}

/// From kill -9 of the active relay until an event that was appended then is read by a consumer.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TakeOver {
    pub(super) rounds: usize,
    pub(super) median_seconds: f64,
    pub(super) max_seconds: f64,
}

/// The memory of a relay whose broker is gone.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Outage {
    /// Events that wait in the log.
    pub(super) waiting: u64,
    /// Of a relay that has never reached a broker.
    pub(super) without_broker_mib: f64,
    /// The most of one whose broker died while it published as fast as it could.
    pub(super) peak_mib: f64,
}

impl KafkaReport {
    pub(in crate::bench) fn write(&self, text: &mut String) -> std::fmt::Result {
        writeln!(
            text,
            "\n{:<20} {:>9} {:>9} {:>10} {:>12}   ({} events)",
            "published log", "events/s", "own µs", "broker µs", "database µs", self.events
        )?;
        self.relay.write(text, ("relay", "bare producer"))?;
        self.feed.write(text, ("feed", "bare consumer"))?;
        let delay = &self.delay;
        writeln!(
            text,
            "from the API's answer to a consumer  p50 {:.2} ms, p99 {:.2} ms, at most {:.1} ms, at {:.0} events/s",
            delay.p50_ms, delay.p99_ms, delay.max_ms, delay.events_per_second
        )?;
        let take_over = &self.take_over;
        writeln!(
            text,
            "take-over after kill -9        {:.2} s, at most {:.2} s ({} times)",
            take_over.median_seconds, take_over.max_seconds, take_over.rounds
        )?;
        let outage = &self.outage;
        writeln!(
            text,
            "broker gone, {} events wait  at most {:.0} MiB; {:.0} MiB if it was never there",
            outage.waiting, outage.peak_mib, outage.without_broker_mib
        )
    }
}
