//! Sixteen writers in two processes, and a reader that follows them all the time.

use std::collections::{HashMap, HashSet};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::Instant;
use viral_store::feed::{Feed as _, StoreFeed};
use viral_store::kurrentdb::{KurrentStore, Options};
use viral_store::{Checkpoint, EventStore, Position};
use viral_tests::kurrentdb::Fake;
use viral_tests::server::{TestServer, run};

const EVENTS: u64 = 200_000;

/// Fewer, because nobody waits for a lock there: of sixteen that append at once fifteen are told to try again.
const EVENTS_ON_KURRENTDB: u64 = 20_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_skips_nothing_while_sixteen_writers_append() {
    let server = TestServer::shared().await;
    let database = server.database().await;
    let processes = appenders(&database.app_url, EVENTS);
    // The server cuts connections, too.
    let killer = {
        let url = database.superuser_url.clone();
        tokio::spawn(async move {
            let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'viral' \
                 AND datname = current_database() AND state <> 'idle' AND query LIKE 'COPY%' LIMIT 1";
            loop {
                tokio::time::sleep(Duration::from_millis(150)).await;
                run(&url, kill).await.unwrap();
            }
        })
    };
    let store = database.store().await;
    let sequences = follow(store.clone(), EVENTS, Patience::None).await;
    killer.abort();
    check(processes, sequences).await;
    assert_eq!(store.head().await.unwrap().position, Position(EVENTS));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_skips_nothing_on_kurrentdb_either() {
    let fake = Arc::new(Fake::start().await);
    let store = KurrentStore::open_or_create(&fake.url(), Options::default()).await;
    let store = Arc::new(store.unwrap());
    let processes = appenders(&fake.url(), EVENTS_ON_KURRENTDB);
    let killer = {
        let fake = fake.clone();
        tokio::spawn(async move {
            let mut before = fake.len("viral-log");
            loop {
                tokio::time::sleep(Duration::from_millis(150)).await;
                // On a busy machine it takes longer to connect and to read the log: somebody must come through.
                let stuck = Instant::now() + Duration::from_secs(3);
                while fake.len("viral-log") == before && Instant::now() < stuck {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                before = fake.len("viral-log");
                fake.cut();
            }
        })
    };
    let sequences = follow(store.clone(), EVENTS_ON_KURRENTDB, Patience::WithCuts).await;
    killer.abort();
    check(processes, sequences).await;
    assert_eq!(store.head().await.unwrap().position, Position(EVENTS_ON_KURRENTDB));
}

fn appenders(url: &str, events: u64) -> [Child; 2] {
    ["one", "two"].map(|name| {
        Command::new(env!("CARGO_BIN_EXE_appender"))
            .args([url, name, &(events / 2).to_string()])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    })
}

/// What a reader puts up with.
#[derive(PartialEq)]
enum Patience {
    None,
    /// Its own connection is cut as well.
    WithCuts,
}

/// Follows the log up to this many events; answers how many each stream has.
async fn follow(store: Arc<dyn EventStore>, events: u64, patience: Patience) -> HashMap<String, u64> {
    let mut feed = StoreFeed::new(store);
    let mut at = Checkpoint::START;
    let mut sequences: HashMap<String, u64> = HashMap::new();
    let mut ids = HashSet::new();
    while at.position.0 < events {
        let page = match feed.read_on(&at, 1_000, Duration::from_secs(30)).await {
            Err(error) if patience == Patience::WithCuts && error.is_retryable() => continue,
            page => page.unwrap(),
        };
        assert!(!page.is_empty(), "nothing came for 30 s after {}", at.position);
        for event in page {
            assert_eq!(event.position, at.position.next(), "skipped or out of order");
            assert!(
                event.recorded_at >= at.recorded_at,
                "time went back at {}",
                event.position
            );
            let sequence = sequences.entry(event.stream.aggregate_id.to_string()).or_default();
            *sequence += 1;
            assert_eq!(event.sequence, *sequence, "{} at {}", event.stream, event.position);
            assert!(ids.insert(event.event_id), "{} came twice", event.event_id);
            at = at.after(&event);
        }
    }
    sequences
}

/// The processes have written what the reader has seen.
async fn check(processes: [Child; 2], sequences: HashMap<String, u64>) {
    let mut reported: HashMap<String, u64> = HashMap::new();
    for process in processes {
        let output = process.wait_with_output().await.unwrap();
        assert!(output.status.success());
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let (stream, written) = line.split_once(' ').unwrap();
            reported.insert(stream.to_owned(), written.parse().unwrap());
        }
    }
    assert_eq!(reported.len(), 16);
    assert_eq!(reported, sequences);
}
