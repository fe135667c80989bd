//! Sixteen writers in two processes, and a reader that follows them all the time.

use std::collections::{HashMap, HashSet};
use std::process::Stdio;
use std::sync::Arc;
use tokio::process::{Child, Command};
use viral_store::feed::{Feed as _, StoreFeed};
use viral_store::kurrentdb::{KurrentStore, Options};
use viral_store::{Checkpoint, EventStore, Position};
use viral_tests::hold::{Hold, PATIENCE};
use viral_tests::kurrentdb::{Append, Fake};
use viral_tests::server::TestServer;

const EVENTS: u64 = 200_000;

/// Fewer, because nobody waits for a lock there: of sixteen that append at once fifteen are told to try again.
const EVENTS_ON_KURRENTDB: u64 = 20_000;

/// How often the server cuts the connection of one that appends, in the first half of the log: somebody is always at it.
const CUTS: u64 = 40;

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_skips_nothing_while_sixteen_writers_append() {
    let server = TestServer::shared().await;
    let database = server.database().await;
    let processes = appenders(&database.app_url, EVENTS);
    let store = database.store().await;
    let cutting = async {
        let steps = ["LOCK TABLE events IN SHARE MODE", "LOCK TABLE log_head IN SHARE MODE"];
        for (cut, step) in (0..CUTS).zip(steps.into_iter().cycle()) {
            let after = Position(cut * EVENTS / 2 / CUTS);
            assert!(store.wait_for(after, PATIENCE).await.unwrap().position > after);
            let mut hold = Hold::of(&database.superuser_url, step).await;
            hold.cut("viral").await;
            hold.release().await;
        }
    };
    let (sequences, ()) = tokio::join!(follow(store.clone(), EVENTS, Patience::None), cutting);
    check(processes, sequences).await;
    assert_eq!(store.head().await.unwrap().position, Position(EVENTS));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_skips_nothing_on_kurrentdb_either() {
    let fake = Fake::start().await;
    let store = KurrentStore::open_or_create(&fake.url(), Options::default()).await;
    let store = Arc::new(store.unwrap());
    // All connections are cut, now before an append and now after it. In between there are more appends than writers, so
    // that somebody comes through.
    fake.on_every_append(100, Append::Cut);
    fake.on_every_append(130, Append::AnswerLost);
    let processes = appenders(&fake.url(), EVENTS_ON_KURRENTDB);
    let sequences = follow(store.clone(), EVENTS_ON_KURRENTDB, Patience::WithCuts).await;
    check(processes, sequences).await;
    assert_eq!(store.head().await.unwrap().position, Position(EVENTS_ON_KURRENTDB));
    // Nobody appends more than 97 events at once.
    let least = EVENTS_ON_KURRENTDB / 97 / 100;
    let cuts = fake.cuts();
    println!("{cuts} cuts");
    assert!(cuts >= least, "{cuts} cuts");
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
        let page = match feed.read_on(&at, 1_000, PATIENCE).await {
            Err(error) if patience == Patience::WithCuts && error.is_retryable() => continue,
            page => page.unwrap(),
        };
        assert!(!page.is_empty(), "nothing came for {PATIENCE:?} after {}", at.position);
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
