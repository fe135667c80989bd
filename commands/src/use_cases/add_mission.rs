//! A sponsor adds a mission to a campaign.

use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use chrono::{DateTime, Utc};
use viral_domain::campaign::{CampaignCommand, NewMission};
use viral_domain::{CampaignId, MissionId, Requirements, Vcoin};

/// Adds a mission. Its id is the unit's, and so the id of the event that adds it.
#[derive(Debug, Clone, PartialEq)]
pub struct AddMission {
    /// To which campaign.
    pub campaign: CampaignId,
    /// The kind of mission.
    pub mission_type: String,
    /// What a deliverable must fit.
    pub requirements: Requirements,
    /// What each creator is paid, the fee included.
    pub reward: Vcoin,
    /// Until when work can be submitted.
    pub deadline: DateTime<Utc>,
    /// How many creators may be paid.
    pub places: u32,
}

impl UseCase for AddMission {
    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let mut campaign = work.take_campaign(self.campaign).await?;
        let mission = NewMission {
            mission: MissionId(work.unit_id()),
            mission_type: self.mission_type.clone(),
            requirements: self.requirements.clone(),
            reward: self.reward,
            deadline: self.deadline,
            places: self.places,
        };
        campaign.decide(&CampaignCommand::AddMission {
            mission,
            now: work.now.clone(),
        })?;
        Plan::of(campaign)
    }
}
