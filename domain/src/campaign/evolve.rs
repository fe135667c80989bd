//! What events make of a campaign.

use super::{
    Campaign, CampaignEvent, Earnings, Mission, MissionAdded, MissionStatus, OpenPayout, PayoutOfCampaign, Place,
    PlaceTaken, RewardPaid, Status,
};
use crate::ids::MissionId;

impl Campaign {
    /// Applies an event; see [`crate::Aggregate::evolve`].
    pub(super) fn apply(&mut self, event: &CampaignEvent) {
        match event {
            CampaignEvent::Created(created) => {
                (self.id, self.sponsor) = (created.campaign, created.sponsor);
                self.brief = Some(created.brief.clone());
                self.status = Status::Draft;
            }
            CampaignEvent::Edited(edited) => self.brief = Some(edited.brief.clone()),
            CampaignEvent::Published(_) | CampaignEvent::Resumed(_) => self.status = Status::Published,
            CampaignEvent::Paused(_) => self.status = Status::Paused,
            CampaignEvent::MissionAdded(added) => self.add_mission(added),
            CampaignEvent::MissionOpened(opened) => self.on_mission(opened.mission, |mission| mission.open_call = true),
            CampaignEvent::MissionClosed(closed) => {
                self.on_mission(closed.mission, |mission| mission.status = MissionStatus::Closed);
            }
            CampaignEvent::Funded(funded) => self.funded += funded.amount_vcoin,
            CampaignEvent::PlaceTaken(taken) => self.take(taken),
            CampaignEvent::PlaceFreed(freed) => {
                self.places.remove(&freed.assignment);
                self.on_mission(freed.mission, |mission| mission.taken = mission.taken.saturating_sub(1));
            }
            CampaignEvent::RewardPaid(paid) => self.pay(paid),
            CampaignEvent::Closing(returned) => {
                self.returned += returned.returned_vcoin;
                self.status = Status::Closing;
            }
            CampaignEvent::Closed(returned) => {
                self.returned += returned.returned_vcoin;
                self.status = Status::Closed;
            }
            CampaignEvent::PayoutReserved(payout) => self.reserve(payout),
            CampaignEvent::PayoutReturned(payout) => {
                self.release(payout);
            }
            CampaignEvent::PayoutSettled(payout) => {
                let earnings = self.release(payout);
                earnings.paid_out += payout.amount_vcoin;
            }
            CampaignEvent::Flagged(flag) => {
                self.flags.insert(flag.flag, flag.creator);
            }
            CampaignEvent::FlagCleared(flag) => {
                self.flags.remove(&flag.flag);
            }
        }
    }

    fn add_mission(&mut self, added: &MissionAdded) {
        let mission = Mission {
            added: added.clone(),
            open_call: false,
            status: MissionStatus::Open,
            taken: 0,
        };
        self.missions.insert(added.mission, mission);
    }

    fn on_mission(&mut self, mission: MissionId, change: impl FnOnce(&mut Mission)) {
        if let Some(mission) = self.missions.get_mut(&mission) {
            change(mission);
        }
    }

    fn take(&mut self, taken: &PlaceTaken) {
        let place = Place {
            mission: taken.mission,
            creator: taken.creator,
            hold: taken.hold,
            reward: taken.reward_vcoin,
        };
        self.places.insert(taken.assignment, place);
        self.on_mission(taken.mission, |mission| mission.taken = mission.taken.saturating_add(1));
    }

    /// The place stays taken: nobody else can be paid for it.
    fn pay(&mut self, paid: &RewardPaid) {
        self.places.remove(&paid.assignment);
        self.rewarded.insert(paid.assignment);
        self.paid += paid.reward_vcoin;
        let earnings = self.earnings.entry(paid.creator).or_default();
        earnings.earned += paid.net_vcoin;
    }

    fn reserve(&mut self, payout: &PayoutOfCampaign) {
        let (creator, amount) = (payout.creator, payout.amount_vcoin);
        self.open_payouts.insert(payout.payout, OpenPayout { creator, amount });
        let earnings = self.earnings.entry(creator).or_default();
        earnings.reserved += amount;
    }

    /// The payout is open no longer; what it had reserved is free.
    fn release(&mut self, payout: &PayoutOfCampaign) -> &mut Earnings {
        self.open_payouts.remove(&payout.payout);
        let earnings = self.earnings.entry(payout.creator).or_default();
        earnings.reserved -= payout.amount_vcoin;
        earnings
    }
}
