//! Topics that are deleted, made anew or set otherwise under a relay that is at work: it stops and says why, or mends it.
//! No hole stays that nobody is told of.

use super::bad_luck::Luck;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use std::collections::HashSet;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use uuid::Uuid;
use viral_commands::Unit;
use viral_kafka::topics::{self, EVENTS, LEDGER};
use viral_store::StreamId;
use viral_tests::journey::Chance;
use viral_tests::process::{run, viral};
use viral_tests::published::{Bed, PATIENCE, client, delete};
use viral_tests::samples::notes;

/// A `viral relay` that may end by itself.
type Relay = JoinHandle<(i32, String, String)>;

/// Starts one, and waits until it is the one that publishes. Of the events' partitions it has published to none.
async fn relay(bed: &Bed) -> Relay {
    bed.publish().await;
    let mut command = viral(bed.home.path(), &["relay"]);
    command.env("DATABASE_URL", &bed.database.superuser_url);
    let relay = tokio::spawn(run(command));
    // Of one event that is a transfer.
    bed.fill(1).await;
    bed.check_when_published().await;
    relay
}

/// Waits until it has given up; answers what it said.
async fn failure(relay: Relay) -> String {
    let ended = tokio::time::timeout(PATIENCE, relay).await;
    let (code, _, stderr) = ended.expect("it goes on").unwrap();
    assert_eq!(code, 1, "{stderr}");
    stderr
}

async fn migrate(bed: &Bed) {
    let mut command = viral(bed.home.path(), &["migrate"]);
    command.env("DATABASE_URL", &bed.database.superuser_url);
    let (code, _, stderr) = run(command).await;
    assert_eq!(code, 0, "{stderr}");
}

/// A new relay publishes what is missing.
async fn filled(bed: &Bed) {
    let relay = bed.relay_process();
    bed.check_when_published().await;
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_deleted_stops_the_relay() {
    let bed = Bed::new().await;
    bed.fill(300).await;
    for (topic, busy) in [(LEDGER, true), (EVENTS, false)] {
        let relay = relay(&bed).await;
        delete(bed.topics.broker, &[topic]).await;
        if busy {
            bed.fill(50).await;
        }
        let said = failure(relay).await;
        let expected = format!("topic {topic} is not there: `viral migrate` makes it");
        assert!(said.contains(&expected), "{said}");
        migrate(&bed).await;
        filled(&bed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_made_anew_has_no_hole() {
    let mut luck = Luck::new("topics made anew");
    let bed = Bed::new().await;
    bed.fill(300).await;
    let all = [(EVENTS, false), (LEDGER, true), (EVENTS, true), (LEDGER, false)];
    let rounds = luck.times(2, 40) as usize;
    let (mut filled_at_once, mut stopped) = (0, 0);
    for (topic, busy) in all.into_iter().cycle().take(rounds) {
        let relay = relay(&bed).await;
        let anew = async {
            luck.wait(1, 100).await;
            delete(bed.topics.broker, &[topic]).await;
            topics::create(&bed.topics.cluster).await.unwrap();
        };
        let writing = async {
            for _ in 0..20 {
                if busy {
                    bed.fill(10).await;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::join!(anew, writing);
        let began = Instant::now();
        while !relay.is_finished() && !is_complete(&bed).await {
            assert!(began.elapsed() < PATIENCE, "{topic} has a hole, and the relay goes on");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        if relay.is_finished() {
            let said = failure(relay).await;
            let clear = ["the topic was made anew in the middle", "is not there: `viral migrate`"];
            assert!(clear.iter().any(|text| said.contains(text)), "{said}");
            // As it says.
            delete(bed.topics.broker, &[topic]).await;
            migrate(&bed).await;
            filled(&bed).await;
            stopped += 1;
        } else {
            bed.check().await;
            relay.abort();
            let _ = relay.await;
            filled_at_once += 1;
        }
    }
    luck.print(format_args!(
        "{filled_at_once} topics were filled again at once, {stopped} times the relay stopped and said why"
    ));
}

/// Whether every event is in the topics.
async fn is_complete(bed: &Bed) -> bool {
    let count = bed.events().await.len();
    let distinct: HashSet<String> = bed.seen().await.into_iter().map(|seen| seen.value).collect();
    distinct.len() == count
}

/// Changes the limit of a topic; what is not said would go back to the broker's own values.
async fn limit(bed: &Bed, bytes: u64) {
    let bytes = bytes.to_string();
    let new = AlterConfig::new(ResourceSpecifier::Topic(EVENTS)).set("max.message.bytes", &bytes);
    let new = topics::SETTINGS
        .iter()
        .fold(new, |new, (name, value)| new.set(name, value));
    let admin: AdminClient<DefaultClientContext> = client(&bed.topics.broker.brokers()).create().unwrap();
    for altered in admin.alter_configs(&[new], &AdminOptions::new()).await.unwrap() {
        altered.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_over_the_limit_stops_the_relay_by_name() {
    let bed = Bed::new().await;
    bed.fill(100).await;
    let relay = relay(&bed).await;
    limit(&bed, 10_000).await;
    // Nothing that could be compressed below the limit.
    let mut chance = Chance::new(1, 1);
    let text: String = (0..2_400).map(|_| format!("{:016x}", chance.below(u64::MAX))).collect();
    let stream = StreamId::new("note", Uuid::now_v7().to_string());
    let unit = Unit::new(Uuid::now_v7(), vec![notes(&stream, 0, &[&text])]).with_actor("tester");
    let position = bed.writer.append(unit).await.unwrap().events()[0].position;
    let said = failure(relay).await;
    assert!(
        said.contains(&format!("position {position} was refused by the brokers")),
        "{said}"
    );
    // Before the limit is as it must be, nobody goes on.
    let problem = bed.start_relay().failure().await;
    assert!(problem.contains("max.message.bytes=10000"), "{problem}");
    limit(&bed, topics::MIN_MAX_MESSAGE_BYTES).await;
    filled(&bed).await;
}
