//! Topics are as they must be, or nothing is published and somebody is told what to do.

use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use viral_kafka::topics::{self, EVENTS, LEDGER};
use viral_tests::process::{run, viral};
use viral_tests::published::{Bed, client, delete};

fn admin(bed: &Bed) -> AdminClient<DefaultClientContext> {
    client(&bed.topics.broker.brokers()).create().unwrap()
}

async fn set(bed: &Bed, name: &str, value: &str) {
    // What is not said goes back to the broker's own value.
    let as_made = topics::SETTINGS.into_iter().filter(|(other, _)| *other != name);
    let config = as_made.fold(
        AlterConfig::new(ResourceSpecifier::Topic(LEDGER)).set(name, value),
        |config, (name, value)| config.set(name, value),
    );
    let altered = admin(bed).alter_configs(&[config], &AdminOptions::new()).await.unwrap();
    altered.into_iter().for_each(|result| {
        result.unwrap();
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn migrate_makes_them_once() {
    let bed = Bed::new().await;
    delete(bed.topics.broker, &[LEDGER, EVENTS]).await;
    for _ in 0..2 {
        let mut migrate = viral(bed.home.path(), &["migrate"]);
        migrate.env("DATABASE_URL", &bed.database.superuser_url);
        let (code, _, stderr) = run(migrate).await;
        assert_eq!(code, 0, "{stderr}");
        assert!(
            stderr.contains("topic viral.ledger.v1 is there: 1 partitions"),
            "{stderr}"
        );
        assert!(
            stderr.contains("topic viral.events.v1 is there: 8 partitions"),
            "{stderr}"
        );
    }
    let found = topics::check(&bed.topics.cluster, &topics::ALL).await.unwrap();
    let partitions: Vec<usize> = found.iter().map(|topic| topic.partitions).collect();
    assert_eq!(partitions, [1, 8, 8]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_number_of_partitions_is_told() {
    let bed = Bed::new().await;
    bed.fill(10).await;
    delete(bed.topics.broker, &[EVENTS]).await;
    let topic = NewTopic::new(EVENTS, 3, TopicReplication::Fixed(1));
    for made in admin(&bed).create_topics(&[topic], &AdminOptions::new()).await.unwrap() {
        made.unwrap();
    }
    let problem = bed.start_relay().failure().await;
    assert!(
        problem.contains("has 3 partitions instead of 8: delete it"),
        "{problem}"
    );
    let mut migrate = viral(bed.home.path(), &["migrate"]);
    migrate.env("DATABASE_URL", &bed.database.superuser_url);
    let (code, _, stderr) = run(migrate).await;
    assert!(
        code == 1 && stderr.contains("3 partitions instead of 8"),
        "{code} {stderr}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_lose_or_refuse_records_are_told() {
    let bed = Bed::new().await;
    bed.fill(10).await;
    for (name, value, expected) in [
        ("retention.ms", "604800000", "retention.ms=-1"),
        ("cleanup.policy", "compact", "cleanup.policy=delete"),
        ("max.message.bytes", "10000", "max.message.bytes=1048576 or more"),
        (
            "message.timestamp.type",
            "LogAppendTime",
            "message.timestamp.type=CreateTime",
        ),
    ] {
        set(&bed, name, value).await;
        let problem = bed.start_relay().failure().await;
        assert!(problem.contains(&format!("{name}={value}")), "{problem}");
        assert!(problem.contains(expected) && problem.contains(LEDGER), "{problem}");
    }
    delete(bed.topics.broker, &[LEDGER]).await;
    topics::create(&bed.topics.cluster).await.unwrap();
    bed.publish().await;
    assert_eq!(bed.check().await, 0);
}
