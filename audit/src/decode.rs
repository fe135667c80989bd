//! Events out of the log, by the one decoder.

use crate::error::AuditError;
use viral_domain::decode::DecodeError;
use viral_domain::{Aggregate, Recorded};
use viral_ledger::BookEvent;
use viral_store::StoredEvent;

/// What decoding asks of an event of the log.
pub(crate) fn recorded(event: &StoredEvent) -> Recorded<'_> {
    Recorded {
        aggregate_type: &event.stream.aggregate_type,
        aggregate_id: &event.stream.aggregate_id,
        event_type: &event.event_type,
        version: &event.event_version,
        payload: &event.payload,
    }
}

/// The book's event, if this is one; an error if it claims to be one and is none, or none that is known here.
pub(crate) fn book(event: &StoredEvent) -> Result<Option<BookEvent>, AuditError> {
    let recorded = recorded(event);
    if !recorded.is_of_book() {
        return Ok(None);
    }
    let read = recorded.book().map(Some);
    read.map_err(|error| AuditError::unread(event.position, error))
}

/// An event of a stream of this aggregate; nothing if a later program gave that something to say which none of today's
/// reports has.
pub(crate) fn of<A: Aggregate>(event: &StoredEvent) -> Result<Option<A::Event>, AuditError> {
    match recorded(event).read_as() {
        Ok(read) => Ok(Some(read)),
        Err(DecodeError::UnknownType { .. }) => Ok(None),
        Err(error) => Err(AuditError::unread(event.position, error)),
    }
}
