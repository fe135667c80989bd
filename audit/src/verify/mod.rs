//! Verify: every stored byte is read again, and the first position where something is wrong is named.
//!
//! What one event says by itself is checked in `text`, its unit in `units`, that money moves as the domain says in
//! `consequences`, what an event does to the book in `book`, what the log and things beside it must agree on in
//! `elsewhere`. That ids are unique and streams complete cannot be
//! known before the end; `whole_log` keeps what it needs in temporary files, so memory does not grow with the log.

mod book;
mod consequences;
mod elsewhere;
mod subject;
mod text;
mod units;
mod whole_log;

use crate::as_of::AsOf;
use crate::error::AuditError;
use crate::pages::Pages;
use crate::progress::{Progress, Unit};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;
use text::Content;
use viral_ledger::BookEvent;
use viral_store::event::time_text;
use viral_store::{Digest, EventStore, Head, Position, StoreError, StoredEvent};
use whole_log::WholeLog;

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where, a decimal string.
    #[serde(serialize_with = "as_text")]
    pub position: Position,
    /// What is wrong.
    pub problem: String,
}

/// An event that a later version of the program wrote. What it says and does is not known here, so neither is whether
/// what lies behind it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotVerified {
    /// Where, a decimal string.
    #[serde(serialize_with = "as_text")]
    pub position: Position,
    /// Its type.
    pub event_type: String,
    /// Its version.
    pub event_version: String,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verification {
    /// Whether the whole log holds, as far as it was to be read.
    pub holds: bool,
    /// How many events were read and hold by themselves and with everything before them.
    pub events: u64,
    /// The position of the last of them, a decimal string.
    pub position: String,
    /// SHA-256 of the state text at that position.
    pub state_hash: String,
    /// The first position that does not hold, and what is wrong with it.
    pub first_bad: Option<Finding>,
    /// Where reading ended because this version of the program does not know the event there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_verified: Option<NotVerified>,
    /// Whether nothing else is wrong than that the last unit's end is missing, as where a copy was cut off.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ends_in_incomplete_unit: bool,
    /// How long it took.
    pub seconds: f64,
}

fn as_text<S: serde::Serializer>(position: &Position, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(position)
}

/// Verifies the whole log as it is when the call is made. Reading ends at the first event that does not hold; an
/// earlier one may still be named then, of which that was not known before.
pub async fn verify(store: &Arc<dyn EventStore>, progress: &dyn Progress) -> Result<Verification, AuditError> {
    verify_up_to(store, AsOf::Head, progress).await
}

/// As [`verify`], but only the log up to a moment. What lies behind it, and what the head says of the last event, is not
/// looked at then.
pub async fn verify_up_to(
    store: &Arc<dyn EventStore>,
    as_of: AsOf,
    progress: &dyn Progress,
) -> Result<Verification, AuditError> {
    let started = Instant::now();
    let head = store.head().await?;
    let up_to = match as_of {
        AsOf::Head => head.position,
        earlier => earlier.resolve(store.as_ref()).await?.min(head.position),
    };
    let mut verifier = Verifier::new(store.clone());
    let complete = verifier.read(up_to, progress).await?;
    let mut ends_in_incomplete_unit = false;
    if complete && verifier.reached(up_to, head) && up_to == head.position {
        verifier.check_head(head).await?;
        ends_in_incomplete_unit = verifier.first.is_none() && !verifier.end_unit();
        verifier.check_digest(head);
    }
    progress.begin("comparing ids and streams", Unit::Events, verifier.position.0);
    if let Some(finding) = verifier.whole_log.check(progress)? {
        ends_in_incomplete_unit = false;
        verifier.note(finding);
    }
    Ok(Verification {
        holds: verifier.first.is_none() && verifier.not_verified.is_none(),
        events: verifier.position.0,
        position: verifier.position.to_string(),
        state_hash: verifier.book.state_hash(),
        first_bad: verifier.first,
        not_verified: verifier.not_verified,
        ends_in_incomplete_unit,
        seconds: started.elapsed().as_secs_f64(),
    })
}

