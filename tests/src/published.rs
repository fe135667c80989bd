//! A log, a broker with fresh topics, and what is really in them.

use crate::kafka::Broker;
use crate::process::Background;
use crate::samples::{claimed, open, registered, transfer};
use crate::server::{Database, TestServer};
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Headers as _, Message as _};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use uuid::Uuid;
use viral_commands::{Part, Settings, Unit, Writer};
use viral_kafka::partition::Partition;
use viral_kafka::record::Record;
use viral_kafka::{Cluster, KafkaError, Relay, Standing, Status, topics};
use viral_store::{EventStore, Position, PostgresStore, StoredEvent, StreamId, line};

/// How long anything may take that is waited for.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// The topics have fixed names: one test at a time has them.
static TURN: Mutex<()> = Mutex::const_new(());

/// Empty topics, for as long as nobody else may use them.
pub struct Topics {
    _turn: MutexGuard<'static, ()>,
    /// The broker that has the topics.
    pub broker: &'static Broker,
    /// The same, as the platform knows it.
    pub cluster: Cluster,
}

impl Topics {
    /// Waits until nobody else has them, and makes them anew.
    pub async fn empty() -> Topics {
        let turn = TURN.lock().await;
        let broker = Broker::shared().await;
        let cluster = Cluster::new(broker.brokers());
        remove_topics(broker).await;
        topics::create(&cluster).await.unwrap();
        Topics {
            _turn: turn,
            broker,
            cluster,
        }
    }
}

/// A log in a database of its own, and topics of its own.
pub struct Bed {
    /// Where it is published.
    pub topics: Topics,
    /// The database of the log.
    pub database: Database,
    /// The log.
    pub store: Arc<PostgresStore>,
    /// What appends to it.
    pub writer: Writer,
    /// A home in which processes of the platform find the broker.
    pub home: TempDir,
}

/// A record as somebody else's client reads it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Where it was.
    pub partition: Partition,
    /// And at which offset.
    pub offset: i64,
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// Its headers.
    pub headers: BTreeMap<String, String>,
}

impl Bed {
    /// An empty log and empty topics.
    pub async fn new() -> Bed {
        let topics = Topics::empty().await;
        let database = TestServer::shared().await.database().await;
        let store = database.store().await;
        let (writer, _task) = Writer::start(store.clone(), Settings::default()).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        point_at(home.path(), &topics.broker.brokers());
        Bed {
            topics,
            database,
            store,
            writer,
            home,
        }
    }

    /// As [`fill`].
    pub async fn fill(&self, events: usize) {
        fill(&self.writer, events).await;
    }

    /// The end of the log.
    pub async fn head(&self) -> Position {
        self.store.head().await.unwrap().position
    }

    /// All events of the log.
    pub async fn events(&self) -> Vec<StoredEvent> {
        self.store.read_after(Position::START, usize::MAX).await.unwrap()
    }

    /// A relay of this log, not running yet.
    pub fn relay(&self) -> Relay {
        Relay::new(self.topics.cluster.clone(), self.store.clone(), self.store.leases())
    }

    /// Starts a relay in this process.
    pub fn start_relay(&self) -> RunningRelay {
        RunningRelay::start(self.relay())
    }

    /// Starts `viral relay`.
    pub fn relay_process(&self) -> Background {
        Background::start(self.home.path(), &["relay"], &self.database.superuser_url)
    }

    /// Publishes everything, with a relay that is stopped again.
    pub async fn publish(&self) {
        let relay = self.start_relay();
        relay.published(self.head().await).await;
        relay.stop().await;
    }

    /// Everything that is in the topics now, read by a client that knows nothing of the platform.
    pub async fn seen(&self) -> Vec<Seen> {
        let brokers = self.topics.broker.brokers();
        tokio::task::spawn_blocking(move || read_all(&brokers)).await.unwrap()
    }

