//! A store that was restored must not be mixed with what was published before.

use std::sync::Arc;
use viral_commands::{Settings, Writer};
use viral_kafka::KafkaFeeds;
use viral_projections::UnreadableRecords;
use viral_store::feed::Feeds as _;
use viral_store::{Checkpoint, EventStore as _};
use viral_tests::published::{Bed, PATIENCE, RunningRelay, fill};
use viral_tests::server::{Database, TestServer};

/// Another database with the log id of the first one.
async fn another(bed: &Bed) -> Database {
    let database = TestServer::shared().await.database().await;
    let id = bed.store.source().strip_prefix("urn:viral:log:").unwrap();
    let statement = format!("UPDATE log_head SET log_id = '{id}'");
    viral_tests::server::run(&database.superuser_url, &statement)
        .await
        .unwrap();
    database
}

async fn relay_of(bed: &Bed, database: &Database) -> RunningRelay {
    let store = database.store().await;
    RunningRelay::start(viral_kafka::Relay::new(
        bed.topics.cluster.clone(),
        store.clone(),
        store.leases(),
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_moment_is_told() {
    let bed = Bed::new().await;
    bed.fill(50).await;
    bed.publish().await;
    let before = bed.seen().await.len();
    let problem = relay_of(&bed, &another(&bed).await).await.failure().await;
    assert!(problem.contains("the store ends at 0"), "{problem}");
    assert!(problem.contains("import events --source kafka"), "{problem}");
    assert_eq!(bed.seen().await.len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_course_of_events_is_told() {
    let bed = Bed::new().await;
    bed.fill(50).await;
    bed.publish().await;
    let database = another(&bed).await;
    let (writer, _task) = Writer::start(database.store().await, Settings::default())
        .await
        .unwrap();
    fill(&writer, 60).await;
    let problem = relay_of(&bed, &database).await.failure().await;
    assert!(problem.contains("went on differently"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_gives_nothing_that_the_store_does_not_have() {
    let bed = Bed::new().await;
    bed.fill(50).await;
    bed.publish().await;
    let database = another(&bed).await;
    let store = database.store().await;
    let (writer, _task) = Writer::start(store.clone(), Settings::default()).await.unwrap();
    fill(&writer, 60).await;
    let pool = viral_projections::connect(&database.app_url).unwrap();
    let feeds = KafkaFeeds::new(
        bed.topics.cluster.clone(),
        store,
        Arc::new(UnreadableRecords::new(pool)),
    );
    let mut feed = feeds.open(&Checkpoint::START, None);
    let error = feed.read_on(&Checkpoint::START, 10, PATIENCE).await.unwrap_err();
    assert!(error.to_string().contains("the store has another one"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_log_is_told() {
    let bed = Bed::new().await;
    bed.fill(50).await;
    bed.publish().await;
    let database = TestServer::shared().await.database().await;
    let problem = relay_of(&bed, &database).await.failure().await;
    assert!(problem.contains("is an event of this log"), "{problem}");
    let mut process = viral_tests::process::viral(bed.home.path(), &["relay"]);
    process.env("DATABASE_URL", &database.superuser_url);
    let (code, _, stderr) = viral_tests::process::run(process).await;
    assert!(
        code == 1 && stderr.contains("is an event of this log"),
        "{code} {stderr}"
    );
}
