//! A ClickHouse that is killed, away, full, slow or hangs: money calls do not notice, and afterwards every row is there once.

use super::bad_luck::Luck;
use super::disk::SmallDisk;
use serde_json::Value;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::Instant;
use viral_commands::{Settings, Writer};
use viral_projections::ClickHouse;
use viral_store::{EventStore, Position, PostgresStore};
use viral_tests::clickhouse::Engine;
use viral_tests::journey::Stage;
use viral_tests::process::{Background, Platform, free_port, viral};
use viral_tests::published::{PATIENCE, fill};
use viral_tests::server::{Database, TestServer};

/// A log that is written to, and a ClickHouse of its own.
pub struct Scene {
    pub database: Database,
    store: Arc<PostgresStore>,
    writer: Writer,
    home: TempDir,
    engine: Engine,
    pub url: String,
    over: AtomicBool,
}

impl Scene {
    pub async fn new() -> Scene {
        Scene::with(Engine::start().await).await
    }

    async fn with(engine: Engine) -> Scene {
        let database = TestServer::shared().await.database().await;
        let store = database.store().await;
        let (writer, _task) = Writer::start(store.clone(), Settings::default()).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("master.key"), "5e".repeat(32)).unwrap();
        let url = engine.database();
        ClickHouse::connect(&url).unwrap().migrate().await.unwrap();
        Scene {
            database,
            store,
            writer,
            home,
            engine,
            url,
            over: AtomicBool::new(false),
        }
    }

    pub fn projector(&self) -> Background {
        let mut command = viral(self.home.path(), &["project"]);
        command
            .env("DATABASE_URL", &self.database.superuser_url)
            .env("CLICKHOUSE_URL", &self.url)
            .stdout(std::process::Stdio::null());
        Background::started(command)
    }

    /// Writes for as long as something happens.
    pub async fn during<T>(&self, happening: impl Future<Output = T>) -> T {
        let writing = async {
            while !self.over.load(Ordering::Relaxed) {
                fill(&self.writer, 20).await;
                tokio::time::sleep(Duration::from_millis(30)).await;
            }
        };
        let happening = async {
            let result = happening.await;
            self.over.store(true, Ordering::Relaxed);
            result
        };
        tokio::join!(happening, writing).0
    }

    /// A platform whose ClickHouse this is, which fills it.
    async fn platform(&self) -> Platform {
        let port = free_port();
        let mut command = Platform::command("up", self.home.path(), port, Some(&self.database.superuser_url));
        command.env("CLICKHOUSE_URL", &self.url);
        Platform::started(command, port).await
    }

    /// Waits until everything is there, and compares it.
    pub async fn finish(self) -> String {
        let projector = self.projector();
        let amounted = amounted(&self.url, self.store.as_ref()).await;
        projector.stop().await;
        amounted
    }
}

/// How far ClickHouse is, if it can be asked.
async fn watermark(clickhouse: &ClickHouse) -> Option<Position> {
    let found = clickhouse.watermark().await.ok().flatten();
    found.map(|(_, position)| position)
}

/// Waits until ClickHouse has the whole log, and compares it.
pub async fn amounted(url: &str, store: &dyn EventStore) -> String {
    let clickhouse = ClickHouse::connect(url).unwrap();
    let (head, deadline) = (store.head().await.unwrap().position, Instant::now() + PATIENCE);
    loop {
        let found = watermark(&clickhouse).await;
        if found == Some(head) {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "the watermark is {found:?}, the log ends at {head}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let report = clickhouse.diff(store, &mut |_, _| {}).await.unwrap();
    assert!(report.holds(), "{:#?}", report.differences);
    format!("{} events, {} entries, all of them once", report.events, report.entries)
}

/// Calls that move money, one after the other, none of which may be refused.
struct MoneyCalls<'a> {
    platform: &'a Platform,
    stage: &'a Stage,
    /// Another campaign: one has 200 missions at most.
    next: Option<Stage>,
    calls: u64,
    slowest: Duration,
}

impl<'a> MoneyCalls<'a> {
    fn new(platform: &'a Platform, stage: &'a Stage) -> MoneyCalls<'a> {
        MoneyCalls {
            platform,
            stage,
            next: None,
            calls: 0,
            slowest: Duration::ZERO,
        }
    }

    /// A creator is employed and paid, which takes five calls.
    async fn make(&mut self) {
        let api = &self.platform.client;
        if self.calls > 0 && self.calls.is_multiple_of(5 * 180) {
            self.next = Some(Stage::set(api, 1, 1).await);
        }
        let stage = self.next.as_ref().unwrap_or(self.stage);
        let began = Instant::now();
        stage.employ(api, &stage.creators[0], "1").await;
        self.calls += 5;
        self.slowest = self.slowest.max(began.elapsed());
    }
}

