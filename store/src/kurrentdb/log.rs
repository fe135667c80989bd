//! The log as this process knows it: the index, kept up with the end of the stream, and records fetched when they are
//! asked for.
//!
//! Following is asking: a read from the first unknown revision on, which is one short call when there is nothing new.
//! Callers that come while one is under way share the next. The client's subscriptions are not used: where a server or
//! a proxy ends one in the ordinary way, they spin without end and cannot be stopped (kurrentdb 1.2,
//! `Subscription::next_subscription_event`), and nothing here would be right only because a subscription said so.

use super::cache::{Cache, Events};
use super::connection::{Appended, Connection};
use super::index::Index;
use super::records;
use crate::continuity::{Continuity, WentBack};
use crate::error::StoreError;
use crate::event::{Position, StoredEvent};
use crate::port::Head;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use kurrentdb::{EventData, StreamState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

/// How often somebody who waits looks for what other processes append. What this one appends is seen at once.
const POLL: Duration = Duration::from_millis(50);

/// Records that are not wanted are read along when there are fewer than so many between two that are: that is cheaper
/// than another call.
const NEAR: u64 = 8;

/// The type of the records that only the server's clock is read from.
const CLOCK: &str = "viral.clock";

pub(super) struct Log {
    pub(super) connection: Connection,
    pub(super) stream: String,
    pub(super) source: String,
    index: RwLock<Index>,
    cache: Mutex<Cache>,
    moved: watch::Sender<Position>,
    /// How many callers have asked for the end of the log so far.
    asked: AtomicU64,
    follower: tokio::sync::Mutex<Follower>,
    pub(super) continuity: Continuity,
    clock: ServerClock,
}

/// What the server's clock says. It can only be seen on records: each has the time at which the server took it.
#[derive(Default)]
struct ServerClock {
    /// By how much it is ahead of our own; none before it was seen.
    offset: Mutex<Option<TimeDelta>>,
    /// The record that this process appended last, and when.
    appended: Mutex<Option<(u64, DateTime<Utc>)>>,
}

impl ServerClock {
    fn now(&self) -> Option<DateTime<Utc>> {
        let offset = *self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        offset.map(|offset| Utc::now() + offset)
    }

    fn appending(&self, revision: u64) {
        *self.appended.lock().unwrap_or_else(PoisonError::into_inner) = Some((revision, Utc::now()));
    }

    fn saw(&self, revision: u64, created: DateTime<Utc>) {
        let appended = self.appended.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((_, at)) = appended.filter(|(ours, _)| *ours == revision) {
            self.set(created - at);
        }
    }

    fn set(&self, offset: TimeDelta) {
        *self.offset.lock().unwrap_or_else(PoisonError::into_inner) = Some(offset);
    }
}

struct Follower {
    /// How many of those who asked have an answer: what was appended before they asked is in the index, or it could not
    /// be read. That they share as well: whoever waited for a silent server does not wait again for his own turn.
    served: u64,
    result: Result<(), StoreError>,
    /// When the server last answered.
    at: Instant,
}

impl Log {
    pub(super) fn new(connection: Connection, stream: String, source: String) -> Log {
        Log {
            connection,
            stream,
            source,
            index: RwLock::new(Index::new()),
            cache: Mutex::default(),
            moved: watch::channel(Position::START).0,
            asked: AtomicU64::new(0),
            follower: tokio::sync::Mutex::new(Follower {
                served: 0,
                result: Ok(()),
                at: Instant::now(),
            }),
            continuity: Continuity::default(),
            clock: ServerClock::default(),
        }
    }

    /// Our own clock, corrected by what was seen of the server's at the last append.
    pub(super) fn now(&self) -> Option<DateTime<Utc>> {
        self.clock.now()
    }

    /// Makes the server's clock known before the first append, on a record beside the log: an event of a process whose own
    /// clock is wrong would have that time.
    pub(super) async fn look_at_clock(&self) -> Result<(), StoreError> {
        if self.now().is_some() {
            return Ok(());
        }
        let stream = format!("{}-clock", self.stream);
        let record = EventData::binary(CLOCK, Bytes::new()).id(Uuid::now_v7());
        let asked = Utc::now();
        if let Appended::At(revision) = self.connection.append(&stream, StreamState::Any, record).await?
            && let Some(record) = self.connection.read(&stream, revision, 1).await?.next().await?
        {
            self.clock.set(record.created - asked);
        }
        Ok(())
    }

    /// A record is about to be appended at this revision.
    pub(super) fn appending(&self, revision: u64) {
        self.clock.appending(revision);
    }

    pub(super) fn index(&self) -> RwLockReadGuard<'_, Index> {
        // A panic elsewhere cannot leave it half changed: it only changes in `add`, which cannot panic in between.
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in everything that was appended before this call.
    pub(super) async fn catch_up(&self) -> Result<Head, StoreError> {
        let ticket = self.asked.fetch_add(1, Ordering::SeqCst);
        let mut follower = self.follower.lock().await;
        if follower.served <= ticket {
            let serves = self.asked.load(Ordering::SeqCst);
            follower.result = self.read_on().await;
            follower.served = serves;
            follower.at = Instant::now();
        }
        follower.result.clone()?;
        Ok(self.index().head())
    }

    async fn read_on(&self) -> Result<(), StoreError> {
        // The last record that is known is read again: another one there is another history.
        let (known, id) = self.index().last_record();
        let mut records = self.connection.read(&self.stream, known, u64::MAX).await?;
        match records.next().await? {
            Some(record) if record.revision == known && id.is_none_or(|id| id == record.id) => {
                self.clock.saw(known, record.created);
            }
            None if !records.found() => {
                return Err(StoreError::Corrupt(format!("the stream {} is gone", self.stream)));
            }
            _ => return Err(self.went_back().await),
        }
        while let Some(record) = records.next().await? {
            let last = self.index().last_revision();
            if record.revision > last + 1 {
                let missing = format!("missing, record {} follows: the stream was truncated", record.revision);
                return Err(records::damaged(&self.stream, last + 1, &missing));
            }
            // This process has written it in the meantime.
            if record.revision <= last {
                continue;
            }
            let events = records::events(&self.stream, &self.source, &record)?;
            self.take(record.revision, record.id, events.into())?;
        }
        Ok(())
    }

    /// The stream does not have the last record that is known. From here on nobody decides by this log.
    pub(super) async fn went_back(&self) -> StoreError {
        let seen = self.index().head().position;
        let went_back = self.end().await.map(|head| WentBack::new(seen, head));
        match went_back {
            Ok(went_back) => {
                // It only takes note.
                let _ = self.continuity.watch::<()>(Err(went_back.into()));
                went_back.into()
            }
            Err(error) => error,
        }
    }

    /// The last position that the stream has, whatever is known here.
    async fn end(&self) -> Result<Position, StoreError> {
        let (mut from, mut step) = (self.index().last_revision(), 1);
        loop {
            let mut records = self.connection.read(&self.stream, from, u64::MAX).await?;
            let mut last = None;
            while let Some(record) = records.next().await? {
                last = Some(record);
            }
            match last {
                Some(record) => return records::last_position(&self.stream, &record),
                None if from == 0 => return Ok(Position::START),
                None => (from, step) = (from.saturating_sub(step), step * 2),
            }
        }
    }

    /// Takes in a record, unless it is known.
    pub(super) fn take(&self, revision: u64, id: Uuid, events: Events) -> Result<(), StoreError> {
        let head = {
            let mut index = self.index_mut();
            if revision != index.last_revision() + 1 {
                return Ok(());
            }
            index
                .check(&events)
                .map_err(|problem| records::damaged(&self.stream, revision, &problem))?;
            index.add(id, &events);
            index.head()
        };
        self.cache().put(revision, events);
        self.moved.send_replace(head.position);
        Ok(())
    }

    /// Waits until there are events after a position, at most until the deadline.
    pub(super) async fn wait_for(&self, after: Position, deadline: Instant) -> Result<Head, StoreError> {
        let mut moved = self.moved.subscribe();
        let mut head = self.catch_up().await?;
        while head.position <= after && Instant::now() < deadline {
            let until = deadline.min(Instant::now() + POLL);
            // Either it came, or it is time to look: the head answers both.
            let _ = tokio::time::timeout_at(until, moved.wait_for(|position| *position > after)).await;
            head = self.head_of_late().await?;
        }
        Ok(head)
    }

    /// The end of the log as it was a moment ago: many who wait look together.
    async fn head_of_late(&self) -> Result<Head, StoreError> {
        let looked_at = match self.follower.try_lock() {
            Ok(follower) if follower.result.is_ok() => follower.at,
            _ => return self.catch_up().await,
        };
        match looked_at.elapsed() < POLL / 2 {
            true => Ok(self.index().head()),
            false => self.catch_up().await,
        }
    }

    /// The events at some positions that the index knows; both in ascending order.
    pub(super) async fn at(&self, positions: &[u64]) -> Result<Vec<StoredEvent>, StoreError> {
        let wanted: Vec<(u64, u64)> = {
            let index = self.index();
            let of = |position: &u64| (*position, index.revision_of(*position));
            positions.iter().map(of).collect()
        };
        let mut events = Vec::with_capacity(positions.len());
        for run in wanted.chunk_by(|(_, one), (_, next)| next - one <= NEAR) {
            let Some(((_, first), (_, last))) = run.first().zip(run.last()) else {
                continue;
            };
            let records = self.records(*first, *last).await?;
            let mut found = records.iter().flat_map(|record| record.iter());
            for (position, revision) in run {
                let event = found.find(|event| event.position.0 == *position).cloned();
                events.push(event.ok_or_else(|| {
                    let problem = format!("position {position} is not in it any more");
                    records::damaged(&self.stream, *revision, &problem)
                })?);
            }
        }
        Ok(events)
    }

    /// The events after a position and up to another one that the index knows, in order.
    pub(super) async fn between(&self, after: Position, up_to: Position) -> Result<Vec<StoredEvent>, StoreError> {
        if up_to <= after {
            return Ok(Vec::new());
        }
        let (first, last) = {
            let index = self.index();
            (index.revision_of(after.0 + 1), index.revision_of(up_to.0))
        };
        let mut events = Vec::with_capacity(usize::try_from(up_to.0 - after.0).unwrap_or_default());
        for record in self.records(first, last).await? {
            let wanted = record
                .iter()
                .filter(|event| event.position > after && event.position <= up_to);
            events.extend(wanted.cloned());
        }
        Ok(events)
    }

    /// Records that the index knows, from one revision to another. Those that are not at hand are read from the server.
    async fn records(&self, first: u64, last: u64) -> Result<Vec<Events>, StoreError> {
        let mut found = Vec::new();
        let mut next = first;
        while next <= last {
            let missing = {
                let cache = self.cache();
                while let Some(record) = cache.get(next).filter(|_| next <= last) {
                    found.push(record);
                    next += 1;
                }
                (next..=last)
                    .take_while(|revision| cache.get(*revision).is_none())
                    .count() as u64
            };
            if missing > 0 {
                found.extend(self.fetch(next, missing).await?);
                next += missing;
            }
        }
        Ok(found)
    }

    async fn fetch(&self, first: u64, count: u64) -> Result<Vec<Events>, StoreError> {
        let mut found = Vec::new();
        let mut records = self.connection.read(&self.stream, first, count).await?;
        for revision in first..first + count {
            let damaged = |problem: &str| records::damaged(&self.stream, revision, problem);
            let record = records.next().await?.filter(|record| record.revision == revision);
            let record = record.ok_or_else(|| damaged("missing: the stream was truncated"))?;
            let events: Events = records::events(&self.stream, &self.source, &record)?.into();
            let position = events.first().map(|event| event.position.0);
            if position != self.index().first_of(revision) {
                return Err(damaged("it begins at another position than it did"));
            }
            self.cache().put(revision, events.clone());
            found.push(events);
        }
        Ok(found)
    }
}
