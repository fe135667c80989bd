//! What the relay writes: every event, in order, so that any client can read it; and where it goes on.

use rdkafka::util::Timeout;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};
use std::time::Duration;
use tokio::time::Instant;
use viral_kafka::partition::Partition;
use viral_kafka::topics::{EVENTS, LEDGER};
use viral_kafka::{Standing, Status, topics};
use viral_store::{EventStore as _, Position, line};
use viral_tests::published::{Bed, PATIENCE, delete};

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_published_in_order_with_its_headers() {
    let bed = Bed::new().await;
    bed.fill(600).await;
    bed.publish().await;
    assert_eq!(bed.check().await, 0);

    let seen = bed.seen().await;
    let of_ledger = seen.iter().filter(|seen| seen.partition.topic == LEDGER).count();
    assert!(
        of_ledger > 100 && seen.len() - of_ledger > 100,
        "{of_ledger} of {}",
        seen.len()
    );
    for seen in &seen {
        let body: Value = serde_json::from_str(&seen.value).unwrap();
        let fields = body.as_object().unwrap();
        for (name, value) in fields.iter().filter(|(name, _)| *name != "data") {
            assert_eq!(
                seen.headers.get(&format!("ce_{name}")).map(String::as_str),
                value.as_str(),
                "{name}"
            );
        }
        assert_eq!(seen.headers["content-type"], "application/cloudevents+json");
        let attributes = seen.headers.keys().filter(|name| name.starts_with("ce_")).count();
        assert_eq!(attributes, fields.len() - 1);
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        assert_eq!(seen.key, format!("{}/{}", text("aggregatetype"), text("subject")));
    }
    // The last event of each unit says so, and no other.
    let mut last = Vec::new();
    let events = bed.events().await;
    for (event, next) in events.iter().zip(events[1..].iter().map(Some).chain([None])) {
        let unit = |event: &viral_store::StoredEvent| event.parse_metadata().unwrap().unit_id;
        if next.is_none_or(|next| unit(next) != unit(event)) {
            last.push(event.position.to_string());
        }
    }
    let mut marked: Vec<String> = seen
        .iter()
        .filter(|seen| seen.headers.get("viral-unit-end").is_some_and(|value| value == "true"))
        .map(|seen| seen.headers["ce_position"].clone())
        .collect();
    marked.sort_by_key(|position| position.parse::<u64>().unwrap());
    assert_eq!(marked, last);
}

