//! Assignments: those of a campaign, and one.

use super::of_campaign::head;
use super::page::one_more;
use super::snapshot::{Snapshot, select};
use super::{At, OfCampaign, Page, QueryError, ReadModels, TimeKey};
use crate::campaigns::READ_MODEL;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;
use viral_domain::assignment::Status;
use viral_domain::{AssignmentId, BasisPoints, CampaignId, Vcoin};
use viral_ledger::timestamp;

/// The columns of an assignment of table `a`.
macro_rules! assignment_columns {
    () => {
        "a.id, a.campaign_id, a.mission_id, a.creator_id, a.sponsor_id, a.assignment_status AS status, \
         a.reward_vcoin::text, a.fee_bps, a.fee_vcoin::text, a.net_vcoin::text, a.deadline, a.submissions, \
         a.deliverable, a.deliverable_url, a.reason, a.invited_at, a.accepted_at, a.submitted_at, a.resolved_at"
    };
}
pub(super) use assignment_columns;

/// A creator's part in a mission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Assignment {
    /// Which assignment.
    pub id: Uuid,
    /// In which campaign.
    pub campaign_id: Uuid,
    /// In which mission.
    pub mission_id: Uuid,
    /// Whose part.
    pub creator_id: Uuid,
    /// The campaign's sponsor.
    pub sponsor_id: Uuid,
    /// How far it is.
    pub status: String,
    /// What it pays, the fee included.
    pub reward_vcoin: Vcoin,
    /// The platform's share in hundredths of a percent, once it was accepted.
    pub fee_bps: Option<BasisPoints>,
    /// The fee, once it was paid.
    pub fee_vcoin: Option<Vcoin>,
    /// What the creator got, once it was paid.
    pub net_vcoin: Option<Vcoin>,
    /// Until when work can be submitted.
    #[serde(with = "timestamp")]
    #[schemars(with = "DateTime<Utc>")]
    pub deadline: DateTime<Utc>,
    /// How often work was handed in.
    pub submissions: u32,
    /// What was handed in last.
    pub deliverable: Option<Value>,
    /// Where that can be seen.
    pub deliverable_url: Option<String>,
    /// Why it ended as it did, or why the work was not taken.
    pub reason: Option<String>,
    /// When the creator was last asked.
    #[serde(with = "timestamp::option")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub invited_at: Option<DateTime<Utc>>,
    /// When the creator accepted.
    #[serde(with = "timestamp::option")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub accepted_at: Option<DateTime<Utc>>,
    /// When work was last handed in.
    #[serde(with = "timestamp::option")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub submitted_at: Option<DateTime<Utc>>,
    /// When nothing was left to be done.
    #[serde(with = "timestamp::option")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub resolved_at: Option<DateTime<Utc>>,
}

impl ReadModels {
    /// The assignments of a campaign, in the order of their deadlines, which never change; nothing if there is no such
    /// campaign.
    pub async fn assignments_of(
        &self,
        campaign: CampaignId,
        status: Option<Status>,
        after: Option<TimeKey>,
        limit: usize,
    ) -> Result<At<Option<OfCampaign<Page<Assignment, TimeKey>>>>, QueryError> {
        let mut snapshot = Snapshot::begin(&self.pool, &[&READ_MODEL]).await?;
        let Some(head) = head(&mut snapshot, campaign, None).await? else {
            return snapshot.answer(None).await;
        };
        let query = select!(
            "SELECT ",
            assignment_columns!(),
            r#"
               FROM creator_assignments a
               WHERE a.campaign_id = $1
                 AND ($2::text IS NULL OR a.assignment_status = $2)
                 AND ($3::timestamptz IS NULL OR (a.deadline, a.id) > ($3, $4))
               ORDER BY a.deadline, a.id
               LIMIT $5"#
        )
        .bind(campaign.0)
        .bind(status.map(Status::as_str))
        .bind(after.map(|key| key.at))
        .bind(after.map(|key| key.id))
        .bind(one_more(limit));
        let rows: Vec<Assignment> = snapshot.rows(query).await?;
        let key = |row: &Assignment| TimeKey {
            at: row.deadline,
            id: row.id,
        };
        let page = Page::cut(rows, limit, key);
        snapshot.answer(Some(head.with(page))).await
    }

    /// An assignment.
    pub async fn assignment(&self, id: AssignmentId) -> Result<At<Option<Assignment>>, QueryError> {
        let mut snapshot = Snapshot::begin(&self.pool, &[&READ_MODEL]).await?;
        let query = select!(
            "SELECT ",
            assignment_columns!(),
            " FROM creator_assignments a WHERE a.id = $1"
        );
        let assignment = snapshot.row(query.bind(id.0)).await?;
        snapshot.answer(assignment).await
    }
}
