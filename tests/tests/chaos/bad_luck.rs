//! What the tests of the published log have in common: a seed, a log that is written to, read models and a ClickHouse
//! that follow it from Kafka, and a reader with a checkpoint of its own that forgets everything else now and then.

use super::clickhouse_scene::{Feed, amounted, migrated, projector};
use async_trait::async_trait;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;
use viral_kafka::KafkaFeeds;
use viral_store::feed::{FeedError, Feeds as _, NoteUnreadable, UnreadableRecord};
use viral_store::{Checkpoint, EventStore as _, Position, StoredEvent};
use viral_tests::clickhouse::Engine;
use viral_tests::journey::{Chance, check_audits};
use viral_tests::process::Background;
use viral_tests::published::{Bed, PATIENCE};

/// How many events are written at once, and the shortest and longest pause after them, in milliseconds. Everybody who
/// follows must be faster, on a busy machine too.
const AT_ONCE: usize = 20;
const PAUSE: (u64, u64) = (20, 180);

/// What happens when.
pub struct Luck {
    what: String,
    pub seed: u64,
    pub chance: Chance,
    long: bool,
}

impl Luck {
    /// The seed is `VIRAL_SEED` or the clock's. It is printed first: a test that fails is run again by it.
    pub fn new(what: impl Into<String>) -> Luck {
        let what = what.into();
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
        let given = std::env::var("VIRAL_SEED").ok();
        let seed = given.map_or_else(clock, |text| text.parse().expect("VIRAL_SEED is a number"));
        println!("{what}: VIRAL_SEED={seed}");
        let long = std::env::var("VIRAL_CHAOS").is_ok_and(|mode| mode == "long");
        let chance = Chance::new(seed, 1);
        Luck {
            what,
            seed,
            chance,
            long,
        }
    }

    /// How often or how long: as part of all tests, and with `VIRAL_CHAOS=long`.
    pub fn times(&self, quick: u64, long: u64) -> u64 {
        if self.long { long } else { quick }
    }

    /// Waits for a moment that the seed chooses, in milliseconds.
    pub async fn wait(&mut self, at_least: u64, below: u64) {
        let moment = at_least + self.chance.below(below - at_least);
        tokio::time::sleep(Duration::from_millis(moment)).await;
    }

    pub fn print(&self, text: impl std::fmt::Display) {
        println!("{}, VIRAL_SEED={}: {text}", self.what, self.seed);
    }
}

/// A log that is written to, and those who follow it from Kafka.
pub struct Scene {
    pub bed: Bed,
    project: Background,
    clickhouse: String,
    _engine: Engine,
    over: AtomicBool,
}

/// What the reader of the test has read.
#[derive(Debug, Default)]
pub struct Reading {
    pub events: Vec<StoredEvent>,
    /// How often it forgot everything but its checkpoint.
    pub reopened: u64,
    /// How often Kafka could not be read.
    pub errors: u64,
}

/// Nothing may be left out here: nobody writes anything else to the topics.
#[derive(Debug)]
struct NothingUnreadable;

#[async_trait]
impl NoteUnreadable for NothingUnreadable {
    async fn note(&self, record: &UnreadableRecord) -> Result<(), FeedError> {
        panic!("{record:?} was left out");
    }
}

impl Scene {
    pub async fn new() -> Scene {
        let bed = Bed::new().await;
        let engine = Engine::start().await;
        let clickhouse = migrated(&engine).await;
        let project = projector(bed.home.path(), &bed.database.superuser_url, &clickhouse, Feed::Kafka);
        Scene {
            bed,
            project,
            clickhouse,
            _engine: engine,
            over: AtomicBool::new(false),
        }
    }

    /// Writes and reads for as long as something happens, then reads to the end of the log.
    pub async fn during<T>(&self, seed: u64, happening: impl Future<Output = T>) -> (T, Reading) {
        let happening = async {
            let result = happening.await;
            self.over.store(true, Ordering::Relaxed);
            result
        };
        let written = AtomicBool::new(false);
        let writing = async {
            self.write(seed).await;
            written.store(true, Ordering::Relaxed);
        };
        let (result, (), reading) = tokio::join!(happening, writing, self.read(Chance::new(seed, 3), &written));
        (result, reading)
    }

    /// Waits until something more is in the topics, by whoever is the relay now.
    pub async fn publishes(&self) {
        let deadline = Instant::now() + PATIENCE;
        let before = self.published().await;
        while self.published().await <= before {
            assert!(Instant::now() < deadline, "nobody publishes what follows {before}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn published(&self) -> Position {
        let tails = viral_kafka::tails(&self.bed.topics.cluster, self.bed.store.source())
            .await
            .unwrap();
        let last = tails.iter().filter_map(|tail| tail.last.as_ref());
        last.map(|event| event.position).max().unwrap_or_default()
    }

    /// Two at a time, so that there is always something on its way.
    async fn write(&self, seed: u64) {
        tokio::join!(self.write_on(Chance::new(seed, 2)), self.write_on(Chance::new(seed, 4)));
    }

    async fn write_on(&self, mut chance: Chance) {
        while !self.over.load(Ordering::Relaxed) {
            self.bed.fill(AT_ONCE).await;
            let pause = PAUSE.0 + chance.below(PAUSE.1 - PAUSE.0);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    async fn read(&self, mut chance: Chance, written: &AtomicBool) -> Reading {
        let (cluster, store) = (self.bed.topics.cluster.clone(), self.bed.store.clone());
        let feeds = KafkaFeeds::new(cluster, store, Arc::new(NothingUnreadable));
        let (mut at, mut place) = (Checkpoint::START, None::<String>);
        let mut feed = feeds.open(&at, None);
        let mut reading = Reading::default();
        let mut moved = Instant::now();
        loop {
            if written.load(Ordering::Relaxed) {
                let head = self.bed.head().await;
                if at.position == head {
                    return reading;
                }
                assert!(
                    moved.elapsed() < PATIENCE,
                    "the feed stays at {} of {head}",
                    at.position
                );
            }
            match feed.read_on(&at, 500, Duration::from_millis(200)).await {
                Ok(events) => {
                    if !events.is_empty() {
                        (at, place, moved) = (at.after_all(&events), feed.place(), Instant::now());
                        reading.events.extend(events);
                    }
                }
                Err(error) => {
                    assert!(error.is_retryable(), "{error}");
                    reading.errors += 1;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            if chance.percent(10) {
                feed = feeds.open(&at, place.as_deref());
                reading.reopened += 1;
            }
        }
    }

    /// Checks what must hold once everything is well again: the topics, what was read, the read models, the log. Answers
    /// what it amounted to.
    pub async fn finish(self, reading: Reading) -> String {
        let again = self.bed.check_when_published().await;
        let events = self.bed.events().await;
        let differs = events.iter().zip(&reading.events).find(|(stored, read)| stored != read);
        assert_eq!(differs, None, "the log, and what was read");
        assert_eq!(reading.events.len(), events.len(), "read, and in the log");
        let url = &self.bed.database.superuser_url;
        check_audits(self.bed.home.path(), url, &self.bed.store).await;
        let analytics = amounted(&self.clickhouse, self.bed.store.as_ref()).await;
        self.project.stop().await;
        let Reading { reopened, errors, .. } = reading;
        format!(
            "{again} records came again; the reader began anew {reopened} times, {errors} errors; in ClickHouse {analytics}"
        )
    }
}
