//! Missions: those of a campaign, and one.

use super::campaigns::visible;
use super::of_campaign::head;
use super::snapshot::{Snapshot, select};
use super::{At, OfCampaign, QueryError, ReadModels};
use crate::campaigns::READ_MODEL;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;
use viral_domain::{CampaignId, MissionId, UserId, Vcoin};
use viral_ledger::timestamp;

/// The columns of a mission of table `m`.
macro_rules! mission_columns {
    () => {
        "m.id, m.campaign_id, m.mission_type, m.requirements, m.reward_vcoin::text, m.deadline, m.places, \
         m.places_taken, m.open_call, m.status"
    };
}
pub(super) use mission_columns;

/// A mission of a campaign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Mission {
    /// Which mission.
    pub id: Uuid,
    /// Of which campaign.
    pub campaign_id: Uuid,
    /// What kind, in the sponsor's words.
    pub mission_type: String,
    /// A JSON Schema that a deliverable must fit.
    pub requirements: Value,
    /// What each creator is paid, the fee included.
    pub reward_vcoin: Vcoin,
    /// Until when work can be submitted.
    #[serde(with = "timestamp")]
    #[schemars(with = "DateTime<Utc>")]
    pub deadline: DateTime<Utc>,
    /// How many creators may be paid for it.
    pub places: u32,
    /// How many work on it or were paid.
    pub places_taken: u32,
    /// Every creator may take part without an invitation.
    pub open_call: bool,
    /// `open`, or `closed` when nobody new can take part.
    pub status: String,
}

impl ReadModels {
    /// All missions of a campaign, the oldest first; nothing if there is no campaign that this creator can see, where
    /// one is named. A campaign has a few hundred at most.
    pub async fn missions_of(
        &self,
        campaign: CampaignId,
        creator_view: Option<UserId>,
    ) -> Result<At<Option<OfCampaign<Vec<Mission>>>>, QueryError> {
        let mut snapshot = Snapshot::begin(&self.pool, &[&READ_MODEL]).await?;
        let Some(head) = head(&mut snapshot, campaign, creator_view).await? else {
            return snapshot.answer(None).await;
        };
        let query = select!(
            "SELECT ",
            mission_columns!(),
            r#"
               FROM campaign_missions m
               WHERE m.campaign_id = $1
               ORDER BY m.created_at, m.id"#
        );
        let missions = snapshot.rows(query.bind(campaign.0)).await?;
        snapshot.answer(Some(head.with(missions))).await
    }

    /// A mission; nothing if there is none, or if this creator cannot see its campaign, where one is named.
    pub async fn mission(
        &self,
        id: MissionId,
        creator_view: Option<UserId>,
    ) -> Result<At<Option<OfCampaign<Mission>>>, QueryError> {
        #[derive(Deserialize)]
        struct Found {
            #[serde(flatten)]
            mission: Mission,
            sponsor_id: UserId,
            campaign_status: String,
        }
        let mut snapshot = Snapshot::begin(&self.pool, &[&READ_MODEL]).await?;
        let query = select!(
            "SELECT ",
            mission_columns!(),
            r#", c.sponsor_id, c.status AS campaign_status
               FROM campaign_missions m JOIN campaigns c ON c.id = m.campaign_id
               WHERE m.id = $2 AND "#,
            visible!()
        );
        let query = query.bind(creator_view.map(|creator| creator.0)).bind(id.0);
        let found: Option<Found> = snapshot.row(query).await?;
        let of_campaign = |found: Found| OfCampaign {
            sponsor_id: found.sponsor_id,
            campaign_status: found.campaign_status,
            value: found.mission,
        };
        snapshot.answer(found.map(of_campaign)).await
    }
}
