//! The one clock of a log: times come from the server that has the head, and one that is set stops every append.

use chrono::{DateTime, TimeDelta, Utc};
use viral_commands::{AppendError, Outcome, Settings, Writer, acceptance};
use viral_store::{Position, StoreError};
use viral_tests::samples::{open, transfer};
use viral_tests::server::{Database, TestServer, run};

/// A log on a server whose clock can be set: a function of the same name stands in front of PostgreSQL's own.
async fn log() -> Database {
    let database = TestServer::shared().await.database().await;
    let shim = "CREATE SCHEMA shim; CREATE TABLE shim.clock (ahead interval NOT NULL); \
         INSERT INTO shim.clock VALUES ('0'); \
         CREATE FUNCTION shim.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS \
         'SELECT pg_catalog.clock_timestamp() + ahead FROM shim.clock'; \
         GRANT USAGE ON SCHEMA shim TO viral_app; GRANT SELECT ON shim.clock TO viral_app; \
         DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = shim, public, pg_catalog', \
         current_database()); END $$";
    run(&database.superuser_url, shim).await.unwrap();
    database
}

/// Sets the server's clock.
async fn set(database: &Database, ahead: &str) {
    let statement = format!("UPDATE shim.clock SET ahead = '{ahead}'");
    run(&database.superuser_url, &statement).await.unwrap();
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
    set(&database, "-3 days").await;
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
        set(&database, ahead).await;
        for _ in 0..2 {
            says_that_the_clock_leapt(writer.append(open("shop", false)).await, seconds);
        }
        assert!(writer.store().continuity().check().is_err());
        assert_eq!(writer.store().head().await.unwrap().position, Position(1));
        // Reading goes on.
        assert_eq!(writer.read(|book, _| book.account_count()).await.unwrap(), 1);
    }
    // A small correction, as of a time server, is none.
    set(&database, "20 seconds").await;
    let after = time_of(writer.append(open("shop", false)).await.unwrap());
    assert!(after > before && after - before < TimeDelta::hours(1), "{after}");
    assert_eq!(writer.store().continuity().check(), Ok(()));
}

#[tokio::test]
async fn a_clock_that_was_set_may_be_accepted() {
    let database = log().await;
    let running = writer(&database).await;
    running.append(open("bank", true)).await.unwrap();
    set(&database, "2 hours").await;
    says_that_the_clock_leapt(running.append(open("shop", false)).await, 7_200);
    let operator = writer(&database).await;
    let accepted = acceptance::accept_clock(&operator, "operator", "it was two hours slow").await;
    let accepted = accepted.unwrap();
    assert_eq!(accepted.events()[0].event_type, "log.clock_accepted");
    // The process that had stopped goes on by itself, and notices the next one.
    let time = time_of(running.append(open("shop", false)).await.unwrap());
    assert!(time >= accepted.events()[0].recorded_at);
    set(&database, "4 hours").await;
    says_that_the_clock_leapt(running.append(transfer("bank", "shop", "1")).await, 7_200);
    let log: std::sync::Arc<dyn viral_store::EventStore> = database.store().await;
    let report = viral_audit::verify(&log, &viral_audit::Silent).await.unwrap();
    assert!(report.holds, "{report:?}");
}
