//! The writer: one task per process through which every append goes.
//!
//! It takes whatever units are waiting, locks the head of the log, takes in what other processes have appended since,
//! lets the book decide, appends everything that is accepted with one COPY, commits, and answers each caller. While one
//! batch is committed the next one gathers, so the batches grow with the load and a hot account costs nothing extra.

mod clock;
mod in_time;
mod task;

pub use clock::{Uptime, leap, read_clock, uptime};

use crate::acceptance;
use crate::batch::Purpose;
use crate::book_reader::BookAt;
use crate::error::{AppendError, FollowError};
use crate::unit::{Outcome, Receipt, Unit};
use chrono::{DateTime, TimeDelta, Utc};
use clock::LogClock;
use in_time::in_time;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use task::Task;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use viral_ledger::Book;
use viral_store::continuity::ClockReading;
use viral_store::{Checkpoint, EventStore, Position, StoredEvent};

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
    /// Where the time comes from, instead of from the server that has the head: for tests and simulations.
    pub clock: Option<Clock>,
    /// Tells a clock that leapt from time that has passed.
    pub uptime: Uptime,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            max_batch: 1_024,
            queue: 4_096,
            patience: Duration::from_secs(10),
            call_timeout: Duration::from_secs(35),
            snapshot_every: 100_000,
            clock: None,
            uptime: Arc::new(uptime),
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

/// How often the clock is looked at where nobody appends.
const LOOK: Duration = Duration::from_secs(1);

/// The way into the log. Cheap to clone; the task ends when the last clone is gone.
#[derive(Clone)]
pub struct Writer {
    store: Arc<dyn EventStore>,
    /// The same log, for reads of the book.
    reads: Arc<dyn EventStore>,
    messages: mpsc::Sender<Message>,
    counters: Arc<Counters>,
    clock: LogClock,
    uptime: Uptime,
    /// When the clock of the log's server was last looked at without an append.
    looked_at: Arc<Mutex<Option<Instant>>>,
    call_timeout: Duration,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("store", &self.store)
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
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
    Append(Vec<Unit>, Purpose, oneshot::Sender<Vec<Answer>>),
    /// A read as of this position at least, with what the clock of the log's server says if it was looked at.
    Read(Position, Option<ClockReading>, Read),
    Snapshot(oneshot::Sender<Result<(), AppendError>>),
}

impl Writer {
    /// Loads the book and starts the task. The handle ends when all clones of the writer are gone and everything that
    /// was accepted is answered.
    pub async fn start(
        store: Arc<dyn EventStore>,
        settings: Settings,
    ) -> Result<(Writer, JoinHandle<()>), FollowError> {
        let mut state = BookAt::load_at_head(store.as_ref()).await?;
        // A snapshot does not say it.
        state.clock_accepted = acceptance::clock_accepted(store.as_ref()).await?;
        store.continuity().saw(state.at);
        let clock = LogClock::new(settings.clock.clone().unwrap_or_else(|| Arc::new(Utc::now)));
        if let (None, Some(server)) = (&settings.clock, store.clock().await?) {
            clock.correct(server);
        }
        let (messages, receiver) = mpsc::channel(settings.queue);
        let counters = Arc::<Counters>::default();
        let (call_timeout, uptime) = (settings.call_timeout, settings.uptime.clone());
        let task = Task {
            store: store.clone(),
            settings,
            state,
            receiver,
            waiting: Vec::new(),
            attempted: Default::default(),
            idle_since: Instant::now(),
            counters: counters.clone(),
            clock: clock.clone(),
            appended_to: Checkpoint::START,
        };
        let handle = tokio::spawn(task.run());
        let writer = Writer {
            reads: store.clone(),
            store,
            messages,
            counters,
            clock,
            uptime,
            looked_at: Arc::default(),
            call_timeout,
        };
        Ok((writer, handle))
    }

    /// Asks the log by way of this one where the book is read, so that reads do not keep appends from their connections.
    #[must_use]
    pub fn with_reads(self, reads: Arc<dyn EventStore>) -> Writer {
        Writer { reads, ..self }
    }

    /// What was appended since the start.
    pub fn appended(&self) -> Appended {
        Appended {
            batches: self.counters.batches.load(Ordering::Relaxed),
            events: self.counters.events.load(Ordering::Relaxed),
        }
    }

    /// The present, by the clock of the server that has the head as far as it is known here.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// By how much that clock is ahead of this process's own.
    pub fn clock_offset(&self) -> TimeDelta {
        self.clock.offset()
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
        self.decided(units, Purpose::Append).await
    }

    /// What would become of units if they were appended in this order. Nothing is.
    pub async fn rehearse_all(&self, units: Vec<Unit>) -> Vec<Result<Outcome, AppendError>> {
        self.decided(units, Purpose::Rehearse).await
    }

    async fn decided(&self, units: Vec<Unit>, purpose: Purpose) -> Vec<Result<Outcome, AppendError>> {
        let mut outcomes = Vec::with_capacity(units.len());
        for answer in self.send(units, purpose).await {
            outcomes.push(match answer {
                Ok(Answered::Appended(events)) => Ok(Outcome::Appended(events)),
                Ok(Answered::AppendedAt(position)) => self
                    .unit_at(position)
                    .await
                    .map(Outcome::Appended)
                    .map_err(AppendError::unknown),
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
        let answers = self.send(units, Purpose::Append).await.into_iter();
        answers.map(|answer| answer.map(receipt)).collect()
    }

    /// Hands units to the task; an answer for each.
    async fn send(&self, units: Vec<Unit>, purpose: Purpose) -> Vec<Answer> {
        let count = units.len();
        let (sender, receiver) = oneshot::channel();
        let sent = self.messages.send(Message::Append(units, purpose, sender)).await;
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
        self.read_by(&self.reads, read).await
    }

    /// Whether the writer follows the log, asked by the connections that appends have: what reads take does not count.
    pub async fn probe(&self) -> Result<(), AppendError> {
        self.read_by(&self.store, |_, _| ()).await
    }

    async fn read_by<T: Send + 'static>(
        &self,
        store: &Arc<dyn EventStore>,
        read: impl FnOnce(&Book, Position) -> T + Send + 'static,
    ) -> Result<T, AppendError> {
        let (sender, receiver) = oneshot::channel();
        let read: Read = Box::new(move |state| {
            // Nobody may be waiting any more.
            let _ = sender.send(state.map(|(book, position)| read(book, position)));
        });
        // Asked here, not by the task: a store that does not answer must not hold up what is appended.
        let head = in_time(self.call_timeout, store.head_on()).await?;
        let message = Message::Read(head.position, self.look_at_clock(store).await, read);
        self.messages.send(message).await.map_err(|_| AppendError::Stopped)?;
        Ok(receiver.await.map_err(|_| AppendError::Stopped)??)
    }

    /// Looks at the clock of the log's server, at most once a second: so a clock that was set, or is right again, is noticed
    /// where nobody appends. Whoever asks whether the platform is ready reads.
    async fn look_at_clock(&self, store: &Arc<dyn EventStore>) -> Option<ClockReading> {
        {
            let mut looked_at = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner);
            if looked_at.is_some_and(|at| at.elapsed() < LOOK) {
                return None;
            }
            *looked_at = Some(Instant::now());
        }
        // A store that is away says nothing of its clock.
        let reading = in_time(self.call_timeout, read_clock(store.as_ref(), &self.uptime)).await;
        reading.ok().flatten()
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
    pub(crate) async fn unit_at(&self, position: Position) -> Result<Vec<StoredEvent>, AppendError> {
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
