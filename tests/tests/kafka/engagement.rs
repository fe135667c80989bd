//! Measurements of engagement by way of Kafka: what waited is moved, everything ends in ClickHouse once, and a topic or a
//! database that is made anew is noticed.

use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;
use viral_kafka::partition::Partition;
use viral_kafka::topics::ENGAGEMENT;
use viral_tests::clickhouse::{Engine, client};
use viral_tests::journey::Stage;
use viral_tests::process::{Api, Platform, free_port, run, viral};
use viral_tests::published::{Bed, PATIENCE, delete};

async fn record(api: &Api, stage: &Stage, names: &[&str], version: u64) {
    let row = |name: &&str| {
        json!({"platform": "youtube", "id": name, "version": version, "campaign_id": stage.campaign,
            "creator_id": stage.creators[0].id, "timestamp": "2026-11-01T12:00:00Z", "impressions": version})
    };
    let rows: Vec<Value> = names.iter().map(row).collect();
    let told = api
        .posted("/v1/engagement", "unused", &json!({"measurements": rows}))
        .await;
    assert_eq!(told, json!({"accepted": names.len(), "rejected": []}));
}

/// Waits until the campaign has this many impressions.
async fn shows(api: &Api, stage: &Stage, impressions: u64) {
    let path = format!("/v1/campaigns/{}/metrics", stage.campaign);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let told = api.get(&path).await;
        if told.body["totals"]["engagement"]["impressions"] == impressions {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{impressions} impressions do not come: {told:?}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn measurements_end_in_clickhouse_whatever_way_they_take() {
    let bed = Bed::new().await;
    let clickhouse = Engine::shared().await.database();
    let port = free_port();
    let command = || Platform::command("up", bed.home.path(), port, Some(&bed.database.superuser_url));

    // Neither is there: they stay in PostgreSQL.
    let mut alone = command();
    alone.env("KAFKA_BROKERS", "").env("CLICKHOUSE_URL", "");
    let platform = Platform::started(alone, port).await;
    let stage = Stage::set(&platform.client, 1, 1).await;
    record(&platform.client, &stage, &["a", "b"], 1).await;
    shows(&platform.client, &stage, 2).await;
    platform.stop().await;

    // With Kafka alone nothing can be asked, and that is said.
    let mut with_kafka = command();
    with_kafka.env("CLICKHOUSE_URL", "");
    let platform = Platform::started(with_kafka, port).await;
    record(&platform.client, &stage, &["b", "c"], 3).await;
    let told = platform
        .client
        .get(&format!("/v1/campaigns/{}/metrics", stage.campaign))
        .await;
    assert!(
        told.body["missing"]
            .as_str()
            .is_some_and(|why| why.contains("CLICKHOUSE_URL")),
        "{told:?}"
    );
    platform.kill().await;

    // With both everything comes together: 1 of a, 3 of b and of c.
    let start = async || {
        let mut with_both = command();
        with_both.env("CLICKHOUSE_URL", &clickhouse);
        Platform::started(with_both, port).await
    };
    let platform = start().await;
    shows(&platform.client, &stage, 7).await;
    let left = bed.store.pool();
    let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM engagement_metrics")
        .fetch_one(left)
        .await
        .unwrap();
    assert_eq!(waiting, 0);

    // What is no measurement is noted and left out.
    let partition = Partition {
        topic: ENGAGEMENT.name,
        number: 0,
    };
    let values: [&[u8]; 3] = [b"no measurement", b"{\"platform\":\"x\"}", b""];
    bed.send_raw(partition, &values).await;
    record(&platform.client, &stage, &["d"], 2).await;
    shows(&platform.client, &stage, 9).await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut doctor = viral(bed.home.path(), &["doctor", "--json"]);
        doctor
            .env("DATABASE_URL", &bed.database.superuser_url)
            .env("CLICKHOUSE_URL", &clickhouse);
        let (_, stdout, stderr) = run(doctor).await;
        let told: Value = serde_json::from_str(&stdout).unwrap();
        let unreadable = told["kafka"]["unreadable_records"].as_array().unwrap();
        let ours = unreadable.iter().filter(|record| record["topic"] == ENGAGEMENT.name);
        if ours.count() == values.len() {
            assert_eq!(told["kafka"]["engagement"]["lag"], "0", "{told}");
            assert!(told["kafka"]["topics"][2]["records"].as_u64() > Some(5), "{told}");
            break;
        }
        assert!(Instant::now() < deadline, "{stdout} {stderr}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    // Killed in the middle, and started again: nothing is lost and nothing counts twice.
    for round in 0..3 {
        let names: Vec<String> = (0..500).map(|n| format!("round {round} {n}")).collect();
        record(
            &platform.client,
            &stage,
            &names.iter().map(String::as_str).collect::<Vec<_>>(),
            1,
        )
        .await;
    }
    platform.kill().await;
    let platform = start().await;
    shows(&platform.client, &stage, 1_509).await;

    // A topic that was made anew, with as many records as before: all of it is read.
    platform.stop().await;
    delete(bed.topics.broker, &[ENGAGEMENT.name]).await;
    let mut migrate = viral(bed.home.path(), &["migrate"]);
    migrate
        .env("DATABASE_URL", &bed.database.superuser_url)
        .env("CLICKHOUSE_URL", "");
    let (code, _, stderr) = run(migrate).await;
    assert!(
        code == 0 && stderr.contains("viral.engagement.v1 is there: 8 partitions"),
        "{stderr}"
    );
    let platform = start().await;
    let names: Vec<String> = (0..3_000).map(|n| format!("anew {n}")).collect();
    record(
        &platform.client,
        &stage,
        &names.iter().map(String::as_str).collect::<Vec<_>>(),
        1,
    )
    .await;
    shows(&platform.client, &stage, 4_509).await;
    platform.stop().await;

    // A ClickHouse that was lost has what Kafka has again.
    let (_, database) = clickhouse.rsplit_once('/').unwrap();
    let drop = format!("DROP DATABASE {database} SYNC");
    let root = client(&clickhouse).with_database("default");
    root.query_raw(&drop).execute().await.unwrap();
    let platform = start().await;
    shows(&platform.client, &stage, 3_000).await;
    // Even one that is lost meanwhile, while nothing comes in.
    root.query_raw(&drop).execute().await.unwrap();
    let deadline = Instant::now() + PATIENCE;
    let is_made = format!("SELECT count() FROM system.tables WHERE database = '{database}'");
    while root.query(&is_made).fetch_one::<u64>().await.unwrap() == 0 {
        assert!(Instant::now() < deadline, "the database is not made anew");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    shows(&platform.client, &stage, 3_000).await;
    let watermark = format!("SELECT max(position) FROM {database}.watermark_rows");
    while root.query(&watermark).fetch_one::<u64>().await.unwrap() != bed.head().await.0 {
        assert!(Instant::now() < deadline, "the log does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Only their table.
    let drop = format!("DROP TABLE {database}.engagement_rows SYNC");
    root.query_raw(&drop).execute().await.unwrap();
    let mut migrate = viral(bed.home.path(), &["migrate"]);
    migrate
        .env("DATABASE_URL", &bed.database.superuser_url)
        .env("CLICKHOUSE_URL", &clickhouse);
    let (code, _, stderr) = run(migrate).await;
    assert_eq!(code, 0, "{stderr}");
    record(&platform.client, &stage, &["last"], 1).await;
    shows(&platform.client, &stage, 3_001).await;
    platform.stop().await;
}
