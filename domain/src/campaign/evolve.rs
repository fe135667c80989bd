//! What events make of a campaign.

use super::{
    Campaign, CampaignEvent, Earnings, Mission, MissionAdded, MissionStatus, OpenPayout, PayoutOfCampaign, Place,
    PlaceTaken, RewardPaid, Status,
};
use crate::ids::{MissionId, UserId};
use crate::money::Vcoin;

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
            CampaignEvent::Funded(funded) => {
                let amount = funded.amount_vcoin;
                self.count(|campaign| add(&mut campaign.funded, amount) && add(&mut campaign.left, amount));
            }
            CampaignEvent::PlaceTaken(taken) => self.take(taken),
            CampaignEvent::PlaceFreed(freed) => {
                let free = self
                    .places
                    .remove(&freed.assignment)
                    .map_or(Vcoin::ZERO, |place| place.reward);
                self.count(|campaign| take(&mut campaign.held, free) && add(&mut campaign.left, free));
                self.on_mission(freed.mission, |mission| mission.taken = mission.taken.saturating_sub(1));
            }
            CampaignEvent::RewardPaid(paid) => self.pay(paid),
            CampaignEvent::Closing(returned) => {
                self.give_back(returned.returned_vcoin);
                self.status = Status::Closing;
            }
            CampaignEvent::Closed(returned) => {
                self.give_back(returned.returned_vcoin);
                self.status = Status::Closed;
            }
            CampaignEvent::PayoutReserved(payout) => self.reserve(payout),
            CampaignEvent::PayoutReturned(payout) => {
                let amount = payout.amount_vcoin;
                self.release(payout, |earnings| add(&mut earnings.payable, amount));
            }
            CampaignEvent::PayoutSettled(payout) => {
                let amount = payout.amount_vcoin;
                self.release(payout, |earnings| add(&mut earnings.paid_out, amount));
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
        let before = self.places.insert(taken.assignment, place);
        self.on_mission(taken.mission, |mission| mission.taken = mission.taken.saturating_add(1));
        let reward = taken.reward_vcoin;
        self.count(|campaign| before.is_none() && take(&mut campaign.left, reward) && add(&mut campaign.held, reward));
    }

    /// The place stays taken: nobody else can be paid for it.
    fn pay(&mut self, paid: &RewardPaid) {
        let place = self.places.remove(&paid.assignment);
        self.rewarded.insert(paid.assignment);
        let (reward, net) = (paid.reward_vcoin, paid.net_vcoin);
        self.count(|campaign| {
            place.is_some_and(|place| place.reward == reward)
                && take(&mut campaign.held, reward)
                && add(&mut campaign.paid, reward)
        });
        self.count_of(paid.creator, |earnings| {
            add(&mut earnings.earned, net) && add(&mut earnings.payable, net)
        });
    }

    fn give_back(&mut self, amount: Vcoin) {
        self.count(|campaign| take(&mut campaign.left, amount) && add(&mut campaign.returned, amount));
    }

    fn reserve(&mut self, payout: &PayoutOfCampaign) {
        let (creator, amount) = (payout.creator, payout.amount_vcoin);
        self.open_payouts.insert(payout.payout, OpenPayout { creator, amount });
        self.count_of(creator, |earnings| {
            take(&mut earnings.payable, amount) && add(&mut earnings.reserved, amount)
        });
    }

    /// The payout is open no longer; what it had reserved becomes something else.
    fn release(&mut self, payout: &PayoutOfCampaign, into: impl FnOnce(&mut Earnings) -> bool) {
        self.open_payouts.remove(&payout.payout);
        let amount = payout.amount_vcoin;
        self.count_of(payout.creator, |earnings| {
            take(&mut earnings.reserved, amount) && into(earnings)
        });
    }

    /// Changes sums. What cannot be counted is remembered: no decision trusts the sums then.
    fn count(&mut self, change: impl FnOnce(&mut Campaign) -> bool) {
        self.adds_up &= change(self);
    }

    fn count_of(&mut self, creator: UserId, change: impl FnOnce(&mut Earnings) -> bool) {
        self.adds_up &= change(self.earnings.entry(creator).or_default());
    }
}

/// Adds to a sum; false where no amount can hold it.
fn add(sum: &mut Vcoin, amount: Vcoin) -> bool {
    sum.checked_add(amount).map(|after| *sum = after).is_some()
}

/// Takes from a sum; false where that has less.
fn take(sum: &mut Vcoin, amount: Vcoin) -> bool {
    sum.checked_sub(amount).map(|after| *sum = after).is_some()
}
