//! A creator declines an invitation, or gives a place back.

use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use viral_domain::AssignmentId;
use viral_domain::assignment::{Assignment, AssignmentCommand};
use viral_domain::campaign::CampaignCommand;

/// Declines an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclineAssignment {
    /// Which assignment.
    pub assignment: AssignmentId,
    /// Why.
    pub reason: Option<String>,
}

impl UseCase for DeclineAssignment {
    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let mut assignment = work.take::<Assignment>(self.assignment.0).await?;
        let creator = assignment.state().offer.as_ref().map(|offer| offer.creator);
        if !creator.is_some_and(|creator| work.caller.may_touch(creator)) {
            return Err(CommandError::not_found("assignment", self.assignment));
        }
        let reason = self.reason.clone();
        assignment.decide(&AssignmentCommand::Decline { reason })?;
        Plan::of(assignment)
    }
}

/// Gives a place back before the work is reviewed: the reward goes back into the escrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawAssignment {
    /// Which assignment.
    pub assignment: AssignmentId,
    /// Why.
    pub reason: Option<String>,
}

impl UseCase for WithdrawAssignment {
    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let (mut assignment, mut campaign) = work.take_assignment(self.assignment, |offer| offer.creator).await?;
        let had_place = assignment.state().hold.is_some();
        let reason = self.reason.clone();
        assignment.decide(&AssignmentCommand::Withdraw { reason })?;
        if had_place {
            campaign.decide(&CampaignCommand::FreePlace {
                assignment: self.assignment,
                refund: work.derived("refund"),
            })?;
        }
        let mut plan = Plan::of(assignment)?;
        plan.add(campaign)?;
        Ok(plan)
    }
}
