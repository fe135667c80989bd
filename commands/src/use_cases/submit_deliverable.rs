//! A creator hands in work.

use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use viral_domain::assignment::{Assignment, AssignmentCommand, AssignmentEvent, Deliverable};
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
        let mut campaign = work.take_campaign_of(self.mission).await?;
        let unknown = || CommandError::not_found("mission", self.mission);
        let mission = campaign.state().missions.get(&self.mission).ok_or_else(unknown)?;
        let requirements = mission.added.requirements.clone();
        let id = AssignmentId::of(self.mission, creator);
        let mut assignment = work.load::<Assignment>(id.0).await?;
        assignment.decide(&AssignmentCommand::Submit {
            deliverable: self.deliverable.clone(),
            requirements,
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
