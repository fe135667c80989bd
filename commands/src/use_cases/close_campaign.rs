//! A sponsor ends a campaign.

use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use viral_domain::CampaignId;
use viral_domain::campaign::CampaignCommand;

/// Ends a campaign: at once where nobody works on it, otherwise when the open work is settled. What is not held goes back
/// to the sponsor now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseCampaign {
    /// Which campaign.
    pub campaign: CampaignId,
}

impl UseCase for CloseCampaign {
    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let mut campaign = work.take_campaign(self.campaign).await?;
        campaign.decide(&CampaignCommand::Close {
            refund: work.derived("refund"),
        })?;
        Plan::of(campaign)
    }
}