    /// Checks that the first occurrences in each partition are the log's events of that partition, complete and in order;
    /// answers how many records came again.
    pub async fn check(&self) -> usize {
        let mut expected: HashMap<Partition, Vec<String>> = HashMap::new();
        for event in self.events().await {
            let text = line::to_line(&event, self.store.source()).unwrap();
            expected.entry(Partition::of(&event.stream)).or_default().push(text);
        }
        let mut found: HashMap<Partition, Vec<String>> = HashMap::new();
        let (mut known, mut again) = (HashSet::new(), 0);
        for seen in self.seen().await {
            match known.insert((seen.partition, seen.value.clone())) {
                true => found.entry(seen.partition).or_default().push(seen.value),
                false => again += 1,
            }
        }
        for partition in Partition::all() {
            let (expected, found) = (expected.get(&partition), found.get(&partition));
            let differs = |(a, b): &(&String, &String)| a != b;
            let first = expected
                .into_iter()
                .flatten()
                .zip(found.into_iter().flatten())
                .find(differs);
            assert_eq!(first, None, "{partition}");
            assert_eq!(found.map(Vec::len), expected.map(Vec::len), "{partition}");
        }
        again
    }

    /// Waits until everything is in the topics, whoever publishes it; then as [`Bed::check`].
    pub async fn check_when_published(&self) -> usize {
        let head = self.head().await;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let tails = viral_kafka::tails(&self.topics.cluster, self.store.source()).await;
            let last = tails.iter().flatten().filter_map(|tail| tail.last.as_ref());
            if last.map(|event| event.position).max() >= Some(head) {
                break;
            }
            assert!(Instant::now() < deadline, "position {head} is not published: {tails:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // Another partition may be some milliseconds behind the one that has the last event.
        let count = self.events().await.len();
        while Instant::now() < deadline {
            let distinct: HashSet<_> = self.seen().await.into_iter().map(|seen| seen.value).collect();
            if distinct.len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.check().await
    }

    /// Sends records as they are, each to its place, as somebody who may write to the topics.
    pub async fn send(&self, records: Vec<Record>) {
        for Record {
            partition,
            key,
            value,
            headers,
            timestamp,
        } in records
        {
            let record = BaseRecord::to(partition.topic)
                .partition(partition.number)
                .key(key.as_bytes())
                .payload(value.as_bytes())
                .headers(headers)
                .timestamp(timestamp);
            self.producer().send(record).map_err(|(error, _)| error).unwrap();
        }
        self.flush().await;
    }

    /// Sends values to a partition.
    pub async fn send_raw(&self, partition: Partition, values: &[&[u8]]) {
        for value in values {
            let record = BaseRecord::<(), [u8]>::to(partition.topic)
                .partition(partition.number)
                .payload(value);
            self.producer().send(record).map_err(|(error, _)| error).unwrap();
        }
        self.flush().await;
    }

    fn producer(&self) -> &'static ThreadedProducer<DefaultProducerContext> {
        static PRODUCER: std::sync::OnceLock<ThreadedProducer<DefaultProducerContext>> = std::sync::OnceLock::new();
        PRODUCER.get_or_init(|| client(&self.topics.broker.brokers()).create().unwrap())
    }

    async fn flush(&self) {
        let producer = self.producer();
        tokio::task::spawn_blocking(|| producer.flush(Duration::from_secs(20)).unwrap())
            .await
            .unwrap();
    }

    /// The records of all events, as a relay would send them.
    pub async fn records(&self) -> Vec<Record> {
        let events = self.events().await;
        let last = |event: &StoredEvent| event.parse_metadata().unwrap().unit_id;
        let mut records = Vec::new();
        for (index, event) in events.iter().enumerate() {
            let ends = events.get(index + 1).is_none_or(|next| last(next) != last(event));
            records.push(Record::of(event, self.store.source(), ends).unwrap());
        }
        records
    }

    /// Runs a statement as superuser in the log's database.
    pub async fn as_root(&self, statement: &str) {
        crate::server::run(&self.database.superuser_url, statement)
            .await
            .unwrap();
    }
}

/// Appends about this many events: transfers, claims of logins, and units of the domain and the ledger.
pub async fn fill(writer: &Writer, events: usize) {
    let opened = writer.append_all(vec![open("test:bank", true), open("test:shop", false)]);
    // From the second call on they are there.
    let _ = opened.await;
    let mut units = Vec::new();
    let mut count = 0;
    for n in 0.. {
        if count >= events {
            break;
        }
        let stream = StreamId::new("login", format!("n-{}-{}", n % 20, Uuid::now_v7()));
        let about = || Part::Events {
            stream: stream.clone(),
            expected: 0,
            events: vec![claimed(), claimed()],
        };
        units.push(match n % 3 {
            0 => transfer("test:bank", "test:shop", "1.25"),
            1 => Unit::new(Uuid::now_v7(), vec![about()]).with_actor("tester"),
            _ => {
                let mut parts = registered();
                parts.push(about());
                Unit::new(Uuid::now_v7(), parts).with_actor("tester")
            }
        });
        count += [1, 2, 4][n % 3];
    }
    for outcome in writer.append_all_briefly(units).await {
        outcome.unwrap();
    }
}

/// A relay in this process.
pub struct RunningRelay {
    /// How it is getting on.
    pub status: watch::Receiver<Status>,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), KafkaError>>,
}

