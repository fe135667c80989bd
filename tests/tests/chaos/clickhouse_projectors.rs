//! kill -9 of who fills ClickHouse, between an insert and its checkpoint, and everything sent again: afterwards every row
//! is there once.

use super::bad_luck::Luck;
use super::clickhouse_scene::{Feed, Scene};
use sqlx::PgPool;
use viral_tests::clickhouse::client;
use viral_tests::hold::{Hold, STOP, stop_at};
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

    /// Kills a projector that has inserted rows and not noted them.
    async fn kill_between(&self, scene: &Scene) {
        let mut hold = Hold::of(&scene.database.superuser_url, STOP).await;
        let projector = scene.projector();
        hold.waits("viral projector").await;
        projector.kill().await;
        // So that what it has asked for last does not happen after its death.
        hold.cut("viral projector").await;
        hold.release().await;
        let noted = "SELECT position FROM projections WHERE name = 'clickhouse'";
        let position: i64 = sqlx::query_scalar(noted).fetch_one(&self.pool).await.unwrap();
        assert!(self.rows(&format!("position > {position}")).await > 0);
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
    let moves = "NEW.name = 'clickhouse' AND NEW.position > OLD.position";
    let change = "TRIGGER at_move BEFORE UPDATE ON projections";
    stop_at(&scene.database.superuser_url, change, moves).await;
    let happening = async {
        let mut engines = 0;
        for kill in 0..wanted {
            traces.kill_between(&scene).await;
            // And at any other moment; now and then the engine dies before it.
            let projector = scene.projector();
            luck.wait(1, 900).await;
            if kill % 5 == 1 {
                scene.engine.kill().await;
                scene.engine.restart().await;
                engines += 1;
                luck.wait(1, 900).await;
            }
            projector.kill().await;
        }
        engines
    };
    let engines = scene.during(happening).await;
    let amounted = scene.finish().await;
    luck.print(format_args!(
        "{} kills, {wanted} of them between insert and checkpoint, {engines} of the engine; {amounted}",
        2 * wanted
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
    let forget = format!(
        "UPDATE projections SET position = 0, event_id = NULL, feed_place = NULL, intended = {end} WHERE name = 'clickhouse'"
    );
    sqlx::raw_sql(&forget).execute(&traces.pool).await.unwrap();
    let projector = scene.projector();
    let amounted = scene.amounted().await;
    projector.stop().await;
    let rows = traces.rows(&format!("position <= {end}")).await;
    assert_eq!(rows, 2 * end, "the tokens were not forgotten");
    scene.end().await;
    luck.print(format_args!("{head} events sent twice; {amounted}"));
}
