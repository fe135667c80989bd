//! What an event says of something that stands elsewhere: a saved snapshot beside the log, a transaction before it.

use crate::decode;
use crate::error::AuditError;
use viral_ledger::event::SnapshotTaken;
use viral_ledger::{Book, BookEvent, Posting, Transaction};
use viral_store::{EventStore, Position};

/// What is wrong with the snapshot that is saved for this event. There need not be one.
pub(super) async fn saved_snapshot(
    store: &dyn EventStore,
    taken: &SnapshotTaken,
) -> Result<Option<String>, AuditError> {
    let position = Position(taken.position);
    let saved = store.snapshot_at(position).await?;
    let Some(saved) = saved.filter(|saved| saved.position == position) else {
        return Ok(None);
    };
    let (actual, recorded) = (Book::hash_of_text(&saved.state), &taken.state_hash);
    if actual == *recorded {
        return Ok(None);
    }
    Ok(Some(format!(
        "the snapshot saved beside the log has the hash {actual}, the event says {recorded}: delete the saved one"
    )))
}

/// Whether a reversal is the mirror image of a transaction before it. The outer error is of the store.
pub(super) async fn reversed(
    store: &dyn EventStore,
    position: Position,
    reversal: &Transaction,
) -> Result<Result<(), String>, AuditError> {
    let Some(id) = reversal.reverses else { return Ok(Ok(())) };
    let found = store
        .find(id)
        .await?
        .filter(|found| found.event_id == id && found.position < position);
    let Some(found) = found else {
        return Ok(Err(format!("it reverses {id}, which is not in the log before it")));
    };
    let Ok(Some(BookEvent::TransactionPosted(original))) = decode::book(&found) else {
        return Ok(Err(format!("it reverses {id}, which is not a transaction")));
    };
    if original.reverses.is_some() {
        return Ok(Err(format!("it reverses {id}, which is a reversal itself")));
    }
    let mirrored = |(a, b): (&Posting, &Posting)| a.debit == b.credit && a.credit == b.debit && a.amount == b.amount;
    let same_count = original.postings.len() == reversal.postings.len();
    if !same_count || !original.postings.iter().zip(&reversal.postings).all(mirrored) {
        let at = found.position;
        return Ok(Err(format!(
            "it is not the mirror image of {id} at position {at}, which it reverses"
        )));
    }
    Ok(Ok(()))
}
