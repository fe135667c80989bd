//! The writer: one task per process through which every append goes.
//!
//! It takes whatever units are waiting, locks the head of the log, takes in what other processes have appended since,
//! lets the book decide, appends everything that is accepted with one COPY, commits, and answers each caller. While one
//! batch is committed the next one gathers, so the batches grow with the load and a hot account costs nothing extra.

use crate::batch::{Batch, Verdict, lookups};
use crate::book_reader::BookAt;
use crate::error::{AppendError, FollowError};
use crate::unit::{Outcome, Part, Receipt, Unit};
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use uuid::Uuid;
use viral_ledger::{Book, timestamp};
use viral_store::{EventStore, Position, Snapshot, StoreError, StoredEvent};

/// Where the time comes from.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// How the writer works.
#[derive(Clone)]
pub struct Settings {
    /// When this many units are together, no more calls are added to a transaction.
    pub max_batch: usize,
    /// How many calls may wait before further callers do.
    pub queue: usize,
    /// How long a batch is tried again while the store cannot be reached.
    pub patience: Duration,
    /// How long one call to the store may take before it counts as one that cannot be reached. A little more than the
    /// database's own limits, so that those speak first.
    pub call_timeout: Duration,
    /// The least number of events between two snapshots. With many accounts it is ten times their number, so that the
    /// time spent on snapshots stays a small share.
    pub snapshot_every: u64,
    /// Where the time comes from.
    pub clock: Clock,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            max_batch: 1_024,
            queue: 4_096,
            patience: Duration::from_secs(10),
            call_timeout: Duration::from_secs(35),
            snapshot_every: 100_000,
            clock: Arc::new(Utc::now),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("max_batch", &self.max_batch)
            .field("queue", &self.queue)
            .field("patience", &self.patience)
            .field("call_timeout", &self.call_timeout)
            .field("snapshot_every", &self.snapshot_every)
            .finish_non_exhaustive()
    }
}

/// The way into the log. Cheap to clone; the task ends when the last clone is gone.
#[derive(Debug, Clone)]
pub struct Writer {
    store: Arc<dyn EventStore>,
    messages: mpsc::Sender<Message>,
    counters: Arc<Counters>,
    call_timeout: Duration,
}

#[derive(Debug, Default)]
struct Counters {
    batches: AtomicU64,
    events: AtomicU64,
}

/// What a writer has appended since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Transactions of the store.
    pub batches: u64,
    /// Events in them.
    pub events: u64,
}

type Answer = Result<Answered, AppendError>;
type Read = Box<dyn FnOnce(Result<(&Book, Position), FollowError>) + Send>;

/// What the task answers; events that it does not have at hand are read by whoever asked.
enum Answered {
    Appended(Vec<StoredEvent>),
    /// Appended by this call, though the commit seemed to fail.
    AppendedAt(Position),
    Duplicate(Position),
}

enum Message {
    Append(Vec<Unit>, oneshot::Sender<Vec<Answer>>),
    /// A read as of this position at least.
    Read(Position, Read),
    Snapshot(oneshot::Sender<Result<(), AppendError>>),
}

impl Writer {
    /// Loads the book and starts the task. The handle ends when all clones of the writer are gone and everything that
    /// was accepted is answered.
    pub async fn start(
        store: Arc<dyn EventStore>,
        settings: Settings,
    ) -> Result<(Writer, JoinHandle<()>), FollowError> {
        let mut state = BookAt::load(store.as_ref(), Position(u64::MAX)).await?;
        let head = store.head().await?;
        state.follow(store.as_ref(), head.position).await?;
        let (messages, receiver) = mpsc::channel(settings.queue);
        let counters = Arc::<Counters>::default();
        let call_timeout = settings.call_timeout;
        let task = Task {
            store: store.clone(),
            settings,
            state,
            receiver,
            waiting: Vec::new(),
            attempted: HashSet::new(),
            counters: counters.clone(),
        };
        let handle = tokio::spawn(task.run());
        let writer = Writer {
            store,
            messages,
            counters,
            call_timeout,
        };
        Ok((writer, handle))
    }

    /// What was appended since the start.
    pub fn appended(&self) -> Appended {
        Appended {
            batches: self.counters.batches.load(Ordering::Relaxed),
            events: self.counters.events.load(Ordering::Relaxed),
        }
    }

    /// The log that it writes.
    pub fn store(&self) -> &Arc<dyn EventStore> {
        &self.store
    }

    /// Appends a unit, or says why not.
    pub async fn append(&self, unit: Unit) -> Result<Outcome, AppendError> {
        let mut outcomes = self.append_all(vec![unit]).await;
        outcomes.pop().unwrap_or(Err(AppendError::Stopped))
    }

    /// Appends units in this order, each for itself: one that is refused does not stop the others.
    pub async fn append_all(&self, units: Vec<Unit>) -> Vec<Result<Outcome, AppendError>> {
        let mut outcomes = Vec::with_capacity(units.len());
        for answer in self.send(units).await {
            outcomes.push(match answer {
                Ok(Answered::Appended(events)) => Ok(Outcome::Appended(events)),
                Ok(Answered::AppendedAt(position)) => self.unit_at(position).await.map(Outcome::Appended),
                Ok(Answered::Duplicate(position)) => self.unit_at(position).await.map(Outcome::Duplicate),
                Err(error) => Err(error),
            });
        }
        outcomes
    }

