//! kill -9 of who fills ClickHouse, and of ClickHouse, at random moments under load: afterwards every row is there once.

use super::bad_luck::Luck;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::Instant;
use viral_commands::{Settings, Writer};
use viral_projections::ClickHouse;
use viral_store::{EventStore as _, PostgresStore};
use viral_tests::clickhouse::Engine;
use viral_tests::process::{Background, viral};
use viral_tests::published::{PATIENCE, fill};
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
        let database = TestServer::shared().await.database().await;
        let store = database.store().await;
        let (writer, _task) = Writer::start(store.clone(), Settings::default()).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("master.key"), "5e".repeat(32)).unwrap();
        let engine = Engine::start().await;
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

#[tokio::test(flavor = "multi_thread")]
async fn projectors_of_clickhouse_that_die_leave_nothing_out() {
    let mut luck = Luck::new("ClickHouse's projector killed");
    let kills = luck.times(8, 100);
    let scene = Scene::new().await;
    let happening = async {
        for _ in 0..kills {
            let projector = scene.projector();
            luck.wait(100, 900).await;
            projector.kill().await;
        }
    };
    scene.during(happening).await;
    let amounted = scene.finish().await;
    luck.print(format_args!("{kills} kills; {amounted}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clickhouse_that_dies_or_is_away_takes_nothing_with_it() {
    let mut luck = Luck::new("ClickHouse killed");
    let (kills, away) = (luck.times(3, 10), Duration::from_secs(luck.times(2, 60)));
    let scene = Scene::new().await;
    let happening = async {
        let projector = scene.projector();
        for kill in 0..kills {
            luck.wait(200, 1_500).await;
            scene.engine.kill().await;
            if kill + 1 == kills {
                tokio::time::sleep(away).await;
            }
            scene.engine.restart().await;
        }
        projector.stop().await;
    };
    scene.during(happening).await;
    let amounted = scene.finish().await;
    luck.print(format_args!(
        "{kills} kills, the last for {} s; {amounted}",
        away.as_secs()
    ));
}
