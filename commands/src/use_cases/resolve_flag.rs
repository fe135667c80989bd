//! Somebody looked into a suspicion of fraud.

use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use viral_domain::assignment::Assignment;
use viral_domain::campaign::{Campaign, CampaignCommand};
use viral_domain::fraud_flag::{FraudFlag, FraudFlagCommand, Raised, SourceType};
use viral_domain::payout::{Payout, PayoutCommand};
use viral_domain::user::{User, UserCommand};
use viral_domain::{FlagId, PayoutId};

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// It is fraud: what is held stays held.
    Confirm,
    /// It is none: what is held is released.
    Dismiss,
}

/// Resolves a suspicion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolveFlag {
    /// Which.
    pub flag: FlagId,
    /// What was found.
    pub resolution: Resolution,
    /// In words.
    pub note: Option<String>,
}

impl UseCase for ResolveFlag {
    const ADMINS_ONLY: bool = true;

    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let mut flag = work.take::<FraudFlag>(self.flag.0).await?;
        let unknown = || CommandError::not_found("flag", self.flag);
        let raised = flag.state().raised.clone().ok_or_else(unknown)?;
        let (note, reviewer) = (self.note.clone(), work.caller.name.clone());
        flag.decide(&match self.resolution {
            Resolution::Confirm => FraudFlagCommand::Confirm { note, reviewer },
            Resolution::Dismiss => FraudFlagCommand::Dismiss { note, reviewer },
        })?;
        let mut plan = Plan::of(flag)?;
        if self.resolution == Resolution::Dismiss {
            for payout in clear_source(work, &raised, &mut plan).await? {
                let mut payout = work.take::<Payout>(payout.0).await?;
                let state = payout.state();
                if state.holds.contains(&self.flag) && !state.status.is_over() {
                    payout.decide(&PayoutCommand::Release { flag: self.flag })?;
                }
                plan.add(payout)?;
            }
        }
        Ok(plan)
    }
}

/// Takes the mark off what was suspected. Answers the payouts that may be held for it.
async fn clear_source(work: &Work<'_>, raised: &Raised, plan: &mut Plan) -> Result<Vec<PayoutId>, CommandError> {
    let flag = raised.flag;
    let campaign = match raised.source_type {
        SourceType::Payout => return Ok(vec![PayoutId(raised.source_id)]),
        SourceType::User => {
            let mut user = work.take::<User>(raised.source_id).await?;
            user.decide(&UserCommand::ClearFlag { flag })?;
            let payouts = user.state().open_payouts.iter().copied().collect();
            plan.add(user)?;
            return Ok(payouts);
        }
        SourceType::Campaign => raised.source_id,
        SourceType::Assignment => {
            let assignment = work.load::<Assignment>(raised.source_id).await?;
            let offer = assignment.state().offer.as_ref();
            let unknown = || CommandError::not_found("assignment", raised.source_id);
            offer.map(|offer| offer.campaign.0).ok_or_else(unknown)?
        }
    };
    let mut campaign = work.take::<Campaign>(campaign).await?;
    let creator = campaign.state().flags.get(&flag).copied().flatten();
    campaign.decide(&CampaignCommand::ClearFlag { flag })?;
    let payouts = campaign.state().payouts_of(creator).collect();
    plan.add(campaign)?;
    Ok(payouts)
}
