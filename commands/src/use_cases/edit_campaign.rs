//! A sponsor changes a draft.

use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use viral_domain::CampaignId;
use viral_domain::campaign::{BriefEdit, CampaignCommand};

/// Changes some fields of a draft.
#[derive(Debug, Clone, PartialEq)]
pub struct EditCampaign {
    /// Which campaign.
    pub campaign: CampaignId,
    /// What changes.
    pub edit: BriefEdit,
}

impl UseCase for EditCampaign {
    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let mut campaign = work.take_campaign(self.campaign).await?;
        campaign.decide(&CampaignCommand::Edit {
            edit: self.edit.clone(),
            now: work.now.clone(),
        })?;
        Plan::of(campaign)
    }
}
