//! Where Kafka is, and how its clients are set up.

use crate::error::KafkaError;
use rdkafka::admin::AdminClient;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::producer::{FutureProducer, Producer as _, ProducerContext, ThreadedProducer};
use rdkafka::{ClientContext, Statistics};
use std::time::Duration;

/// How long a question to the brokers may take.
pub(crate) const ANSWER: Duration = Duration::from_secs(10);

/// A Kafka cluster, known by some of its brokers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    brokers: String,
}

/// What librdkafka says goes to our log. A broker that is away is told by whoever misses it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: rdkafka::error::KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka");
    }

    fn stats(&self, _: Statistics) {}
}

impl ConsumerContext for Quiet {}

/// What librdkafka logs.
pub(crate) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            tracing::error!(facility, message, "librdkafka");
        }
        _ => tracing::debug!(facility, message, "librdkafka"),
    }
}

impl Cluster {
    /// A cluster by its bootstrap servers, `host:port` separated by commas.
    pub fn new(brokers: impl Into<String>) -> Cluster {
        Cluster {
            brokers: brokers.into(),
        }
    }

    /// Its bootstrap servers.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", "viral-engine")
            .set("socket.keepalive.enable", "true")
            // A broker that is back is noticed within a second.
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "1000")
            .set("retry.backoff.max.ms", "1000")
            .set("allow.auto.create.topics", "false");
        config
    }

    /// What asks and changes topics.
    pub(crate) fn admin(&self) -> Result<AdminClient<Quiet>, KafkaError> {
        Ok(self.client().create_with_context(Quiet)?)
    }

    /// A consumer that is told its partitions and commits nothing: it belongs to no group.
    pub(crate) fn consumer(&self) -> Result<BaseConsumer<Quiet>, KafkaError> {
        Ok(self.consumer_config().create_with_context(Quiet)?)
    }

    fn consumer_config(&self) -> ClientConfig {
        let mut config = self.client();
        config
            // The client wants a name even where there is no group.
            .set("group.id", "viral-engine")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // An offset that is not there is an error to look into, not a reason to go somewhere else.
            .set("auto.offset.reset", "error")
            .set("isolation.level", "read_uncommitted")
            .set("check.crcs", "true")
            .set("fetch.wait.max.ms", "100")
            .set("fetch.error.backoff.ms", "100")
            .set("fetch.queue.backoff.ms", "10")
            // What lies fetched in memory, of all partitions together.
            .set("queued.max.messages.kbytes", "16384")
            .set("queued.min.messages", "20000");
        config
    }

    /// A consumer that is also told when it has come to the end of a partition.
    pub(crate) fn consumer_to_the_end(&self) -> Result<BaseConsumer<Quiet>, KafkaError> {
        let mut config = self.consumer_config();
        config.set("enable.partition.eof", "true");
        Ok(config.create_with_context(Quiet)?)
    }

    /// A producer that keeps its order and leaves nothing out: idempotent, every replica in sync acknowledges, nothing is
    /// given up while brokers are away. Waiting records take at most 64 MiB.
    pub(crate) fn producer<C>(&self, context: C) -> Result<ThreadedProducer<C>, KafkaError>
    where
        C: ProducerContext + 'static,
    {
        let mut config = self.client();
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            // One request at a time: a broker that has forgotten this producer takes any batch as its first. If the one
            // before it was to be sent again, that one would count as delivered without being there.
            .set("max.in.flight.requests.per.connection", "1")
            // Without it a record that is given up leaves a hole that later records jump over.
            .set("enable.gapless.guarantee", "true")
            .set("message.timeout.ms", "0")
            .set("compression.type", "lz4")
            .set("linger.ms", "5")
            .set("batch.size", "1000000")
            .set("batch.num.messages", "10000")
            .set("queue.buffering.max.messages", "100000")
            .set("queue.buffering.max.kbytes", "65536");
        Ok(config.create_with_context(context)?)
    }

    /// A producer for whoever waits for the answer: it gives up after a while, and what it sends may arrive twice. Waiting
    /// records take at most 32 MiB.
    pub(crate) fn answering_producer(&self) -> Result<FutureProducer<Quiet>, KafkaError> {
        let mut config = self.client();
        config
            .set("acks", "all")
            .set("message.timeout.ms", "10000")
            .set("compression.type", "lz4")
            .set("linger.ms", "5")
            .set("queue.buffering.max.messages", "50000")
            .set("queue.buffering.max.kbytes", "32768");
        Ok(config.create_with_context(Quiet)?)
    }

    /// A consumer for what may be read again: where its offset is not there, it begins at the first one that is.
    pub(crate) fn forgiving_consumer(&self) -> Result<BaseConsumer<Quiet>, KafkaError> {
        let mut config = self.consumer_config();
        config.set("auto.offset.reset", "earliest");
        Ok(config.create_with_context(Quiet)?)
    }

    /// How many brokers answer, and the id of the cluster.
    ///
    /// # Errors
    /// [`KafkaError::Unavailable`] if none answers in time.
    pub async fn look(&self, timeout: Duration) -> Result<(usize, Option<String>), KafkaError> {
        let cluster = self.clone();
        blocking(move || {
            let consumer = cluster.consumer()?;
            let metadata = consumer
                .fetch_metadata(None, timeout)
                .map_err(|error| KafkaError::Unavailable(format!("{}: {error}", cluster.brokers)))?;
            let id = consumer.client().fetch_cluster_id(timeout);
            Ok((metadata.brokers().len(), id))
        })
        .await
    }
}

/// Waits until what was sent is acknowledged, or gives up.
pub(crate) fn flush<C: ProducerContext + 'static>(producer: &ThreadedProducer<C>, timeout: Duration) {
    if let Err(error) = producer.flush(timeout) {
        tracing::info!(%error, "the relay stops before everything is acknowledged: the next one sends it again");
    }
}

/// Runs what blocks on a thread of its own.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KafkaError> + Send + 'static,
) -> Result<T, KafkaError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| KafkaError::Unavailable(format!("the thread that asked ended: {error}")))?
}
