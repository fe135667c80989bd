//! The log in KurrentDB: one stream, `viral-log`, one record to a batch, each written at the revision that its writer
//! expects to be the last. What this home costs, and what PostgreSQL costs: docs/adr/0013-homes-of-the-log.md.

mod append;
mod cache;
mod connection;
mod error;
mod index;
mod log;
mod records;
mod settings;
mod snapshots;

pub use settings::SCHEMES;

use crate::continuity::Continuity;
use crate::error::StoreError;
use crate::event::{Position, StoredEvent, StreamId};
use crate::port::{EventStore, Head, LockedHead, Selection, Snapshot};
use append::Locked;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use connection::{Appended, Connection};
use kurrentdb::StreamState;
use log::Log;
use snapshots::Snapshots;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

/// How the log is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// What the names of all streams begin with, so that one server may have several logs.
    pub prefix: String,
    /// The most bytes of one append. A server of KurrentDB takes 1 MiB unless it is set up otherwise.
    pub max_append_bytes: usize,
    /// How long the server may take for one call, and for each record of a read.
    pub deadline: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            prefix: String::new(),
            max_append_bytes: 1_000_000,
            deadline: Duration::from_secs(10),
        }
    }
}

/// An event log in KurrentDB.
pub struct KurrentStore {
    log: Arc<Log>,
    options: Options,
    turn: Arc<Mutex<()>>,
}

impl KurrentStore {
    /// Opens the log of this server and reads all of it, to know where everything is. There must be one.
    pub async fn open(url: &str, options: Options) -> Result<KurrentStore, StoreError> {
        KurrentStore::start(url, options, false).await
    }

    /// Opens the log of this server, or begins one where there is none.
    pub async fn open_or_create(url: &str, options: Options) -> Result<KurrentStore, StoreError> {
        KurrentStore::start(url, options, true).await
    }

    async fn start(url: &str, options: Options, create: bool) -> Result<KurrentStore, StoreError> {
        let (settings, options) = settings::parse(url, options)?;
        let connection = Connection::new(settings, options.deadline);
        let stream = format!("{}viral-log", options.prefix);
        let log_id = match log_id(&connection, &stream).await? {
            Some(log_id) => log_id,
            None if create => begin(&connection, &stream).await?,
            None => {
                return Err(StoreError::Setup(format!(
                    "there is no log in the stream {stream} of EVENT_STORE: `viral migrate` begins one"
                )));
            }
        };
        let log = Log::new(connection, stream, format!("urn:viral:log:{log_id}"));
        log.catch_up().await?;
        Ok(KurrentStore {
            log: Arc::new(log),
            options,
            turn: Arc::default(),
        })
    }

    /// The log's id.
    pub fn log_id(&self) -> Uuid {
        // The source was made of it.
        let id = self.log.source.rsplit(':').next().unwrap_or_default();
        id.parse().unwrap_or_default()
    }

    fn snapshots(&self) -> Snapshots<'_> {
        Snapshots {
            connection: &self.log.connection,
            prefix: &self.options.prefix,
            source: &self.log.source,
            max_append_bytes: self.options.max_append_bytes,
        }
    }
}

/// Reads which log this is; nothing where the stream is not there.
async fn log_id(connection: &Connection, stream: &str) -> Result<Option<Uuid>, StoreError> {
    let mut records = connection.read(stream, 0, 1).await?;
    match records.next().await? {
        Some(record) => records::log_id(stream, &record).map(Some),
        None if records.found() => Err(records::damaged(stream, 0, "it is missing: the stream was truncated")),
        None => Ok(None),
    }
}

/// Begins a log. Of two who do so at once, the slower one takes the log of the other.
async fn begin(connection: &Connection, stream: &str) -> Result<Uuid, StoreError> {
    let mine = Uuid::new_v4();
    let written = connection
        .append(stream, StreamState::NoStream, records::header(mine)?)
        .await?;
    match written {
        Appended::At(0) => Ok(mine),
        Appended::At(_) => Err(records::damaged(
            stream,
            0,
            "it is missing: the stream was deleted, and a log cannot begin in the middle; choose another streamPrefix",
        )),
        Appended::EndsAt(_) => log_id(connection, stream)
            .await?
            .ok_or_else(|| StoreError::Unavailable(format!("the stream {stream} is there and is not"))),
    }
}

impl fmt::Debug for KurrentStore {
    /// Without the settings: passwords must not reach a log by way of `{:?}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KurrentStore")
            .field("source", &self.log.source)
            .field("stream", &self.log.stream)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl EventStore for KurrentStore {
    fn source(&self) -> &str {
        &self.log.source
    }

    fn max_unit_bytes(&self) -> usize {
        self.options.max_append_bytes.saturating_sub(records::OVERHEAD)
    }

    fn continuity(&self) -> &Continuity {
        &self.log.continuity
    }

    async fn clock(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        Ok(self.log.now())
    }

    async fn head(&self) -> Result<Head, StoreError> {
        self.log.catch_up().await
    }

    async fn read_after(&self, after: Position, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        let wanted = after.0.saturating_add(limit as u64);
        let mut head = self.log.index().head().position;
        if wanted > head.0 {
            head = self.log.catch_up().await?.position;
        }
        self.log.between(after, Position(wanted).min(head)).await
    }

    async fn read_stream(&self, stream: &StreamId, after: u64, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        self.log.catch_up().await?;
        let positions: Vec<u64> = {
            let index = self.log.index();
            let after = usize::try_from(after).unwrap_or(usize::MAX);
            let positions = index.positions(stream).iter().skip(after);
            positions.take(limit).copied().collect()
        };
        self.log.at(&positions).await
    }

    async fn find(&self, event_id: Uuid) -> Result<Option<StoredEvent>, StoreError> {
        let mut position = self.log.index().position_of(&event_id);
        if position.is_none() {
            self.log.catch_up().await?;
            position = self.log.index().position_of(&event_id);
        }
        let found = self.log.at(position.as_slice()).await?;
        Ok(found.into_iter().next())
    }

    async fn select(
        &self,
        selection: &Selection,
        after: Position,
        up_to: Position,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.log.catch_up().await?;
        let positions: BTreeSet<u64> = {
            let index = self.log.index();
            let of_streams = selection.streams.iter().flat_map(|stream| index.positions(stream));
            let of_ids = selection.ids.iter().filter_map(|id| index.position_of(id));
            let named = selection.positions.iter().map(|position| position.0);
            let all = of_streams.copied().chain(of_ids).chain(named);
            let up_to = up_to.min(index.head().position);
            all.filter(|position| *position > after.0 && *position <= up_to.0)
                .collect()
        };
        let page: Vec<u64> = positions.into_iter().take(limit).collect();
        self.log.at(&page).await
    }

    async fn lock(&self) -> Result<Box<dyn LockedHead>, StoreError> {
        let locked = Locked::lock(self.log.clone(), self.turn.clone(), self.options.max_append_bytes).await?;
        Ok(Box::new(locked))
    }

    async fn wait_for(&self, after: Position, timeout: Duration) -> Result<Head, StoreError> {
        self.log.wait_for(after, Instant::now() + timeout).await
    }

    async fn save_snapshot(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        self.snapshots().save(snapshot).await
    }

    async fn snapshot_at(&self, at_most: Position) -> Result<Option<Snapshot>, StoreError> {
        self.snapshots().newest(at_most).await
    }
}
