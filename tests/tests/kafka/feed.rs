//! The feed gives back what the store has: each event once, in order, whole units, whatever else is in the topics.

use async_trait::async_trait;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use viral_kafka::KafkaFeeds;
use viral_kafka::partition::Partition;
use viral_kafka::record::Record;
use viral_kafka::topics;
use viral_store::feed::{Feed, FeedError, Feeds as _, NoteUnreadable, UnreadableRecord};
use viral_store::{Checkpoint, EventStore as _, Position, StoredEvent, units};
use viral_tests::published::{Bed, PATIENCE, delete};

/// Keeps what it is told.
#[derive(Debug, Default)]
struct Notes(Mutex<Vec<UnreadableRecord>>);

#[async_trait]
impl NoteUnreadable for Notes {
    async fn note(&self, record: &UnreadableRecord) -> Result<(), FeedError> {
        self.0.lock().unwrap().push(record.clone());
        Ok(())
    }
}

fn feeds(bed: &Bed) -> (KafkaFeeds, Arc<Notes>) {
    let notes = Arc::<Notes>::default();
    let feeds = KafkaFeeds::new(bed.topics.cluster.clone(), bed.store.clone(), notes.clone());
    (feeds, notes)
}

/// Reads from a checkpoint to a position.
async fn read(feed: &mut dyn Feed, after: Checkpoint, until: Position, limit: usize) -> Vec<StoredEvent> {
    let mut events: Vec<StoredEvent> = Vec::new();
    let mut at = after;
    while at.position < until {
        let page = feed.read_on(&at, limit, PATIENCE).await.unwrap();
        assert!(!page.is_empty(), "nothing came for {PATIENCE:?} after {}", at.position);
        at = at.after_all(&page);
        events.extend(page);
    }
    events
}

