//! A small log as an earlier version wrote it to KurrentDB, record by record: this version reads it and goes on with it.

use super::fixture::{Fixture, RECORDS};
use crate::cli::journey::Desk;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;
use viral_audit::{Silent, verify};
use viral_commands::{BookAt, Settings, Writer};
use viral_store::kurrentdb::{KurrentStore, Options};
use viral_store::{EventStore, Position, line};
use viral_tests::files::generated;
use viral_tests::journey::Stage;
use viral_tests::kurrentdb::{Fake, Recorded};
use viral_tests::process::{Platform, free_port, run};
use viral_tests::samples::open;

/// The stream with the log.
const LOG: &str = "viral-log";

/// Everything that was in KurrentDB.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    events: u64,
    state_hash: String,
    snapshots: Vec<u64>,
    streams: BTreeMap<String, Vec<Record>>,
}

/// A record; all that the platform writes is text.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    id: Uuid,
    metadata: BTreeMap<String, String>,
    custom_metadata: String,
    data: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn their_records_are_read_and_followed_by_others() {
    for fixture in Fixture::all() {
        let kept: Kept = fixture.json(RECORDS);
        let fake = restored(&kept).await;
        let store: Arc<KurrentStore> = Arc::new(KurrentStore::open(&fake.url(), Options::default()).await.unwrap());
        assert_eq!(store.head().await.unwrap().position, Position(kept.events));

        let events = store.read_after(Position::START, usize::MAX).await.unwrap();
        let rows = kept.streams[LOG].iter().skip(1).flat_map(|record| rows(&record.data));
        let lines = events.iter().map(|event| line::to_line(event, store.source()).unwrap());
        assert!(lines.eq(rows), "other lines: {fixture:?}");
        let log: Arc<dyn EventStore> = store.clone();
        let verified = verify(&log, &Silent).await.unwrap();
        assert!(verified.holds, "{verified:?}");
        assert_eq!((verified.events, &verified.state_hash), (kept.events, &kept.state_hash));
        for event in &events {
            assert_eq!(store.find(event.event_id).await.unwrap().as_ref(), Some(event));
        }
        for position in kept.snapshots {
            let loaded = BookAt::load(store.as_ref(), Position(position)).await.unwrap();
            assert_eq!(loaded.position(), Position(position), "{fixture:?}");
        }
        // The clock of whoever runs this may be behind.
        let later = events.last().unwrap().recorded_at + Duration::from_secs(1);
        let settings = Settings {
            clock: Some(Arc::new(move || later)),
            ..Settings::default()
        };
        let (writer, _task) = Writer::start(store.clone(), settings).await.unwrap();
        writer.append(open("new", false)).await.unwrap();
        assert_eq!(store.head().await.unwrap().position, Position(kept.events + 1));
    }
}

async fn restored(kept: &Kept) -> Fake {
    let fake = Fake::start().await;
    let mut position = 0;
    for (name, records) in &kept.streams {
        let recorded = (0..).zip(records).map(|(revision, record)| {
            position += 1;
            Recorded {
                id: record.id,
                revision,
                position,
                metadata: record.metadata.clone().into_iter().collect::<HashMap<_, _>>(),
                custom_metadata: record.custom_metadata.clone().into_bytes(),
                data: record.data.clone().into_bytes(),
            }
        });
        fake.change(name, |records| records.extend(recorded));
    }
    fake
}

/// The lines in a record: one in each row between the brackets.
fn rows(data: &str) -> Vec<String> {
    let rows: Vec<Value> = serde_json::from_str(data).unwrap();
    let lines = data.lines().skip(1).take(rows.len());
    lines.map(|row| row.trim_end_matches(',').to_owned()).collect()
}

/// Lets the platform write a small log to KurrentDB, and keeps it.
pub async fn keep(fixture: &Fixture) {
    let (fake, desk) = (Fake::start().await, Desk::new().await);
    let command = |mut command: tokio::process::Command| {
        command.envs(fixture.secrets()).env("EVENT_STORE", fake.url());
        command
    };
    let (home, port) = (desk.folder.path().join("home"), free_port());
    let up = Platform::command("up", &home, port, Some(&desk.database.superuser_url));
    let platform = Platform::started(command(up), port).await;
    let stage = Stage::set(&platform.client, 2, 1).await;
    stage.employ(&platform.client, &stage.creators[0], "10").await;
    stage.ask(&platform.client, &stage.creators[0], "4").await;
    let journal = desk.file("journal.csv", generated(5));
    let import = ["import", "journal", journal.to_str().unwrap(), "--overdraft", "*"];
    let (code, stdout, stderr) = run(command(desk.command(&import))).await;
    assert_eq!(code, 0, "{stdout}{stderr}");

    let store = Arc::new(KurrentStore::open(&fake.url(), Options::default()).await.unwrap());
    let (writer, task) = Writer::start(store.clone(), Settings::default()).await.unwrap();
    let mut snapshots = Vec::new();
    for account in ["before", "after"] {
        writer.append(open(account, false)).await.unwrap();
        writer.snapshot().await.unwrap();
        snapshots.push(store.head().await.unwrap().position.0 - 1);
    }
    drop(writer);
    task.await.unwrap();
    platform.stop().await;
    let log: Arc<dyn EventStore> = store.clone();
    let verified = verify(&log, &Silent).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let record = |recorded: Recorded| Record {
        id: recorded.id,
        metadata: recorded.metadata.into_iter().collect(),
        custom_metadata: text(recorded.custom_metadata),
        data: text(recorded.data),
    };
    let streams = fake.streams().into_iter().map(|name| {
        let records = fake.records(&name).into_iter().map(record);
        (name, records.collect())
    });
    let kept = Kept {
        events: verified.events,
        state_hash: verified.state_hash,
        snapshots,
        streams: streams.collect(),
    };
    fixture.write(RECORDS, &kept);
}
