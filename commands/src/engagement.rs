//! Recording measurements of engagement. They become no events: a sink takes them to where analysts read.

use crate::aggregates::read_event;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;
use viral_domain::campaign::Campaign;
use viral_domain::engagement::Recorded;
use viral_domain::text::InvalidText;
use viral_domain::user::{Role, User, UserEvent};
use viral_domain::{Aggregate as _, CampaignId, Measurement, UserId};
use viral_ledger::timestamp;
use viral_store::{EventStore, StoreError, StreamId};

/// How long a sink may take. Whoever sent the measurements waits for it.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many ids are remembered as known. They are remembered for speed alone.
const REMEMBERED: usize = 200_000;

/// Where measurements go. What it has taken is kept: it may be sent again, and the same measurement counts once.
#[async_trait]
pub trait EngagementSink: fmt::Debug + Send + Sync {
    /// Takes measurements, each of another platform or id.
    async fn take(&self, measurements: &[Recorded]) -> Result<(), SinkError>;
}

/// Measurements could not be taken; nothing is lost if they are sent again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// It cannot be reached just now.
    #[error("{0}")]
    Unavailable(String),
    /// Somebody has to mend something.
    #[error("{0}")]
    Refused(String),
}

/// Why measurements were not recorded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EngagementError {
    /// The sink did not take them.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The log could not be asked whether campaigns and creators exist.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why one measurement was not recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unrecorded {
    /// A field cannot be used.
    #[error("{0}")]
    Invalid(#[from] InvalidText),
    /// There is no such campaign.
    #[error("campaign_id: there is no campaign {0}")]
    UnknownCampaign(CampaignId),
    /// There is no such creator.
    #[error("creator_id: there is no creator {0}")]
    UnknownCreator(UserId),
}

/// Records measurements. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Engagement {
    store: Arc<dyn EventStore>,
    sink: Arc<dyn EngagementSink>,
    known: Arc<Mutex<HashSet<(&'static str, Uuid)>>>,
}

impl Engagement {
    /// Records into this sink what is about campaigns and creators of this log.
    pub fn new(store: Arc<dyn EventStore>, sink: Arc<dyn EngagementSink>) -> Engagement {
        Engagement {
            store,
            sink,
            known: Arc::default(),
        }
    }

    /// Records measurements, each with its place among those that were sent. Answers what was not recorded, by its place;
    /// everything else is kept when this returns.
    ///
    /// # Errors
    /// [`EngagementError`] if it is not known what was kept: send them again.
    pub async fn record(
        &self,
        sent: Vec<(usize, Measurement)>,
        now: DateTime<Utc>,
    ) -> Result<Vec<(usize, Unrecorded)>, EngagementError> {
        let mut unrecorded = Vec::new();
        let mut asked = HashMap::new();
        let mut good = Vec::with_capacity(sent.len());
        for (place, row) in sent {
            match self.refusal(&row, now, &mut asked).await? {
                Some(why) => unrecorded.push((place, why)),
                None => good.push(row),
            }
        }
        let at = timestamp::truncate(Utc::now());
        let recorded = |measurement| Recorded { measurement, at };
        let good: Vec<Recorded> = newest(good).into_iter().map(recorded).collect();
        if !good.is_empty() {
            let taken = tokio::time::timeout(PATIENCE, self.sink.take(&good)).await;
            let late = || SinkError::Unavailable(format!("they were not taken within {} s", PATIENCE.as_secs()));
            taken.unwrap_or_else(|_| Err(late()))?;
        }
        Ok(unrecorded)
    }

    async fn refusal(
        &self,
        row: &Measurement,
        now: DateTime<Utc>,
        asked: &mut HashMap<(&'static str, Uuid), bool>,
    ) -> Result<Option<Unrecorded>, StoreError> {
        if let Err(invalid) = row.check(now) {
            return Ok(Some(invalid.into()));
        }
        if !self.exists_once(row.campaign_id.0, Campaign::TYPE, asked).await? {
            return Ok(Some(Unrecorded::UnknownCampaign(row.campaign_id)));
        }
        if !self.exists_once(row.creator_id.0, User::TYPE, asked).await? {
            return Ok(Some(Unrecorded::UnknownCreator(row.creator_id)));
        }
        Ok(None)
    }

    /// As [`Engagement::exists`], asked once for an id of a request.
    async fn exists_once(
        &self,
        id: Uuid,
        aggregate_type: &'static str,
        asked: &mut HashMap<(&'static str, Uuid), bool>,
    ) -> Result<bool, StoreError> {
        if let Some(answer) = asked.get(&(aggregate_type, id)) {
            return Ok(*answer);
        }
        let answer = self.exists(id, aggregate_type).await?;
        asked.insert((aggregate_type, id), answer);
        Ok(answer)
    }

    /// Whether there is such a campaign, or such a creator. What was there once is there for ever.
    async fn exists(&self, id: Uuid, aggregate_type: &'static str) -> Result<bool, StoreError> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known().contains(&(aggregate_type, id)) {
            return Ok(true);
        }
        let stream = StreamId::new(aggregate_type, id.to_string());
        let first = self.store.read_stream(&stream, 0, 1).await?;
        let Some(first) = first.first() else { return Ok(false) };
        if aggregate_type == User::TYPE {
            match read_event::<UserEvent>(first) {
                Ok(UserEvent::Registered(registered)) if registered.role == Role::Creator => {}
                _ => return Ok(false),
            }
        }
        let mut known = known();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert((aggregate_type, id));
        Ok(true)
    }
}

/// Of the same measurement the highest version, and of equal versions the last one.
fn newest(rows: Vec<Measurement>) -> Vec<Measurement> {
    let mut places = HashMap::<(String, String), usize>::with_capacity(rows.len());
    let mut newest = Vec::<Measurement>::with_capacity(rows.len());
    for row in rows {
        match places.get(&(row.platform.clone(), row.id.clone())) {
            Some(&place) if newest[place].version <= row.version => newest[place] = row,
            Some(_) => {}
            None => {
                places.insert((row.platform.clone(), row.id.clone()), newest.len());
                newest.push(row);
            }
        }
    }
    newest
}
