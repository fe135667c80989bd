//! Processes whose clocks are a day off, beside one whose clock is right: what happens when is the log's server's business.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::process::Command;
use viral_tests::process::{Api, Background, Platform, free_port, run, viral};
use viral_tests::server::{Database, TestServer};

const PATIENCE: Duration = Duration::from_secs(120);

/// The library that shifts a process's clock (Debian: libfaketime). Where it is not installed the tests say so.
fn faketime() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    let found = folders
        .chain([PathBuf::from("/usr/lib")])
        .map(|folder| folder.join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.exists());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "libfaketime is not installed");
        println!("NOT RUN: libfaketime is not installed");
    }
    found
}

/// A command on a clock that is off by this much.
fn shifted(mut command: Command, library: &Path, by: &str) -> Command {
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME", by)
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command
}

/// A hold on an account, that ends after so long. Answers its id, or the code of the refusal.
async fn hold(api: &Api, key: &str, ends_in: TimeDelta) -> Result<String, String> {
    let ends = (Utc::now() + ends_in).to_rfc3339();
    let body = json!({"account": "shop", "amount": "1", "asset": "VCOIN", "expires_at": ends});
    let answer = api.post("/v1/ledger/holds", key, &body).await.unwrap();
    let text = |name: &str| answer.body[name].as_str().map(str::to_owned);
    match text("hold").or_else(|| text("id")) {
        Some(id) => Ok(id),
        None => Err(text("code").unwrap()),
    }
}

async fn bank(api: &Api) {
    for (account, negative) in [("bank", true), ("shop", false)] {
        let body = json!({"account": account, "asset": "VCOIN", "may_go_negative": negative});
        api.posted("/v1/ledger/accounts", account, &body).await;
    }
    let posting = json!({"debit": "bank", "credit": "shop", "amount": "100", "asset": "VCOIN"});
    api.posted("/v1/ledger/transactions", "fund", &json!({"postings": [posting]}))
        .await;
}

/// The events of the log, with the time of each.
async fn events(database: &Database) -> Vec<(String, DateTime<Utc>, Value)> {
    use viral_store::{EventStore as _, Position};
    let store = database.store().await;
    let events = store.read_after(Position::START, usize::MAX).await.unwrap();
    let of = |event: viral_store::StoredEvent| {
        let payload = serde_json::from_str(&event.payload).unwrap();
        (event.event_type.to_string(), event.recorded_at, payload)
    };
    events.into_iter().map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_a_day_ahead_end_nothing_that_is_not_over() {
    let Some(library) = faketime() else { return };
    let database = TestServer::shared().await.database().await;
    let folder = tempfile::tempdir().unwrap();
    let (port, url) = (free_port(), database.superuser_url.as_str());
    let api = Platform::command("api", &folder.path().join("api"), port, Some(url));
    let api = Platform::started(api, port).await;
    bank(&api.client).await;
    let long = hold(&api.client, "six-hours", TimeDelta::hours(6)).await.unwrap();
    let short = hold(&api.client, "three-seconds", TimeDelta::seconds(3)).await.unwrap();
    // Read models are made by somebody; the one that is ahead also is the one that ends holds.
    let project = Background::start(&folder.path().join("api"), &["project"], url);
    let mut work = viral(&folder.path().join("work"), &["work", "--dev"]);
    work.env("DATABASE_URL", url).stdout(std::process::Stdio::null());
    let work = Background::started(shifted(work, &library, "+1d"));
    let deadline = Instant::now() + PATIENCE;
    let expired = loop {
        let events = events(&database).await;
        let expired: Vec<_> = events
            .into_iter()
            .filter(|(event_type, ..)| event_type == "book.hold_expired")
            .collect();
        if !expired.is_empty() {
            break expired;
        }
        assert!(Instant::now() < deadline, "nobody ended the short hold");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(expired.len(), 1, "{expired:?}");
    assert_eq!(expired[0].2["hold"], short, "{expired:?}");
    let now = Utc::now();
    for (event_type, time, _) in events(&database).await {
        assert!((now - time).abs() < TimeDelta::minutes(10), "{event_type} at {time}");
    }
    // Nobody's six hours are over, and new ones begin.
    hold(&api.client, "six-hours-more", TimeDelta::hours(6)).await.unwrap();
    let holds = api.client.get(&format!("/v1/ledger/holds/{long}")).await;
    assert_eq!(holds.body["status"], "open", "{holds:?}");

    let doctor = shifted(viral(&folder.path().join("api"), &["doctor"]), &library, "+1d");
    let mut doctor = doctor;
    doctor.env("DATABASE_URL", url);
    let (code, stdout, _) = run(doctor).await;
    assert!(
        code == 1 && stdout.contains("s ahead of that of the log's server"),
        "{stdout}"
    );
    work.stop().await;
    project.stop().await;
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_a_day_behind_decides_by_the_servers_clock() {
    let Some(library) = faketime() else { return };
    let database = TestServer::shared().await.database().await;
    let folder = tempfile::tempdir().unwrap();
    let (port, url) = (free_port(), database.superuser_url.as_str());
    let api = Platform::command("api", folder.path(), port, Some(url));
    let api = Platform::started(shifted(api, &library, "-1d"), port).await;
    bank(&api.client).await;
    hold(&api.client, "six-hours", TimeDelta::hours(6)).await.unwrap();
    // By its own clock this is still to come.
    let refused = hold(&api.client, "an-hour-ago", -TimeDelta::hours(1)).await;
    assert_eq!(refused, Err("expiry_in_past".to_owned()));
    let now = Utc::now();
    for (event_type, time, _) in events(&database).await {
        assert!((now - time).abs() < TimeDelta::minutes(10), "{event_type} at {time}");
    }
    api.stop().await;
}
