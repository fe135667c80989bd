//! A sponsor puts V-Coin into a campaign's escrow.

use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use viral_domain::campaign::CampaignCommand;
use viral_domain::{CampaignId, Vcoin};

/// Moves V-Coin from the sponsor's wallet to the campaign's escrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FundCampaign {
    /// Which campaign.
    pub campaign: CampaignId,
    /// How much.
    pub amount: Vcoin,
}

impl UseCase for FundCampaign {
    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let mut campaign = work.take_campaign(self.campaign).await?;
        campaign.decide(&CampaignCommand::Fund {
            amount: self.amount,
            transaction: work.derived("transaction"),
        })?;
        Plan::of(campaign)
    }
}
