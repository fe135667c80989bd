//! Campaigns: the list, and one with its money and how far it is.

use super::kpi::{self, KpiProgress, Measured};
use super::measurements::{Asked, Engagement, Of};
use super::page::one_more;
use super::snapshot::{Snapshot, select};
use super::{At, Page, QueryError, ReadModels, TimeKey};
use crate::campaigns::READ_MODEL;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;
use viral_domain::campaign::Status;
use viral_domain::{CampaignId, UserId, Vcoin};
use viral_ledger::timestamp;

/// What creators can see of table `c`, where parameter 1 is the creator, or nothing for who can see everything.
macro_rules! visible {
    () => {
        r#"($1::uuid IS NULL OR c.status IN ('published', 'paused')
            OR c.id IN (SELECT campaign_id FROM creator_assignments WHERE creator_id = $1))"#
    };
}
pub(super) use visible;

/// The money of table `c`, where creators see none.
macro_rules! money {
    () => {
        r#"CASE WHEN $1::uuid IS NULL THEN json_build_object(
               'budget', c.budget_vcoin::text, 'funded', c.funded_vcoin::text, 'held', c.held_vcoin::text,
               'paid', c.paid_vcoin::text, 'returned', c.returned_vcoin::text,
               'left', (c.funded_vcoin - c.held_vcoin - c.paid_vcoin - c.returned_vcoin)::text) END AS money"#
    };
}

/// Which campaigns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CampaignFilter {
    /// Of this sponsor.
    pub sponsor: Option<UserId>,
    /// What this creator can see: published and paused ones, and others that they take part in; without the money.
    pub creator_view: Option<UserId>,
    /// In this status.
    pub status: Option<Status>,
    /// Of this type.
    pub campaign_type: Option<String>,
}

/// A campaign in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CampaignSummary {
    /// Which campaign.
    pub id: Uuid,
    /// Whose.
    pub sponsor_id: Uuid,
    /// What kind, in the sponsor's words.
    #[serde(rename = "type")]
    pub campaign_type: String,
    /// Its title.
    pub title: String,
    /// How far it is.
    pub status: String,
    /// When it starts.
    #[serde(with = "timestamp")]
    #[schemars(with = "DateTime<Utc>")]
    pub start_at: DateTime<Utc>,
    /// When it ends.
    #[serde(with = "timestamp")]
    #[schemars(with = "DateTime<Utc>")]
    pub end_at: DateTime<Utc>,
    /// When it was created.
    #[serde(with = "timestamp")]
    #[schemars(with = "DateTime<Utc>")]
    pub created_at: DateTime<Utc>,
    /// When something last happened to it.
    #[serde(with = "timestamp")]
    #[schemars(with = "DateTime<Utc>")]
    pub updated_at: DateTime<Utc>,
    /// Its money; left out for creators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub money: Option<CampaignMoney>,
}

/// The money of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CampaignMoney {
    /// The most that the sponsor wants to fund.
    pub budget: Vcoin,
    /// What was put into the escrow.
    pub funded: Vcoin,
    /// What is held there for work that goes on.
    pub held: Vcoin,
    /// What was paid out of it, fees included.
    pub paid: Vcoin,
    /// What went back to the sponsor.
    pub returned: Vcoin,
    /// What is there and not held.
    pub left: Vcoin,
}

/// A campaign.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Campaign {
    /// What it says.
    #[serde(flatten)]
    pub summary: CampaignSummary,
    /// What it is about.
    pub description: String,
    /// Targets by the name of their metric.
    pub kpi_config: Map<String, Value>,
    /// Its missions.
    pub missions: MissionCounts,
    /// Its assignments.
    pub assignments: AssignmentCounts,
    /// How far each target is reached.
    pub kpi_progress: Vec<KpiProgress>,
    /// What was measured; left out for creators.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engagement: Option<Engagement>,
}

/// How many missions a campaign has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissionCounts {
    /// All of them.
    pub total: u64,
    /// Those that creators may still take part in.
    pub open: u64,
    /// How many creators may be paid, in all missions together.
    pub places: u64,
    /// How many work on one or were paid.
    pub places_taken: u64,
}

/// How many assignments of a campaign are in each status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs)] // The fields are the statuses, see `viral_domain::assignment::Status`.
pub struct AssignmentCounts {
    pub invited: u64,
    pub accepted: u64,
    pub submitted: u64,
    pub approved: u64,
    pub rejected: u64,
    pub declined: u64,
    pub withdrawn: u64,
    pub expired: u64,
    pub cancelled: u64,
}

/// What table `campaigns` says beyond a summary.
#[derive(Deserialize)]
struct Described {
    #[serde(flatten)]
    summary: CampaignSummary,
    description: String,
    kpi_config: Map<String, Value>,
}

#[derive(Deserialize)]
struct Counted {
    #[serde(flatten)]
    by_status: AssignmentCounts,
    creators_approved: u64,
}