impl RunningRelay {
    /// Starts it.
    pub fn start(relay: Relay) -> RunningRelay {
        let (stop, stopped) = watch::channel(false);
        RunningRelay {
            status: relay.status(),
            stop,
            task: tokio::spawn(async move { relay.run(stopped).await }),
        }
    }

    /// Waits until everything up to a position is acknowledged.
    pub async fn published(&self, position: Position) {
        self.until(|status| status.published >= position && status.standing == Standing::Active)
            .await;
    }

    /// Waits until its status is so.
    pub async fn until(&self, wanted: impl FnMut(&Status) -> bool) {
        let mut status = self.status.clone();
        let waited = tokio::time::timeout(PATIENCE, status.wait_for(wanted)).await;
        let now = self.status.borrow().clone();
        waited.unwrap_or_else(|_| panic!("{now:?}")).unwrap();
    }

    /// Stops it in an orderly way.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        tokio::time::timeout(PATIENCE, self.task)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
    }

    /// Waits until it gives up, and answers why.
    pub async fn failure(self) -> String {
        let ended = tokio::time::timeout(PATIENCE, self.task).await.unwrap().unwrap();
        ended.unwrap_err().to_string()
    }

    /// Drops it wherever it is.
    pub async fn abort(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// Makes a home in which the platform finds these brokers.
pub fn point_at(home: &Path, brokers: &str) {
    std::fs::create_dir_all(home.join("services")).unwrap();
    std::fs::write(home.join("services/kafka"), brokers).unwrap();
}

/// A client of somebody else.
pub fn client(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("reconnect.backoff.max.ms", "500");
    config
}

/// Deletes topics, and waits until they are gone.
pub async fn delete(broker: &Broker, names: &[&str]) {
    let admin: AdminClient<DefaultClientContext> = client(&broker.brokers()).create().unwrap();
    let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(10)));
    // Those that are not there need no deleting.
    let _ = admin.delete_topics(names, &options).await.unwrap();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let metadata = admin.inner().fetch_metadata(None, Duration::from_secs(10)).unwrap();
        let there = metadata.topics().iter().any(|topic| names.contains(&topic.name()));
        if !there {
            return;
        }
        assert!(Instant::now() < deadline, "{names:?} do not go away");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn remove_topics(broker: &Broker) {
    delete(broker, &topics::ALL.map(|topic| topic.name)).await;
}

fn read_all(brokers: &str) -> Vec<Seen> {
    let consumer: BaseConsumer = client(brokers)
        .set("group.id", "somebody-else")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let deadline = std::time::Instant::now() + PATIENCE;
    let mut ends = HashMap::new();
    let mut list = TopicPartitionList::new();
    for partition in Partition::all() {
        // A partition that was just made has no leader yet.
        let (low, high) = loop {
            match consumer.fetch_watermarks(partition.topic, partition.number, Duration::from_secs(20)) {
                Ok(marks) => break marks,
                Err(error) => assert!(std::time::Instant::now() < deadline, "{partition:?}: {error}"),
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        if low < high {
            ends.insert(partition, high);
            list.add_partition_offset(partition.topic, partition.number, Offset::Beginning)
                .unwrap();
        }
    }
    consumer.assign(&list).unwrap();
    let mut seen = Vec::new();
    while !ends.is_empty() {
        assert!(std::time::Instant::now() < deadline, "{ends:?} are not reached");
        let Some(message) = consumer.poll(Duration::from_secs(1)) else {
            continue;
        };
        let message = message.unwrap();
        let partition = Partition::find(message.topic(), message.partition()).unwrap();
        if ends.get(&partition).is_some_and(|end| message.offset() + 1 >= *end) {
            ends.remove(&partition);
        }
        let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        let headers = message.headers().map(|headers| {
            let each = headers.iter().map(|header| (header.key.to_owned(), text(header.value)));
            each.collect()
        });
        seen.push(Seen {
            partition,
            offset: message.offset(),
            key: text(message.key()),
            value: text(message.payload()),
            headers: headers.unwrap_or_default(),
        });
    }
    seen
}
