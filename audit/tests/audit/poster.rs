//! The import's port on the platform's writer, and one that fails on purpose.

use async_trait::async_trait;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use viral_audit::import::{Entry, PortError, PostResult, Poster};
use viral_commands::{AppendError, Outcome, Part, Rejection, RequestIdentity, Unit, Writer};
use viral_ledger::{Address, Command, Refusal};

/// Appends with the writer.
pub(crate) struct WriterPoster(pub(crate) Writer);

fn unit(entry: Entry) -> Unit {
    let identity = RequestIdentity::imported(&entry.source, &entry.entry_id, &entry.content);
    let opening = entry.open.into_iter().map(|account| Command::OpenAccount {
        account: account.address,
        asset: account.asset,
        normal_side: account.normal_side,
        may_go_negative: account.may_go_negative,
    });
    let commands = opening.chain([Command::Post(entry.transaction)]);
    let parts = commands.map(|command| Part::Ledger { id: None, command }).collect();
    Unit::new(identity.unit_id, parts)
        .with_request_hash(identity.request_hash)
        .with_actor("cli:import")
}

fn result(outcome: Result<Outcome, AppendError>) -> PostResult {
    match outcome {
        Ok(Outcome::Appended(events)) => PostResult::Posted(events[0].position),
        Ok(Outcome::Duplicate(events)) => PostResult::Duplicate(events[0].position),
        Err(AppendError::KeyReused { position }) => PostResult::Reused(position),
        Err(AppendError::Rejected(Rejection::Ledger(Refusal::AccountExists(_)))) => PostResult::AccountExists,
        Err(AppendError::Rejected(rejection)) => PostResult::Refused(rejection.to_string()),
        Err(error) if error.is_retryable() => PostResult::Unavailable(error.to_string()),
        Err(error) => PostResult::Failed(error.to_string()),
    }
}

#[async_trait]
impl Poster for WriterPoster {
    async fn existing(&self, addresses: Vec<Address>) -> Result<Vec<Address>, PortError> {
        let found = self.0.read(|book, _| {
            addresses
                .into_iter()
                .filter(|address| book.account(address).is_some())
                .collect::<Vec<_>>()
        });
        found.await.map_err(|error| PortError {
            reason: error.to_string(),
            retryable: error.is_retryable(),
        })
    }

    async fn knows(&self, source: &str, entry_id: &str) -> Result<bool, PortError> {
        let id = RequestIdentity::imported(source, entry_id, "").unit_id;
        Ok(self.0.store().find(id).await.unwrap().is_some())
    }

    async fn post(&self, entries: Vec<Entry>) -> Vec<PostResult> {
        let outcomes = self.0.append_all(entries.into_iter().map(unit).collect()).await;
        outcomes.into_iter().map(result).collect()
    }
}

/// What goes wrong with the calls to a poster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    /// Nothing is written.
    NotReached,
    /// Everything is written, and the answer is lost.
    AnswerLost,
    /// The log is broken.
    Broken,
}

/// Fails the calls of these numbers, counted from 0.
pub(crate) struct Faulty {
    pub(crate) poster: WriterPoster,
    pub(crate) fault: Fault,
    pub(crate) calls: std::ops::Range<usize>,
    pub(crate) count: AtomicUsize,
}

#[async_trait]
impl Poster for Faulty {
    async fn existing(&self, addresses: Vec<Address>) -> Result<Vec<Address>, PortError> {
        self.poster.existing(addresses).await
    }

    async fn knows(&self, source: &str, entry_id: &str) -> Result<bool, PortError> {
        self.poster.knows(source, entry_id).await
    }

    async fn post(&self, entries: Vec<Entry>) -> Vec<PostResult> {
        let count = entries.len();
        if !self.calls.contains(&self.count.fetch_add(1, Ordering::Relaxed)) {
            return self.poster.post(entries).await;
        }
        if self.fault == Fault::AnswerLost {
            self.poster.post(entries).await;
        }
        let answer = match self.fault {
            Fault::Broken => PostResult::Failed("the log does not hold".to_owned()),
            _ => PostResult::Unavailable("the connection was lost".to_owned()),
        };
        vec![answer; count]
    }
}

/// Says for the first question that nothing exists: somebody else opened the accounts right after.
pub(crate) struct Outrun {
    pub(crate) poster: WriterPoster,
    pub(crate) asked: Mutex<bool>,
}

#[async_trait]
impl Poster for Outrun {
    async fn existing(&self, addresses: Vec<Address>) -> Result<Vec<Address>, PortError> {
        if !std::mem::replace(&mut *self.asked.lock().unwrap(), true) {
            return Ok(Vec::new());
        }
        self.poster.existing(addresses).await
    }

    async fn knows(&self, source: &str, entry_id: &str) -> Result<bool, PortError> {
        self.poster.knows(source, entry_id).await
    }

    async fn post(&self, entries: Vec<Entry>) -> Vec<PostResult> {
        self.poster.post(entries).await
    }
}
