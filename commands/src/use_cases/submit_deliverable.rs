//! A creator hands in work.

use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use viral_domain::assignment::{Assignment, AssignmentCommand, AssignmentError, AssignmentEvent, Deliverable, Fitting};
use viral_domain::campaign::CampaignCommand;
use viral_domain::user::Role;
use viral_domain::{AssignmentId, MissionId};

/// Hands in work for the caller's own assignment in a mission. After a rejection it takes the place anew.
#[derive(Debug, Clone, PartialEq)]
pub struct SubmitDeliverable {
    /// For which mission.
    pub mission: MissionId,
    /// The work.
    pub deliverable: Deliverable,
}

impl UseCase for SubmitDeliverable {
    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let creator = work.caller_as(Role::Creator).await?;
        let id = AssignmentId::of(self.mission, creator);
        let fitting = self.fit(work, id).await?;
        // Others must not wait for the campaign while work is checked.
        let mut campaign = work.take_campaign_of(self.mission).await?;
        let mut assignment = work.load::<Assignment>(id.0).await?;
        assignment.decide(&AssignmentCommand::Submit {
            work: fitting,
            hold: work.derived("hold"),
            now: work.now.clone(),
        })?;
        let new_hold = assignment.pending().iter().find_map(|event| match event {
            AssignmentEvent::Submitted(submitted) => submitted.hold,
            _ => None,
        });
        if let Some(hold) = new_hold {
            campaign.decide(&CampaignCommand::TakePlace {
                mission: self.mission,
                assignment: id,
                creator,
                hold,
                open_call: false,
                now: work.now.clone(),
            })?;
        }
        let mut plan = Plan::of(assignment)?;
        // Without a new hold the campaign only must not move: its closing counts this work.
        plan.add(campaign)?;
        Ok(plan)
    }
}

impl SubmitDeliverable {
    /// Checks the work, for somebody who may submit it.
    async fn fit(&self, work: &Work<'_>, id: AssignmentId) -> Result<Fitting, CommandError> {
        let requirements = work.requirements_of(self.mission).await?;
        let assignment = work.load::<Assignment>(id.0).await?;
        let refused = |refusal: AssignmentError| CommandError::refusal(&refusal);
        assignment.state().may_submit(&work.now).map_err(refused)?;
        let deliverable = self.deliverable.clone();
        work.compute(move || deliverable.fit(&requirements))
            .await?
            .map_err(refused)
    }
}
