//! A whole platform beside Kafka, as an operator and an auditor see it: published, followed, told, replayed, restored.

use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;
use viral_tests::clickhouse::Engine;
use viral_tests::process::{Platform, TOKEN, free_port, run, viral};
use viral_tests::published::{Bed, PATIENCE, delete, point_at};
use viral_tests::server::{Database, TestServer};

/// Runs `viral` over a database; answers exit code, standard output and standard error.
async fn over(bed: &Bed, database: &Database, arguments: &[&str]) -> (i32, String, String) {
    let mut command = viral(bed.home.path(), arguments);
    command
        .env("DATABASE_URL", &database.superuser_url)
        .env("VIRAL_API_TOKEN", TOKEN);
    tokio::time::timeout(Duration::from_secs(120), run(command))
        .await
        .unwrap()
}

async fn ok(bed: &Bed, database: &Database, arguments: &[&str]) -> String {
    let (code, stdout, stderr) = over(bed, database, arguments).await;
    assert_eq!(code, 0, "{arguments:?}\n{stdout}\n{stderr}");
    stdout
}

async fn json(bed: &Bed, database: &Database, arguments: &[&str]) -> Value {
    serde_json::from_str(&ok(bed, database, arguments).await).unwrap()
}

/// The value of a metric.
async fn metric(port: u16, name: &str) -> Option<u64> {
    let page = reqwest::get(format!("http://127.0.0.1:{port}/metrics")).await.unwrap();
    let page = page.text().await.unwrap();
    let line = page.lines().find(|line| line.starts_with(&format!("{name} ")))?;
    Some(line.rsplit(' ').next()?.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_is_published_followed_and_restored_from_kafka_alone() {
    let bed = Bed::new().await;
    let (port, metrics) = (free_port(), free_port());
    // Topics as on the first day: the platform makes them.
    delete(bed.topics.broker, &["viral.ledger.v1", "viral.events.v1"]).await;
    let clickhouse = Engine::shared().await.database();
    std::fs::write(bed.home.path().join("services/clickhouse"), &clickhouse).unwrap();
    let mut command = Platform::command("up", bed.home.path(), port, Some(&bed.database.superuser_url));
    command
        .env("VIRAL_FEED", "kafka")
        .env("VIRAL_METRICS", format!("127.0.0.1:{metrics}"));
    let platform = Platform::started(command, port).await;
    // The demo reads what it has written: its reads wait for read models that follow Kafka.
    ok(&bed, &bed.database, &["demo"]).await;
    let head = bed.head().await;
    let deadline = Instant::now() + PATIENCE;
    while metric(metrics, "viral_relay_lag_events").await != Some(0) {
        assert!(Instant::now() < deadline, "the relay does not catch up");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(metric(metrics, "viral_log_head_position").await, Some(head.0));
    assert_eq!(metric(metrics, "viral_relay_active").await, Some(1));
    let doctor = json(&bed, &bed.database, &["doctor", "--json"]).await;
    let kafka = &doctor["kafka"];
    assert_eq!(kafka["state"], "reachable", "{doctor}");
    assert_eq!(kafka["relay"]["position"], head.to_string(), "{doctor}");
    assert_eq!(kafka["relay"]["lag"], "0", "{doctor}");
    assert_eq!(kafka["topics"][1]["partitions"], 8, "{doctor}");
    let version = &kafka["metadata_version"];
    assert!(version["level"].as_u64() >= Some(22), "{doctor}");
    let release = version["release"].as_str().unwrap_or_default();
    assert!(release.starts_with("4."), "{doctor}");
    let told = ok(&bed, &bed.database, &["doctor"]).await;
    assert!(told.contains(&format!("metadata version {release} (level ")), "{told}");
    assert_eq!(bed.check().await, 0);

    // ClickHouse follows Kafka, too.
    assert_eq!(doctor["services"]["clickhouse"]["state"], "reachable", "{doctor}");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let diff = ["audit", "diff", "--clickhouse", "--json"];
        let (code, stdout, stderr) = over(&bed, &bed.database, &diff).await;
        let report: Value = serde_json::from_str(&stdout).unwrap_or_default();
        if report["position"] == head.to_string() {
            assert_eq!((code, report["holds"].as_bool()), (0, Some(true)), "{report}");
            assert!(report["entries"].as_u64() > Some(20), "{report}");
            break;
        }
        assert!(
            Instant::now() < deadline,
            "ClickHouse does not catch up: {stdout}\n{stderr}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    ok(&bed, &bed.database, &["projections", "rebuild", "clickhouse"]).await;
    ok(&bed, &bed.database, &["audit", "diff", "--clickhouse"]).await;
    let list = ok(&bed, &bed.database, &["projections", "list"]).await;
    assert!(list.lines().any(|line| line.starts_with("clickhouse ")), "{list}");

    let diff = ok(&bed, &bed.database, &["audit", "diff"]).await;
    assert!(diff.contains("holds"), "{diff}");
    let replayed = json(&bed, &bed.database, &["audit", "replay", "--json"]).await;
    platform.stop().await;

    // From here on as if the database were lost: these know Kafka only.
    let nothing = tempfile::tempdir().unwrap();
    point_at(nothing.path(), &bed.topics.broker.brokers());
    for question in [["audit", "replay"], ["audit", "verify"], ["audit", "trial-balance"]] {
        let arguments = [&question[..], &["--source", "kafka", "--json"]].concat();
        let (code, stdout, stderr) = run(viral(nothing.path(), &arguments)).await;
        assert_eq!(code, 0, "{stdout}\n{stderr}");
        let answer: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(
            answer["position"].to_string().replace('"', ""),
            head.to_string(),
            "{answer}"
        );
        match question[1] {
            "trial-balance" => assert_eq!(answer["accounts"], replayed["accounts"]),
            _ => assert_eq!(answer["state_hash"], replayed["state_hash"]),
        }
        assert!(stderr.contains("0 of them repeated"), "{stderr}");
    }
    let rest: Vec<_> = std::fs::read_dir(nothing.path()).unwrap().collect();
    assert_eq!(rest.len(), 1, "a report has left something: {rest:?}");

    let another = TestServer::shared().await.database().await;
    let import = ["import", "events", "--source", "kafka", "--json"];
    let report = json(&bed, &another, &import).await;
    assert_eq!(report["state_hash"], replayed["state_hash"], "{report}");
    assert!(
        report["not_in_the_copy"].to_string().contains("person_keys"),
        "{report}"
    );
    let lines = ok(&bed, &bed.database, &["export", "events"]).await;
    assert_eq!(ok(&bed, &another, &["export", "events"]).await, lines);
    assert!(ok(&bed, &another, &["audit", "verify"]).await.contains("holds"));
    // The restored platform goes on publishing where the lost one ended.
    let restored = Platform::start(bed.home.path(), free_port(), Some(&another.superuser_url)).await;
    ok(&bed, &another, &["demo"]).await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let doctor = json(&bed, &another, &["doctor", "--json"]).await;
        if doctor["kafka"]["relay"]["lag"] == "0" {
            break;
        }
        assert!(Instant::now() < deadline, "{doctor}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let verified = ok(&bed, &another, &["audit", "verify", "--source", "kafka"]).await;
    assert!(verified.contains("holds"), "{verified}");
    restored.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_of_kafka_without_kafka_is_told() {
    let home = tempfile::tempdir().unwrap();
    for arguments in [
        &["relay"][..],
        &["audit", "verify", "--source", "kafka"],
        &["import", "events", "--source", "kafka"],
    ] {
        let (code, stdout, stderr) = run(viral(home.path(), arguments)).await;
        assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
        assert!(
            stderr.contains("KAFKA_BROKERS") && stderr.contains("make stack"),
            "{stderr}"
        );
    }
    // A broker that is not there is no reason to wait for ever.
    point_at(home.path(), &format!("127.0.0.1:{}", free_port()));
    let (code, _, stderr) = run(viral(home.path(), &["audit", "verify", "--source", "kafka"])).await;
    assert!(
        code == 1 && stderr.contains("Kafka cannot be reached"),
        "{code} {stderr}"
    );
}
