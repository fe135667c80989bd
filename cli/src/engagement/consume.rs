//! From Kafka into ClickHouse.
//!
//! How far Kafka was read is noted in ClickHouse itself, after what was read is inserted: so a ClickHouse that was emptied or
//! restored is filled again, even while this runs, and after a crash some records are read again. Reading begins with the
//! last record that is noted; if another one is there, the topic was made anew and is read from its beginning.

use super::Patience;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use viral_kafka::engagement::Received;
use viral_kafka::topics::{self, ENGAGEMENT};
use viral_kafka::{Cluster, EngagementReader, KafkaError};
use viral_projections::{ClickHouse, EngagementOffset, ProjectionError, UnreadableRecords};
use viral_store::feed::{FeedError, NoteUnreadable as _, UnreadableRecord};

/// How many records are inserted at once, how long one look for them takes, and how long they are gathered.
const LIMIT: usize = 50_000;
const WAIT: Duration = Duration::from_millis(500);
const LINGER: Duration = Duration::from_millis(100);
/// How often ClickHouse is looked at while nothing comes in.
const LOOK: Duration = Duration::from_secs(5);

/// Reads measurements from Kafka into ClickHouse.
#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) cluster: Cluster,
    pub(super) clickhouse: ClickHouse,
    pub(super) unreadable: UnreadableRecords,
    /// The log that the measurements are about.
    pub(super) source: String,
}

/// What keeps it from going on.
#[derive(Debug, thiserror::Error)]
enum Obstacle {
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    #[error(transparent)]
    ClickHouse(#[from] ProjectionError),
    #[error(transparent)]
    Note(#[from] FeedError),
}

/// The last record of each partition that is in ClickHouse.
type Noted = BTreeMap<i32, (i64, String)>;

impl Consumer {
    /// Never ends by itself.
    pub(super) async fn run(&self) {
        let mut patience = Patience::default();
        loop {
            if let Err(obstacle) = self.follow(&mut patience).await {
                let text = obstacle.to_string();
                patience.fails("measurements wait in Kafka", &text).await;
            }
        }
    }

    /// Ends with an error, when ClickHouse turns out to be emptied or restored, or the topic to be another one.
    async fn follow(&self, patience: &mut Patience) -> Result<(), Obstacle> {
        self.clickhouse.check_log(&self.source).await?;
        topics::check(&self.cluster, &[ENGAGEMENT]).await?;
        let mut noted = self.noted().await?;
        let mut reader = self.open(&noted).await?;
        // The first record of each of these is compared with what is noted.
        let mut unproven = noted.clone();
        let mut looked = Instant::now();
        loop {
            let (back, received) = reader.next(LIMIT, WAIT, LINGER).await?;
            reader = back;
            let mut anew = false;
            let mut fresh = Vec::with_capacity(received.len());
            for record in received {
                match unproven.remove(&record.partition) {
                    Some((offset, fingerprint)) if record.offset == offset && record.fingerprint == fingerprint => {}
                    // Its offset was not there: it is read from its beginning already.
                    Some((offset, _)) if record.offset < offset => fresh.push(record),
                    Some(_) => {
                        tracing::warn!(
                            partition = record.partition,
                            "the topic of measurements was made anew: reading all of it"
                        );
                        anew = true;
                    }
                    None => fresh.push(record),
                }
            }
            if anew {
                self.clickhouse.forget_engagement_offsets().await?;
                return Ok(());
            }
            let has_inserted = !fresh.is_empty();
            if has_inserted {
                self.insert(&fresh, &mut noted).await?;
            }
            if has_inserted || looked.elapsed() > LOOK {
                looked = Instant::now();
                if !self.is_as(&noted).await? {
                    if has_inserted {
                        // The notes just made would pass over the records before them.
                        self.clickhouse.forget_engagement_offsets().await?;
                    }
                    return Ok(());
                }
                patience.works("measurements are read from Kafka again");
            }
        }
    }

    async fn insert(&self, records: &[Received], noted: &mut Noted) -> Result<(), Obstacle> {
        let mut measurements = Vec::with_capacity(records.len());
        let mut touched = Noted::new();
        for record in records {
            match &record.measurement {
                Ok(measurement) => measurements.push(measurement.clone()),
                Err(problem) => {
                    let unreadable = UnreadableRecord {
                        topic: ENGAGEMENT.name.to_owned(),
                        partition: record.partition,
                        offset: record.offset,
                        problem: problem.clone(),
                    };
                    self.unreadable.note(&unreadable).await?;
                }
            }
            touched.insert(record.partition, (record.offset, record.fingerprint.clone()));
        }
        self.clickhouse.insert_measurements(&measurements).await?;
        let offsets: Vec<EngagementOffset> = touched
            .iter()
            .map(|(partition, (offset, fingerprint))| EngagementOffset {
                partition: partition.unsigned_abs(),
                record_offset: offset.unsigned_abs(),
                fingerprint: fingerprint.clone(),
            })
            .collect();
        self.clickhouse.note_engagement_offsets(&offsets).await?;
        noted.append(&mut touched);
        Ok(())
    }

    /// Whether ClickHouse has the notes that it should have.
    async fn is_as(&self, noted: &Noted) -> Result<bool, Obstacle> {
        let found = self.noted().await?;
        if found != *noted {
            tracing::warn!("ClickHouse was emptied or restored: measurements are read from Kafka again");
        }
        Ok(found == *noted)
    }

    async fn noted(&self) -> Result<Noted, Obstacle> {
        let offsets = self.clickhouse.engagement_offsets().await?;
        let known = offsets.into_iter().filter_map(|offset| {
            let partition = i32::try_from(offset.partition).ok()?;
            Some((
                partition,
                (i64::try_from(offset.record_offset).ok()?, offset.fingerprint),
            ))
        });
        Ok(known.collect())
    }

    async fn open(&self, noted: &Noted) -> Result<EngagementReader, Obstacle> {
        let from: Vec<(i32, i64)> = noted
            .iter()
            .map(|(partition, (offset, _))| (*partition, *offset))
            .collect();
        Ok(EngagementReader::open(&self.cluster, from).await?)
    }
}
