//! Kafka in the report: whether it answers and which it is, its topics, how far the relay is, and what is no event.

use super::services::State;
use serde::Serialize;
use std::time::Duration;
use viral_kafka::{Cluster, MetadataVersion, Tail, engagement, tails, topics};
use viral_projections::{ClickHouse, UnreadableRecords};
use viral_store::feed::UnreadableRecord;

/// How long the brokers may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// How many unreadable records are listed.
const LISTED: u32 = 20;

#[derive(Debug, Default, Serialize)]
pub(super) struct Kafka {
    state: State,
    brokers: Option<String>,
    broker_count: Option<usize>,
    /// Nothing where the brokers do not tell it.
    metadata_version: Option<MetadataVersion>,
    cluster_id: Option<String>,
    topics: Vec<Topic>,
    relay: Option<Relay>,
    /// How far measurements of engagement were read into ClickHouse.
    engagement: Option<Reading>,
    /// Records that a feed left out, the first ones.
    unreadable_records: Vec<Unreadable>,
}

#[derive(Debug, Serialize)]
struct Topic {
    name: &'static str,
    partitions: usize,
    replicas: usize,
    /// How many records it has, duplicates included; not looked at without a log to compare them with.
    records: Option<i64>,
}

#[derive(Debug, Serialize)]
struct Reading {
    /// How many records are not there yet.
    lag: String,
}

#[derive(Debug, Serialize)]
struct Relay {
    /// The highest position in Kafka.
    position: String,
    /// How many events the log is ahead of it, a decimal string.
    lag: String,
}

#[derive(Debug, Serialize)]
struct Unreadable {
    topic: String,
    partition: i32,
    offset: i64,
    problem: String,
}

impl Unreadable {
    fn is_at(&self, other: &Unreadable) -> bool {
        (&self.topic, self.partition, self.offset) == (&other.topic, other.partition, other.offset)
    }
}

/// Records that cannot be read and came after the last event of a partition. Nobody may have parked them: who follows the
/// store does not read them.
fn behind_the_last(tail: &Tail) -> impl Iterator<Item = Unreadable> + '_ {
    tail.unreadable.iter().map(|(offset, problem)| Unreadable {
        topic: tail.partition.topic.to_owned(),
        partition: tail.partition.number,
        offset: *offset,
        problem: problem.clone(),
    })
}

impl From<UnreadableRecord> for Unreadable {
    fn from(record: UnreadableRecord) -> Unreadable {
        Unreadable {
            topic: record.topic,
            partition: record.partition,
            offset: record.offset,
            problem: record.problem,
        }
    }
}

/// The log as the store has it: its source and the position of its head; the records that feeds left out.
pub(super) struct Log<'a> {
    pub(super) source: &'a str,
    pub(super) head: u64,
    pub(super) unreadable: Option<UnreadableRecords>,
}

