//! A campaign opens to creators, or pauses.

use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use viral_domain::CampaignId;
use viral_domain::campaign::CampaignCommand;

/// Lets creators take part: in a draft for the first time, in a paused campaign again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishCampaign {
    /// Which campaign.
    pub campaign: CampaignId,
}

impl UseCase for PublishCampaign {
    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let mut campaign = work.take_campaign(self.campaign).await?;
        campaign.decide(&CampaignCommand::Publish { now: work.now.clone() })?;
        Plan::of(campaign)
    }
}

/// Lets nobody new take part for now. Work that has begun goes on; rejected work is handed in again once the campaign is
/// published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PauseCampaign {
    /// Which campaign.
    pub campaign: CampaignId,
    /// Why.
    pub reason: Option<String>,
}

impl UseCase for PauseCampaign {
    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let mut campaign = work.take_campaign(self.campaign).await?;
        let reason = self.reason.clone();
        campaign.decide(&CampaignCommand::Pause { reason })?;
        Plan::of(campaign)
    }
}
