//! What one event says by itself: its texts are canonical, say what they must, and make a line.

use super::subject;
use crate::decode::recorded;
use chrono::Datelike;
use serde::Deserialize;
use std::borrow::Cow;
use viral_domain::{Decoded, Effect, Recorded};
use viral_ledger::{BookEvent, timestamp};
use viral_store::event::time_text;
use viral_store::{Metadata, StoredEvent, canonical, line};

/// What a payload says.
pub(super) enum Content {
    /// Something happened in the book.
    Book(BookEvent),
    /// Something happened in the domain, which does this to the ledger.
    Domain(Vec<Effect>),
    /// Somebody wants a transaction undone: the book's event behind it says what that does.
    Reversal,
    /// What happened is not known to this version of the program.
    Unknown,
}

/// Checks the texts of an event, and answers what they say.
pub(super) fn check(event: &StoredEvent, source: &str) -> Result<(Metadata, Content), String> {
    let content = check_payload(event)?;
    let metadata = check_metadata(&event.metadata)?;
    check_time(event)?;
    check_line(event, source)?;
    if event.sequence == 0 {
        return Err("its sequence is 0, streams begin at 1".to_owned());
    }
    Ok((metadata, content))
}

fn check_payload(event: &StoredEvent) -> Result<Content, String> {
    let decoded = decode(event);
    if let Ok((content, true)) = decoded {
        // The canonical text of a value is canonical, and tagged with the type that was compared.
        return Ok(content);
    }
    canonical::check_object(&event.payload).map_err(|e| format!("payload: {e}"))?;
    check_tag(event)?;
    match decoded? {
        (Content::Unknown, _) => Ok(Content::Unknown),
        _ => Err(format!(
            "payload: canonical, but not spelled as version {} of this event is written",
            event.event_version
        )),
    }
}

/// What the payload says, and whether it is known to be the text that the writer of its version makes of that.
fn decode(event: &StoredEvent) -> Result<(Content, bool), String> {
    let recorded = recorded(event);
    let decoded = match viral_domain::decode(&recorded) {
        Ok(decoded) => decoded,
        Err(error) if error.is_unknown() => return Ok((Content::Unknown, false)),
        Err(error) => return Err(error.to_string()),
    };
    if let Decoded::Book(book_event) = &decoded
        && event.event_version == book_event.version()
        && is_plain_text_of(book_event, &event.payload)
    {
        return Ok((content(decoded), true));
    }
    if !matches!(decoded, Decoded::Book(_)) {
        let newest = match event.event_version == decoded.version() {
            true => Cow::Borrowed(&*event.payload),
            false => Cow::Owned(decoded.to_json().map_err(|e| format!("payload: {e}"))?.to_string()),
        };
        subject::check(event, &newest)?;
    }
    let is_as_written = is_as_written(&recorded, &decoded);
    Ok((content(decoded), is_as_written))
}

fn content(decoded: Decoded) -> Content {
    match decoded {
        Decoded::Book(event) => Content::Book(event),
        Decoded::Reversal(_) => Content::Reversal,
        other => Content::Domain(other.effects()),
    }
}

/// Each version is spelled by its own writer: which fields there are, and whether nothing is `null` or left out.
fn is_as_written(recorded: &Recorded<'_>, decoded: &Decoded) -> bool {
    let written = recorded.as_written(decoded);
    written.is_ok_and(|written| canonical::to_text(&written).is_ok_and(|text| text == recorded.payload))
}

/// Whether a text is the canonical one, seen without sorting anything: the fields of the book's events are declared in
/// canonical order, all but the tag `type`, which serde writes first and which comes last. Where that does not decide it
/// (names beyond ASCII are sorted by UTF-16 units), the answer is no. A test holds that this is the canonical text.
fn is_plain_text_of(book_event: &BookEvent, text: &str) -> bool {
    if let BookEvent::TransactionPosted(transaction) = book_event
        && !transaction.metadata.keys().all(|name| name.is_ascii())
    {
        return false;
    }
    let Ok(tag_first) = serde_json::to_string(book_event) else {
        return false;
    };
    let tag = format!("\"type\":\"{}\"", book_event.event_type());
    let fields = tag_first
        .strip_prefix('{')
        .and_then(|rest| rest.strip_prefix(&tag)?.strip_prefix(','));
    let stored = text
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}')?.strip_suffix(&tag));
    match (fields.and_then(|fields| fields.strip_suffix('}')), stored) {
        (Some(fields), Some(stored)) => stored.strip_suffix(',') == Some(fields),
        _ => false,
    }
}

/// The payload's own type must be the event's.
fn check_tag(event: &StoredEvent) -> Result<(), String> {
    #[derive(Deserialize)]
    struct Tagged<'a> {
        #[serde(rename = "type", borrow)]
        tag: Cow<'a, str>,
    }
    let tagged: Tagged<'_> = serde_json::from_str(&event.payload).map_err(|e| format!("payload: {e}"))?;
    if tagged.tag != event.event_type {
        let (inside, outside) = (tagged.tag, &event.event_type);
        return Err(format!("the payload's type is {inside}, the event's {outside}"));
    }
    Ok(())
}

fn check_metadata(text: &str) -> Result<Metadata, String> {
    let parsed: Result<Metadata, _> = serde_json::from_str(text);
    // The fields are declared in canonical order, and serde_json escapes as RFC 8785 does.
    if let Ok(metadata) = parsed.as_ref()
        && serde_json::to_string(metadata).is_ok_and(|again| again == text)
    {
        return parsed.map_err(|e| format!("metadata: {e}"));
    }
    canonical::check_object(text).map_err(|e| format!("metadata: {e}"))?;
    match parsed {
        Ok(_) => Err("metadata: canonical, but not spelled as the writer does".to_owned()),
        Err(error) => Err(format!("metadata: {error}")),
    }
}

