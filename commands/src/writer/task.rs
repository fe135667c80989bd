//! The task behind the writer: one batch after the other.

mod apart;

use super::clock::{LogClock, leap};
use super::in_time::{follow_in_time, in_time};
use super::{Answer, Answered, Counters, Message, Read, Settings};
use crate::batch::{Batch, Purpose, Verdict, lookups};
use crate::book_reader::BookAt;
use crate::error::{AppendError, Rejection};
use crate::unit::{Part, Unit};
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use uuid::Uuid;
use viral_ledger::timestamp;
use viral_store::continuity::ClockReading;
use viral_store::{Checkpoint, EventStore, Position, Snapshot, StoreError, StoredEvent};

/// After so long without a batch, others may have appended more than should be read under the lock.
const IDLE: Duration = Duration::from_secs(1);

/// Units of one caller, and where to answer.
pub(super) struct Waiting {
    units: Vec<Unit>,
    purpose: Purpose,
    answer: oneshot::Sender<Vec<Answer>>,
}

pub(super) struct Task {
    pub(super) store: Arc<dyn EventStore>,
    pub(super) settings: Settings,
    pub(super) state: BookAt,
    pub(super) receiver: mpsc::Receiver<Message>,
    pub(super) waiting: Vec<Waiting>,
    /// Units of a commit whose outcome was not known: if they are found in the log now, this call has appended them.
    pub(super) attempted: HashSet<Uuid>,
    /// When the last batch was done.
    pub(super) idle_since: Instant,
    pub(super) counters: Arc<Counters>,
    pub(super) clock: LogClock,
    /// What the last batch was appended to.
    pub(super) appended_to: Checkpoint,
}

impl Task {
    pub(super) async fn run(mut self) {
        while let Some(message) = self.receiver.recv().await {
            match message {
                Message::Append(units, purpose, answer) => {
                    self.waiting.push(Waiting { units, purpose, answer });
                    if self.write().await {
                        self.snapshot_if_due().await;
                    }
                }
                Message::Read(at_least, look, read) => self.read(at_least, look, read).await,
                Message::Snapshot(answer) => {
                    let result = self.snapshot().await;
                    let _ = answer.send(result);
                }
            }
        }
    }

    /// Answers a read between two batches. The book is only behind where another process appends.
    async fn read(&mut self, at_least: Position, look: Option<ClockReading>, read: Read) {
        let limit = self.settings.call_timeout;
        let followed = follow_in_time(limit, self.state.follow(self.store.as_ref(), at_least)).await;
        if let Some(look) = look {
            // It takes note of a clock that was set, or is right again.
            let _ = self.time(Some(look.time), look.asked, look.answered);
        }
        match followed {
            Ok(()) => read(Ok((&self.state.book, self.state.position()))),
            Err(error) => read(Err(error)),
        }
    }

    /// Appends everything that waits, trying again for a while when the store cannot be reached. Answers whether the
    /// store took it.
    async fn write(&mut self) -> bool {
        let mut later = Vec::new();
        let written = match self.write_in_time(&mut later).await {
            Ok(()) => true,
            Err(error) if is_refused(&error) && self.count() > 1 => self.write_apart().await,
            Err(error) => {
                self.fail(&error);
                false
            }
        };
        self.attempted.clear();
        for message in later {
            match message {
                Message::Read(at_least, look, read) => self.read(at_least, look, read).await,
                Message::Snapshot(answer) => {
                    let _ = answer.send(self.snapshot().await);
                }
                Message::Append(..) => {}
            }
        }
        written
    }

