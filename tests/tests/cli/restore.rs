//! The database is lost. A copy of the lines is not.

use super::journey::{Desk, kill_at};
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};
use std::path::Path;
use viral_store::EventStore as _;
use viral_tests::files::generated;
use viral_tests::journey::{Stage, caught_up, operator};
use viral_tests::process::{Api, Call, Platform, free_port, viral};
use viral_tests::server::run as run_sql;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A platform over a desk's database without the master key of before: a home of its own.
async fn platform(desk: &Desk, home: &str) -> Platform {
    Platform::start(
        &desk.folder.path().join(home),
        free_port(),
        Some(&desk.database.superuser_url),
    )
    .await
}

/// A story with people and money, one of them with an e-mail address; answers the file of its lines.
async fn story(desk: &Desk) -> std::path::PathBuf {
    let platform = platform(desk, "home").await;
    let stage = Stage::set(&platform.client, 2, 1).await;
    stage.employ(&platform.client, &stage.creators[0], "10").await;
    stage.ask(&platform.client, &stage.creators[0], "4").await;
    assert_eq!(register(&platform.client).await, 201);
    let store = desk.database.store().await;
    caught_up(&store).await;
    platform.stop().await;
    desk.ok(&["export", "events", "-o", "lines.jsonl"]).await;
    desk.folder.path().join("lines.jsonl")
}

/// Registers somebody with an address that must be free.
async fn register(api: &Api) -> u16 {
    let body = serde_json::json!({"role": "creator", "display_name": "Somebody", "email": "one@mark.example"});
    let done = operator().call(api, &Call::post("/v1/dev/users", body)).await;
    done.answer.status.as_u16()
}

