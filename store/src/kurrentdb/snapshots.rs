//! Snapshots of the book, beside the log: a state is larger than an append may be, so each lies in a stream of its own in
//! parts, and one stream lists them. Only what is listed counts: a snapshot that was not finished is never seen.

use super::connection::{Appended, Connection};
use crate::error::StoreError;
use crate::event::Position;
use crate::port::Snapshot;
use bytes::Bytes;
use kurrentdb::{EventData, StreamState};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

const LISTED: &str = "viral.snapshot";
const PART: &str = "viral.snapshot_part";

/// Where a snapshot is.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// The log that it belongs to.
    log: String,
    position: u64,
    stream: String,
    parts: u64,
    bytes: usize,
    /// The log's digest there; absent in snapshots from before it was kept.
    #[serde(default)]
    digest: Option<String>,
}

pub(super) struct Snapshots<'c> {
    pub(super) connection: &'c Connection,
    pub(super) prefix: &'c str,
    pub(super) source: &'c str,
    pub(super) max_append_bytes: usize,
}

impl Snapshots<'_> {
    fn list(&self) -> String {
        format!("{}viral-snapshots", self.prefix)
    }

    pub(super) async fn save(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        // A name of its own each time: two processes may keep the same snapshot at once.
        let stream = format!("{}viral-snapshot-{}", self.prefix, Uuid::now_v7());
        let state = Bytes::copy_from_slice(snapshot.state.as_bytes());
        let size = self.max_append_bytes.saturating_sub(super::records::OVERHEAD).max(1);
        let mut parts = 0;
        for start in (0..state.len()).step_by(size) {
            let part = state.slice(start..state.len().min(start + size));
            let expected = match parts {
                0 => StreamState::NoStream,
                _ => StreamState::StreamRevision(parts - 1),
            };
            self.append(&stream, expected, EventData::binary(PART, part)).await?;
            parts += 1;
        }
        let entry = Entry {
            log: self.source.to_owned(),
            position: snapshot.position.0,
            stream,
            parts,
            bytes: state.len(),
            digest: snapshot.digest.map(|digest| digest.to_string()),
        };
        let entry = EventData::json(LISTED, &entry).map_err(|e| StoreError::Corrupt(format!("a snapshot: {e}")))?;
        self.append(&self.list(), StreamState::Any, entry).await
    }

    async fn append(&self, stream: &str, state: StreamState, record: EventData) -> Result<(), StoreError> {
        match self.connection.append(stream, state, record.id(Uuid::now_v7())).await? {
            Appended::At(_) => Ok(()),
            Appended::EndsAt(_) => Err(StoreError::Unavailable(format!("somebody else writes to {stream}"))),
        }
    }

    pub(super) async fn newest(&self, at_most: Position) -> Result<Option<Snapshot>, StoreError> {
        let mut entries = self.entries().await?;
        entries.retain(|entry| entry.position <= at_most.0);
        // Stable: of several at one position the one that was listed last comes last.
        entries.sort_by_key(|entry| entry.position);
        while let Some(entry) = entries.pop() {
            if let Some(state) = self.state(&entry).await? {
                return Ok(Some(Snapshot {
                    position: Position(entry.position),
                    state,
                    digest: entry.digest.as_deref().and_then(|digest| digest.parse().ok()),
                }));
            }
            tracing::warn!(
                stream = entry.stream,
                "a snapshot is not complete, an older one is used"
            );
        }
        Ok(None)
    }

    async fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        let list = self.list();
        let mut records = self.connection.read(&list, 0, u64::MAX).await?;
        let mut entries = Vec::new();
        while let Some(record) = records.next().await? {
            // What is none of ours cannot be a snapshot; they can be thrown away, so it is no damage either.
            match serde_json::from_slice::<Entry>(&record.data) {
                Ok(entry) if entry.log == self.source => entries.push(entry),
                Ok(_) => {}
                Err(error) => tracing::warn!(stream = list, record = record.revision, %error, "no snapshot"),
            }
        }
        Ok(entries)
    }

    async fn state(&self, entry: &Entry) -> Result<Option<String>, StoreError> {
        let mut records = self.connection.read(&entry.stream, 0, entry.parts).await?;
        let mut state = Vec::with_capacity(entry.bytes);
        while let Some(record) = records.next().await? {
            state.extend_from_slice(&record.data);
        }
        let whole = state.len() == entry.bytes;
        Ok(String::from_utf8(state).ok().filter(|_| whole))
    }
}
