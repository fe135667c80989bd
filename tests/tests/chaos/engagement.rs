//! Measurements of engagement while the platform, ClickHouse and Kafka are killed: delivered twice, out of order, weeks
//! late, and corrected, their sums are exact.

use super::bad_luck::Luck;
use reqwest::Client;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use viral_tests::clickhouse::{Engine, client};
use viral_tests::journey::{Chance, Stage};
use viral_tests::kafka::Broker;
use viral_tests::process::{Platform, TOKEN, free_port};
use viral_tests::published::Bed;
use viral_tests::server::{Database, TestServer};

/// How many measurements a request has.
const BATCH: u64 = 5_000;
/// How long one may remain without an answer, over all its repetitions.
const PATIENCE: Duration = Duration::from_secs(120);

/// A source of measurements. What it says about one follows from its number and version.
struct Source {
    campaign: String,
    creators: Vec<String>,
    count: u64,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Sums {
    count: u64,
    impressions: u64,
    clicks: u64,
    watch_time: u64,
    conversions: u64,
}

impl Source {
    /// The highest version of a measurement: every fourth was corrected.
    fn newest(number: u64) -> u64 {
        1 + u64::from(number.is_multiple_of(4))
    }

    fn figures(number: u64, version: u64) -> [u64; 4] {
        let mixed = (number + 1).wrapping_mul(2_654_435_761).wrapping_add(version * 97);
        [mixed % 1_000, mixed % 60, mixed % 7_200, mixed % 3]
    }

    fn line(&self, number: u64, version: u64) -> String {
        let [impressions, clicks, watch_time, conversions] = Source::figures(number, version);
        // Up to ten weeks late.
        let (day, hour) = (number % 28 + 1, number % 24);
        let month = 9 + number % 3;
        let creator = &self.creators[usize::try_from(number).unwrap() % self.creators.len()];
        json!({"platform": "youtube", "id": format!("m{number}"), "version": version, "campaign_id": self.campaign,
            "creator_id": creator, "timestamp": format!("2026-{month:02}-{day:02}T{hour:02}:15:00Z"),
            "impressions": impressions, "clicks": clicks, "watch_time": watch_time, "conversions": conversions})
        .to_string()
    }

    fn sums(&self) -> Sums {
        (0..self.count).fold(Sums::default(), |sums, number| {
            let [impressions, clicks, watch_time, conversions] = Source::figures(number, Source::newest(number));
            Sums {
                count: sums.count + 1,
                impressions: sums.impressions + impressions,
                clicks: sums.clicks + clicks,
                watch_time: sums.watch_time + watch_time,
                conversions: sums.conversions + conversions,
            }
        })
    }

    /// The batches in an order that chance chooses; a tenth of them come twice. Corrections may come before what they
    /// correct.
    fn batches(&self, chance: &mut Chance) -> Vec<(u64, u64)> {
        let mut batches = Vec::new();
        for first in (0..self.count).step_by(usize::try_from(BATCH).unwrap()) {
            for version in [1, 2] {
                batches.push((first, version));
                if chance.percent(10) {
                    batches.push((first, version));
                }
            }
        }
        for last in (1..batches.len()).rev() {
            let other = usize::try_from(chance.below(last as u64 + 1)).unwrap();
            batches.swap(last, other);
        }
        batches
    }

