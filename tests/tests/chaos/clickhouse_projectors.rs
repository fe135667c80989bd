//! kill -9 of who fills ClickHouse, between an insert and its checkpoint, and everything sent again: afterwards every row
//! is there once.

use super::bad_luck::Luck;
use super::clickhouse_scene::{Feed, Scene};
use sqlx::PgPool;
use std::time::Duration;
use tokio::time::Instant;
use viral_tests::clickhouse::client;
use viral_tests::process::Background;
use viral_tests::published::fill;
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
        self.rows(&format!("position > {position}")).await > 0
    }

    /// How many such rows of events there are, those that were inserted twice counted twice.
    async fn rows(&self, such: &str) -> u64 {
        let query = format!("SELECT count() FROM event_rows WHERE {such}");
        self.clickhouse.query(&query).fetch_one().await.unwrap()
    }

    async fn execute(&self, statement: &str) {
        let query = self.clickhouse.query_raw(statement).with_setting("mutations_sync", "2");
        query.execute().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn projectors_of_clickhouse_that_die_leave_nothing_out() {
    projectors_die(Feed::Store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn projectors_that_follow_kafka_and_die_leave_nothing_out() {
    projectors_die(Feed::Kafka).await;
}

async fn projectors_die(feed: Feed) {
    let mut luck = Luck::new(format!("ClickHouse's projector killed, fed by {}", feed.name()));
    let wanted = luck.times(5, 100);
    let scene = Scene::new(feed).await;
    let traces = Traces::new(&scene.database, &scene.url);
    let happening = async {
        let (mut kills, mut between, mut engines) = (0, 0, 0);
        while between < wanted {
            assert!(
                kills < wanted * 10,
                "{between} of {kills} kills were between insert and checkpoint"
            );
            kills += 1;
            let projector = scene.projector();
            // Now and then the engine dies first.
            if kills % 10 == 3 {
                luck.wait(300, 900).await;
                scene.engine.kill().await;
                scene.engine.restart().await;
                engines += 1;
            }
            between += u64::from(traces.kill_at_an_insert(projector, &mut luck).await);
        }
        (kills, engines)
    };
    let (kills, engines) = scene.during(happening).await;
    let amounted = scene.finish().await;
    luck.print(format_args!(
        "{kills} kills, {wanted} of them between insert and checkpoint, {engines} of the engine; {amounted}"
    ));
}

/// The deduplication window is exceeded on purpose: no token is remembered any more when everything is sent again.
#[tokio::test(flavor = "multi_thread")]
async fn what_kafka_gives_again_after_its_token_was_forgotten_is_there_once() {
    let luck = Luck::new("ClickHouse's window exceeded");
    let scene = Scene::new(Feed::Kafka).await;
    let traces = Traces::new(&scene.database, &scene.url);
    for table in ["watermark_rows", "event_rows", "ledger_entry_rows"] {
        let window = format!("ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = 2");
        traces.execute(&window).await;
        // Parts that are not merged keep what was inserted twice.
        traces.execute(&format!("SYSTEM STOP MERGES {table}")).await;
    }
    let projector = scene.projector();
    for _ in 0..luck.times(12, 100) {
        fill(&scene.writer, 20).await;
        scene.amounted().await;
    }
    projector.stop().await;
    let head = scene.head().await.0;
    assert_eq!(traces.rows("position > 0").await, head);
    // The same range, so that its tokens are the same.
    let end = "SELECT min(position) FROM watermark_rows";
    let end: u64 = traces.clickhouse.query(end).fetch_one().await.unwrap();
    traces.execute("TRUNCATE TABLE watermark_rows").await;
    let forget =
        format!("UPDATE projections SET position = 0, feed_place = NULL, intended = {end} WHERE name = 'clickhouse'");
    sqlx::raw_sql(&forget).execute(&traces.pool).await.unwrap();
    let projector = scene.projector();
    let amounted = scene.amounted().await;
    projector.stop().await;
    let rows = traces.rows(&format!("position <= {end}")).await;
    assert_eq!(rows, 2 * end, "the tokens were not forgotten");
    scene.end().await;
    luck.print(format_args!("{head} events sent twice; {amounted}"));
}
