//! kill -9 of who fills ClickHouse, and of ClickHouse, at random moments under load: afterwards every row is there once.

use super::bad_luck::Luck;
use super::disk::SmallDisk;
use serde_json::Value;
use sqlx::PgPool;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::Instant;
use viral_commands::{Settings, Writer};
use viral_projections::ClickHouse;
use viral_store::{EventStore as _, PostgresStore};
use viral_tests::clickhouse::{Engine, client};
use viral_tests::journey::Stage;
use viral_tests::process::{Background, Platform, free_port, viral};
use viral_tests::published::{Bed, PATIENCE, fill};
use viral_tests::server::{Database, TestServer};

/// A log that is written to, and a ClickHouse of its own.
struct Scene {
    database: Database,
    store: Arc<PostgresStore>,
    writer: Writer,
    home: TempDir,
    engine: Engine,
    url: String,
    over: AtomicBool,
}

impl Scene {
    async fn new() -> Scene {
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

    fn projector(&self) -> Background {
        let mut command = viral(self.home.path(), &["project"]);
        command
            .env("DATABASE_URL", &self.database.superuser_url)
            .env("CLICKHOUSE_URL", &self.url)
            .stdout(std::process::Stdio::null());
        Background::started(command)
    }

    /// Writes for as long as something happens.
    async fn during<T>(&self, happening: impl Future<Output = T>) -> T {
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
    async fn finish(self) -> String {
        let projector = self.projector();
        let (head, deadline) = (self.store.head().await.unwrap().position, Instant::now() + PATIENCE);
        let clickhouse = ClickHouse::connect(&self.url).unwrap();
        loop {
            let found = clickhouse
                .watermark()
                .await
                .ok()
                .flatten()
                .map(|(_, position)| position);
            if found == Some(head) {
                break;
            }
            assert!(
                Instant::now() < deadline,
                "the watermark is {found:?}, the log ends at {head}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let report = clickhouse.diff(self.store.as_ref(), &mut |_, _| {}).await.unwrap();
        assert!(report.holds(), "{:#?}", report.differences);
        projector.stop().await;
        format!("{} events, {} entries, all of them once", report.events, report.entries)
    }
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

/// What a projector of ClickHouse left behind.
struct Traces {
    pool: PgPool,
    clickhouse: clickhouse::Client,
}

impl Traces {
    fn new(database: &Database, url: &str) -> Traces {
        Traces {
            pool: PgPool::connect_lazy(&database.superuser_url).unwrap(),
            clickhouse: client(url),
        }
    }

    /// The position that is noted, and whether a range behind it is under way.
    async fn noted(&self) -> Option<(i64, bool)> {
        let query = "SELECT position, intended IS NOT NULL FROM projections WHERE name = 'clickhouse'";
        sqlx::query_as(query).fetch_optional(&self.pool).await.unwrap()
    }

    /// Kills a projector at a moment near an insert. Answers whether it had inserted rows and not noted them.
    async fn kill_at_an_insert(&self, projector: Background, luck: &mut Luck) -> bool {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline && !self.noted().await.is_some_and(|(_, is_under_way)| is_under_way) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        luck.wait(1, 60).await;
        projector.kill().await;
        let Some((position, true)) = self.noted().await else {
            return false;
        };
        // What it asked for last may still be under way in the engine.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let query = format!("SELECT count() FROM event_rows WHERE position > {position}");
        self.clickhouse.query(&query).fetch_one::<u64>().await.unwrap() > 0
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn projectors_of_clickhouse_that_die_leave_nothing_out() {
    let mut luck = Luck::new("ClickHouse's projector killed");
    let wanted = luck.times(8, 100);
    let scene = Scene::new().await;
    let traces = Traces::new(&scene.database, &scene.url);
    let happening = async {
        let (mut kills, mut between) = (0, 0);
        while between < wanted {
            assert!(
                kills < wanted * 10,
                "{between} of {kills} kills were between insert and checkpoint"
            );
            kills += 1;
            between += u64::from(traces.kill_at_an_insert(scene.projector(), &mut luck).await);
        }
        kills
    };
    let kills = scene.during(happening).await;
    let amounted = scene.finish().await;
    luck.print(format_args!(
        "{kills} kills, {wanted} of them between insert and checkpoint; {amounted}"
    ));
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
    let watermark = async || {
        clickhouse
            .watermark()
            .await
            .ok()
            .flatten()
            .map(|(_, position)| position)
    };
    let deadline = Instant::now() + PATIENCE;
    while watermark().await.is_none() {
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
    let stuck = watermark().await;
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
    let store = database.store().await;
    let head = store.head().await.unwrap().position;
    let clickhouse = ClickHouse::connect(&url).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while clickhouse
        .watermark()
        .await
        .ok()
        .flatten()
        .map(|(_, position)| position)
        < Some(head)
    {
        assert!(Instant::now() < deadline, "it does not catch up");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let report = clickhouse.diff(store.as_ref(), &mut |_, _| {}).await.unwrap();
    assert!(report.holds(), "{:#?}", report.differences);
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
    luck.print(format_args!("{told}; {} events, all of them once", report.events));
}

#[tokio::test(flavor = "multi_thread")]
async fn projectors_that_follow_kafka_and_die_leave_nothing_out() {
    let mut luck = Luck::new("ClickHouse's projector killed while it follows Kafka");
    let wanted = luck.times(5, 100);
    let bed = Bed::new().await;
    let engine = Engine::start().await;
    let url = engine.database();
    let clickhouse = ClickHouse::connect(&url).unwrap();
    clickhouse.migrate().await.unwrap();
    std::fs::write(bed.home.path().join("master.key"), "5e".repeat(32)).unwrap();
    let relay = bed.relay_process();
    let start = || {
        let mut command = viral(bed.home.path(), &["project"]);
        command
            .env("DATABASE_URL", &bed.database.superuser_url)
            .env("CLICKHOUSE_URL", &url)
            .env("VIRAL_FEED", "kafka")
            .stdout(std::process::Stdio::null());
        Background::started(command)
    };
    let over = AtomicBool::new(false);
    let writing = async {
        while !over.load(Ordering::Relaxed) {
            bed.fill(20).await;
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    };
    let traces = Traces::new(&bed.database, &url);
    let killing = async {
        let (mut kills, mut between, mut engines) = (0, 0, 0);
        while between < wanted {
            assert!(
                kills < wanted * 10,
                "{between} of {kills} kills were between insert and checkpoint"
            );
            kills += 1;
            let projector = start();
            // Now and then the engine dies first.
            if kills % 10 == 3 {
                luck.wait(300, 900).await;
                engine.kill().await;
                engine.restart().await;
                engines += 1;
            }
            between += u64::from(traces.kill_at_an_insert(projector, &mut luck).await);
        }
        over.store(true, Ordering::Relaxed);
        (kills, engines)
    };
    let ((kills, engines), ()) = tokio::join!(killing, writing);
    let projector = start();
    let (head, deadline) = (bed.head().await, Instant::now() + PATIENCE);
    while clickhouse.watermark().await.unwrap().map(|(_, position)| position) != Some(head) {
        assert!(Instant::now() < deadline, "it does not catch up");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let report = clickhouse.diff(bed.store.as_ref(), &mut |_, _| {}).await.unwrap();
    assert!(report.holds(), "{:#?}", report.differences);
    projector.stop().await;
    relay.stop().await;
    luck.print(format_args!(
        "{kills} kills, {wanted} of them between insert and checkpoint, {engines} of the engine; {} events, {} entries, all \
         of them once",
        report.events, report.entries
    ));
}
