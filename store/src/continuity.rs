//! Whether a log is still the one that somebody has read: a running digest, and what a process does when it is not.
//!
//! A database that fails over to a standby, or is restored, can lose the end of the log and go on differently. Whoever
//! keeps anything in memory or beside the log would decide by events that never happened. Positions do not tell, and
//! neither do ids alone: those of requests and consequences are derived, so the same id may stand at the same position of
//! another history. So the head carries a digest of everything up to it, and every reader keeps a [`Checkpoint`].

use crate::error::StoreError;
use crate::event::{Position, StoredEvent};
use crate::port::Head;
use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// The running digest of a log: SHA-256 over the digest before (32 bytes), the event's id (16 bytes) and its
/// `recorded_at` (microseconds since 1970, a signed 64-bit integer, the highest byte first). That of an empty log is 32
/// zero bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of an empty log.
    pub const EMPTY: Digest = Digest([0; 32]);

    /// The digest after one more event.
    #[must_use]
    pub fn after(self, event_id: &Uuid, recorded_at: &DateTime<Utc>) -> Digest {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(event_id.as_bytes());
        hash.update(recorded_at.timestamp_micros().to_be_bytes());
        Digest(hash.finalize().into())
    }

    /// The digest after these events, which follow.
    #[must_use]
    pub fn after_all(self, events: &[StoredEvent]) -> Digest {
        let next = |digest: Digest, event: &StoredEvent| digest.after(&event.event_id, &event.recorded_at);
        events.iter().fold(self, next)
    }

    /// Reads 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Digest> {
        bytes.try_into().ok().map(Digest)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Digest, String> {
        let byte = |index: usize| u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok();
        let bytes: Option<Vec<u8>> = (0..32).map(byte).collect();
        let digest = bytes
            .filter(|_| text.len() == 64)
            .and_then(|bytes| Digest::from_bytes(&bytes));
        digest.ok_or_else(|| format!("{text:?} is not a digest of 64 hexadecimal digits"))
    }
}

/// Which event it is that somebody has seen: its id alone may be derived, and stand in another history as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventIdentity {
    /// Its id.
    pub event_id: Uuid,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
}

impl EventIdentity {
    /// Of this event.
    pub fn of(event: &StoredEvent) -> EventIdentity {
        EventIdentity {
            event_id: event.event_id,
            recorded_at: event.recorded_at,
        }
    }
}

/// How far somebody has read, and by which history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last position that was read; [`Position::START`] for none.
    pub position: Position,
    /// The id of the event there.
    pub event_id: Uuid,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// The log's digest up to there. None where nobody has read everything before: then the event alone is compared.
    pub digest: Option<Digest>,
}

impl Default for Checkpoint {
    fn default() -> Checkpoint {
        Checkpoint::START
    }
}

impl Checkpoint {
    /// Before the first event.
    pub const START: Checkpoint = Checkpoint {
        position: Position::START,
        event_id: Uuid::nil(),
        recorded_at: DateTime::UNIX_EPOCH,
        digest: Some(Digest::EMPTY),
    };

    /// After one more event, the one right behind.
    #[must_use]
    pub fn after(self, event: &StoredEvent) -> Checkpoint {
        Checkpoint {
            position: event.position,
            event_id: event.event_id,
            recorded_at: event.recorded_at,
            digest: self
                .digest
                .map(|digest| digest.after(&event.event_id, &event.recorded_at)),
        }
    }

    /// After these events, which follow without a gap.
    #[must_use]
    pub fn after_all(self, events: &[StoredEvent]) -> Checkpoint {
        events.iter().fold(self, Checkpoint::after)
    }

    /// At an event of which the log before is not known.
    pub fn at(event: &StoredEvent) -> Checkpoint {
        Checkpoint {
            digest: None,
            ..Checkpoint::START
        }
        .after(event)
    }

    /// Whether this is the event that was read last.
    pub fn is(&self, event: &StoredEvent) -> bool {
        (event.position, event.event_id, event.recorded_at) == (self.position, self.event_id, self.recorded_at)
    }