struct Verifier {
    store: Arc<dyn EventStore>,
    /// The last event that holds.
    position: Position,
    recorded_at: Option<DateTime<Utc>>,
    digest: Digest,
    units: units::Units,
    consequences: consequences::Consequences,
    book: book::BookCheck,
    whole_log: WholeLog,
    first: Option<Finding>,
    not_verified: Option<NotVerified>,
}

/// Why nothing more is read.
enum Stop {
    Bad(Finding),
    Unknown(NotVerified),
}

impl From<Finding> for Stop {
    fn from(finding: Finding) -> Stop {
        Stop::Bad(finding)
    }
}

impl Verifier {
    fn new(store: Arc<dyn EventStore>) -> Verifier {
        Verifier {
            store,
            position: Position::START,
            recorded_at: None,
            digest: Digest::EMPTY,
            units: units::Units::default(),
            consequences: consequences::Consequences::default(),
            book: book::BookCheck::default(),
            whole_log: WholeLog::default(),
            first: None,
            not_verified: None,
        }
    }

    fn note(&mut self, finding: Finding) {
        if self
            .first
            .as_ref()
            .is_none_or(|first| finding.position < first.position)
        {
            self.first = Some(finding);
        }
    }

    /// Whether everything up to a position was read and holds.
    async fn read(&mut self, up_to: Position, progress: &dyn Progress) -> Result<bool, AuditError> {
        progress.begin("verifying", Unit::Events, up_to.0);
        let mut pages = Pages::open(self.store.clone(), Position::START, up_to);
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(unread) => {
                    let StoreError::Corrupt(problem) = unread.error else {
                        return Err(unread.error.into());
                    };
                    let position = self.position.next();
                    let problem = format!("cannot be read: {problem}");
                    self.note(Finding { position, problem });
                    return Ok(false);
                }
            };
            for event in &page {
                match self.event(event).await? {
                    Ok(()) => {}
                    Err(Stop::Bad(finding)) => {
                        self.note(finding);
                        return Ok(false);
                    }
                    Err(Stop::Unknown(unknown)) => {
                        self.not_verified = Some(unknown);
                        return Ok(false);
                    }
                }
                self.position = event.position;
                self.recorded_at = Some(event.recorded_at);
                self.digest = self.digest.after(&event.event_id, &event.recorded_at);
            }
            progress.advance(self.position.0);
        }
        Ok(true)
    }

    /// Checks one event. The outer error is of the tools, the inner one of the event.
    async fn event(&mut self, event: &StoredEvent) -> Result<Result<(), Stop>, AuditError> {
        let checked = match self.check(event) {
            Ok(checked) => checked,
            Err(stop) => return Ok(Err(stop)),
        };
        self.whole_log.add(event)?;
        match checked {
            Some(BookEvent::SnapshotTaken(taken)) => {
                if let Some(problem) = elsewhere::saved_snapshot(self.store.as_ref(), &taken).await? {
                    // The log itself is sound: a saved snapshot can be thrown away. So the reading goes on.
                    let position = event.position;
                    self.note(Finding { position, problem });
                }
                Ok(Ok(()))
            }
            Some(BookEvent::TransactionPosted(transaction)) if transaction.reverses.is_some() => {
                let reversed = elsewhere::reversed(self.store.as_ref(), event.position, &transaction).await?;
                Ok(reversed.map_err(|problem| self.here(problem).into()))
            }
            _ => Ok(Ok(())),
        }
    }

    /// A problem of the event that is being read. A gap is found at the event after it: what is missing is the position
    /// before that one.
    fn here(&self, problem: String) -> Finding {
        let position = self.position.next();
        Finding { position, problem }
    }

    fn check(&mut self, event: &StoredEvent) -> Result<Option<BookEvent>, Stop> {
        self.check_place(event).map_err(|problem| self.here(problem))?;
        let (metadata, content) = text::check(event, self.store.source()).map_err(|problem| self.here(problem))?;
        if metadata.unit_id == event.event_id {
            self.consequences.end_unit()?;
        }
        let effective_time = metadata.effective_time.clone();
        let in_unit = self.units.check(event.event_id, event.recorded_at, metadata);
        in_unit.map_err(|problem| self.here(problem))?;
        if let Content::Unknown = content {
            return Err(Stop::Unknown(NotVerified {
                position: event.position,
                event_type: event.event_type.to_string(),
                event_version: event.event_version.to_string(),
            }));
        }
        let checked = self.check_content(event, content, effective_time.as_deref());
        Ok(checked.map_err(|problem| self.here(problem))?)
    }

    fn check_place(&self, event: &StoredEvent) -> Result<(), String> {
        if event.position != self.position.next() {
            return Err(format!(
                "missing: position {} follows {}",
                event.position, self.position
            ));
        }
        if let Some(before) = self.recorded_at.filter(|before| event.recorded_at < *before) {
            let (time, before) = (time_text(&event.recorded_at), time_text(&before));
            return Err(format!("recorded at {time}, before its predecessor at {before}"));
        }
        Ok(())
    }

    fn check_content(
        &mut self,
        event: &StoredEvent,
        content: Content,
        effective_time: Option<&str>,
    ) -> Result<Option<BookEvent>, String> {
        if let Content::Book(book_event) = content {
            self.consequences.of_ledger(event, &book_event, self.book.book())?;
            self.book.check(event, effective_time, &book_event)?;
            return Ok(Some(book_event));
        }
        if let Some(time) = effective_time {
            return Err(format!(
                "effectivetime is {time} in the metadata, but only transactions of the book have one"
            ));
        }
        if let Content::Domain(effects) = content {
            self.consequences.of_domain(event, effects)?;
        }
        Ok(None)
    }

    /// The log is over, and with it its last unit. Answers whether that has done everything that it says.
    fn end_unit(&mut self) -> bool {
        let ended = self.consequences.end_unit();
        ended.map_err(|finding| self.note(finding)).is_ok()
    }

    /// Whether the events go on as far as they were to be read, which the head says they do.
    fn reached(&mut self, up_to: Position, head: Head) -> bool {
        if self.position < up_to {
            let (head, last) = (head.position, self.position);
            let problem = format!("missing: the head says {head}, the events end at {last}");
            let position = self.position.next();
            self.note(Finding { position, problem });
            return false;
        }
        true
    }

    /// The head's digest must be that of the events. Said last: whatever else is wrong at the end says more.
    fn check_digest(&mut self, head: Head) {
        if self.first.is_none() && self.digest != head.digest {
            let (head, digest) = (head.digest, self.digest);
            let problem = format!("the head says the log's digest is {head}, the events give {digest}");
            let position = self.position;
            self.note(Finding { position, problem });
        }
    }

    /// The head must say what the last event says, and nothing may lie behind it.
    async fn check_head(&mut self, head: Head) -> Result<(), AuditError> {
        let position = self.position.next();
        if let Some(last) = self.recorded_at.filter(|last| *last != head.recorded_at) {
            let (head, last) = (time_text(&head.recorded_at), time_text(&last));
            let problem = format!("the head says the last event was recorded at {head}, the event says {last}");
            let position = self.position;
            self.note(Finding { position, problem });
        }
        // Events and head move in one transaction: a head that is read after an event includes it.
        if let Some(beyond) = self.store.read_after(head.position, 1).await?.pop() {
            let now = self.store.head().await?.position;
            if now < beyond.position {
                let problem = format!("position {} is there, but the head says {now}", beyond.position);
                self.note(Finding { position, problem });
            }
        }
        Ok(())
    }
}
