//! Events of the book, read from their stored form.

use viral_ledger::BookEvent;
use viral_store::StoredEvent;

/// The book's event, if this is one; an error if it claims to be one and is none.
pub(crate) fn decode(event: &StoredEvent) -> Result<Option<BookEvent>, String> {
    let (aggregate_type, aggregate_id) = (&event.stream.aggregate_type, &event.stream.aggregate_id);
    if aggregate_type != BookEvent::AGGREGATE_TYPE {
        if event.event_type.starts_with("book.") {
            return Err(format!("an event of the book in the stream {}", event.stream));
        }
        return Ok(None);
    }
    if aggregate_id != BookEvent::AGGREGATE_ID {
        return Err(format!("there is no book {aggregate_id:?}"));
    }
    if event.event_version != BookEvent::VERSION {
        let (version, name) = (&event.event_version, &event.event_type);
        return Err(format!("version {version:?} of {name} is unknown"));
    }
    let decoded: BookEvent = serde_json::from_str(&event.payload).map_err(|e| format!("payload: {e}"))?;
    if decoded.event_type() != event.event_type {
        let (inside, outside) = (decoded.event_type(), &event.event_type);
        return Err(format!("the payload's type is {inside}, the event's {outside}"));
    }
    Ok(Some(decoded))
}
