//! The one clock of a log: that of the server which has its head.
//!
//! Processes on several machines have several clocks. If each stamped its events by its own, one that is a day ahead would
//! expire holds that others still count on, and every later event would be stamped in the future for good. So the time of
//! an event comes from the head's server, asked after the lock was had, and the process's own clock only fills the time
//! between: corrected by what was seen last.

use super::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use viral_ledger::timestamp;
use viral_store::continuity::{ClockLeapt, ClockReading};
use viral_store::{EventStore, Position, StoreError};

/// By how much the server's clock may move by itself.
const TOLERANCE: TimeDelta = TimeDelta::minutes(1);

/// For how long this machine has been up, its sleep included: a clock that nobody can set.
pub type Uptime = Arc<dyn Fn() -> Duration + Send + Sync>;

/// The system's own uptime (`CLOCK_BOOTTIME`).
pub fn uptime() -> Duration {
    use nix::time::{ClockId, clock_gettime};
    // It cannot fail for a clock that every Linux since 2.6.39 has.
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from)
}

/// What the clock of the log's server says now, if the log has one. Where the log ends is for the caller to say.
pub async fn read_clock(store: &dyn EventStore, uptime: &Uptime) -> Result<Option<ClockReading>, StoreError> {
    let asked = uptime();
    let time = store.clock().await?;
    let answered = uptime();
    Ok(time.map(|time| ClockReading {
        time,
        asked,
        answered,
        position: Position::START,
    }))
}

/// The present, for whoever does not hold the head.
#[derive(Clone)]
pub(super) struct LogClock {
    own: Clock,
    /// By how many microseconds the server's clock is ahead of our own.
    offset: Arc<AtomicI64>,
}

impl fmt::Debug for LogClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogClock")
            .field("offset", &self.offset())
            .finish_non_exhaustive()
    }
}

impl LogClock {
    pub(super) fn new(own: Clock) -> LogClock {
        LogClock {
            own,
            offset: Arc::default(),
        }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        timestamp::truncate((self.own)() + self.offset())
    }

    /// By how much the server's clock is ahead of our own.
    pub(super) fn offset(&self) -> TimeDelta {
        TimeDelta::microseconds(self.offset.load(Ordering::Relaxed))
    }

    /// Takes note of what the server's clock says.
    pub(super) fn correct(&self, server: DateTime<Utc>) {
        let offset = (server - (self.own)()).num_microseconds().unwrap_or_default();
        self.offset.store(offset, Ordering::Relaxed);
    }
}

/// Whether a clock was set between two readings: whether it says something else than how much time has passed. Suspending
/// the machine is no leap: both clocks go on.
pub fn leap(last: ClockReading, now: ClockReading) -> Option<ClockLeapt> {
    let elapsed = now.time - last.time;
    let since_boot = |uptime| TimeDelta::from_std(uptime).unwrap_or(TimeDelta::MAX);
    let delta = |to, from| since_boot(to) - since_boot(from);
    // The time was read somewhere between asking and answering: whatever fits is no leap.
    let (least, most) = (delta(now.asked, last.answered), delta(now.answered, last.asked));
    let leap = if elapsed > most {
        elapsed - most
    } else if elapsed < least {
        elapsed - least
    } else {
        TimeDelta::zero()
    };
    (leap.abs() > TOLERANCE).then(|| ClockLeapt {
        // Rounded: the answer took a moment.
        seconds: (leap.num_milliseconds() + 500 * leap.num_milliseconds().signum()) / 1_000,
        now: now.time,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(time: i64, asked: u64, answered: u64) -> ClockReading {
        ClockReading {
            time: DateTime::from_timestamp(time, 0).unwrap(),
            asked: Duration::from_secs(asked),
            answered: Duration::from_secs(answered),
            position: Position::START,
        }
    }

    fn seconds(last: ClockReading, now: ClockReading) -> Option<i64> {
        leap(last, now).map(|leapt| leapt.seconds)
    }

    #[test]
    fn a_clock_that_is_set_is_noticed() {
        let last = reading(1_000_000, 10, 10);
        // An hour passes, or a suspended machine wakes up: both clocks agree. Small corrections pass.
        for (time, up) in [
            (1_000_000, 10),
            (1_003_600, 3_610),
            (1_003_660, 3_610),
            (1_003_540, 3_610),
        ] {
            assert_eq!(seconds(last, reading(time, up, up)), None, "{time}");
        }
        assert_eq!(seconds(last, reading(1_090_000, 3_610, 3_610)), Some(86_400));
        assert_eq!(seconds(last, reading(1_002_880, 3_610, 3_610)), Some(-720));
        assert_eq!(seconds(last, reading(1_000_061, 10, 10)), Some(61));
    }

    #[test]
    fn slow_answers_and_frozen_processes_are_no_leap() {
        // The answer took 200 s; the clock may have been read at any moment of them.
        let slow = reading(1_000_000, 10, 210);
        for time in [1_000_000, 1_000_200] {
            assert_eq!(seconds(slow, reading(time, 211, 211)), None, "{time}");
        }
        assert_eq!(seconds(slow, reading(1_000_262, 211, 211)), Some(61));
        let frozen = reading(1_000_002, 212, 1_000);
        assert_eq!(seconds(reading(1_000_001, 211, 211), frozen), None);
        assert_eq!(seconds(frozen, reading(1_000_790, 1_001, 1_001)), None);
    }

    #[test]
    fn the_present_is_corrected_by_what_was_seen() {
        let own: DateTime<Utc> = "2026-01-02T00:00:00Z".parse().unwrap();
        let clock = LogClock::new(Arc::new(move || own));
        assert_eq!(clock.now(), own);
        let server = own - TimeDelta::days(1);
        clock.correct(server);
        assert_eq!((clock.now(), clock.offset()), (server, TimeDelta::days(-1)));
    }

    #[test]
    fn the_uptime_goes_on() {
        let before = uptime();
        assert!(before > Duration::ZERO && uptime() >= before);
    }
}
