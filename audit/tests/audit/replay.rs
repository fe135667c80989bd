//! Replay and trial balance at the head and before it.

use crate::history::History;
use crate::tampered::{self, Tampered};
use viral_audit::{AsOf, AuditError, Silent, replay, trial_balance};
use viral_commands::BookAt;
use viral_store::Position;

/// `address debits credits balance` of every account that is not empty.
fn rows(accounts: &[viral_ledger::trial_balance::Row]) -> Vec<String> {
    let moved = accounts
        .iter()
        .filter(|row| row.debits != "0.00" || row.credits != "0.00");
    moved
        .map(|row| format!("{} {} {} {}", row.address, row.debits, row.credits, row.balance))
        .collect()
}

#[tokio::test]
async fn a_replay_is_the_book_that_the_writer_has() {
    let log = History::of_everything().await;
    let replayed = replay(&log.store, AsOf::Head, &Silent).await.unwrap();
    let hash = log.writer.read(|book, _| book.state_hash()).await.unwrap();
    assert_eq!(replayed.state_hash, hash);
    assert_eq!((replayed.position.as_str(), replayed.events), ("20", 20));
    assert_eq!(replayed.recorded_at.as_deref(), Some("2026-01-04T12:00:00.000000Z"));
    assert_eq!(
        rows(&replayed.accounts),
        [
            "bank:cash 900.00 0.00 900.00",
            "customer:1 76.50 950.50 874.00",
            "customer:2 50.50 76.50 26.00",
        ]
    );
    let json = serde_json::to_value(&replayed).unwrap();
    assert_eq!(json["totals"]["CZK"]["debits"], json["totals"]["CZK"]["credits"]);
    assert_eq!(json["accounts"][0]["address"], "bank:cash");
}

#[tokio::test]
async fn every_position_has_the_state_that_the_book_had_there() {
    let log = History::of_everything().await;
    for position in 0..=20 {
        let mut book = BookAt::default();
        book.follow(log.store.as_ref(), Position(position)).await.unwrap();
        let replayed = replay(&log.store, AsOf::Position(Position(position)), &Silent)
            .await
            .unwrap();
        assert_eq!(replayed.state_hash, book.book.state_hash(), "at {position}");
        assert_eq!(replayed.position, position.to_string());
    }
}

#[tokio::test]
async fn a_time_means_everything_recorded_by_then() {
    let log = History::of_everything().await;
    for (text, position) in [
        ("2026-01-01T11:59:59.999999Z", 0),
        ("2026-01-01T12:00:00Z", 3),
        ("2026-01-01", 3),
        ("2026-01-02T12:00:00Z", 13),
        ("2026-01-03", 13),
        ("2030-01-01", 20),
        ("7", 7),
        ("0", 0),
    ] {
        let as_of: AsOf = text.parse().unwrap();
        assert_eq!(
            as_of.resolve(log.store.as_ref()).await.unwrap(),
            Position(position),
            "{text}"
        );
    }
    let error = replay(&log.store, AsOf::Position(Position(21)), &Silent)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "position 21 is beyond the end of the log, which is at position 20"
    );
}

#[tokio::test]
async fn a_cutoff_counts_what_had_taken_effect() {
    let log = History::of_everything().await;
    let at_head = trial_balance(&log.store, AsOf::Head, None, &Silent).await.unwrap();
    let late = trial_balance(&log.store, AsOf::Head, Some("2026-12-31".parse().unwrap()), &Silent)
        .await
        .unwrap();
    assert_eq!(at_head, late);
    // Only the transaction that was dated back had taken effect in the old year.
    let early = trial_balance(&log.store, AsOf::Head, Some("2025-12-31".parse().unwrap()), &Silent)
        .await
        .unwrap();
    assert_eq!(
        rows(&early.accounts),
        ["customer:1 50.50 0.00 -50.50", "customer:2 0.00 50.50 50.50"]
    );
    assert_eq!(early.accounts.len(), 3);
    let json = serde_json::to_value(&early).unwrap();
    let fields: Vec<&String> = json["accounts"][0].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["address", "asset", "balance", "credits", "debits"]);
}

#[tokio::test]
async fn an_empty_log_has_an_empty_book() {
    let replayed = replay(&tampered::empty().into_store(), AsOf::Head, &Silent)
        .await
        .unwrap();
    assert_eq!(
        (
            replayed.position.as_str(),
            replayed.accounts.len(),
            replayed.recorded_at
        ),
        ("0", 0, None)
    );
}

#[tokio::test]
async fn what_does_not_hold_ends_a_replay_with_its_position() {
    let log = History::of_everything().await;
    let sound = Tampered::copy(log.store.as_ref()).await;

    let mut forged = sound.clone();
    forged.payload(4, "900.00", "9.00");
    let error = replay(&forged.into_store(), AsOf::Head, &Silent).await.unwrap_err();
    assert!(
        matches!(
            error,
            AuditError::Broken {
                position: Position(5),
                ..
            }
        ),
        "{error}"
    );

    let mut gap = sound.clone();
    gap.events.remove(6);
    let error = replay(&gap.into_store(), AsOf::Head, &Silent).await.unwrap_err();
    assert!(
        matches!(
            error,
            AuditError::Broken {
                position: Position(7),
                ..
            }
        ),
        "{error}"
    );

    let mut short = sound.clone();
    short.events.truncate(18);
    let error = replay(&short.into_store(), AsOf::Head, &Silent).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("position 19: missing, though the head of the log says 20"),
        "{error}"
    );

    let mut unreadable = sound;
    unreadable.unreadable = Some(Position(9));
    let error = replay(&unreadable.into_store(), AsOf::Head, &Silent).await.unwrap_err();
    assert!(
        matches!(
            error,
            AuditError::Broken {
                position: Position(9),
                ..
            }
        ),
        "{error}"
    );
}