impl std::fmt::Display for MoneyCalls<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let MoneyCalls { calls, slowest, .. } = self;
        write!(
            f,
            "{calls} money calls, none refused, the slowest five took {slowest:?}"
        )
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clickhouse_that_dies_or_is_away_takes_nothing_with_it() {
    let mut luck = Luck::new("ClickHouse killed");
    let (kills, away) = (luck.times(3, 10), Duration::from_secs(luck.times(2, 60)));
    let scene = Scene::new().await;
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
    platform.stop().await;
    let amounted = scene.finish().await;
    luck.print(format_args!(
        "{kills} kills, the last for {} s; {told}; {amounted}",
        away.as_secs()
    ));
}

/// Where mounting is not allowed it is not run.
#[tokio::test(flavor = "multi_thread")]
async fn a_clickhouse_whose_disk_was_full_goes_on_when_there_is_room() {
    let luck = Luck::new("ClickHouse's disk full");
    let engine = Engine::stopped();
    let Some(_disk) = SmallDisk::mount(engine.home(), 400) else {
        println!("not run: mounting a small file system needs root");
        return;
    };
    engine.restart().await;
    let scene = Scene::with(engine).await;
    let platform = scene.platform().await;
    let stage = Stage::set(&platform.client, 1, 1).await;
    fill(&scene.writer, 200).await;
    let clickhouse = ClickHouse::connect(&scene.url).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while watermark(&clickhouse).await.is_none() {
        assert!(Instant::now() < deadline, "nothing comes in");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // What is freed later, as an operator would free something.
    let ballast = scene.engine.home().join("ballast");
    fill_up(&ballast, scene.engine.home());
    fill(&scene.writer, 2_000).await;
    let mut money = MoneyCalls::new(&platform, &stage);
    let until = Instant::now() + Duration::from_secs(3);
    while Instant::now() < until {
        money.make().await;
    }
    let head = scene.store.head().await.unwrap().position;
    let stuck = watermark(&clickhouse).await;
    assert!(stuck < Some(head), "the disk is not full: {stuck:?} of {head}");
    std::fs::remove_file(&ballast).unwrap();
    let told = money.to_string();
    platform.stop().await;
    let amounted = scene.finish().await;
    luck.print(format_args!("stopped at {stuck:?} of {head}; {told}; {amounted}"));
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
    let luck = Luck::new("ClickHouse hangs");
    let seconds = luck.times(6, 60);
    let database = TestServer::shared().await.database().await;
    let home = tempfile::tempdir().unwrap();
    let engine = Engine::start().await;
    let url = engine.database();
    let port = free_port();
    let mut command = Platform::command("up", home.path(), port, Some(&database.superuser_url));
    command.env("CLICKHOUSE_URL", &url);
    let platform = Platform::started(command, port).await;
    let stage = Stage::set(&platform.client, 1, 1).await;
    let mut money = MoneyCalls::new(&platform, &stage);
    let metrics = format!("/v1/campaigns/{}/metrics", stage.campaign);
    let over = Instant::now() + Duration::from_secs(seconds);
    engine.freeze().await;
    let mut is_frozen = true;
    while Instant::now() < over {
        money.make().await;
        // From the middle on it is slow: it runs for a moment now and then.
        if over - Instant::now() < Duration::from_secs(seconds / 2) {
            match is_frozen {
                true => engine.thaw().await,
                false => engine.freeze().await,
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
        engine.thaw().await;
    }
    let amounted = amounted(&url, database.store().await.as_ref()).await;
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
    luck.print(format_args!("{told}; {amounted}"));
}
