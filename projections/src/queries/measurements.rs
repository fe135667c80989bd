//! Measurements of engagement in sum, wherever they are: in ClickHouse or in PostgreSQL, or in Kafka alone, where nobody can
//! ask them.

use super::QueryError;
use super::snapshot::{Snapshot, select};
use crate::clickhouse::{ClickHouse, NAME as CLICKHOUSE};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Where measurements of engagement are.
#[derive(Debug, Clone, Default)]
pub enum Measurements {
    /// In table `engagement_metrics` of PostgreSQL: there is nothing else.
    #[default]
    Postgres,
    /// In ClickHouse.
    ClickHouse(Box<ClickHouse>),
    /// In Kafka, and nothing of ours reads them there.
    Kafka,
}

/// What was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clickhouse::Row)]
pub struct EngagementFigures {
    /// How often something was shown.
    pub impressions: u64,
    /// How often it was clicked.
    pub clicks: u64,
    /// How long it was watched, in seconds.
    pub watch_time: u64,
    /// How often somebody did what the campaign is for.
    pub conversions: u64,
}

/// What was measured in sum, inside another answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Engagement {
    /// The figures; their fields are left out where measurements cannot be asked.
    #[serde(flatten)]
    pub figures: Option<EngagementFigures>,
    /// Why there are none, or not all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

/// Measurements in sum, as far as they were asked before the snapshot of an answer was taken: nothing is to wait for
/// ClickHouse while it holds a connection of the database.
pub(super) enum Asked {
    InPostgres(Of),
    Known(EngagementFigures),
    Missing(String),
}

impl Measurements {
    /// The measurements of a campaign or of a creator in sum.
    pub(super) async fn ask(&self, of: Of) -> Asked {
        match self {
            Measurements::Postgres => Asked::InPostgres(of),
            Measurements::ClickHouse(clickhouse) => match clickhouse.engagement_of(of).await {
                Ok(figures) => Asked::Known(figures),
                Err(_) => Asked::Missing(AWAY.to_owned()),
            },
            Measurements::Kafka => Asked::Missing(NOT_READ.to_owned()),
        }
    }
}

impl Asked {
    /// The figures, or why there are none.
    pub(super) async fn answered(self, snapshot: &mut Snapshot) -> Result<Engagement, QueryError> {
        let (figures, missing) = match self {
            Asked::InPostgres(of) => (Some(in_postgres(snapshot, of).await?), elsewhere(snapshot).await?),
            Asked::Known(figures) => (Some(figures), None),
            Asked::Missing(why) => (None, Some(why)),
        };
        Ok(Engagement { figures, missing })
    }
}

/// Whose measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Campaign(Uuid),
    Creator(Uuid),
}

const NOT_READ: &str =
    "measurements are in Kafka, and no ClickHouse is set up to read them from there: set CLICKHOUSE_URL";

const ELSEWHERE: &str = "a ClickHouse was filled once, and none is set up now: measurements that it has are not in the figures; \
     set CLICKHOUSE_URL";

/// What ClickHouse said is for our log only.
pub(super) const AWAY: &str = "ClickHouse, where the measurements are, cannot be asked just now: try again";

/// Whether there may be measurements in a ClickHouse that nobody told the API of: one has been filled from the log.
async fn elsewhere(snapshot: &mut Snapshot) -> Result<Option<String>, QueryError> {
    let statement = "SELECT EXISTS (SELECT 1 FROM projections WHERE name = $1 AND position > 0)";
    let query = sqlx::query_scalar(statement).bind(CLICKHOUSE);
    let was_filled: bool = query.fetch_one(snapshot.connection()).await?;
    Ok(was_filled.then(|| ELSEWHERE.to_owned()))
}

async fn in_postgres(snapshot: &mut Snapshot, of: Of) -> Result<EngagementFigures, QueryError> {
    let (campaign, creator) = match of {
        Of::Campaign(id) => (Some(id), None),
        Of::Creator(id) => (None, Some(id)),
    };
    let query = select!(
        r#"SELECT COALESCE(sum(impressions), 0)::bigint AS impressions, COALESCE(sum(clicks), 0)::bigint AS clicks,
             COALESCE(sum(watch_time), 0)::bigint AS watch_time, COALESCE(sum(conversions), 0)::bigint AS conversions
           FROM engagement_metrics
           WHERE ($1::uuid IS NULL OR campaign_id = $1) AND ($2::uuid IS NULL OR creator_id = $2)"#
    );
    let figures = snapshot.row(query.bind(campaign).bind(creator)).await?;
    Ok(figures.unwrap_or_default())
}

impl EngagementFigures {
    pub(super) fn plus(&self, other: &EngagementFigures) -> EngagementFigures {
        EngagementFigures {
            impressions: self.impressions.saturating_add(other.impressions),
            clicks: self.clicks.saturating_add(other.clicks),
            watch_time: self.watch_time.saturating_add(other.watch_time),
            conversions: self.conversions.saturating_add(other.conversions),
        }
    }
}