    /// Sends a batch until it is answered.
    async fn send(&self, http: &Client, port: u16, (first, version): (u64, u64)) -> u64 {
        let numbers = first..(first + BATCH).min(self.count);
        let lines: Vec<String> = numbers
            .filter(|number| version <= Source::newest(*number))
            .map(|number| self.line(number, version))
            .collect();
        let (body, deadline) = (lines.join("\n"), Instant::now() + PATIENCE);
        loop {
            let request = http
                .post(format!("http://127.0.0.1:{port}/v1/engagement"))
                .bearer_auth(TOKEN)
                .header("content-type", "application/x-ndjson")
                .body(body.clone());
            let problem = match request.send().await {
                Ok(answer) if answer.status() == 200 => {
                    let told: Value = answer.json().await.unwrap();
                    assert_eq!(told, json!({"accepted": lines.len(), "rejected": []}));
                    return lines.len() as u64;
                }
                Ok(answer) => {
                    assert_eq!(answer.status(), 503, "{answer:?}");
                    answer.status().to_string()
                }
                Err(error) => error.to_string(),
            };
            assert!(Instant::now() < deadline, "a batch is not taken: {problem}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

async fn in_clickhouse(url: &str) -> Sums {
    let query =
        "SELECT count(), sum(impressions), sum(clicks), sum(watch_time), sum(conversions) FROM engagement_metrics";
    let found = client(url).query(query).fetch_one::<(u64, u64, u64, u64, u64)>();
    let (count, impressions, clicks, watch_time, conversions) = found.await.unwrap();
    Sums {
        count,
        impressions,
        clicks,
        watch_time,
        conversions,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_are_exact_whatever_dies() {
    let database = TestServer::shared().await.database().await;
    let home = tempfile::tempdir().unwrap();
    sums_are_exact(home.path(), &database, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_through_kafka_are_exact_whatever_dies() {
    let bed = Bed::new().await;
    sums_are_exact(bed.home.path(), &bed.database, Some(bed.topics.broker)).await;
}

/// Straight into ClickHouse, or through a broker, which is killed, too.
async fn sums_are_exact(home: &Path, database: &Database, broker: Option<&Broker>) {
    let way = broker.map_or("straight", |_| "through Kafka");
    let mut luck = Luck::new(format!("engagement under kills, sent {way}"));
    let (count, seed) = (luck.times(100_000, 1_000_000), luck.seed);
    let engine = Engine::start().await;
    let (url, port) = (engine.database(), free_port());
    let start = async || {
        let mut command = Platform::command("up", home, port, Some(&database.superuser_url));
        command.env("CLICKHOUSE_URL", &url);
        Platform::started(command, port).await
    };
    let platform = start().await;
    let stage = Stage::set(&platform.client, 3, 1).await;
    let source = Source {
        campaign: stage.campaign.clone(),
        creators: stage.creators.iter().map(|creator| creator.id.clone()).collect(),
        count,
    };
    let (over, taken) = (AtomicBool::new(false), AtomicU64::new(0));
    let http = Client::builder()
        .timeout(Duration::from_secs(40))
        .no_proxy()
        .build()
        .unwrap();
    let sending = async {
        let batches = source.batches(&mut Chance::new(seed, 7));
        let mut sent = 0;
        for batch in batches {
            sent += source.send(&http, port, batch).await;
            taken.fetch_add(1, Ordering::Relaxed);
        }
        over.store(true, Ordering::Relaxed);
        sent
    };
    let killing = async {
        let (mut kills, mut platform) = (0, platform);
        // Each at least once; measurements that were taken before must not be lost either.
        while kills < 3 || !over.load(Ordering::Relaxed) {
            let before = taken.load(Ordering::Relaxed);
            luck.wait(300, 1_500).await;
            // A busy machine takes longer to start all again: something must come through between two kills.
            while taken.load(Ordering::Relaxed) == before && !over.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            match (kills % 3, broker) {
                (0, Some(broker)) => {
                    broker.kill().await;
                    broker.restart().await;
                }
                (0 | 1, _) => {
                    engine.kill().await;
                    engine.restart().await;
                }
                _ => {
                    platform.kill().await;
                    platform = start().await;
                }
            }
            kills += 1;
        }
        (kills, platform)
    };
    let (sent, (kills, platform)) = tokio::join!(sending, killing);
    let (mut found, wanted) = (in_clickhouse(&url).await, source.sums());
    let deadline = Instant::now() + PATIENCE;
    // What goes through Kafka comes a little later.
    while broker.is_some() && found != wanted && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(100)).await;
        found = in_clickhouse(&url).await;
    }
    assert_eq!(found, wanted);
    // The campaign says the same.
    let path = format!("/v1/campaigns/{}/metrics", source.campaign);
    let told = platform.client.get(&path).await.body["totals"]["engagement"].clone();
    assert_eq!(
        told,
        json!({"impressions": found.impressions, "clicks": found.clicks, "watch_time": found.watch_time,
            "conversions": found.conversions})
    );
    platform.stop().await;
    luck.print(format_args!(
        "{kills} kills, {sent} measurements sent, {count} of them different ones, sums exact"
    ));
}
