//! kill -9 of who fills ClickHouse, between an insert and its checkpoint: afterwards every row is there once.

use super::bad_luck::Luck;
use super::clickhouse::{Scene, amounted};
use sqlx::PgPool;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use viral_projections::ClickHouse;
use viral_tests::clickhouse::{Engine, client};
use viral_tests::process::{Background, viral};
use viral_tests::published::Bed;
use viral_tests::server::Database;

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
async fn projectors_that_follow_kafka_and_die_leave_nothing_out() {
    let mut luck = Luck::new("ClickHouse's projector killed while it follows Kafka");
    let wanted = luck.times(5, 100);
    let bed = Bed::new().await;
    let engine = Engine::start().await;
    let url = engine.database();
    ClickHouse::connect(&url).unwrap().migrate().await.unwrap();
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
    let amounted = amounted(&url, bed.store.as_ref()).await;
    projector.stop().await;
    relay.stop().await;
    luck.print(format_args!(
        "{kills} kills, {wanted} of them between insert and checkpoint, {engines} of the engine; {amounted}"
    ));
}
