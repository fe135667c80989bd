//! A creator asks for money.

use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use viral_domain::campaign::{Campaign, CampaignCommand};
use viral_domain::payout::{Payout, PayoutCommand, Request};
use viral_domain::user::{Role, User, UserCommand};
use viral_domain::{Aggregate as _, CampaignId, PayoutId, Vcoin};

/// Asks for a payout of what the caller earned in a campaign. The payout's id is the unit's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestPayout {
    /// Where it was earned.
    pub campaign: CampaignId,
    /// How much.
    pub amount: Vcoin,
}

impl UseCase for RequestPayout {
    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let creator = work.caller_as(Role::Creator).await?;
        let mut campaign = work.take::<Campaign>(self.campaign.0).await?;
        if !campaign.state().exists() {
            let message = format!("there is no campaign {}", self.campaign);
            return Err(CommandError::refused("unknown_campaign", message));
        }
        let mut user = work.take::<User>(creator.0).await?;
        let id = PayoutId(work.unit_id());
        let mut payout = work.load::<Payout>(id.0).await?;
        payout.decide(&PayoutCommand::Request(Request {
            payout: id,
            creator,
            campaign: self.campaign,
            sponsor: campaign.state().sponsor,
            amount: self.amount,
            terms: work.terms().clone(),
            transaction: work.derived("transaction"),
        }))?;
        campaign.decide(&CampaignCommand::ReservePayout {
            payout: id,
            creator,
            amount: self.amount,
        })?;
        user.decide(&UserCommand::OpenPayout { payout: id })?;
        let of_campaign = campaign.state().flags_against(creator);
        for flag in of_campaign.chain(user.state().flags.iter().copied()) {
            payout.decide(&PayoutCommand::Hold { flag })?;
        }
        let mut plan = Plan::of(payout)?;
        plan.add(campaign)?;
        plan.add(user)?;
        Ok(plan)
    }
}
