//! Calls to the server, each with a deadline.
//!
//! The client keeps one connection and makes a new one where it breaks, but for one case: when it could not connect at
//! all, it refuses every later call. Then it is thrown away here and another one made.

use super::error::from_client;
use crate::error::StoreError;
use kurrentdb::{
    AppendToStreamOptions, Client, ClientSettings, CurrentRevision, Error, EventData, ReadStream, ReadStreamOptions,
    RecordedEvent, StreamPosition, StreamState,
};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// Where a stream ends that was not as long as an append expected, or longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Appended {
    /// It was written, at this revision.
    At(u64),
    /// Nothing was written: the stream ends at this revision, or is not there.
    EndsAt(Option<u64>),
}

pub(super) struct Connection {
    settings: ClientSettings,
    deadline: Duration,
    client: Mutex<Option<Client>>,
}

impl Connection {
    pub(super) fn new(settings: ClientSettings, deadline: Duration) -> Connection {
        Connection {
            settings,
            deadline,
            client: Mutex::new(None),
        }
    }

    /// Appends one record if the stream is in this state. After any error but a definite refusal it is unknown whether
    /// it was written, or still will be.
    pub(super) async fn append(
        &self,
        stream: &str,
        state: StreamState,
        record: EventData,
    ) -> Result<Appended, StoreError> {
        let options = AppendToStreamOptions::default()
            .stream_state(state)
            .requires_leader(true)
            .deadline(self.deadline);
        let call = async {
            let client = self.client().await?;
            Ok(client.append_to_stream(stream, &options, record).await)
        };
        match self.in_time(call).await? {
            Ok(written) => Ok(Appended::At(written.next_expected_version)),
            Err(Error::WrongExpectedVersion { current, .. }) => Ok(Appended::EndsAt(match current {
                CurrentRevision::Current(revision) => Some(revision),
                CurrentRevision::NoStream => None,
            })),
            Err(error) => Err(self.failed(stream, error).await),
        }
    }

    /// Reads a stream from a revision on, at most `count` records.
    pub(super) async fn read<'c>(&'c self, stream: &'c str, from: u64, count: u64) -> Result<Records<'c>, StoreError> {
        let options = ReadStreamOptions::default()
            .position(StreamPosition::Position(from))
            .max_count(usize::try_from(count).unwrap_or(usize::MAX))
            .requires_leader(true);
        let call = async {
            let client = self.client().await?;
            Ok(client.read_stream(stream, &options).await)
        };
        let stream_of_records = match self.in_time(call).await? {
            Ok(records) => Some(records),
            Err(Error::ResourceNotFound) => None,
            Err(error) => return Err(self.failed(stream, error).await),
        };
        Ok(Records {
            connection: self,
            stream,
            found: stream_of_records.is_some(),
            records: stream_of_records,
        })
    }

    async fn client(&self) -> Result<Client, StoreError> {
        let mut client = self.client.lock().await;
        if let Some(client) = client.as_ref() {
            return Ok(client.clone());
        }
        // It reads the system's certificates, which blocks.
        let (runtime, settings) = (tokio::runtime::Handle::current(), self.settings.clone());
        let made = tokio::task::spawn_blocking(move || Client::with_runtime_handle(runtime, settings)).await;
        let made = made.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let made = made.map_err(|error| StoreError::Setup(format!("the client of KurrentDB: {error}")))?;
        Ok(client.insert(made).clone())
    }

    async fn in_time<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        match timeout(self.deadline, call).await {
            Ok(result) => result,
            Err(_) => {
                let seconds = self.deadline.as_secs_f32();
                Err(StoreError::Unavailable(format!(
                    "no answer from KurrentDB within {seconds} s"
                )))
            }
        }
    }

    async fn failed(&self, stream: &str, error: Error) -> StoreError {
        if matches!(error, Error::ConnectionClosed | Error::GrpcConnectionError(_)) {
            self.client.lock().await.take();
        }
        from_client(stream, error)
    }
}

/// A stream that is being read. Every record has a deadline of its own.
pub(super) struct Records<'c> {
    connection: &'c Connection,
    stream: &'c str,
    records: Option<ReadStream>,
    found: bool,
}

impl Records<'_> {
    /// Whether the stream is there; certain once [`Records::next`] has answered.
    pub(super) fn found(&self) -> bool {
        self.found
    }

    /// The next record, if there is one.
    pub(super) async fn next(&mut self) -> Result<Option<RecordedEvent>, StoreError> {
        let Some(records) = self.records.as_mut() else {
            return Ok(None);
        };
        match self.connection.in_time(async { Ok(records.next().await) }).await? {
            Ok(resolved) => Ok(resolved.and_then(|resolved| resolved.event)),
            Err(Error::ResourceNotFound) => {
                self.found = false;
                self.records = None;
                Ok(None)
            }
            Err(error) => Err(self.connection.failed(self.stream, error).await),
        }
    }
}
