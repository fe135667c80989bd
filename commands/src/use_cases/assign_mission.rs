//! Who may work on a mission: invited creators, everybody, or nobody new any more.

use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use std::collections::BTreeSet;
use viral_domain::assignment::{Assignment, AssignmentCommand, Status};
use viral_domain::campaign::{CampaignCommand, Status as CampaignStatus};
use viral_domain::user::{Role, User};
use viral_domain::{AssignmentId, MissionId, UserId};

/// The most creators that one call invites.
const MAX_INVITED: usize = 100;

/// Asks creators to work on a mission: all of them or, if one cannot be asked, none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteCreators {
    /// Which mission.
    pub mission: MissionId,
    /// Whom.
    pub creators: Vec<UserId>,
}

impl UseCase for InviteCreators {
    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let campaign = work.take_own_campaign_of(self.mission).await?;
        self.check()?;
        let mut plan = Plan::default();
        for creator in &self.creators {
            let user = work.load::<User>(creator.0).await?;
            if user.state().role != Some(Role::Creator) {
                let message = format!("there is no creator {creator}: nobody was invited");
                return Err(CommandError::refused("unknown_creator", message));
            }
            let offer = campaign.state().offer(self.mission, *creator);
            let offer = offer.map_err(|refusal| CommandError::refusal(&refusal))?;
            let id = AssignmentId::of(self.mission, *creator);
            let mut assignment = work.load::<Assignment>(id.0).await?;
            assignment.decide(&AssignmentCommand::Invite {
                offer,
                now: work.now.clone(),
            })?;
            plan.add(assignment)?;
        }
        plan.add(campaign)?;
        Ok(plan)
    }
}

impl InviteCreators {
    fn check(&self) -> Result<(), CommandError> {
        let refused = |message: String| Err(CommandError::refused("invalid_invitations", message));
        match self.creators.len() {
            0 => refused("name at least one creator".to_owned()),
            count if count > MAX_INVITED => {
                refused(format!("{count} creators are too many at once: at most {MAX_INVITED}"))
            }
            count if count != self.creators.iter().collect::<BTreeSet<_>>().len() => {
                refused("a creator is there twice".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// Lets every creator work on a mission, first come, first served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenMission {
    /// Which mission.
    pub mission: MissionId,
}

impl UseCase for OpenMission {
    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let mut campaign = work.take_own_campaign_of(self.mission).await?;
        let (mission, now) = (self.mission, work.now.clone());
        campaign.decide(&CampaignCommand::OpenMission { mission, now })?;
        Plan::of(campaign)
    }
}

/// Lets nobody new work on a mission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseMission {
    /// Which mission.
    pub mission: MissionId,
}

impl UseCase for CloseMission {
    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let mut campaign = work.take_own_campaign_of(self.mission).await?;
        campaign.decide(&CampaignCommand::CloseMission { mission: self.mission })?;
        Plan::of(campaign)
    }
}

/// A creator takes a place in a mission that is open to everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinMission {
    /// Which mission.
    pub mission: MissionId,
}

impl UseCase for JoinMission {
    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let creator = work.caller_as(Role::Creator).await?;
        let mut campaign = work.take_campaign_of(self.mission).await?;
        if campaign.state().status == CampaignStatus::Draft {
            // Drafts are their sponsor's business: to others they are not there.
            return Err(CommandError::not_found("mission", self.mission));
        }
        let offer = campaign.state().offer(self.mission, creator);
        let offer = offer.map_err(|refusal| CommandError::refusal(&refusal))?;
        let id = AssignmentId::of(self.mission, creator);
        let mut assignment = work.load::<Assignment>(id.0).await?;
        let invited = assignment.state().status == Status::Invited;
        let hold = work.derived("hold");
        assignment.decide(&AssignmentCommand::Join {
            offer,
            fee: work.terms().fee,
            hold,
            now: work.now.clone(),
        })?;
        campaign.decide(&CampaignCommand::TakePlace {
            mission: self.mission,
            assignment: id,
            creator,
            hold,
            open_call: !invited,
            now: work.now.clone(),
        })?;
        let mut plan = Plan::of(assignment)?;
        plan.add(campaign)?;
        Ok(plan)
    }
}
