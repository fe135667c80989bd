//! Answers that are lost, servers that are silent, reads that end in the middle.

use super::support::{LOG, all, hasty, said, store, store_with, with_history, writer};
use std::time::Duration;
use tokio::time::timeout;
use viral_commands::{Outcome, Settings, Writer};
use viral_store::kurrentdb::KurrentStore;
use viral_store::{EventStore as _, Position, StoreError};
use viral_tests::hold::PATIENCE;
use viral_tests::kurrentdb::{Append, Fake, Read};

#[tokio::test]
async fn an_append_whose_answer_is_lost_is_found() {
    let fake = Fake::start().await;
    let store = store(&fake).await;
    let writer = writer(&store).await;
    for (n, fault) in [Append::AnswerLost, Append::Cut, Append::Unavailable]
        .into_iter()
        .enumerate()
    {
        fake.on_appends([fault]);
        let outcome = writer.append(said("a", n as u64, "x")).await.unwrap();
        assert!(matches!(outcome, Outcome::Appended(_)), "{fault:?}: {outcome:?}");
        assert_eq!(outcome.events()[0].position, Position(n as u64 + 1));
    }
    assert_eq!(all(&*store).await.len(), 3);
}

/// The server is silent for longer than the deadline; what was sent to it is carried out in the end, or would be.
#[tokio::test]
async fn an_append_that_comes_late_is_not_appended_twice() {
    let fake = Fake::start().await;
    let store = store_with(&fake, hasty()).await;
    let writer = writer(&store).await;
    fake.on_appends([Append::Held]);
    let outcome = writer.append(said("a", 0, "once")).await.unwrap();
    assert!(matches!(outcome, Outcome::Appended(_)), "{outcome:?}");
    // The first attempt comes through now, and is refused.
    fake.release();
    fake.appends_have_ended().await;
    writer.append(said("a", 1, "twice")).await.unwrap();
    assert_eq!(all(&*store).await.len(), 2);
    assert_eq!(fake.len(LOG), 3);
}

#[tokio::test]
async fn a_silent_server_is_an_answer_after_the_deadline() {
    let fake = Fake::start().await;
    let store = store_with(&fake, hasty()).await;
    let settings = Settings {
        patience: Duration::from_millis(500),
        ..Settings::default()
    };
    let (writer, _task) = Writer::start(store.clone(), settings).await.unwrap();
    fake.on_appends([Append::Held; 20]);
    // Without its deadline it would wait for ever.
    let answered = timeout(PATIENCE, writer.append(said("a", 0, "x"))).await;
    let error = answered.unwrap().unwrap_err();
    assert!(
        error.is_retryable() && error.to_string().contains("within 3 s"),
        "{error}"
    );
    fake.on_reads([Read::StallsAfter(0)]);
    let error = store.head().await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
}

#[tokio::test]
async fn a_read_that_ends_in_the_middle_is_an_error_and_goes_on_the_next_time() {
    let fake = with_history().await;
    for fault in [Read::CutAfter(1), Read::FailsAfter(1), Read::StallsAfter(1)] {
        // The first read is that of the header.
        fake.on_reads([Read::Fine, fault]);
        let error = KurrentStore::open(&fake.url(), hasty()).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{fault:?}: {error}");
        let reader = store_with(&fake, hasty()).await;
        assert_eq!(reader.head().await.unwrap().position, Position(3));
        let other = writer(&store(&fake).await).await;
        let sequence = fake.len(LOG) as u64 - 1;
        for n in 0..3 {
            other.append(said("a", sequence + n, "more")).await.unwrap();
        }
        fake.on_reads([fault]);
        let error = reader.head().await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{fault:?}: {error}");
        assert_eq!(reader.head().await.unwrap().position, Position(sequence + 3));
        assert_eq!(all(&*reader).await.len() as u64, sequence + 3);
        // So that the next round finds three again.
        fake.change(LOG, |records| records.truncate(4));
    }
}

#[tokio::test]
async fn a_server_that_was_down_is_used_again() {
    let fake = with_history().await;
    let store = store(&fake).await;
    let settings = Settings {
        patience: PATIENCE,
        ..Settings::default()
    };
    let (writer, _task) = Writer::start(store.clone(), settings).await.unwrap();
    fake.shut().await;
    for _ in 0..2 {
        let error = store.head().await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        assert!(
            error.to_string().contains("is the server of EVENT_STORE running?"),
            "{error}"
        );
    }
    let waiting = tokio::spawn(async move { writer.append(said("a", 3, "after the outage")).await });
    let mut knocks = fake.send_away().await;
    knocks.wait_for(|knocks| *knocks >= 3).await.unwrap();
    assert!(!waiting.is_finished());
    fake.reopen().await;
    let outcome = waiting.await.unwrap().unwrap();
    assert_eq!(outcome.events()[0].position, Position(4));
    assert_eq!(store.head().await.unwrap().position, Position(4));
}

#[tokio::test]
async fn who_waits_is_woken_by_what_others_append() {
    let fake = with_history().await;
    let (here, there) = (store(&fake).await, store(&fake).await);
    let writer = writer(&there).await;
    let mut reads = fake.reads();
    let waiting = tokio::spawn(async move { here.wait_for(Position(3), 2 * PATIENCE).await });
    // It looks.
    reads.changed().await.unwrap();
    writer.append(said("a", 3, "news")).await.unwrap();
    let head = timeout(PATIENCE, waiting).await.unwrap().unwrap().unwrap();
    assert_eq!(head.position, Position(4));
}
