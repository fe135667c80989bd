//! What became of an attempt to pay.

use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use viral_domain::PayoutId;
use viral_domain::campaign::CampaignCommand;
use viral_domain::payout::{PayoutCommand, PayoutEvent};
use viral_domain::user::UserCommand;

/// What the payment provider, or a person at a bank, says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayoutOutcome {
    /// The creator has the money.
    Settled {
        /// The provider's own id of the payment.
        provider_reference: Option<String>,
    },
    /// This attempt definitely did not pay.
    Failed {
        /// What the provider said.
        reason: Option<String>,
        /// Not to be tried again.
        finally: bool,
    },
    /// It is not known.
    Unknown {
        /// What the provider said.
        reason: Option<String>,
    },
}

/// Records the outcome of a payout's last attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportPayoutOutcome {
    /// Which payout.
    pub payout: PayoutId,
    /// Which attempt is meant; the last one if nothing is said. An attempt that failed is followed by another one within
    /// moments, and what is said of the first must not be taken for news of the second: that would send a third.
    pub attempt: Option<u32>,
    /// What became of it.
    pub outcome: PayoutOutcome,
}

impl UseCase for ReportPayoutOutcome {
    const ADMINS_ONLY: bool = true;

    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let request = work.request_of(self.payout, |request| request.sponsor).await?;
        let (mut payout, mut campaign, mut user) = work.take_payout(&request).await?;
        self.check_attempt(payout.state().attempt)?;
        let transaction = work.derived("transaction");
        payout.decide(&match self.outcome.clone() {
            PayoutOutcome::Settled { provider_reference } => PayoutCommand::Settle {
                provider_reference,
                transaction,
            },
            PayoutOutcome::Failed { reason, finally } => PayoutCommand::FailAttempt {
                reason,
                finally,
                transaction,
            },
            PayoutOutcome::Unknown { reason } => PayoutCommand::LoseSight { reason },
        })?;
        let payout_id = self.payout;
        let end = payout.pending().iter().find_map(|event| match event {
            PayoutEvent::Settled(_) => Some(CampaignCommand::SettlePayout { payout: payout_id }),
            PayoutEvent::Failed(_) => Some(CampaignCommand::ReturnPayout { payout: payout_id }),
            _ => None,
        });
        if let Some(end) = end {
            campaign.decide(&end)?;
            user.decide(&UserCommand::ClosePayout { payout: payout_id })?;
        }
        let mut plan = Plan::of(payout)?;
        plan.add(campaign)?;
        plan.add(user)?;
        Ok(plan)
    }
}

impl ReportPayoutOutcome {
    fn check_attempt(&self, last: u32) -> Result<(), CommandError> {
        match self.attempt {
            Some(attempt) if attempt != last => {
                let message =
                    format!("attempt {attempt} is not the last one, which is {last}: look at the payout again");
                Err(CommandError::refused("payout_wrong_status", message))
            }
            _ => Ok(()),
        }
    }
}