    /// As [`Writer::append_all`], for whoever needs no more than the place: events of duplicates are not read.
    pub async fn append_all_briefly(&self, units: Vec<Unit>) -> Vec<Result<Receipt, AppendError>> {
        let receipt = |answered| match answered {
            Answered::Appended(events) => Receipt {
                position: events.first().map_or(Position::START, |event| event.position),
                duplicate: false,
            },
            Answered::AppendedAt(position) => Receipt {
                position,
                duplicate: false,
            },
            Answered::Duplicate(position) => Receipt {
                position,
                duplicate: true,
            },
        };
        let answers = self.send(units).await.into_iter();
        answers.map(|answer| answer.map(receipt)).collect()
    }

    /// Hands units to the task; an answer for each.
    async fn send(&self, units: Vec<Unit>) -> Vec<Answer> {
        let count = units.len();
        let (sender, receiver) = oneshot::channel();
        let sent = self.messages.send(Message::Append(units, sender)).await;
        let answers = match sent {
            Ok(()) => receiver.await.ok(),
            Err(_) => None,
        };
        answers.unwrap_or_else(|| (0..count).map(|_| Err(AppendError::Stopped)).collect())
    }

    /// Reads from the book as of the end of the log, at one position.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Book, Position) -> T + Send + 'static,
    ) -> Result<T, AppendError> {
        let (sender, receiver) = oneshot::channel();
        let read: Read = Box::new(move |state| {
            // Nobody may be waiting any more.
            let _ = sender.send(state.map(|(book, position)| read(book, position)));
        });
        // Asked here, not by the task: a store that does not answer must not hold up what is appended.
        let head = in_time(self.call_timeout, self.store.head()).await?;
        let message = Message::Read(head.position, read);
        self.messages.send(message).await.map_err(|_| AppendError::Stopped)?;
        Ok(receiver.await.map_err(|_| AppendError::Stopped)??)
    }

    /// Takes a snapshot now.
    pub async fn snapshot(&self) -> Result<(), AppendError> {
        let (sender, receiver) = oneshot::channel();
        self.messages
            .send(Message::Snapshot(sender))
            .await
            .map_err(|_| AppendError::Stopped)?;
        receiver.await.map_err(|_| AppendError::Stopped)?
    }

    /// The events of the unit that begins at a position.
    async fn unit_at(&self, position: Position) -> Result<Vec<StoredEvent>, AppendError> {
        let mut events: Vec<StoredEvent> = Vec::new();
        let mut unit_id = None;
        loop {
            let after = Position(position.0 - 1 + events.len() as u64);
            let page = self.store.read_after(after, 16).await?;
            let full = page.len() == 16;
            for event in page {
                let metadata = event.parse_metadata().map_err(|e| AppendError::LogBroken {
                    position: event.position,
                    problem: format!("metadata: {e}"),
                })?;
                if *unit_id.get_or_insert(metadata.unit_id) != metadata.unit_id {
                    return Ok(events);
                }
                events.push(event);
            }
            if !full {
                return Ok(events);
            }
        }
    }
}

/// Units of one caller, and where to answer.
struct Waiting {
    units: Vec<Unit>,
    answer: oneshot::Sender<Vec<Answer>>,
}

struct Task {
    store: Arc<dyn EventStore>,
    settings: Settings,
    state: BookAt,
    receiver: mpsc::Receiver<Message>,
    waiting: Vec<Waiting>,
    /// Units of a commit whose outcome was not known: if they are found in the log now, this call has appended them.
    attempted: HashSet<Uuid>,
    counters: Arc<Counters>,
}

impl Task {
    async fn run(mut self) {
        while let Some(message) = self.receiver.recv().await {
            match message {
                Message::Append(units, answer) => {
                    self.waiting.push(Waiting { units, answer });
                    self.write().await;
                    self.snapshot_if_due().await;
                }
                Message::Read(at_least, read) => self.read(at_least, read).await,
                Message::Snapshot(answer) => {
                    let result = self.snapshot().await;
                    let _ = answer.send(result);
                }
            }
        }
    }

    /// Answers a read between two batches. The book is only behind where another process appends.
    async fn read(&mut self, at_least: Position, read: Read) {
        let limit = self.settings.call_timeout;
        let followed = follow_in_time(limit, self.state.follow(self.store.as_ref(), at_least)).await;
        match followed {
            Ok(()) => read(Ok((&self.state.book, self.state.position))),
            Err(error) => read(Err(error)),
        }
    }

