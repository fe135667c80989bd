//! A creator accepts an invitation.

use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use viral_domain::AssignmentId;
use viral_domain::assignment::AssignmentCommand;
use viral_domain::campaign::CampaignCommand;

/// Takes the place, and holds its reward in the escrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptAssignment {
    /// Which assignment.
    pub assignment: AssignmentId,
}

impl UseCase for AcceptAssignment {
    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let (mut assignment, mut campaign) = work.take_assignment(self.assignment, |offer| offer.creator).await?;
        let unknown = || CommandError::not_found("assignment", self.assignment);
        let offer = assignment.state().offer.clone().ok_or_else(unknown)?;
        let hold = work.derived("hold");
        assignment.decide(&AssignmentCommand::Accept {
            fee: work.terms().fee,
            hold,
            now: work.now.clone(),
        })?;
        campaign.decide(&CampaignCommand::TakePlace {
            mission: offer.mission,
            assignment: self.assignment,
            creator: offer.creator,
            hold,
            open_call: false,
            now: work.now.clone(),
        })?;
        let mut plan = Plan::of(assignment)?;
        plan.add(campaign)?;
        Ok(plan)
    }
}