    /// Compares with a head that was read later: a log that ends before this checkpoint, or there by another digest, has
    /// lost what was read.
    ///
    /// # Errors
    /// [`StoreError::WentBack`].
    pub fn compare(&self, head: &Head) -> Result<(), StoreError> {
        let same = head.position != self.position || self.digest.is_none_or(|digest| digest == head.digest);
        match head.position >= self.position && same {
            true => Ok(()),
            false => Err(WentBack::new(self.position, head.position).into()),
        }
    }
}

/// The log does not have what was read from it before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WentBack {
    /// The last position that was read.
    pub seen: Position,
    /// Where the log ends now.
    pub head: Position,
}

impl WentBack {
    /// A log that was read up to one position, and ends at another now.
    pub fn new(seen: Position, head: Position) -> WentBack {
        WentBack { seen, head }
    }
}

impl fmt::Display for WentBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WentBack { seen, head } = self;
        write!(f, "the log went back: events up to position {seen} were read before, ")?;
        match head < seen {
            true => write!(f, "and it ends at {head} now")?,
            false => write!(f, "and it has another history there now (it ends at {head})")?,
        }
        f.write_str(
            "; the database was restored, or failed over to a copy without them. Find out what is missing, then run \
             `viral log accept --reason TEXT` and restart this process",
        )
    }
}

impl std::error::Error for WentBack {}

/// The clock of the head's server moved by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockLeapt {
    /// By how many seconds, forward or back.
    pub seconds: i64,
    /// What it says now.
    pub now: DateTime<Utc>,
}

impl fmt::Display for ClockLeapt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ClockLeapt { seconds, now } = self;
        write!(
            f,
            "the clock of the log's server leapt by {seconds} s, to {}: nothing is appended, since one wrong time would \
             expire holds for good. Set the clock right, or, if it is right now, run `viral log accept --clock --reason \
             TEXT`",
            crate::event::time_text(now)
        )
    }
}

impl std::error::Error for ClockLeapt {}

/// What the clock of the head's server said, and between which two readings of this machine's uptime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// What it said.
    pub time: DateTime<Utc>,
    /// The uptime before it was asked.
    pub asked: Duration,
    /// The uptime after it had answered.
    pub answered: Duration,
    /// Where the log ended as far as it was known then: what an operator accepts later stands behind it.
    pub position: Position,
}

/// What a process knows of the log that it works on. Each store has one, so that whoever notices something stops everybody
/// who decides by the same log.
#[derive(Debug, Default)]
pub struct Continuity {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    furthest: Checkpoint,
    went_back: Option<WentBack>,
    clock: Option<ClockReading>,
    clock_leapt: Option<ClockLeapt>,
}

impl Continuity {
    fn known(&self) -> MutexGuard<'_, Known> {
        // A panic elsewhere cannot leave it half changed: every change is one assignment.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of what was read or appended.
    pub fn saw(&self, checkpoint: Checkpoint) {
        let mut known = self.known();
        let furthest = known.furthest;
        // One that knows its digest says more than one that does not.
        let says_more = checkpoint.position == furthest.position && furthest.digest.is_none();
        if known.went_back.is_none() && (checkpoint.position > furthest.position || says_more) {
            known.furthest = checkpoint;
        }
    }

    /// The last event that anybody in this process has read, as far as it was noted.
    pub fn furthest(&self) -> Checkpoint {
        self.known().furthest
    }

