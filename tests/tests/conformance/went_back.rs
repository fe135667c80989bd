//! A log that went back under a process that goes on: events were lost, as in a failover to an asynchronous standby or by a
//! restore, and others were appended since. Whoever saw what is lost decides nothing more on top of it.

use std::sync::Arc;
use uuid::Uuid;
use viral_commands::{AppendError, Outcome, Settings, Unit, Writer};
use viral_store::{Checkpoint, EventStore, MemoryStore, Position, PostgresStore};
use viral_tests::kurrentdb::Fake;
use viral_tests::samples::{address, open, transfer};
use viral_tests::server::{Database, TestServer, run};

type Store = Arc<dyn EventStore>;

/// How many events there are before those that are lost: three accounts.
const KEPT: u64 = 3;
/// How many are lost: fundings.
const LOST: u64 = 5;

/// A log that can lose its end, and be opened by several processes.
enum Home {
    Memory(MemoryStore),
    Postgres(Database),
    KurrentDb(Fake),
}

impl Home {
    async fn in_memory() -> Home {
        Home::Memory(MemoryStore::new(Uuid::now_v7()))
    }

    async fn on_postgres() -> Home {
        Home::Postgres(TestServer::shared().await.database().await)
    }

    async fn on_kurrentdb() -> Home {
        Home::KurrentDb(Fake::start().await)
    }

    /// As another process opens it.
    async fn open(&self) -> Store {
        match self {
            Home::Memory(store) => Arc::new(store.another_process()),
            Home::Postgres(database) => Arc::new(PostgresStore::connect(&database.app_url).await.unwrap()),
            Home::KurrentDb(fake) => {
                use viral_store::kurrentdb::{KurrentStore, Options};
                Arc::new(
                    KurrentStore::open_or_create(&fake.url(), Options::default())
                        .await
                        .unwrap(),
                )
            }
        }
    }

    /// Notes how the log is, to go back to it.
    async fn note(&self) {
        if let Home::Postgres(database) = self {
            let note = "CREATE TABLE noted AS TABLE log_head";
            run(&database.superuser_url, note).await.unwrap();
        }
    }

    /// The log is as it was when it was noted, as after a restore: with [`KEPT`] events, each a unit of its own.
    async fn go_back(&self) {
        match self {
            Home::Memory(store) => store.lose_after(Position(KEPT)),
            Home::Postgres(database) => {
                let restore = "SET session_replication_role = replica; \
                     DELETE FROM events WHERE position > (SELECT position FROM noted); \
                     DELETE FROM log_head; INSERT INTO log_head TABLE noted";
                run(&database.superuser_url, restore).await.unwrap();
            }
            // The first record is the header.
            Home::KurrentDb(fake) => fake.change("viral-log", |records| records.truncate(1 + KEPT as usize)),
        }
    }
}

async fn writer(store: &Store) -> Writer {
    Writer::start(store.clone(), Settings::default()).await.unwrap().0
}

/// A log with an account that has nothing and may not go negative, as it will be once what comes later is lost.
async fn beginning(home: &Home) -> Writer {
    let first = writer(&home.open().await).await;
    for unit in [open("bank", true), open("sponsor", false), open("other", false)] {
        first.append(unit).await.unwrap();
    }
    home.note().await;
    first
}

/// The one place that knows how a process says that the log went back.
fn says_that_the_log_went_back(answer: Result<Outcome, AppendError>) {
    let error = match answer {
        Err(error) => error,
        Ok(outcome) => panic!("acknowledged on a log that went back: {outcome:?}"),
    };
    assert!(error.to_string().contains("viral log accept"), "{error}");
    assert!(!error.is_retryable(), "{error}");
}