impl ReadModels {
    /// Campaigns, the newest first.
    pub async fn campaigns(
        &self,
        filter: &CampaignFilter,
        after: Option<TimeKey>,
        limit: usize,
    ) -> Result<At<Page<CampaignSummary, TimeKey>>, QueryError> {
        let mut snapshot = Snapshot::begin(&self.pool, &[&READ_MODEL]).await?;
        let query = select!(
            r#"SELECT c.id, c.sponsor_id, c.type, c.title, c.status, c.start_at, c.end_at, c.created_at, c.updated_at, "#,
            money!(),
            r#"
               FROM campaigns c
               WHERE "#,
            visible!(),
            r#" AND ($2::uuid IS NULL OR c.sponsor_id = $2)
                 AND ($3::text IS NULL OR c.status = $3)
                 AND ($4::text IS NULL OR c.type = $4)
                 AND ($5::timestamptz IS NULL OR (c.created_at, c.id) < ($5, $6))
               ORDER BY c.created_at DESC, c.id DESC
               LIMIT $7"#
        )
        .bind(filter.creator_view.map(|creator| creator.0))
        .bind(filter.sponsor.map(|sponsor| sponsor.0))
        .bind(filter.status.map(Status::as_str))
        .bind(filter.campaign_type.as_deref())
        .bind(after.map(|key| key.at))
        .bind(after.map(|key| key.id))
        .bind(one_more(limit));
        let rows: Vec<CampaignSummary> = snapshot.rows(query).await?;
        let key = |row: &CampaignSummary| TimeKey {
            at: row.created_at,
            id: row.id,
        };
        snapshot.answer(Page::cut(rows, limit, key)).await
    }

    /// A campaign; nothing if there is none that this creator can see, where one is named.
    pub async fn campaign(
        &self,
        id: CampaignId,
        creator_view: Option<UserId>,
    ) -> Result<At<Option<Campaign>>, QueryError> {
        let asked = match creator_view {
            None => Some(self.measurements.ask(Of::Campaign(id.0)).await),
            Some(_) => None,
        };
        let mut snapshot = Snapshot::begin(&self.pool, &[&READ_MODEL]).await?;
        let campaign = find(&mut snapshot, id, creator_view, asked).await?;
        snapshot.answer(campaign).await
    }
}

/// A campaign as somebody sees it, with measurements if they were asked.
pub(super) async fn find(
    snapshot: &mut Snapshot,
    id: CampaignId,
    creator_view: Option<UserId>,
    asked: Option<Asked>,
) -> Result<Option<Campaign>, QueryError> {
    let query = select!(
        r#"SELECT c.id, c.sponsor_id, c.type, c.title, c.status, c.start_at, c.end_at, c.created_at, c.updated_at,
             c.description, c.kpi_config, "#,
        money!(),
        r#"
           FROM campaigns c
           WHERE c.id = $2 AND "#,
        visible!()
    );
    let creator = creator_view.map(|creator| creator.0);
    let Some(described) = snapshot.row(query.bind(creator).bind(id.0)).await? else {
        return Ok(None);
    };
    let engagement = match asked {
        Some(asked) => Some(asked.answered(snapshot).await?),
        None => None,
    };
    counted(snapshot, described, engagement).await.map(Some)
}

async fn counted(
    snapshot: &mut Snapshot,
    described: Described,
    engagement: Option<Engagement>,
) -> Result<Campaign, QueryError> {
    let Described {
        summary,
        description,
        kpi_config,
    } = described;
    let missions = select!(
        r#"SELECT count(*) AS total, count(*) FILTER (WHERE status = 'open') AS open,
             COALESCE(sum(places), 0)::bigint AS places, COALESCE(sum(places_taken), 0)::bigint AS places_taken
           FROM campaign_missions
           WHERE campaign_id = $1"#
    );
    let missions = snapshot.row(missions.bind(summary.id)).await?.ok_or_else(no_counts)?;
    let assignments = select!(
        r#"SELECT
             count(*) FILTER (WHERE assignment_status = 'invited') AS invited,
             count(*) FILTER (WHERE assignment_status = 'accepted') AS accepted,
             count(*) FILTER (WHERE assignment_status = 'submitted') AS submitted,
             count(*) FILTER (WHERE assignment_status = 'approved') AS approved,
             count(*) FILTER (WHERE assignment_status = 'rejected') AS rejected,
             count(*) FILTER (WHERE assignment_status = 'declined') AS declined,
             count(*) FILTER (WHERE assignment_status = 'withdrawn') AS withdrawn,
             count(*) FILTER (WHERE assignment_status = 'expired') AS expired,
             count(*) FILTER (WHERE assignment_status = 'cancelled') AS cancelled,
             count(DISTINCT creator_id) FILTER (WHERE assignment_status = 'approved') AS creators_approved
           FROM creator_assignments
           WHERE campaign_id = $1"#
    );
    let counted = snapshot.row(assignments.bind(summary.id)).await?;
    let Counted {
        by_status,
        creators_approved,
    } = counted.ok_or_else(no_counts)?;
    let measured = Measured {
        deliverables: by_status.approved,
        creators: creators_approved,
        spend: summary.money.as_ref().map(|money| money.paid),
        engagement: engagement.as_ref().and_then(|engagement| engagement.figures),
    };
    Ok(Campaign {
        kpi_progress: kpi::progress(&kpi_config, &measured),
        summary,
        description,
        kpi_config,
        missions,
        assignments: by_status,
        engagement,
    })
}

/// Aggregates always have a row.
fn no_counts() -> QueryError {
    QueryError::Corrupt("a count has no row".to_owned())
}