#[tokio::test(flavor = "multi_thread")]
async fn kafkas_own_tools_show_the_topics_and_their_events() {
    let bed = Bed::new().await;
    bed.fill(30).await;
    bed.publish().await;
    let described = bed
        .topics
        .broker
        .tool(
            "org.apache.kafka.tools.TopicCommand",
            &["--describe", "--topic", EVENTS],
        )
        .await;
    assert!(described.contains("PartitionCount: 8"), "{described}");
    assert!(described.contains("retention.ms=-1"), "{described}");
    let printed = bed
        .topics
        .broker
        .tool(
            "org.apache.kafka.tools.consumer.ConsoleConsumer",
            &[
                "--topic",
                LEDGER,
                "--from-beginning",
                "--max-messages",
                "1",
                "--timeout-ms",
                "20000",
            ],
        )
        .await;
    let first = &bed.events().await[0];
    assert_eq!(printed.trim_end(), line::to_line(first, bed.store.source()).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_on_where_the_topics_are() {
    let bed = Bed::new().await;
    bed.publish().await;
    for events in [1, 200, 7] {
        bed.fill(events).await;
        bed.publish().await;
    }
    assert_eq!(bed.check().await, 0);
    // What is appended while it runs follows at once.
    let relay = bed.start_relay();
    relay.published(bed.head().await).await;
    bed.fill(50).await;
    relay.published(bed.head().await).await;
    relay.stop().await;
    assert_eq!(bed.check().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_are_behind_are_filled_up() {
    let bed = Bed::new().await;
    bed.fill(300).await;
    // As if a relay had died: each partition has another part of the log, with repetitions.
    let mut part = Vec::new();
    for record in bed.records().await {
        let position: u64 = serde_json::from_str::<Value>(&record.value).unwrap()["position"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let until = 40 * (1 + record.partition.number.unsigned_abs() as u64);
        if record.partition.number != 3 && position <= until {
            part.push(record);
        }
    }
    let sent = part.len();
    bed.send(part).await;
    bed.publish().await;
    assert_eq!(bed.check().await, 0);
    assert!(bed.seen().await.len() > sent + 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_active_and_the_next_takes_over() {
    let bed = Bed::new().await;
    bed.fill(20).await;
    let first = bed.start_relay();
    first.published(bed.head().await).await;
    let mut second = bed.start_relay();
    // It has asked for the lease in vain, and says so.
    second.status.changed().await.unwrap();
    let waits = Status {
        standing: Standing::Waiting,
        published: Position::START,
        problem: None,
    };
    assert_eq!(*second.status.borrow(), waits);
    bed.fill(20).await;
    first.published(bed.head().await).await;
    assert_eq!(*second.status.borrow(), waits);
    first.abort().await;
    bed.fill(20).await;
    second.published(bed.head().await).await;
    second.stop().await;
    bed.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_lease_ends_its_relay_and_it_comes_back() {
    let bed = Bed::new().await;
    bed.fill(20).await;
    let relay = bed.start_relay();
    relay.published(bed.head().await).await;
    let mut root = PgConnection::connect(&bed.database.superuser_url).await.unwrap();
    let mut holders = async || -> Vec<i32> {
        let query = "SELECT pid FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE locktype = 'advisory' AND granted \
             AND datname = current_database() AND application_name = 'viral lease'";
        sqlx::query_scalar(query).fetch_all(&mut root).await.unwrap()
    };
    let lost = holders().await;
    assert_eq!(lost.len(), 1);
    bed.as_root(&format!("SELECT pg_terminate_backend({})", lost[0])).await;
    let deadline = Instant::now() + PATIENCE;
    while holders().await.iter().all(|holder| lost.contains(holder)) {
        assert!(Instant::now() < deadline, "the lease is not taken again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bed.fill(20).await;
    relay.published(bed.head().await).await;
    relay.stop().await;
    bed.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_records_at_the_end_do_not_stop_it() {
    let bed = Bed::new().await;
    bed.fill(40).await;
    bed.publish().await;
    for partition in Partition::all() {
        bed.send_raw(partition, &[b"hello".as_slice(); 40]).await;
    }
    bed.fill(40).await;
    bed.publish().await;
    let lines = bed.events().await.len();
    let seen = bed.seen().await;
    assert_eq!(seen.len(), lines + 9 * 40);
    assert_eq!(seen.iter().filter(|seen| seen.value == "hello").count(), 9 * 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_was_made_anew_is_filled_again() {
    let bed = Bed::new().await;
    bed.fill(100).await;
    bed.publish().await;
    delete(bed.topics.broker, &[EVENTS]).await;
    let problem = bed.start_relay().failure().await;
    assert!(
        problem.contains(EVENTS) && problem.contains("viral migrate"),
        "{problem}"
    );
    topics::create(&bed.topics.cluster).await.unwrap();
    bed.publish().await;
    assert_eq!(bed.check().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_begins_in_the_middle_is_told() {
    let bed = Bed::new().await;
    bed.fill(100).await;
    // Somebody made the topic anew while an old relay was at work: its last record is the first one there.
    let mut records = bed.records().await;
    let last = records
        .iter()
        .rposition(|record| record.partition.topic == EVENTS)
        .unwrap();
    let (position, partition) = (last + 1, records[last].partition);
    bed.send(vec![records.remove(last)]).await;
    let problem = bed.start_relay().failure().await;
    assert!(
        problem.contains(&format!("{partition} begins with position {position}, but")),
        "{problem}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_finds_its_partition_with_kafkas_own_partitioner() {
    use rdkafka::producer::{BaseRecord, Producer as _, ThreadedProducer};
    use viral_store::StreamId;
    let bed = Bed::new().await;
    let producer: ThreadedProducer<rdkafka::producer::DefaultProducerContext> =
        viral_tests::published::client(&bed.topics.broker.brokers())
            .set("partitioner", "murmur2")
            .create()
            .unwrap();
    let keys: Vec<String> = (0..200).map(|n| format!("campaign/{n}")).collect();
    for key in &keys {
        let record = BaseRecord::to(EVENTS).key(key).payload("x");
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    tokio::task::spawn_blocking(move || producer.flush(Timeout::After(Duration::from_secs(20))).unwrap())
        .await
        .unwrap();
    let seen = bed.seen().await;
    assert_eq!(seen.len(), keys.len());
    for seen in seen {
        let id = seen.key.strip_prefix("campaign/").unwrap().to_owned();
        assert_eq!(seen.partition, Partition::of(&StreamId::new("campaign", id)));
    }
    assert_eq!(bed.head().await, Position::START);
}