/// Five fundings are lost, and others append so many events meanwhile; then what was funded is spent.
async fn is_noticed(home: Home, others: u64) {
    let first = beginning(&home).await;
    for _ in 0..LOST {
        first.append(transfer("bank", "sponsor", "20")).await.unwrap();
    }
    home.go_back().await;
    let second = writer(&home.open().await).await;
    for _ in 0..others {
        second.append(transfer("bank", "other", "1")).await.unwrap();
    }
    // Whatever it is, and as often as it is tried: nothing is decided any more.
    let spend = transfer("sponsor", "bank", "100");
    says_that_the_log_went_back(first.append(spend.clone()).await);
    says_that_the_log_went_back(first.append(spend).await);
    says_that_the_log_went_back(first.append(transfer("bank", "other", "1")).await);
    let note = viral_tests::samples::notes(&viral_store::StreamId::new("note", "a"), 0, &["x"]);
    says_that_the_log_went_back(first.append(Unit::new(Uuid::now_v7(), vec![note])).await);

    // Nothing came of it, and whoever knows only what there is goes on.
    let expected = KEPT + others;
    assert_eq!(home.open().await.head().await.unwrap().position, Position(expected));
    second.append(transfer("bank", "sponsor", "1")).await.unwrap();
    let third = writer(&home.open().await).await;
    let outcome = third.append(transfer("sponsor", "other", "1")).await.unwrap();
    assert_eq!(outcome.events()[0].position, Position(expected + 2));
    let balance = third.read(|book, _| book.account(&address("sponsor")).map(|a| a.balance()));
    assert_eq!(balance.await.unwrap(), Some(0));
    says_that_the_log_went_back(first.append(transfer("bank", "other", "1")).await);
    let store = home.open().await;
    let report = viral_audit::verify(&store, &viral_audit::Silent).await.unwrap();
    assert!(report.holds, "{:?}", report.first_bad);
}

async fn shorter_than_what_was_seen(home: Home) {
    is_noticed(home, LOST - 3).await;
}

async fn as_long_as_what_was_seen(home: Home) {
    is_noticed(home, LOST).await;
}

async fn longer_than_what_was_seen(home: Home) {
    is_noticed(home, LOST + 3).await;
}

/// One that is as far as the log went back to has seen nothing that is lost.
async fn who_saw_nothing_of_it_goes_on(home: Home) {
    let first = beginning(&home).await;
    let second = writer(&home.open().await).await;
    for _ in 0..LOST {
        second.append(transfer("bank", "sponsor", "20")).await.unwrap();
    }
    home.go_back().await;
    let third = writer(&home.open().await).await;
    for _ in 0..LOST {
        third.append(transfer("bank", "other", "1")).await.unwrap();
    }
    let outcome = first.append(transfer("other", "bank", "5")).await.unwrap();
    assert_eq!(outcome.events()[0].position, Position(KEPT + LOST + 1));
    says_that_the_log_went_back(second.append(transfer("other", "bank", "1")).await);
}

/// What lies beside the log, like a read model, may have what the log lost: that is said to whoever asks, and stops nobody.
async fn what_lies_beside_the_log_stops_nobody(home: Home) {
    let first = beginning(&home).await;
    let kept = first.store().continuity().furthest();
    first.append(transfer("bank", "sponsor", "20")).await.unwrap();
    let lost = first.store().continuity().furthest();
    assert!(first.store().has(&kept).await.unwrap() && first.store().has(&lost).await.unwrap());
    home.go_back().await;
    let second = writer(&home.open().await).await;
    for position in [lost.position.0 - 1, lost.position.0, lost.position.0 + 1] {
        let store = second.store();
        assert_eq!(store.head().await.unwrap().position, Position(position));
        let found = store.event_at(lost.position).await.unwrap();
        assert_eq!(found.is_some(), position >= lost.position.0);
        assert!(store.has(&kept).await.unwrap() && !store.has(&lost).await.unwrap());
        assert_eq!(store.continuity().check(), Ok(()));
        second.append(transfer("bank", "other", "1")).await.unwrap();
    }
}

/// Who begins in the middle of a log, as a relay does, knows its digest from the head on, and compares it from there.
async fn a_digest_is_known_from_the_head_on(home: Home) {
    let first = beginning(&home).await;
    let store = home.open().await;
    let at = async |position| Checkpoint::at(&store.event_at(Position(position)).await.unwrap().unwrap());
    let (behind, last) = (at(KEPT - 1).await, at(KEPT).await);
    assert_eq!(store.with_digest(behind).await.unwrap().digest, None);
    let known = store.with_digest(last).await.unwrap();
    assert_eq!(known.digest, Some(store.head().await.unwrap().digest));
    let units = first.append(transfer("bank", "sponsor", "20")).await.unwrap();
    let after = store.with_digest(known.after_all(units.events())).await.unwrap();
    assert_eq!(store.compare(&after, &store.head().await.unwrap()), Ok(()));
}

/// Each test on each adapter whose log a test can make lose something. Nobody can on a server of KurrentDB.
macro_rules! on_every_store {
    ($($name:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Home::in_memory().await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Home::on_postgres().await).await;
            })*
        }
        mod kurrentdb {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Home::on_kurrentdb().await).await;
            })*
        }
    };
}

on_every_store! {
    shorter_than_what_was_seen,
    as_long_as_what_was_seen,
    longer_than_what_was_seen,
    who_saw_nothing_of_it_goes_on,
    what_lies_beside_the_log_stops_nobody,
    a_digest_is_known_from_the_head_on,
}
