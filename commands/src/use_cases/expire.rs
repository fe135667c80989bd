//! What happens because time passes.

use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use uuid::Uuid;
use viral_domain::AssignmentId;
use viral_domain::assignment::AssignmentCommand;
use viral_domain::campaign::CampaignCommand;
use viral_ledger::Command;

/// Ends an assignment whose deadline has passed without work: the reward goes back into the escrow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpireAssignment {
    /// Which assignment.
    pub assignment: AssignmentId,
}

impl UseCase for ExpireAssignment {
    const ADMINS_ONLY: bool = true;

    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let (mut assignment, mut campaign) = work.take_assignment(self.assignment, |offer| offer.creator).await?;
        let had_place = assignment.state().hold.is_some();
        assignment.decide(&AssignmentCommand::Expire { now: work.now.clone() })?;
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

/// Releases a hold of the ledger whose time is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpireHold {
    /// Which hold.
    pub hold: Uuid,
}

impl UseCase for ExpireHold {
    const ADMINS_ONLY: bool = true;

    async fn plan(&self, _: &Work<'_>) -> Result<Plan, CommandError> {
        let mut plan = Plan::default();
        plan.add_ledger(Command::ExpireHold { hold: self.hold });
        Ok(plan)
    }
}
