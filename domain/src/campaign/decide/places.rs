//! Places in missions: the reward is held while a creator works, then it is paid or goes back into the escrow.

use super::super::{Brief, Campaign, CampaignEvent, Place, PlaceFreed, PlaceTaken, RewardPaid, Status};
use super::missions::check_deadline;
use super::{CampaignError, Decision, check_not_ended};
use crate::aggregate::Aggregate;
use crate::ids::{AssignmentId, MissionId, UserId};
use crate::terms::BasisPoints;
use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The statuses in which creators may have places.
const WITH_PLACES: &[Status] = &[Status::Published, Status::Paused, Status::Closing];

/// Who wants a place.
pub(super) struct Claim {
    pub(super) assignment: AssignmentId,
    pub(super) creator: UserId,
    pub(super) hold: Uuid,
    pub(super) open_call: bool,
}

impl Campaign {
    pub(super) fn take_place(&self, brief: &Brief, id: MissionId, claim: &Claim, now: DateTime<Utc>) -> Decision {
        self.check_status("places can be taken", &[Status::Published])?;
        check_not_ended(brief, now)?;
        let mission = self.open(id)?;
        if claim.open_call && !mission.open_call {
            return Err(CampaignError::NotAnOpenCall { mission: id });
        }
        check_deadline(mission, now)?;
        self.check_new(claim.assignment)?;
        let added = &mission.added;
        if mission.taken >= added.places {
            let places = added.places;
            return Err(CampaignError::MissionFull { mission: id, places });
        }
        let (needed, left) = (added.reward_vcoin, self.left());
        if left < needed {
            return Err(CampaignError::EscrowTooLow { needed, left });
        }
        Ok(vec![CampaignEvent::PlaceTaken(PlaceTaken {
            assignment: claim.assignment,
            campaign: self.id,
            creator: claim.creator,
            hold: claim.hold,
            mission: id,
            reward_vcoin: needed,
        })])
    }

    pub(super) fn free_place(&self, assignment: AssignmentId, refund: Uuid) -> Decision {
        let place = self.place("places can be freed", assignment)?;
        let freed = CampaignEvent::PlaceFreed(PlaceFreed {
            assignment,
            campaign: self.id,
            hold: place.hold,
            mission: place.mission,
            reward_vcoin: place.reward,
        });
        Ok(self.closed_after(freed, refund))
    }

    pub(super) fn pay_reward(
        &self,
        assignment: AssignmentId,
        bps: BasisPoints,
        transaction: Uuid,
        refund: Uuid,
    ) -> Decision {
        let place = self.place("rewards can be paid", assignment)?;
        let fee = bps.of(place.reward);
        let paid = CampaignEvent::RewardPaid(RewardPaid {
            assignment,
            campaign: self.id,
            creator: place.creator,
            fee_bps: bps,
            fee_vcoin: fee,
            hold: place.hold,
            mission: place.mission,
            net_vcoin: bps.rest_of(place.reward),
            reward_vcoin: place.reward,
            sponsor: self.sponsor,
            transaction,
        });
        Ok(self.closed_after(paid, refund))
    }

    fn check_new(&self, assignment: AssignmentId) -> Result<(), CampaignError> {
        if self.places.contains_key(&assignment) {
            return Err(CampaignError::PlaceHeld { assignment });
        }
        if self.rewarded.contains(&assignment) {
            return Err(CampaignError::AlreadyPaid { assignment });
        }
        Ok(())
    }

    fn place(&self, action: &'static str, assignment: AssignmentId) -> Result<&Place, CampaignError> {
        self.check_status(action, WITH_PLACES)?;
        self.places
            .get(&assignment)
            .ok_or(CampaignError::UnknownPlace { assignment })
    }

    /// Nobody closes a campaign that is closing: the event that settles its last place does.
    fn closed_after(&self, event: CampaignEvent, refund: Uuid) -> Vec<CampaignEvent> {
        if self.status != Status::Closing || self.places.len() > 1 {
            return vec![event];
        }
        let mut after = self.clone();
        after.evolve(&event);
        vec![event, CampaignEvent::Closed(after.returned_with(refund))]
    }
}
