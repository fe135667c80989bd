//! The one clock of a log: times come from the server that has the head, and one that is set stops every append.

use chrono::{DateTime, TimeDelta, Utc};
use viral_commands::{AppendError, Outcome, Settings, Writer, acceptance};
use viral_store::continuity::ClockReading;
use viral_store::{EventStore as _, Position, StoreError};
use viral_tests::samples::{open, transfer};
use viral_tests::server::{Database, TestServer};

/// A log on a server whose clock can be set.
async fn log() -> Database {
    let database = TestServer::shared().await.database().await;
    database.make_clock_settable().await;
    database
}

/// A process of its own.
async fn writer(database: &Database) -> Writer {
    let store = database.store().await;
    Writer::start(store, Settings::default()).await.unwrap().0
}

fn time_of(outcome: Outcome) -> DateTime<Utc> {
    outcome.events()[0].recorded_at
}

fn says_that_the_clock_leapt(answer: Result<Outcome, AppendError>, seconds: i64) {
    match answer {
        Err(AppendError::Store(StoreError::ClockLeapt(leapt))) => {
            assert!((leapt.seconds - seconds).abs() <= 1, "{leapt}");
            assert!(leapt.to_string().contains("viral log accept --clock"), "{leapt}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn times_are_the_servers_and_so_is_the_present_of_every_process() {
    let database = log().await;
    database.set_clock("-3 days").await;
    let writer = writer(&database).await;
    let recorded = time_of(writer.append(open("bank", true)).await.unwrap());
    let expected = Utc::now() - TimeDelta::days(3);
    assert!((recorded - expected).abs() < TimeDelta::hours(1), "{recorded}");
    assert!(
        (writer.now() - expected).abs() < TimeDelta::hours(1),
        "{}",
        writer.now()
    );
    assert!((writer.clock_offset() + TimeDelta::days(3)).abs() < TimeDelta::hours(1));
}

#[tokio::test]
async fn a_clock_that_is_set_stops_appends_until_it_is_right() {
    let database = log().await;
    let writer = writer(&database).await;
    let before = time_of(writer.append(open("bank", true)).await.unwrap());
    for (ahead, seconds) in [("1 day", 86_400), ("-10 minutes", -600)] {
        database.set_clock(ahead).await;
        for _ in 0..2 {
            says_that_the_clock_leapt(writer.append(open("shop", false)).await, seconds);
        }
        assert!(writer.store().continuity().check().is_err());
        assert_eq!(writer.store().head().await.unwrap().position, Position(1));
        // Reading goes on.
        assert_eq!(writer.read(|book, _| book.account_count()).await.unwrap(), 1);
    }
    // A small correction, as of a time server, is none.
    database.set_clock("20 seconds").await;
    let after = time_of(writer.append(open("shop", false)).await.unwrap());
    assert!(after > before && after - before < TimeDelta::hours(1), "{after}");
    assert_eq!(writer.store().continuity().check(), Ok(()));
}

#[tokio::test]
async fn a_clock_that_was_set_may_be_accepted() {
    let database = log().await;
    let running = writer(&database).await;
    running.append(open("bank", true)).await.unwrap();
    database.set_clock("2 hours").await;
    says_that_the_clock_leapt(running.append(open("shop", false)).await, 7_200);
    let operator = writer(&database).await;
    let accepted = acceptance::accept_clock(&operator, "operator", "it was two hours slow").await;
    let accepted = accepted.unwrap();
    assert_eq!(accepted.events()[0].event_type, "log.clock_accepted");
    // The process that had stopped goes on by itself, and notices the next one.
    let time = time_of(running.append(open("shop", false)).await.unwrap());
    assert!(time >= accepted.events()[0].recorded_at);
    database.set_clock("4 hours").await;
    says_that_the_clock_leapt(running.append(transfer("bank", "shop", "1")).await, 7_200);
    let log: std::sync::Arc<dyn viral_store::EventStore> = database.store().await;
    let report = viral_audit::verify(&log, &viral_audit::Silent).await.unwrap();
    assert!(report.holds, "{report:?}");
}

/// Whoever asks whether the platform is ready has the clock looked at, once a second.
#[tokio::test]
async fn a_clock_that_is_set_is_noticed_where_nobody_appends() {
    let database = log().await;
    let writer = writer(&database).await;
    writer.append(open("bank", true)).await.unwrap();
    let continuity = || writer.store().continuity().check();
    for (ahead, is_right) in [("1 day", false), ("0", true)] {
        database.set_clock(ahead).await;
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
        while continuity().is_ok() != is_right {
            assert!(tokio::time::Instant::now() < deadline, "{:?}", continuity());
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            writer.read(|book, _| book.account_count()).await.unwrap();
        }
    }
    assert_eq!(writer.store().head().await.unwrap().position, Position(1));
    writer.append(open("shop", false)).await.unwrap();
}

/// An acceptance is one for every process, whether it had noticed or not, and for those that start later with what was
/// read before.
#[tokio::test]
async fn a_clock_that_nobody_had_noticed_may_be_accepted() {
    let database = log().await;
    let running = writer(&database).await;
    running.append(open("bank", true)).await.unwrap();
    let before = running.store().continuity().clock().unwrap();
    database.set_clock("2 hours").await;
    let operator = writer(&database).await;
    let accepted = acceptance::accept_clock(&operator, "operator", "it was two hours slow").await;
    let accepted = accepted.unwrap().events()[0].clone();
    running.append(open("shop", false)).await.unwrap();

    let starts_with = async |reading: ClockReading| {
        let store = database.store().await;
        store.continuity().set_clock(reading);
        let writer = Writer::start(store, Settings::default()).await.unwrap().0;
        writer.append(transfer("bank", "shop", "1")).await
    };
    starts_with(before).await.unwrap();
    // One that was read after it is another matter.
    let later = ClockReading {
        position: accepted.position,
        ..before
    };
    says_that_the_clock_leapt(starts_with(later).await, 7_200);
}
