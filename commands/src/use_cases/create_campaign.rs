//! A sponsor drafts a campaign.

use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use viral_domain::CampaignId;
use viral_domain::campaign::{Brief, Campaign, CampaignCommand};
use viral_domain::user::Role;

/// Makes a draft. The campaign's id is the unit's.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateCampaign {
    /// What it says.
    pub brief: Brief,
}

impl UseCase for CreateCampaign {
    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let sponsor = work.caller_as(Role::Sponsor).await?;
        let id = CampaignId(work.unit_id());
        let mut campaign = work.load::<Campaign>(id.0).await?;
        campaign.decide(&CampaignCommand::Create {
            campaign: id,
            sponsor,
            brief: self.brief.clone(),
            now: work.now.clone(),
        })?;
        Plan::of(campaign)
    }
}