    /// As [`Task::try_write`], again and again for a while when the store cannot be reached.
    async fn write_in_time(&mut self, later: &mut Vec<Message>) -> Result<(), AppendError> {
        let deadline = Instant::now() + self.settings.patience;
        let mut pause = Duration::from_millis(20);
        loop {
            match self.try_write(later).await {
                Ok(()) => return Ok(()),
                // Nothing is wrong: others append, too. What they appended is read, and this decided on top of it.
                Err(error) if is_overtaken(&error) && Instant::now() < deadline => {
                    tracing::debug!("another process has appended first, deciding anew");
                }
                Err(error) if error.is_retryable() && !is_full(&error) && Instant::now() + pause < deadline => {
                    tracing::warn!(%error, "appending failed, trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(1));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Answers everything that waits with an error.
    fn fail(&mut self, error: &AppendError) {
        // What stops every append was said once, when it was noticed; a refusal is its caller's alone.
        if self.store.continuity().check().is_ok() && !is_refused(error) {
            tracing::error!(%error, "a batch was not appended, or it is not known whether it was");
        }
        for waiting in self.waiting.drain(..) {
            let unknown = |unit: &Unit| self.attempted.contains(&unit.id);
            let answer = |unit: &Unit| {
                Err(if unknown(unit) {
                    error.clone().unknown()
                } else {
                    error.clone()
                })
            };
            let answers = waiting.units.iter().map(answer).collect();
            // A caller that went away does not wait for the answer.
            let _ = waiting.answer.send(answers);
        }
    }

    /// How many units wait.
    fn count(&self) -> usize {
        self.waiting.iter().map(|waiting| waiting.units.len()).sum()
    }

    /// One transaction. After an error the book is as before.
    async fn try_write(&mut self, later: &mut Vec<Message>) -> Result<(), AppendError> {
        let limit = self.settings.call_timeout;
        if let Some(went_back) = self.store.continuity().went_back() {
            return Err(StoreError::from(went_back).into());
        }
        if self.idle_since.elapsed() > IDLE {
            // Much may have been appended by others. It is read before the lock, so that under it little is left to read.
            let head = in_time(limit, self.store.head()).await?;
            follow_in_time(limit, self.state.follow(self.store.as_ref(), head.position)).await?;
        }
        let asked = (self.settings.uptime)();
        let mut locked = in_time(limit, self.store.lock()).await?;
        let answered = (self.settings.uptime)();
        // Whoever came while we waited for the lock comes along.
        self.gather(later);
        let caught_up = self.state.catch_up(self.store.as_ref(), locked.as_mut());
        follow_in_time(limit, caught_up).await?;
        let now = match self.time(locked.now(), asked, answered) {
            Ok(now) => now,
            Err(leapt) => {
                in_time(limit, locked.release()).await?;
                return Err(leapt.into());
            }
        };
        let (ids, streams) = lookups(self.waiting.iter().flat_map(|waiting| &waiting.units));
        let check = in_time(limit, locked.check(&ids, &streams)).await?;

        let now = now.max(locked.head().recorded_at);
        let savepoint = self.state.book.savepoint();
        let mut batch = Batch::new(&mut self.state, self.store.as_ref(), now, streams, check);
        let verdicts: Vec<Vec<Verdict>> = self
            .waiting
            .iter()
            .map(|waiting| batch.decide_all(&waiting.units, waiting.purpose))
            .collect();
        let events = std::mem::take(&mut batch.events);
        let written = match events.is_empty() {
            true => in_time(limit, locked.release()).await.map(|()| None),
            false => in_time(limit, locked.append(&events)).await.map(Some),
        };
        let appended = match written {
            Ok(appended) => appended,
            Err(error) => {
                self.state.book.rollback(savepoint);
                self.state.book.forget();
                // Those of which it is certain that they were not written may be written by somebody else still.
                let perhaps_written = match error {
                    StoreError::Overtaken { written } => written,
                    StoreError::Refused(_) => 0,
                    _ => events.len(),
                };
                let units = self.waiting.iter().flat_map(|waiting| &waiting.units);
                let attempted = units.zip(verdicts.iter().flatten());
                let attempted = attempted
                    .filter(|(_, verdict)| matches!(verdict, Verdict::Accepted(range) if range.end <= perhaps_written));
                self.attempted.extend(attempted.map(|(unit, _)| unit.id));
                return Err(error.into());
            }
        };
        self.state.book.forget();
        self.idle_since = Instant::now();
        if let (Some(head), Some(last)) = (appended, events.last()) {
            self.appended_to = self.state.at;
            self.state.at = Checkpoint {
                digest: Some(head.digest),
                ..Checkpoint::at(last)
            };
            self.store.continuity().saw(self.state.at);
            self.counters.batches.fetch_add(1, Ordering::Relaxed);
            self.counters.events.fetch_add(events.len() as u64, Ordering::Relaxed);
        }
        self.answer(verdicts, events);
        Ok(())
    }

    /// The time by which a batch is decided and recorded: the server's, unless it leapt.
    fn time(
        &mut self,
        server: Option<DateTime<Utc>>,
        asked: Duration,
        answered: Duration,
    ) -> Result<DateTime<Utc>, StoreError> {
        let (None, Some(time)) = (&self.settings.clock, server) else {
            return Ok(self.clock.now());
        };
        let continuity = self.store.continuity();
        let now = ClockReading {
            time,
            asked,
            answered,
            position: self.state.position(),
        };
        // What was accepted since the clock was last right is right.
        let last = continuity
            .clock()
            .filter(|last| self.state.clock_accepted <= last.position);
        let leapt = last.and_then(|last| leap(last, now));
        continuity.set_clock_leapt(leapt);
        if let Some(leapt) = leapt {
            return Err(leapt.into());
        }
        continuity.set_clock(now);
        self.clock.correct(time);
        Ok(timestamp::truncate(time))
    }

    fn gather(&mut self, later: &mut Vec<Message>) {
        let mut count = self.count();
        while count < self.settings.max_batch {
            match self.receiver.try_recv() {
                Ok(Message::Append(units, purpose, answer)) => {
                    count += units.len();
                    self.waiting.push(Waiting { units, purpose, answer });
                }
                Ok(message) => later.push(message),
                Err(_) => break,
            }
        }
    }

    fn answer(&mut self, verdicts: Vec<Vec<Verdict>>, events: Vec<StoredEvent>) {
        let attempted = &self.attempted;
        let mut events: Vec<Option<StoredEvent>> = events.into_iter().map(Some).collect();
        let first = events
            .first()
            .and_then(|event| event.as_ref())
            .map_or(Position::START, |event| event.position);
        for (waiting, verdicts) in self.waiting.drain(..).zip(verdicts) {
            let ids = waiting.units.iter().map(|unit| unit.id);
            let answers = ids
                .zip(verdicts)
                .map(|(id, verdict)| match verdict {
                    Verdict::Accepted(range) => Ok(Answered::Appended(
                        events[range].iter_mut().filter_map(Option::take).collect(),
                    )),
                    Verdict::Rehearsed(events) => Ok(Answered::Appended(events)),
                    Verdict::Duplicate(position) if attempted.contains(&id) => Ok(Answered::AppendedAt(position)),
                    Verdict::Duplicate(position) => Ok(Answered::Duplicate(position)),
                    Verdict::DuplicateInBatch(range) => Ok(Answered::Duplicate(Position(first.0 + range.start as u64))),
                    Verdict::Refused(error) => Err(error),
                })
                .collect();
            // A caller that went away has its unit in the log all the same.
            let _ = waiting.answer.send(answers);
        }
    }

    async fn snapshot_if_due(&mut self) {
        let accounts = u64::try_from(self.state.book.account_count()).unwrap_or(u64::MAX);
        let interval = self.settings.snapshot_every.max(accounts.saturating_mul(10));
        if self.state.position().0 - self.state.snapshot.0 < interval {
            return;
        }
        if let Err(error) = self.snapshot().await {
            // Where the event could not be appended, the next batch tries again.
            tracing::warn!(%error, "no snapshot was taken");
        }
    }

    /// Appends a snapshot event, alone in its batch, and keeps the state beside the log.
    async fn snapshot(&mut self) -> Result<(), AppendError> {
        let (answer, mut receiver) = oneshot::channel();
        let unit = Unit::new(Uuid::now_v7(), vec![Part::Snapshot]).with_actor("system:writer");
        let others = std::mem::replace(
            &mut self.waiting,
            vec![Waiting {
                units: vec![unit],
                purpose: Purpose::Append,
                answer,
            }],
        );
        let result = self.write_alone().await;
        self.waiting = others;
        self.attempted.clear();
        result?;
        let answered = receiver.try_recv().ok().and_then(|mut answers| answers.pop());
        match answered {
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error),
            None => return Err(AppendError::Stopped),
        }
        // The snapshot event is alone in its batch: the state is the one that it was appended to.
        let Checkpoint { position, digest, .. } = self.appended_to;
        self.state.snapshot = position;
        let snapshot = Snapshot {
            position: self.state.snapshot,
            state: self.state.book.state_text(),
            digest,
        };
        in_time(self.settings.call_timeout, self.store.save_snapshot(&snapshot)).await?;
        tracing::info!(position = %snapshot.position, "snapshot taken");
        Ok(())
    }

    async fn write_alone(&mut self) -> Result<(), AppendError> {
        let max_batch = std::mem::replace(&mut self.settings.max_batch, 0);
        let deadline = Instant::now() + self.settings.patience;
        let result = loop {
            match self.try_write(&mut Vec::new()).await {
                Err(error) if is_overtaken(&error) && Instant::now() < deadline => {}
                result => break result,
            }
        };
        self.settings.max_batch = max_batch;
        result
    }
}

fn is_overtaken(error: &AppendError) -> bool {
    matches!(error, AppendError::Unavailable(StoreError::Overtaken { .. }))
}

/// Whether the store refused what a unit says: one of the batch, nobody knows which.
fn is_refused(error: &AppendError) -> bool {
    matches!(error, AppendError::Rejected(Rejection::NotStorable(_)))
}

fn is_full(error: &AppendError) -> bool {
    matches!(error, AppendError::Unavailable(StoreError::StorageFull(_)))
}