async fn users(desk: &Desk) -> Vec<Option<Value>> {
    let mut connection = PgConnection::connect(&desk.database.superuser_url).await.unwrap();
    let query = "SELECT profile_metadata FROM users ORDER BY id";
    sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_platform_goes_on_from_its_lines() {
    let (before, after) = (Desk::new().await, Desk::new().await);
    let lines = story(&before).await;
    let import = ["import", "events", "--source", "file", "--file", text(&lines), "--json"];
    let report = after.json(&import).await;
    let original = before.json(&["audit", "replay", "--json"]).await;
    assert_eq!(
        (&report["appended"], &report["found"]),
        (&original["events"], &0.into()),
        "{report}"
    );
    assert_eq!(report["state_hash"], original["state_hash"]);
    assert_eq!(report["has_person_keys"], false);
    let missing = report["not_in_the_copy"].to_string();
    assert!(
        missing.contains("person_keys") && missing.contains("viral.engagement.v1"),
        "{report}"
    );
    assert_eq!(
        after.ok(&["export", "events"]).await,
        std::fs::read_to_string(&lines).unwrap()
    );
    let verified = after.json(&["audit", "verify", "--json"]).await;
    assert_eq!(
        (&verified["holds"], &verified["state_hash"]),
        (&true.into(), &original["state_hash"])
    );
    let again = after.json(&import).await;
    assert_eq!((&again["appended"], &again["found"]), (&0.into(), &original["events"]));

    // Nobody has the keys: names are gone, everything else goes on.
    let running = platform(&after, "home").await;
    let store = after.database.store().await;
    caught_up(&store).await;
    let profiles = users(&after).await;
    assert_eq!(profiles.len(), users(&before).await.len());
    assert!(profiles.iter().all(Option::is_none), "{profiles:?}");
    let list = after.json(&["projections", "list", "--json"]).await;
    assert!(
        list["projections"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["problem"].is_null()),
        "{list}"
    );
    after.ok(&["audit", "diff"]).await;
    let listed = operator().must(&running.client, Call::get("/v1/campaigns")).await;
    assert!(listed.to_string().contains("title"), "{listed}");
    // The address was claimed under the master key of before, which is another one.
    assert_eq!(register(&running.client).await, 201);
    let stage = Stage::set(&running.client, 1, 1).await;
    stage.employ(&running.client, &stage.creators[0], "10").await;
    caught_up(&store).await;
    running.stop().await;
    after.ok(&["audit", "verify"]).await;
    after.ok(&["audit", "diff"]).await;

    // More than the copy has: nothing is overwritten.
    let (code, _, stderr) = after.viral(&import).await;
    assert_eq!(code, 1);
    assert!(stderr.contains("the log there goes on to position"), "{stderr}");

    // The events are lost once more, but read models and keys of persons are still there, ahead of the log.
    store.close().await;
    let lose = "SET session_replication_role = replica; DELETE FROM events; \
         UPDATE log_head SET log_id = gen_random_uuid(), position = 0, recorded_at = 'epoch', \
         digest = decode(repeat('00', 32), 'hex')";
    run_sql(&after.database.superuser_url, lose).await.unwrap();
    let report = after.json(&import).await;
    assert_eq!(
        (&report["has_person_keys"], &report["outdated_read_models"]),
        (&true.into(), &5.into()),
        "{report}"
    );
    // The home has seen what the copy does not have.
    let (code, _, stderr) = after.viral(&["api", "--dev", "--listen", "127.0.0.1:0"]).await;
    assert!(code == 1 && stderr.contains("log accept"), "{code} {stderr}");
    let accepted = after
        .ok(&["log", "accept", "--reason", "restored from the lines"])
        .await;
    assert!(accepted.contains("the log goes on from position"), "{accepted}");
    let running = platform(&after, "home").await;
    let store = after.database.store().await;
    caught_up(&store).await;
    after.ok(&["audit", "diff"]).await;
    assert_eq!(users(&after).await.len(), profiles.len());
    running.stop().await;
}

/// With the table `person_keys` and the master key from a backup, the names come back, too.
#[tokio::test(flavor = "multi_thread")]
async fn names_come_back_with_the_keys() {
    let (before, after) = (Desk::new().await, Desk::new().await);
    let lines = story(&before).await;
    let mut from = PgConnection::connect(&before.database.superuser_url).await.unwrap();
    let keys: Vec<String> = sqlx::query_scalar("SELECT format('(%L, %L, %L)', person, key, wrapped) FROM person_keys")
        .fetch_all(&mut from)
        .await
        .unwrap();
    let insert = format!(
        "INSERT INTO person_keys (person, key, wrapped) VALUES {}",
        keys.join(", ")
    );
    run_sql(&after.database.superuser_url, &insert).await.unwrap();
    let said = after.ok(&["import", "events", "--file", text(&lines)]).await;
    assert!(
        !said.contains("stay sealed for ever") && said.contains("master key"),
        "{said}"
    );
    std::fs::create_dir_all(after.folder.path().join("home")).unwrap();
    let key = |desk: &Desk| desk.folder.path().join("home/master.key");
    std::fs::copy(key(&before), key(&after)).unwrap();
    let running = platform(&after, "home").await;
    let store = after.database.store().await;
    caught_up(&store).await;
    assert_eq!(users(&after).await, users(&before).await);
    assert_eq!(register(&running.client).await, 409, "the address was claimed before");
    running.stop().await;
    after.ok(&["audit", "diff"]).await;
}

/// How far the log of a desk is.
async fn position(connection: &mut PgConnection) -> i64 {
    let query = "SELECT position FROM log_head";
    sqlx::query_scalar(query).fetch_one(connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_killed_goes_on_where_it_was() {
    let (before, after) = (Desk::new().await, Desk::new().await);
    let journal = before.file("long.csv", generated(20_000));
    before
        .ok(&["import", "journal", text(&journal), "--overdraft", "*"])
        .await;
    before.ok(&["export", "events", "-o", "lines.jsonl"]).await;
    let lines = before.folder.path().join("lines.jsonl");
    let import = ["import", "events", "--file", text(&lines), "--json"];
    let mut watch = PgConnection::connect(&after.database.superuser_url).await.unwrap();
    let mut there = 0;
    for kill in 1..=3 {
        kill_at(&after, &import, kill * 5_000).await;
        let before = std::mem::replace(&mut there, position(&mut watch).await);
        assert!(before < there && there < kill * 5_000, "{before}, then {there}");
    }
    let report = after.json(&import).await;
    let events = report["events"].as_i64().unwrap();
    println!("{there} of {events} events were there after the last kill");
    assert_eq!(report["found"], there, "{report}");
    assert_eq!(report["appended"], events - there);
    assert_eq!(
        after.ok(&["export", "events"]).await,
        std::fs::read_to_string(&lines).unwrap()
    );
    assert_eq!(after.json(&["audit", "verify", "--json"]).await["holds"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_be_restored_is_refused_and_nothing_is_written() {
    let (before, after) = (Desk::new().await, Desk::new().await);
    let lines = story(&before).await;
    let content = std::fs::read_to_string(&lines).unwrap();
    let all: Vec<&str> = content.split_inclusive('\n').collect();
    let mut watch = PgConnection::connect(&after.database.superuser_url).await.unwrap();

    // Somebody is connected who knows the log by another name.
    let import = ["import", "events", "--file", text(&lines)];
    let store = after.database.store().await;
    store.head().await.unwrap();
    let (code, _, stderr) = after.viral(&import).await;
    assert_eq!(code, 1);
    assert!(stderr.contains("stop them first"), "{stderr}");
    store.close().await;

    // A unit that is torn: its first event without the money that it moves.
    let funded = all
        .iter()
        .position(|line| line.contains(r#""type":"campaign.funded","unitid""#))
        .unwrap();
    let torn = after.file("torn.jsonl", all[..=funded].concat());
    let (code, _, stderr) = after.viral(&["import", "events", "--file", text(&torn)]).await;
    assert_eq!(code, 1);
    let says = format!("positions {} to {}", funded + 1, funded + 1);
    assert!(
        stderr.contains("--drop-incomplete-unit") && stderr.contains(&says),
        "{stderr}"
    );
    assert_eq!(position(&mut watch).await, 0);
    let drop = [
        "import",
        "events",
        "--file",
        text(&torn),
        "--drop-incomplete-unit",
        "--json",
    ];
    let report = after.json(&drop).await;
    assert_eq!(
        (&report["events"], &report["dropped"]["first"]),
        (&funded.into(), &(funded + 1).to_string().into())
    );
    assert_eq!(after.ok(&["export", "events"]).await, all[..funded].concat());
    after.ok(&["audit", "verify"]).await;
    // The whole copy is found later: it goes on.
    let report = after.json(&[&import[..], &["--json"]].concat()).await;
    assert_eq!(
        (&report["found"], &report["events"]),
        (&funded.into(), &all.len().into()),
        "{report}"
    );
    assert_eq!(after.ok(&["export", "events"]).await, content);

    // Another log.
    let other = Desk::new().await;
    other
        .ok(&[
            "import",
            "journal",
            text(&viral_tests::files::small_journal()),
            "--overdraft",
            "*",
        ])
        .await;
    let at = other.ok(&["export", "events"]).await;
    let (code, _, stderr) = other.viral(&import).await;
    assert_eq!(code, 1);
    assert!(
        stderr.contains("is another one") && stderr.contains("empty"),
        "{stderr}"
    );
    assert_eq!(other.ok(&["export", "events"]).await, at);

    // The same log, but somebody changed it.
    let change = "SET session_replication_role = replica; \
         UPDATE events SET recorded_at = recorded_at + interval '1 microsecond' WHERE position = 7";
    run_sql(&after.database.superuser_url, change).await.unwrap();
    let (code, _, stderr) = after.viral(&import).await;
    assert_eq!(code, 1);
    assert!(stderr.contains("another event at position 7"), "{stderr}");
}

/// Without any database of one's own the platform makes one.
#[tokio::test(flavor = "multi_thread")]
async fn a_home_that_is_not_there_yet_is_made() {
    let before = Desk::new().await;
    let journal = viral_tests::files::small_journal();
    before
        .ok(&["import", "journal", text(&journal), "--overdraft", "*"])
        .await;
    before.ok(&["export", "events", "-o", "lines.jsonl"]).await;
    let lines = before.folder.path().join("lines.jsonl");
    let folder = tempfile::tempdir().unwrap();
    viral_tests::server::open_to_all(folder.path());
    let home = folder.path().join("home");
    let at_home = async |arguments: &[&str]| {
        let (code, stdout, stderr) = viral_tests::process::run(viral(&home, arguments)).await;
        assert_eq!(code, 0, "{arguments:?}: {stdout}{stderr}");
        stdout
    };
    let said = at_home(&["import", "events", "--file", text(&lines)]).await;
    assert!(
        said.starts_with("restored: ") && said.contains("not in the copy:"),
        "{said}"
    );
    println!("{said}");
    assert_eq!(
        at_home(&["export", "events"]).await,
        std::fs::read_to_string(&lines).unwrap()
    );
    at_home(&["audit", "verify"]).await;
}
