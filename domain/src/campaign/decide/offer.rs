//! What a creator is offered who is asked to take part in a mission. An offer changes nothing in the campaign.

use super::CampaignError;
use crate::assignment::Offered;
use crate::campaign::{Campaign, Status};
use crate::ids::{AssignmentId, MissionId, UserId};

impl Campaign {
    /// The offer of a mission to a creator, if there is one to be made.
    pub fn offer(&self, mission: MissionId, creator: UserId) -> Result<Offered, CampaignError> {
        self.check_status("missions can be offered", &[Status::Published, Status::Paused])?;
        let added = &self.open(mission)?.added;
        Ok(Offered {
            assignment: AssignmentId::of(mission, creator),
            campaign: self.id,
            creator,
            deadline: added.deadline,
            mission,
            reward_vcoin: added.reward_vcoin,
            sponsor: self.sponsor,
        })
    }
}
