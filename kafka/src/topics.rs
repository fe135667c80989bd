//! The topics: what they are called, how they must be set, and that they are.

use crate::cluster::{ANSWER, Cluster};
use crate::error::KafkaError;
use rdkafka::admin::{AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::metadata::Metadata;

/// The ledger's events. One partition per book: they have one order.
pub const LEDGER: &str = "viral.ledger.v1";
/// All other events, by aggregate.
pub const EVENTS: &str = "viral.events.v1";
/// The partitions of [`EVENTS`]. Fixed: an aggregate stays in its partition for ever.
pub const EVENTS_PARTITIONS: i32 = 8;

/// Measurements of engagement. They are no events: nothing of the log is in it.
pub const ENGAGEMENT: Topic = Topic {
    name: "viral.engagement.v1",
    partitions: 8,
};

/// A topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: &'static str,
    /// How many partitions it has.
    pub partitions: i32,
}

/// All topics of the published log.
pub const TOPICS: [Topic; 2] = [
    Topic {
        name: LEDGER,
        partitions: 1,
    },
    Topic {
        name: EVENTS,
        partitions: EVENTS_PARTITIONS,
    },
];

/// All topics, those of the log first.
pub const ALL: [Topic; 3] = [TOPICS[0], TOPICS[1], ENGAGEMENT];

/// What must be set so that nothing is ever deleted, thinned out or stamped anew.
pub const SETTINGS: [(&str, &str); 7] = [
    ("cleanup.policy", "delete"),
    ("unclean.leader.election.enable", "false"),
    ("retention.ms", "-1"),
    ("retention.bytes", "-1"),
    ("message.timestamp.type", "CreateTime"),
    // A record is stamped with the time of its event, which brokers must not find too late or too early.
    ("message.timestamp.after.max.ms", "9223372036854775807"),
    ("message.timestamp.before.max.ms", "9223372036854775807"),
];

/// What brokers must take at least in one batch, in bytes.
pub const MIN_MAX_MESSAGE_BYTES: u64 = 1_048_576;

/// How many replicas a new topic gets at most; as many as there are brokers, if those are fewer.
const REPLICAS: usize = 3;

/// What a topic is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Which topic.
    pub name: &'static str,
    /// How many partitions it has.
    pub partitions: usize,
    /// How many replicas its first partition has.
    pub replicas: usize,
}

/// Makes the topics that are missing, then checks [`ALL`] of them. Running it again changes nothing.
///
/// # Errors
/// As [`check`]; [`KafkaError::Denied`] if the brokers do not make them.
pub async fn create(cluster: &Cluster) -> Result<Vec<Found>, KafkaError> {
    match check(cluster, &ALL).await {
        Err(KafkaError::NoTopic(_)) => {}
        checked => return checked,
    }
    let brokers = cluster.look(ANSWER).await?.0;
    let replicas = i32::try_from(brokers.clamp(1, REPLICAS)).unwrap_or(1);
    let min_in_sync = if replicas >= 3 { "2" } else { "1" };
    let min_max_bytes = MIN_MAX_MESSAGE_BYTES.to_string();
    let topics: Vec<NewTopic<'_>> = ALL
        .iter()
        .map(|topic| {
            let new = NewTopic::new(topic.name, topic.partitions, TopicReplication::Fixed(replicas));
            let new = new
                .set("min.insync.replicas", min_in_sync)
                .set("compression.type", "producer")
                .set("max.message.bytes", &min_max_bytes);
            SETTINGS.iter().fold(new, |new, (name, value)| new.set(name, value))
        })
        .collect();
    let options = AdminOptions::new()
        .request_timeout(Some(ANSWER))
        .operation_timeout(Some(ANSWER));
    for result in cluster.admin()?.create_topics(&topics, &options).await? {
        match result {
            Ok(name) => tracing::info!(name, "topic made"),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, code)) => {
                let problem = format!("topic {name} cannot be made: {code}");
                return Err(match crate::error::is_away(code) {
                    true => KafkaError::Unavailable(problem),
                    false => KafkaError::Denied(problem),
                });
            }
        }
    }
    // A new topic is known to the controller before every broker has heard of it.
    let mut checked = check(cluster, &ALL).await;
    for _ in 0..20 {
        if !matches!(checked, Err(KafkaError::NoTopic(_) | KafkaError::Partitions { .. })) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        checked = check(cluster, &ALL).await;
    }
    checked
}