/// Positions where a unit ends.
fn unit_ends(events: &[StoredEvent]) -> Vec<Position> {
    let unit = |index: usize| events.get(index).map(units::unit);
    (0..events.len())
        .filter(|index| unit(*index) != unit(index + 1))
        .map(|index| events[index].position)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_the_stores_log() {
    let bed = Bed::new().await;
    bed.fill(3_000).await;
    bed.publish().await;
    let all = bed.events().await;
    let ends = unit_ends(&all);
    let (feeds, notes) = feeds(&bed);
    for limit in [1, 7, 5_000] {
        let mut feed = feeds.open(&Checkpoint::START, None);
        let (mut at, mut events) = (Checkpoint::START, Vec::new());
        while events.len() < all.len() {
            let page = feed.read_on(&at, limit, PATIENCE).await.unwrap();
            assert!(!page.is_empty(), "something comes");
            at = at.after_all(&page);
            assert!(
                ends.contains(&at.position),
                "{} is in the middle of a unit",
                at.position
            );
            assert!(page.len() <= limit.max(4), "{} of {limit}", page.len());
            events.extend(page);
        }
        assert_eq!(events, all);
        // At the end there is nothing, until there is something.
        let nothing = feed.read_on(&at, limit, Duration::from_millis(50)).await.unwrap();
        assert_eq!(nothing, []);
    }
    assert!(notes.0.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_on_at_its_place_and_at_any_position() {
    let bed = Bed::new().await;
    bed.fill(2_000).await;
    bed.publish().await;
    let all = bed.events().await;
    let head = bed.head().await;
    let (feeds, _) = feeds(&bed);
    let mut feed = feeds.open(&Checkpoint::START, None);
    let first = read(feed.as_mut(), Checkpoint::START, Position(700), 100).await;
    let (at, place) = (Checkpoint::START.after_all(&first), feed.place().unwrap());
    drop(feed);
    // With its place, with a damaged one, with none, and with one of topics that had more.
    let beyond = place.replace(":", ":9");
    for place in [Some(place.as_str()), Some("?"), None, Some(beyond.as_str())] {
        let mut feed = feeds.open(&at, place);
        let rest = read(feed.as_mut(), at, head, 400).await;
        assert_eq!([&first[..], &rest[..]].concat(), all, "{place:?}");
    }
    // Somebody else came further: what lies between is left out. It does not go back.
    let mut feed = feeds.open(&Checkpoint::START, None);
    read(feed.as_mut(), Checkpoint::START, Position(100), 10).await;
    let further = feed
        .read_on(&Checkpoint::START.after_all(&all[..1_500]), 10, PATIENCE)
        .await
        .unwrap();
    assert_eq!(further[0].position, Position(1_501));
    let back = feed
        .read_on(&Checkpoint::START.after_all(&all[..3]), 10, PATIENCE)
        .await;
    assert!(matches!(back, Err(FeedError::Setup(_))), "{back:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_appended_comes_by_itself() {
    let bed = Bed::new().await;
    let relay = bed.start_relay();
    let (feeds, _) = feeds(&bed);
    let mut feed = feeds.open(&Checkpoint::START, None);
    let mut events = Vec::new();
    for _ in 0..10 {
        bed.fill(30).await;
        let at = Checkpoint::START.after_all(&events);
        events.extend(read(feed.as_mut(), at, bed.head().await, 1_000).await);
    }
    assert_eq!(events, bed.events().await);
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_of_this_log_is_noted_and_left_out() {
    let bed = Bed::new().await;
    bed.fill(60).await;
    let mut records = bed.records().await;
    let rest = records.split_off(30);
    let (partition, foreign) = (rest[0].partition, "hello");
    bed.send(records).await;
    bed.send_raw(partition, &[foreign.as_bytes()]).await;
    // A line of another log; one in the wrong place; one beyond the end; one that says something else.
    let event = bed.events().await.pop().unwrap();
    let of = Partition::of(&event.stream);
    let other_log = Record::of(&event, "urn:viral:log:00000000-0000-4000-8000-000000000000", true).unwrap();
    let mut misplaced = Record::of(&event, bed.store.source(), true).unwrap();
    misplaced.partition = Partition::all().find(|partition| *partition != of).unwrap();
    let mut later = event.clone();
    later.position = Position(1_000_000);
    let later = Record::of(&later, bed.store.source(), true).unwrap();
    bed.send(vec![other_log, misplaced, later]).await;
    bed.send(rest).await;
    let (feeds, notes) = feeds(&bed);
    let mut feed = feeds.open(&Checkpoint::START, None);
    let events = read(feed.as_mut(), Checkpoint::START, bed.head().await, 1_000).await;
    assert_eq!(events, bed.events().await);
    let mut notes = notes.0.lock().unwrap().clone();
    notes.sort_by(|a, b| a.problem.cmp(&b.problem));
    let problems: Vec<&str> = notes.iter().map(|note| note.problem.as_str()).collect();
    assert_eq!(problems.len(), 4, "{problems:?}");
    assert!(problems[0].contains("it is of another log"), "{problems:?}");
    assert!(problems[1].contains("not an event line"), "{problems:?}");
    assert!(problems[2].contains("beyond the end"), "{problems:?}");
    assert!(problems[3].contains(&format!("belongs in {of}")), "{problems:?}");
    let hello = notes
        .iter()
        .find(|note| note.problem.contains("not an event line"))
        .unwrap();
    let seen = bed.seen().await;
    let seen = seen.iter().find(|seen| seen.value == foreign).unwrap();
    assert_eq!(
        (hello.topic.as_str(), hello.partition, hello.offset),
        (seen.partition.topic, seen.partition.number, seen.offset)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kafka_lacks_comes_from_the_store_or_the_feed_ends() {
    let bed = Bed::new().await;
    bed.fill(3_000).await;
    let mut records = bed.records().await;
    // Two holes, one of more than a page.
    records.drain(400..2_500);
    records.remove(100);
    bed.send(records).await;
    let (feeds, _) = feeds(&bed);
    let mut feed = feeds.open(&Checkpoint::START, None);
    let events = read(feed.as_mut(), Checkpoint::START, bed.head().await, 1_000).await;
    assert_eq!(events, bed.events().await);
    // Now the store has a hole, too.
    bed.as_root("ALTER TABLE events DISABLE TRIGGER USER; DELETE FROM events WHERE position = 101")
        .await;
    let mut feed = feeds.open(&Checkpoint::START, None);
    let mut at = Checkpoint::START;
    let error = loop {
        match feed.read_on(&at, 1_000, PATIENCE).await {
            Ok(page) => at = at.after_all(&page),
            Err(error) => break error,
        }
    };
    assert!(at.position <= Position(100), "{}", at.position);
    assert!(matches!(error, FeedError::Incomplete(_)), "{error}");
    assert!(
        error
            .to_string()
            .contains("position 101 is neither in Kafka nor in the store"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_that_were_made_anew_are_read_from_their_beginning() {
    let bed = Bed::new().await;
    bed.fill(500).await;
    bed.publish().await;
    let (feeds, _) = feeds(&bed);
    let mut feed = feeds.open(&Checkpoint::START, None);
    let first = read(feed.as_mut(), Checkpoint::START, bed.head().await, 1_000).await;
    let (at, place) = (Checkpoint::START.after_all(&first), feed.place());
    drop(feed);
    let names: Vec<&str> = topics::TOPICS.iter().map(|topic| topic.name).collect();
    delete(bed.topics.broker, &names).await;
    topics::create(&bed.topics.cluster).await.unwrap();
    bed.fill(100).await;
    bed.publish().await;
    let mut feed = feeds.open(&at, place.as_deref());
    let rest = read(feed.as_mut(), at, bed.head().await, 1_000).await;
    assert_eq!([first, rest].concat(), bed.events().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_topics_or_brokers_it_says_so() {
    let bed = Bed::new().await;
    bed.fill(10).await;
    let names: Vec<&str> = topics::TOPICS.iter().map(|topic| topic.name).collect();
    delete(bed.topics.broker, &names).await;
    let (feeds, notes) = feeds(&bed);
    let error = feeds
        .open(&Checkpoint::START, None)
        .read_on(&Checkpoint::START, 10, PATIENCE)
        .await;
    let error = error.unwrap_err();
    assert!(
        !error.is_retryable() && error.to_string().contains("viral migrate"),
        "{error}"
    );
    let nobody = viral_kafka::Cluster::new(format!("127.0.0.1:{}", viral_tests::process::free_port()));
    let feeds = KafkaFeeds::new(nobody, bed.store.clone(), notes);
    let error = feeds
        .open(&Checkpoint::START, None)
        .read_on(&Checkpoint::START, 10, PATIENCE)
        .await;
    assert!(error.unwrap_err().is_retryable());
}
