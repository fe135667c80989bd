//! A ClickHouse that is killed, away, full, slow or hangs, whichever way it is fed: money calls do not notice, and
//! afterwards every row is there once.

use super::bad_luck::Luck;
use super::clickhouse_scene::{Feed, MoneyCalls, Scene};
use super::disk::SmallDisk;
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use viral_tests::clickhouse::Engine;
use viral_tests::journey::Stage;
use viral_tests::published::{PATIENCE, fill};

#[tokio::test(flavor = "multi_thread")]
async fn a_clickhouse_that_dies_or_is_away_takes_nothing_with_it() {
    dies_and_is_away(Feed::Store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clickhouse_fed_by_kafka_that_dies_or_is_away_takes_nothing_with_it() {
    dies_and_is_away(Feed::Kafka).await;
}

async fn dies_and_is_away(feed: Feed) {
    let mut luck = Luck::new(format!("ClickHouse killed, fed by {}", feed.name()));
    let (kills, away) = (luck.times(3, 10), Duration::from_secs(luck.times(2, 60)));
    let scene = Scene::new(feed).await;
    let platform = scene.platform().await;
    let stage = Stage::set(&platform.client, 1, 1).await;
    let mut money = MoneyCalls::new(&platform, &stage);
    let over = AtomicBool::new(false);
    let killing = async {
        for kill in 0..kills {
            luck.wait(200, 1_500).await;
            scene.engine.kill().await;
            if kill + 1 == kills {
                tokio::time::sleep(away).await;
            }
            scene.engine.restart().await;
        }
        over.store(true, Ordering::Relaxed);
    };
    let calling = async {
        while !over.load(Ordering::Relaxed) {
            money.make().await;
        }
    };
    tokio::join!(killing, calling);
    let told = money.to_string();
    let amounted = scene.amounted().await;
    platform.stop().await;
    scene.end().await;
    luck.print(format_args!(
        "{kills} kills, the last for {} s; {told}; {amounted}",
        away.as_secs()
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clickhouse_whose_disk_was_full_goes_on_when_there_is_room() {
    fills_its_disk(Feed::Store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clickhouse_fed_by_kafka_whose_disk_was_full_goes_on_when_there_is_room() {
    fills_its_disk(Feed::Kafka).await;
}

/// Where mounting is not allowed it is not run.
async fn fills_its_disk(feed: Feed) {
    let luck = Luck::new(format!("ClickHouse's disk full, fed by {}", feed.name()));
    let engine = Engine::stopped();
    let Some(_disk) = SmallDisk::mount(engine.home(), 400) else {
        println!("not run: mounting a small file system needs root");
        return;
    };
    engine.restart().await;
    let scene = Scene::with(engine, feed).await;
    let platform = scene.platform().await;
    let stage = Stage::set(&platform.client, 1, 1).await;
    fill(&scene.writer, 200).await;
    let deadline = Instant::now() + PATIENCE;
    while scene.watermark().await.is_none() {
        assert!(Instant::now() < deadline, "nothing comes in");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // What is freed later, as an operator would free something.
    let ballast = scene.engine.home().join("ballast");
    fill_up(&ballast, scene.engine.home());
    fill(&scene.writer, 2_000).await;
    let head = scene.head().await;
    let mut money = MoneyCalls::new(&platform, &stage);
    let until = Instant::now() + Duration::from_secs(3);
    while Instant::now() < until {
        money.make().await;
    }
    // With room it would have come so far by now.
    let stuck = scene.watermark().await.expect("it can be asked");
    assert!(stuck < head, "the disk is not full: {stuck} of {head}");
    std::fs::remove_file(&ballast).unwrap();
    let told = money.to_string();
    let amounted = scene.amounted().await;
    platform.stop().await;
    scene.end().await;
    luck.print(format_args!("stopped at {stuck} of {head}; {told}; {amounted}"));
}

/// Fills a file system to its last byte.
fn fill_up(ballast: &Path, disk: &Path) {
    let mut file = std::fs::File::create(ballast).unwrap();
    let block = vec![0x5e_u8; 64 * 1_024];
    while file.write_all(&block).is_ok() {}
    while file.write_all(&block[..512]).is_ok() {}
    assert!(disk.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn money_calls_do_not_notice_a_clickhouse_that_hangs_or_is_slow() {
    hangs_and_is_slow(Feed::Store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_calls_do_not_notice_a_clickhouse_fed_by_kafka_that_hangs_or_is_slow() {
    hangs_and_is_slow(Feed::Kafka).await;
}

async fn hangs_and_is_slow(feed: Feed) {
    let luck = Luck::new(format!("ClickHouse hangs, fed by {}", feed.name()));
    let seconds = luck.times(6, 60);
    let scene = Scene::new(feed).await;
    let platform = scene.platform().await;
    let stage = Stage::set(&platform.client, 1, 1).await;
    let mut money = MoneyCalls::new(&platform, &stage);
    let metrics = format!("/v1/campaigns/{}/metrics", stage.campaign);
    let over = Instant::now() + Duration::from_secs(seconds);
    scene.engine.freeze().await;
    let mut is_frozen = true;
    while Instant::now() < over {
        money.make().await;
        // From the middle on it is slow: it runs for a moment now and then.
        if over - Instant::now() < Duration::from_secs(seconds / 2) {
            match is_frozen {
                true => scene.engine.thaw().await,
                false => scene.engine.freeze().await,
            }
            is_frozen = !is_frozen;
        } else {
            // What pages cannot ask they say, and they do not wait for it each time.
            let told = platform.client.get(&metrics).await;
            assert!(
                told.body["missing"]
                    .as_str()
                    .is_some_and(|why| why.contains("cannot be asked")),
                "{told:?}"
            );
            let shown = platform.client.get(&format!("/v1/campaigns/{}", stage.campaign)).await;
            assert!(shown.body["engagement"]["missing"].is_string(), "{shown:?}");
        }
    }
    if is_frozen {
        scene.engine.thaw().await;
    }
    let amounted = scene.amounted().await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let told = platform.client.get(&metrics).await;
        if told.body["source"] == "clickhouse" {
            assert_eq!(told.body["missing"], Value::Null, "{told:?}");
            break;
        }
        assert!(Instant::now() < deadline, "pages do not ask it again: {told:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let told = money.to_string();
    platform.stop().await;
    scene.end().await;
    luck.print(format_args!("{told}; {amounted}"));
}