impl<'a> Log<'a> {
    /// From what the database told.
    pub(super) async fn of(log: Option<&'a super::Log>, url: Option<&str>) -> Option<Log<'a>> {
        let (log, url) = (log?, url?);
        let pool = viral_projections::connect_briefly(url).await.ok();
        Some(Log {
            source: &log.source,
            head: log.position.parse().unwrap_or_default(),
            unreadable: pool.map(UnreadableRecords::new),
        })
    }
}

/// Asks Kafka, if there is one.
pub(super) async fn look(
    cluster: Option<Cluster>,
    clickhouse: Option<&str>,
    log: Option<Log<'_>>,
    problems: &mut Vec<String>,
) -> Kafka {
    let Some(cluster) = cluster else {
        return Kafka::default();
    };
    let mut report = Kafka {
        state: State::Unreachable,
        brokers: Some(cluster.brokers().to_owned()),
        ..Kafka::default()
    };
    match cluster.look(ANSWER).await {
        Ok((count, id)) => {
            report.state = State::Reachable;
            (report.broker_count, report.cluster_id) = (Some(count), id);
            report.metadata_version = cluster.metadata_version().await;
        }
        Err(error) => {
            problems.push(error.to_string());
            return report;
        }
    }
    let found = match topics::check(&cluster, &topics::ALL).await {
        Ok(found) => found,
        Err(error) => {
            problems.push(error.to_string());
            return report;
        }
    };
    let mut ends: Vec<Ends> = Vec::new();
    match engagement::ends(&cluster).await {
        Ok(found) => {
            let partitions = (0..).zip(found);
            ends.extend(partitions.map(|(number, (start, end))| (topics::ENGAGEMENT.name, number, start, end)));
            if let Some(url) = clickhouse {
                report.engagement = reading(url, &ends).await;
            }
        }
        Err(error) => problems.push(error.to_string()),
    }
    report.topics = found.iter().map(|topic| with_records(topic, &ends)).collect();
    let Some(log) = log else { return report };
    match tails(&cluster, log.source).await {
        Ok(tails) => {
            ends.extend(
                tails
                    .iter()
                    .map(|tail| (tail.partition.topic, tail.partition.number, tail.start, tail.end)),
            );
            report.topics = found.iter().map(|topic| with_records(topic, &ends)).collect();
            problems.extend(foreign_topics(&tails));
            report.unreadable_records = tails.iter().flat_map(behind_the_last).collect();
            let last = tails.iter().filter_map(|tail| tail.last.as_ref());
            let position = last.map(|event| event.position.0).max().unwrap_or(0);
            report.relay = Some(Relay {
                position: position.to_string(),
                lag: log.head.saturating_sub(position).to_string(),
            });
        }
        Err(error) => problems.push(error.to_string()),
    }
    if let Some(records) = log.unreadable {
        match records.list(LISTED).await {
            Ok(records) => {
                // Of a topic that was made anew since, nothing is left to look at.
                let is_there = |record: &UnreadableRecord| {
                    let mut own = ends.iter().filter(|(topic, ..)| *topic == record.topic).peekable();
                    own.peek().is_none()
                        || own.any(|(_, number, _, end)| *number == record.partition && record.offset < *end)
                };
                let parked = records.into_iter().filter(is_there).map(Unreadable::from);
                for record in parked {
                    if !report.unreadable_records.iter().any(|other| other.is_at(&record)) {
                        report.unreadable_records.push(record);
                    }
                }
            }
            Err(error) => problems.push(error.to_string()),
        }
    }
    report
}

/// How far ClickHouse is behind these ends; nothing if it cannot be asked, which is told beside its own state.
async fn reading(clickhouse: &str, ends: &[Ends]) -> Option<Reading> {
    let noted = ClickHouse::connect(clickhouse).ok()?.engagement_offsets().await.ok()?;
    let lag: i64 = ends
        .iter()
        .map(|(_, number, start, end)| {
            let noted = noted
                .iter()
                .find(|noted| i64::from(noted.partition) == i64::from(*number));
            let next = noted.map_or(0, |noted| {
                i64::try_from(noted.record_offset).unwrap_or(i64::MAX).saturating_add(1)
            });
            (end - next.max(*start)).max(0)
        })
        .sum();
    Some(Reading { lag: lag.to_string() })
}

/// What a relay stops at: it would publish a log among the records of something else, or with a hole at its beginning.
fn foreign_topics(tails: &[Tail]) -> Vec<String> {
    let mut problems = Vec::new();
    let records: i64 = tails.iter().map(|tail| tail.end - tail.start).sum();
    if records > 0 && tails.iter().all(|tail| tail.last.is_none()) {
        problems.push(format!(
            "Kafka's topics have {records} records, none of them an event of this log: nothing is published to them"
        ));
    }
    for tail in tails.iter().filter(|tail| tail.start > 0) {
        let (partition, start) = (&tail.partition, tail.start);
        problems.push(format!("{partition} begins at offset {start}: records were deleted"));
    }
    problems
}

/// A partition: its topic, its number, its first offset and its end.
type Ends = (&'static str, i32, i64, i64);

fn with_records(topic: &topics::Found, ends: &[Ends]) -> Topic {
    let own = || ends.iter().filter(|(name, ..)| *name == topic.name);
    Topic {
        name: topic.name,
        partitions: topic.partitions,
        replicas: topic.replicas,
        records: own().next().map(|_| own().map(|(_, _, start, end)| end - start).sum()),
    }
}

impl Kafka {
    /// The highest position in Kafka.
    pub(super) fn position(&self) -> Option<u64> {
        self.relay.as_ref().and_then(|relay| relay.position.parse().ok())
    }

    /// Name and value of each line for people.
    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let brokers = self.brokers.clone().unwrap_or_default();
        let first = match self.state {
            State::NotConfigured => "not configured".to_owned(),
            State::Unreachable => format!("{brokers}: cannot be used"),
            State::Reachable => {
                let (count, id) = (
                    self.broker_count.unwrap_or(0),
                    self.cluster_id.clone().unwrap_or_default(),
                );
                let version = match &self.metadata_version {
                    Some(version) => format!(", metadata version {version}"),
                    None => String::new(),
                };
                format!("{brokers}, {count} broker(s){version}, cluster {id}")
            }
        };
        let mut lines = vec![("kafka", first)];
        for topic in &self.topics {
            let Topic {
                name,
                partitions,
                replicas,
                records,
            } = topic;
            let records = records.map_or_else(String::new, |records| format!(", {records} records"));
            lines.push((
                "topic",
                format!("{name}: {partitions} partition(s), {replicas} replica(s){records}"),
            ));
        }
        if let Some(Relay { position, lag }) = &self.relay {
            lines.push(("relay", format!("position {position}, {lag} behind")));
        }
        if let Some(Reading { lag }) = &self.engagement {
            lines.push(("engagement", format!("ClickHouse is {lag} record(s) behind")));
        }
        for record in &self.unreadable_records {
            let Unreadable {
                topic,
                partition,
                offset,
                problem,
            } = record;
            lines.push((
                "unreadable",
                format!("{topic} partition {partition} offset {offset}, left out: {problem}"),
            ));
        }
        lines
    }
}