/// The line has six fraction digits and a year of four.
fn check_time(event: &StoredEvent) -> Result<(), String> {
    let time = event.recorded_at;
    if timestamp::truncate(time) != time || !(0..=9999).contains(&time.year()) {
        return Err(format!("its time {time} cannot be written as {}", time_text(&time)));
    }
    Ok(())
}

/// The line joins texts that were found canonical with names and strings that the store escapes, so it is canonical and
/// read back as the same event whenever it is short enough; a property test holds that. So it is only measured here.
fn check_line(event: &StoredEvent, source: &str) -> Result<(), String> {
    line::check_length(event, source).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use proptest::prelude::*;
    use uuid::Uuid;
    use viral_store::{Position, StreamId};

    const SOURCE: &str = "urn:viral:log:00000000-0000-4000-8000-000000000000";

    /// One of every kind, with every optional field.
    fn all_kinds() -> Vec<BookEvent> {
        let id = "00000000-0000-8000-8000-000000000007";
        [
            r#"{"account":"a:1","asset":"USD","may_go_negative":true,"normal_side":"debit","type":"book.account_opened"}"#,
            r#"{"account":"a:1","reason":"r \"é\" \\","type":"book.account_frozen"}"#,
            r#"{"account":"a:1","reason":"r","type":"book.account_unfrozen"}"#,
            r#"{"account":"a:1","type":"book.account_closed"}"#,
            r#"{"captures":"ID","code":"fee","description":"d","effective_at":"2026-01-01T00:00:00.000000Z","metadata":{"B":"1","a":"2"},"postings":[{"amount":"1.00","asset":"USD","credit":"b","debit":"a"}],"reference":{"id":"i","type":"t"},"type":"book.transaction_posted"}"#,
            r#"{"code":"reversal","effective_at":"2026-01-01T00:00:00.000000Z","postings":[],"reverses":"ID","type":"book.transaction_posted"}"#,
            r#"{"account":"a:1","amount":"1.00","asset":"USD","expires_at":"2026-01-01T00:00:00.000000Z","hold":"ID","reference":{"id":"i","type":"t"},"type":"book.hold_placed"}"#,
            r#"{"hold":"ID","reason":"r","type":"book.hold_voided"}"#,
            r#"{"hold":"ID","type":"book.hold_expired"}"#,
            r#"{"through":"2026-01-01","type":"book.period_closed"}"#,
            r#"{"position":"7","state_hash":"ab","type":"book.snapshot_taken"}"#,
        ]
        .iter()
        .map(|text| serde_json::from_str(&text.replace("ID", id)).unwrap_or_else(|e| panic!("{text}: {e}")))
        .collect()
    }

    #[test]
    fn the_quick_comparison_knows_the_canonical_text_of_every_kind() {
        for event in all_kinds() {
            let text = canonical::to_text(&event).unwrap();
            assert_eq!(canonical::check_object(&text), Ok(()));
            assert!(is_plain_text_of(&event, &text), "{text}");
            for other in [
                format!("{text} "),
                text.replace("\"type\"", " \"type\""),
                text.replacen('{', "{ ", 1),
            ] {
                assert!(!is_plain_text_of(&event, &other), "{other}");
            }
            assert!(!is_plain_text_of(&event, &serde_json::to_string(&event).unwrap()));
        }
    }

    #[test]
    fn names_that_sort_otherwise_in_utf_16_are_left_to_the_slow_comparison() {
        let text = "{\"code\":\"fee\",\"effective_at\":\"2026-01-01T00:00:00.000000Z\",\"metadata\":{\"\u{ffee}\":\"1\",\
                    \"\u{1f600}\":\"2\"},\"postings\":[],\"type\":\"book.transaction_posted\"}";
        let event: BookEvent = serde_json::from_str(text).unwrap();
        assert!(!is_plain_text_of(&event, text));
        assert_ne!(canonical::to_text(&event).unwrap(), text);
    }

    proptest! {
        /// What [`check_line`] does not do again: the line of an event that passes is read back as that event.
        #[test]
        fn what_passes_makes_a_line_that_is_read_back(
            kind in ".{0,20}", id in ".{0,20}", name in ".{0,20}", version in ".{0,5}", text in ".{0,40}",
            actor in proptest::option::of(".{0,20}"), hash in proptest::option::of("[0-9a-f]{0,64}"),
            numbers in any::<(u64, u64, u128)>(), micros in -62_167_219_200_000_000_i64..253_402_300_800_000_000,
        ) {
            let (position, sequence, event_id) = numbers;
            let payload = serde_json::json!({"type": name, "text": text, "value": [position as f64, null, true]});
            let metadata = Metadata {
                actor: actor.map(Cow::Owned),
                request_hash: hash.map(Cow::Owned),
                unit_id: Uuid::from_u128(event_id),
                ..Metadata::default()
            };
            let event = StoredEvent {
                position: Position(position),
                event_id: Uuid::from_u128(event_id),
                stream: StreamId::new(kind, id),
                sequence,
                event_type: name.into(),
                event_version: version.into(),
                payload: canonical::to_text(&payload).unwrap(),
                metadata: serde_json::to_string(&metadata).unwrap(),
                recorded_at: DateTime::from_timestamp_micros(micros).unwrap(),
            };
            prop_assume!(check(&event, SOURCE).is_ok());
            let line = line::to_line(&event, SOURCE).unwrap();
            let read = line::parse(&line).map(|read| (read.event, read.source));
            prop_assert_eq!(read, Ok((event, SOURCE.to_owned())));
        }
    }
}
