//! A log that is written to, a ClickHouse that is filled from it, and money that moves meanwhile.

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
use viral_tests::published::{PATIENCE, Topics, fill, point_at};
use viral_tests::server::{Database, TestServer};

/// Where ClickHouse's projector takes its events from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feed {
    Store,
    Kafka,
}

impl Feed {
    /// As a command takes it.
    pub fn name(self) -> &'static str {
        match self {
            Feed::Store => "store",
            Feed::Kafka => "kafka",
        }
    }
}

/// A log, a ClickHouse of its own, and Kafka between them where the feed is Kafka's.
pub struct Scene {
    feed: Feed,
    pub database: Database,
    pub store: Arc<PostgresStore>,
    pub writer: Writer,
    pub engine: Engine,
    pub url: String,
    over: AtomicBool,
    home: TempDir,
    /// Who publishes, and where.
    kafka: Option<(Background, Topics)>,
}

impl Scene {
    pub async fn new(feed: Feed) -> Scene {
        Scene::with(Engine::start().await, feed).await
    }

    /// With an engine that runs.
    pub async fn with(engine: Engine, feed: Feed) -> Scene {
        let database = TestServer::shared().await.database().await;
        let store = database.store().await;
        let (writer, _task) = Writer::start(store.clone(), Settings::default()).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let url = migrated(&engine).await;
        let mut kafka = None;
        if feed == Feed::Kafka {
            let topics = Topics::empty().await;
            point_at(home.path(), &topics.broker.brokers());
            let relay = Background::start(home.path(), &["relay"], &database.superuser_url);
            kafka = Some((relay, topics));
        }
        Scene {
            feed,
            database,
            store,
            writer,
            engine,
            url,
            over: AtomicBool::new(false),
            home,
            kafka,
        }
    }

    /// A process that fills ClickHouse.
    pub fn projector(&self) -> Background {
        projector(self.home.path(), &self.database.superuser_url, &self.url, self.feed)
    }

    /// A platform that fills ClickHouse.
    pub async fn platform(&self) -> Platform {
        let port = free_port();
        let mut command = Platform::command("up", self.home.path(), port, Some(&self.database.superuser_url));
        command
            .env("CLICKHOUSE_URL", &self.url)
            .env("VIRAL_FEED", self.feed.name());
        Platform::started(command, port).await
    }

    pub async fn head(&self) -> Position {
        self.store.head().await.unwrap().position
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

    /// How far ClickHouse is, if it can be asked.
    pub async fn watermark(&self) -> Option<Position> {
        watermark(&ClickHouse::connect(&self.url).unwrap()).await
    }

    /// Waits until whoever runs has filled it, and compares it.
    pub async fn amounted(&self) -> String {
        amounted(&self.url, self.store.as_ref()).await
    }

    /// The same where nobody fills it any more.
    pub async fn finish(self) -> String {
        let projector = self.projector();
        let amounted = self.amounted().await;
        projector.stop().await;
        self.end().await;
        amounted
    }

    /// Who publishes must have lived until now.
    pub async fn end(self) {
        if let Some((relay, _topics)) = self.kafka {
            relay.stop().await;
        }
    }
}

/// The URL of a database with our tables.
pub async fn migrated(engine: &Engine) -> String {
    let url = engine.database();
    ClickHouse::connect(&url).unwrap().migrate().await.unwrap();
    url
}

/// A process that fills read models and ClickHouse, in a home that may have no master key yet.
pub fn projector(home: &Path, database_url: &str, clickhouse_url: &str, feed: Feed) -> Background {
    std::fs::write(home.join("master.key"), "5e".repeat(32)).unwrap();
    let mut command = viral(home, &["project", "--feed", feed.name()]);
    command
        .env("DATABASE_URL", database_url)
        .env("CLICKHOUSE_URL", clickhouse_url)
        .stdout(std::process::Stdio::null());
    Background::started(command)
}

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
        if found >= Some(head) {
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
pub struct MoneyCalls<'a> {
    platform: &'a Platform,
    stage: &'a Stage,
    /// Another campaign: one has 200 missions at most.
    next: Option<Stage>,
    calls: u64,
    slowest: Duration,
}

impl<'a> MoneyCalls<'a> {
    pub fn new(platform: &'a Platform, stage: &'a Stage) -> MoneyCalls<'a> {
        MoneyCalls {
            platform,
            stage,
            next: None,
            calls: 0,
            slowest: Duration::ZERO,
        }
    }

    /// A creator is employed and paid, which takes five calls.
    pub async fn make(&mut self) {
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
