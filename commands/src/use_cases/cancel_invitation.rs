//! An invitation that nobody can accept any more is taken back.

use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use viral_domain::AssignmentId;
use viral_domain::assignment::{Assignment, AssignmentCommand};

/// Takes an invitation back, because its mission or campaign was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelInvitation {
    /// Which assignment.
    pub assignment: AssignmentId,
    /// Why.
    pub reason: Option<String>,
}

impl UseCase for CancelInvitation {
    const ADMINS_ONLY: bool = true;

    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let mut assignment = work.take::<Assignment>(self.assignment.0).await?;
        let reason = self.reason.clone();
        assignment.decide(&AssignmentCommand::Cancel { reason })?;
        Plan::of(assignment)
    }
}
