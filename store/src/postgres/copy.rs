//! Rows in the binary format of COPY, which needs no escaping.
//!
//! See PostgreSQL's documentation of COPY, "Binary Format": a signature, then for each row the number of fields and
//! each field as length and bytes, then −1.

use super::read::signed;
use crate::error::StoreError;
use crate::event::StoredEvent;
use chrono::{DateTime, Utc};

/// The statement that the data stream belongs to.
pub const STATEMENT: &str = "COPY events (aggregate_type, aggregate_id, sequence, event_type, event_version, \
     payload, metadata, position, event_id, recorded_at) FROM STDIN (FORMAT binary)";

const FIELDS: i16 = 10;
/// 2000-01-01T00:00:00Z, from which PostgreSQL counts microseconds.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// The whole data stream for these events.
pub fn encode(events: &[StoredEvent]) -> Result<Vec<u8>, StoreError> {
    let payloads: usize = events.iter().map(|e| e.payload.len() + e.metadata.len() + 160).sum();
    let mut data = Vec::with_capacity(payloads + 32);
    data.extend_from_slice(b"PGCOPY\n\xff\r\n\0");
    data.extend_from_slice(&[0; 8]); // no flags, no header extension
    for event in events {
        data.extend_from_slice(&FIELDS.to_be_bytes());
        field(&mut data, event.stream.aggregate_type.as_bytes())?;
        field(&mut data, event.stream.aggregate_id.as_bytes())?;
        field(&mut data, &signed(event.sequence)?.to_be_bytes())?;
        field(&mut data, event.event_type.as_bytes())?;
        field(&mut data, event.event_version.as_bytes())?;
        field(&mut data, event.payload.as_bytes())?;
        field(&mut data, event.metadata.as_bytes())?;
        field(&mut data, &signed(event.position.0)?.to_be_bytes())?;
        field(&mut data, event.event_id.as_bytes())?;
        field(&mut data, &micros(&event.recorded_at).to_be_bytes())?;
    }
    data.extend_from_slice(&(-1_i16).to_be_bytes());
    Ok(data)
}

fn field(data: &mut Vec<u8>, bytes: &[u8]) -> Result<(), StoreError> {
    let length = i32::try_from(bytes.len())
        .map_err(|_| StoreError::Corrupt("a field of an event is longer than 2 GiB".to_owned()))?;
    data.extend_from_slice(&length.to_be_bytes());
    data.extend_from_slice(bytes);
    Ok(())
}

fn micros(time: &DateTime<Utc>) -> i64 {
    time.timestamp_micros() - POSTGRES_EPOCH_MICROS
}
