//! A payout ends before it is sent.

use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use viral_domain::PayoutId;
use viral_domain::campaign::CampaignCommand;
use viral_domain::payout::{PayoutCommand, Requested};
use viral_domain::user::UserCommand;

/// Refuses a payout, as its campaign's sponsor or as an admin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectPayout {
    /// Which payout.
    pub payout: PayoutId,
    /// Why.
    pub reason: String,
}

impl UseCase for RejectPayout {
    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let request = work.request_of(self.payout, |request| request.sponsor).await?;
        let command = PayoutCommand::Reject {
            reason: self.reason.clone(),
            transaction: work.derived("transaction"),
        };
        end(work, &request, &command).await
    }
}

/// Takes a request back, as its creator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelPayout {
    /// Which payout.
    pub payout: PayoutId,
    /// Why.
    pub reason: Option<String>,
}

impl UseCase for CancelPayout {
    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let request = work.request_of(self.payout, |request| request.creator).await?;
        let command = PayoutCommand::Cancel {
            reason: self.reason.clone(),
            transaction: work.derived("transaction"),
        };
        end(work, &request, &command).await
    }
}

async fn end(work: &Work<'_>, request: &Requested, command: &PayoutCommand) -> Result<Plan, CommandError> {
    let (mut payout, mut campaign, mut user) = work.take_payout(request).await?;
    payout.decide(command)?;
    let payout_id = request.payout;
    campaign.decide(&CampaignCommand::ReturnPayout { payout: payout_id })?;
    user.decide(&UserCommand::ClosePayout { payout: payout_id })?;
    let mut plan = Plan::of(payout)?;
    plan.add(campaign)?;
    plan.add(user)?;
    Ok(plan)
}