    /// Passes a result on; a log that went back stays so until the process is started again.
    pub fn watch<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::WentBack(went_back)) = &result {
            let mut known = self.known();
            if known.went_back.is_none() {
                tracing::error!(seen = %went_back.seen, head = %went_back.head, "{went_back}");
            }
            known.went_back.get_or_insert(*went_back);
        }
        result
    }

    /// What stops every decision, if anything does.
    ///
    /// # Errors
    /// [`StoreError::WentBack`] for as long as the process lives, [`StoreError::ClockLeapt`] until that is over.
    pub fn check(&self) -> Result<(), StoreError> {
        let known = self.known();
        match (known.went_back, known.clock_leapt) {
            (Some(went_back), _) => Err(went_back.into()),
            (None, Some(leapt)) => Err(leapt.into()),
            (None, None) => Ok(()),
        }
    }

    /// Whether the log went back.
    pub fn went_back(&self) -> Option<WentBack> {
        self.known().went_back
    }

    /// What the clock of the head's server said when it was last right.
    pub fn clock(&self) -> Option<ClockReading> {
        self.known().clock
    }

    /// Takes note of what the clock of the head's server says.
    pub fn set_clock(&self, reading: ClockReading) {
        self.known().clock = Some(reading);
    }

    /// Whether that clock leapt.
    pub fn clock_leapt(&self) -> Option<ClockLeapt> {
        self.known().clock_leapt
    }

    /// Says whether the clock of the head's server leapt, or that it is right again.
    pub fn set_clock_leapt(&self, leapt: Option<ClockLeapt>) {
        let mut known = self.known();
        if let Some(leapt) = leapt.filter(|_| known.clock_leapt.is_none()) {
            tracing::error!(seconds = leapt.seconds, "{leapt}");
        }
        known.clock_leapt = leapt;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(position: u64, digest: Digest) -> Head {
        Head {
            position: Position(position),
            recorded_at: DateTime::UNIX_EPOCH,
            digest,
        }
    }

    #[test]
    fn the_digest_is_what_its_description_says() {
        // printf '%064d0195a2f000007000800000000000000200063c1a5a5b8000' 0 | xxd -r -p | sha256sum, by other tools.
        let id: Uuid = "0195a2f0-0000-7000-8000-000000000002".parse().unwrap();
        let at: DateTime<Utc> = "2026-03-02T09:00:03.000000Z".parse().unwrap();
        let mut bytes = vec![0_u8; 32];
        bytes.extend_from_slice(id.as_bytes());
        bytes.extend_from_slice(&1_772_442_003_000_000_i64.to_be_bytes());
        let expected = Digest(Sha256::digest(&bytes).into());
        assert_eq!(Digest::EMPTY.after(&id, &at), expected);
        assert_eq!(expected.to_string().parse(), Ok(expected));
        for text in ["", "00", &"g".repeat(64), &"0".repeat(66), &"é".repeat(32)] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_head_that_is_shorter_or_differs_at_the_same_place_went_back() {
        let at = Checkpoint {
            position: Position(5),
            digest: Some(Digest([1; 32])),
            ..Checkpoint::START
        };
        let went_back = |head| Err(StoreError::WentBack(WentBack::new(Position(5), Position(head))));
        assert_eq!(at.compare(&head(5, Digest([1; 32]))), Ok(()));
        assert_eq!(at.compare(&head(6, Digest([2; 32]))), Ok(()));
        assert_eq!(at.compare(&head(4, Digest([1; 32]))), went_back(4));
        assert_eq!(at.compare(&head(5, Digest([2; 32]))), went_back(5));
        assert_eq!(Checkpoint::START.compare(&head(0, Digest::EMPTY)), Ok(()));
    }

    #[test]
    fn what_went_back_stays_so_and_a_clock_may_be_set_right() {
        let continuity = Continuity::default();
        let leapt = ClockLeapt {
            seconds: 90,
            now: DateTime::UNIX_EPOCH,
        };
        continuity.set_clock_leapt(Some(leapt));
        assert_eq!(continuity.check(), Err(leapt.into()));
        continuity.set_clock_leapt(None);
        assert_eq!(continuity.check(), Ok(()));
        let went_back = WentBack::new(Position(5), Position(3));
        let _ = continuity.watch::<()>(Err(went_back.into()));
        assert_eq!(continuity.check(), Err(went_back.into()));
        continuity.set_clock_leapt(None);
        let _ = continuity.watch(Ok(()));
        assert_eq!(continuity.check(), Err(went_back.into()));
    }
}