    /// Appends everything that waits, trying again for a while when the store cannot be reached.
    async fn write(&mut self) {
        let deadline = Instant::now() + self.settings.patience;
        let mut pause = Duration::from_millis(20);
        let mut later = Vec::new();
        let error = loop {
            match self.try_write(&mut later).await {
                Ok(()) => break None,
                Err(error) if error.is_retryable() && !is_full(&error) && Instant::now() + pause < deadline => {
                    tracing::warn!(%error, "appending failed, trying again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(1));
                }
                Err(error) => break Some(error),
            }
        };
        if let Some(error) = error {
            tracing::error!(%error, "a batch was not appended, or it is not known whether it was");
            for waiting in self.waiting.drain(..) {
                let answers = waiting.units.iter().map(|_| Err(error.clone())).collect();
                let _ = waiting.answer.send(answers);
            }
        }
        for message in later {
            match message {
                Message::Read(at_least, read) => self.read(at_least, read).await,
                Message::Snapshot(answer) => {
                    let _ = answer.send(self.snapshot().await);
                }
                Message::Append(..) => {}
            }
        }
    }

    /// One transaction. After an error the book is as before.
    async fn try_write(&mut self, later: &mut Vec<Message>) -> Result<(), AppendError> {
        let limit = self.settings.call_timeout;
        let mut locked = in_time(limit, self.store.lock()).await?;
        // Whoever came while we waited for the lock comes along.
        self.gather(later);
        follow_in_time(limit, self.state.catch_up(locked.as_mut())).await?;
        let (ids, streams) = lookups(self.waiting.iter().flat_map(|waiting| &waiting.units));
        let check = in_time(limit, locked.check(&ids, &streams)).await?;

        let now = timestamp::truncate((self.settings.clock)()).max(locked.head().recorded_at);
        let savepoint = self.state.book.savepoint();
        let mut batch = Batch::new(&mut self.state, self.store.source(), now, streams, check);
        let verdicts: Vec<Vec<Verdict>> = self
            .waiting
            .iter()
            .map(|waiting| waiting.units.iter().map(|unit| batch.decide(unit)).collect())
            .collect();
        let events = std::mem::take(&mut batch.events);
        let written = match events.is_empty() {
            true => in_time(limit, locked.release()).await,
            false => in_time(limit, locked.append(&events)).await,
        };
        if let Err(error) = written {
            self.state.book.rollback(savepoint);
            self.state.book.forget();
            let units = self.waiting.iter().flat_map(|waiting| &waiting.units);
            let accepted = units.zip(verdicts.iter().flatten());
            let accepted = accepted.filter(|(_, verdict)| matches!(verdict, Verdict::Accepted(_)));
            self.attempted.extend(accepted.map(|(unit, _)| unit.id));
            return Err(error.into());
        }
        self.state.book.forget();
        self.state.position = Position(self.state.position.0 + events.len() as u64);
        if !events.is_empty() {
            self.counters.batches.fetch_add(1, Ordering::Relaxed);
            self.counters.events.fetch_add(events.len() as u64, Ordering::Relaxed);
        }
        self.answer(verdicts, events);
        Ok(())
    }

    fn gather(&mut self, later: &mut Vec<Message>) {
        let mut count: usize = self.waiting.iter().map(|waiting| waiting.units.len()).sum();
        while count < self.settings.max_batch {
            match self.receiver.try_recv() {
                Ok(Message::Append(units, answer)) => {
                    count += units.len();
                    self.waiting.push(Waiting { units, answer });
                }
                Ok(message) => later.push(message),
                Err(_) => break,
            }
        }
    }

    fn answer(&mut self, verdicts: Vec<Vec<Verdict>>, events: Vec<StoredEvent>) {
        let attempted = std::mem::take(&mut self.attempted);
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
        if self.state.position.0 - self.state.snapshot.0 < interval {
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
                answer,
            }],
        );
        let result = self.write_alone().await;
        self.waiting = others;
        result?;
        let answered = receiver.try_recv().ok().and_then(|mut answers| answers.pop());
        match answered {
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error),
            None => return Err(AppendError::Stopped),
        }
        // The snapshot event is the last one: the state is the one before it.
        self.state.snapshot = Position(self.state.position.0 - 1);
        let snapshot = Snapshot {
            position: self.state.snapshot,
            state: self.state.book.state_text(),
        };
        in_time(self.settings.call_timeout, self.store.save_snapshot(&snapshot)).await?;
        tracing::info!(position = %snapshot.position, "snapshot taken");
        Ok(())
    }

    async fn write_alone(&mut self) -> Result<(), AppendError> {
        let max_batch = std::mem::replace(&mut self.settings.max_batch, 0);
        let result = self.try_write(&mut Vec::new()).await;
        self.settings.max_batch = max_batch;
        result
    }
}

/// A store that does not answer at all is one that cannot be reached. What it was doing is dropped, and with it the
/// connection.
async fn in_time<T>(limit: Duration, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, call).await {
        Ok(result) => result,
        Err(_) => Err(StoreError::Unavailable(format!(
            "no answer within {} s",
            limit.as_secs()
        ))),
    }
}

async fn follow_in_time(
    limit: Duration,
    call: impl Future<Output = Result<(), FollowError>>,
) -> Result<(), FollowError> {
    let call = async { Ok(call.await) };
    in_time(limit, call).await?
}

fn is_full(error: &AppendError) -> bool {
    matches!(error, AppendError::Unavailable(StoreError::StorageFull(_)))
}
