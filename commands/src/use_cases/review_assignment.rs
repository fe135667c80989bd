//! A sponsor reviews work.

use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use viral_domain::AssignmentId;
use viral_domain::assignment::AssignmentCommand;
use viral_domain::campaign::CampaignCommand;

/// What the sponsor thinks of the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is taken: the reward is paid to the creator, less the fee.
    Approve,
    /// It is not taken as it is: the reward goes back into the escrow. It may be handed in again.
    Reject {
        /// Why.
        reason: String,
    },
}

/// Takes or rejects the work of an assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewAssignment {
    /// Which assignment.
    pub assignment: AssignmentId,
    /// What the sponsor thinks.
    pub verdict: Verdict,
}

impl UseCase for ReviewAssignment {
    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let (mut assignment, mut campaign) = work.take_assignment(self.assignment, |offer| offer.sponsor).await?;
        let (refund, transaction) = (work.derived("refund"), work.derived("transaction"));
        match &self.verdict {
            Verdict::Approve => {
                // The fee is the campaign's business, the state of the work the assignment's: that is asked first.
                let fee = assignment.state().fee;
                let reward = assignment
                    .state()
                    .offer
                    .as_ref()
                    .map(|offer| offer.reward_vcoin)
                    .unwrap_or_default();
                assignment.decide(&AssignmentCommand::Approve {
                    net: fee.rest_of(reward),
                    fee: fee.of(reward),
                    transaction,
                })?;
                campaign.decide(&CampaignCommand::PayReward {
                    assignment: self.assignment,
                    fee,
                    transaction,
                    refund,
                })?;
            }
            Verdict::Reject { reason } => {
                let reason = reason.clone();
                assignment.decide(&AssignmentCommand::Reject { reason })?;
                campaign.decide(&CampaignCommand::FreePlace {
                    assignment: self.assignment,
                    refund,
                })?;
            }
        }
        let mut plan = Plan::of(assignment)?;
        plan.add(campaign)?;
        Ok(plan)
    }
}