/// Checks that topics are there, with their partitions and settings.
///
/// # Errors
/// [`KafkaError::NoTopic`], [`KafkaError::Partitions`] or [`KafkaError::Setting`] for the first thing that is not as it
/// must be.
pub async fn check(cluster: &Cluster, topics: &'static [Topic]) -> Result<Vec<Found>, KafkaError> {
    let asked = cluster.clone();
    let found = crate::cluster::blocking(move || {
        let admin = asked.admin()?;
        let metadata = admin
            .inner()
            .fetch_metadata(None, ANSWER)
            .map_err(|error| KafkaError::Unavailable(format!("{}: {error}", asked.brokers())))?;
        all(&metadata, topics)
    });
    let found: Vec<Found> = found.await?;
    let resources: Vec<_> = topics
        .iter()
        .map(|topic| ResourceSpecifier::Topic(topic.name))
        .collect();
    let options = AdminOptions::new().request_timeout(Some(ANSWER));
    let admin = cluster.admin()?;
    let described = admin.describe_configs(&resources, &options).await?;
    for (topic, described) in topics.iter().zip(described) {
        let resource = described.map_err(|code| match crate::error::is_missing_topic(code) {
            true => KafkaError::NoTopic(topic.name.to_owned()),
            false => KafkaError::Unavailable(format!("the settings of topic {}: {code}", topic.name)),
        })?;
        let value = |name: &str| resource.get(name).and_then(|entry| entry.value.clone());
        let wrong = |name: &str, found: Option<String>, expected: String| KafkaError::Setting {
            topic: topic.name.to_owned(),
            name: name.to_owned(),
            found: found.unwrap_or_else(|| "nothing".to_owned()),
            expected,
        };
        for (name, expected) in SETTINGS {
            // A broker that does not know a setting does not act on it.
            if let Some(found) = value(name).filter(|found| found != expected) {
                return Err(wrong(name, Some(found), expected.to_owned()));
            }
        }
        let replicas = found
            .iter()
            .find(|found| found.name == topic.name)
            .map_or(0, |found| found.replicas);
        let min_in_sync = value("min.insync.replicas");
        if replicas >= REPLICAS && min_in_sync.as_deref() == Some("1") {
            return Err(wrong("min.insync.replicas", min_in_sync, "2".to_owned()));
        }
        let max = value("max.message.bytes");
        let enough = max.as_ref().and_then(|max| max.parse::<u64>().ok());
        if enough.is_none_or(|max| max < MIN_MAX_MESSAGE_BYTES) {
            let expected = format!("{MIN_MAX_MESSAGE_BYTES} or more");
            return Err(wrong("max.message.bytes", max, expected));
        }
    }
    Ok(found)
}

/// Topics, if they are there with their partitions.
pub(crate) fn all(metadata: &Metadata, topics: &[Topic]) -> Result<Vec<Found>, KafkaError> {
    topics.iter().map(|topic| found(topic, metadata)).collect()
}

fn found(topic: &Topic, metadata: &Metadata) -> Result<Found, KafkaError> {
    let missing = || KafkaError::NoTopic(topic.name.to_owned());
    let entry = metadata.topics().iter().find(|entry| entry.name() == topic.name);
    let entry = entry
        .filter(|entry| entry.error().is_none() && !entry.partitions().is_empty())
        .ok_or_else(missing)?;
    let partitions = entry.partitions().len();
    if i32::try_from(partitions) != Ok(topic.partitions) {
        return Err(KafkaError::Partitions {
            topic: topic.name.to_owned(),
            found: partitions,
            expected: topic.partitions,
        });
    }
    Ok(Found {
        name: topic.name,
        partitions,
        replicas: entry
            .partitions()
            .first()
            .map_or(0, |partition| partition.replicas().len()),
    })
}
