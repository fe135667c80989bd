//! Sixteen writers in two processes, and a reader that follows them all the time.

use std::collections::{HashMap, HashSet};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use viral_store::feed::{Feed as _, StoreFeed};
use viral_store::{EventStore as _, Position};
use viral_tests::server::{TestServer, run};

const EVENTS: u64 = 200_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_skips_nothing_while_sixteen_writers_append() {
    let server = TestServer::shared().await;
    let database = server.database().await;
    let appender = |name: &str| {
        Command::new(env!("CARGO_BIN_EXE_appender"))
            .args([&database.app_url, name, &(EVENTS / 2).to_string()])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    };
    let processes = [appender("one"), appender("two")];
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
    let mut feed = StoreFeed::new(store.clone());
    let (mut position, mut time) = (Position::START, chrono::DateTime::UNIX_EPOCH);
    let mut sequences: HashMap<String, u64> = HashMap::new();
    let mut ids = HashSet::new();
    while position.0 < EVENTS {
        let events = feed.read_after(position, 1_000, Duration::from_secs(30)).await.unwrap();
        assert!(!events.is_empty(), "nothing came for 30 s after {position}");
        for event in events {
            assert_eq!(event.position, position.next(), "skipped or out of order");
            assert!(event.recorded_at >= time, "time went back at {}", event.position);
            let sequence = sequences.entry(event.stream.aggregate_id.to_string()).or_default();
            *sequence += 1;
            assert_eq!(event.sequence, *sequence, "{} at {}", event.stream, event.position);
            assert!(ids.insert(event.event_id), "{} came twice", event.event_id);
            (position, time) = (event.position, event.recorded_at);
        }
    }
    killer.abort();
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
    assert_eq!(store.head().await.unwrap().position, Position(EVENTS));
}
