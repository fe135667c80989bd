//! Somebody suspects fraud.

use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use uuid::Uuid;
use viral_domain::assignment::Assignment;
use viral_domain::campaign::{Campaign, CampaignCommand};
use viral_domain::fraud_flag::{FraudFlag, FraudFlagCommand, Raised, SourceType};
use viral_domain::payout::{Payout, PayoutCommand};
use viral_domain::user::{User, UserCommand};
use viral_domain::{Aggregate as _, FlagId, PayoutId, UserId};

/// Raises a suspicion, and holds the payouts that it concerns in the same unit. Its id is the unit's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RaiseFlag {
    /// What kind of thing it is about.
    pub source_type: SourceType,
    /// Which one.
    pub source_id: Uuid,
    /// How likely it is, from 0 to 100.
    pub score: u8,
    /// Why.
    pub reasons: Vec<String>,
}

impl UseCase for RaiseFlag {
    const ADMINS_ONLY: bool = true;

    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let id = FlagId(work.unit_id());
        let mut flag = work.load::<FraudFlag>(id.0).await?;
        flag.decide(&FraudFlagCommand::Raise(Raised {
            flag: id,
            reasons: self.reasons.clone(),
            score: self.score,
            source_id: self.source_id,
            source_type: self.source_type,
        }))?;
        let mut plan = Plan::of(flag)?;
        for payout in self.mark_source(work, id, &mut plan).await? {
            let mut payout = work.take::<Payout>(payout.0).await?;
            if !payout.state().status.is_over() {
                payout.decide(&PayoutCommand::Hold { flag: id })?;
            }
            plan.add(payout)?;
        }
        Ok(plan)
    }
}

impl RaiseFlag {
    /// Marks what is suspected, so that later payouts are held too. Answers the payouts that are under way.
    async fn mark_source(&self, work: &Work<'_>, flag: FlagId, plan: &mut Plan) -> Result<Vec<PayoutId>, CommandError> {
        let unknown = || {
            let message = format!("there is no {} {}", self.source_type.as_str(), self.source_id);
            CommandError::refused("unknown_source", message)
        };
        match self.source_type {
            SourceType::User => {
                let mut user = work.take::<User>(self.source_id).await?;
                if !user.state().exists() {
                    return Err(unknown());
                }
                let payouts = user.state().open_payouts.iter().copied().collect();
                user.decide(&UserCommand::Flag { flag })?;
                plan.add(user)?;
                Ok(payouts)
            }
            SourceType::Campaign => mark_campaign(work, self.source_id, None, flag, plan, unknown).await,
            SourceType::Assignment => {
                let assignment = work.load::<Assignment>(self.source_id).await?;
                let offer = assignment.state().offer.as_ref().ok_or_else(unknown)?;
                let (campaign, creator) = (offer.campaign.0, Some(offer.creator));
                mark_campaign(work, campaign, creator, flag, plan, unknown).await
            }
            SourceType::Payout => {
                let payout = work.load::<Payout>(self.source_id).await?;
                payout
                    .state()
                    .exists()
                    .then(|| vec![PayoutId(self.source_id)])
                    .ok_or_else(unknown)
            }
        }
    }
}

async fn mark_campaign(
    work: &Work<'_>,
    campaign: Uuid,
    creator: Option<UserId>,
    flag: FlagId,
    plan: &mut Plan,
    unknown: impl Fn() -> CommandError,
) -> Result<Vec<PayoutId>, CommandError> {
    let mut campaign = work.take::<Campaign>(campaign).await?;
    if !campaign.state().exists() {
        return Err(unknown());
    }
    let payouts = campaign.state().payouts_of(creator).collect();
    campaign.decide(&CampaignCommand::Flag { flag, creator })?;
    plan.add(campaign)?;
    Ok(payouts)
}
