//! The same story twice more: a real ledger, which refuses whatever is not covered, and sums of what the events say.

use super::super::*;
use super::steps::creator_id;
use crate::aggregate::DomainEvent;
use crate::effects;
use std::collections::{BTreeMap, BTreeSet};
use viral_ledger::{Account, Address, Asset, Book, Command, NormalSide};

pub(super) struct Books {
    ledger: Book,
    funded: i128,
    rewarded: BTreeSet<AssignmentId>,
    earned: BTreeMap<UserId, i128>,
    taken_out: BTreeMap<UserId, i128>,
}

fn minor(sum: impl Into<VcoinSum>) -> i128 {
    sum.into().minor()
}

impl Books {
    /// The sponsor's wallet has no bottom; all other accounts may not go below zero.
    pub(super) fn new() -> Books {
        let mut books = Books {
            ledger: Book::new(),
            funded: 0,
            rewarded: BTreeSet::new(),
            earned: BTreeMap::new(),
            taken_out: BTreeMap::new(),
        };
        books.open(effects::wallet(SPONSOR), true);
        books.open(effects::fees(), false);
        (0..4).for_each(|number| books.open(effects::wallet(creator_id(number)), false));
        books
    }

    fn open(&mut self, account: Address, may_go_negative: bool) {
        let (asset, normal_side) = (Asset::VCOIN, NormalSide::Credit);
        let open = Command::OpenAccount {
            account,
            asset,
            normal_side,
            may_go_negative,
        };
        self.post(Uuid::nil(), &open);
    }

    fn post(&mut self, id: Uuid, command: &Command) {
        let event = self.ledger.decide(id, now(), command);
        let event = event.unwrap_or_else(|refusal| panic!("the ledger refuses {command:?}: {refusal}"));
        self.ledger
            .evolve(now(), &event)
            .expect("what was decided can be applied");
    }

    pub(super) fn book(&mut self, event: &CampaignEvent) {
        for effect in event.effects() {
            self.post(effect.id.unwrap_or(Uuid::nil()), &effect.command);
        }
        match event {
            CampaignEvent::Funded(event) => self.funded += minor(event.amount_vcoin),
            CampaignEvent::RewardPaid(event) => {
                assert!(self.rewarded.insert(event.assignment), "paid twice: {event:?}");
                *self.earned.entry(event.creator).or_default() += minor(event.net_vcoin);
            }
            CampaignEvent::PayoutReserved(event) => {
                *self.taken_out.entry(event.creator).or_default() += minor(event.amount_vcoin);
            }
            CampaignEvent::PayoutReturned(event) => {
                *self.taken_out.entry(event.creator).or_default() -= minor(event.amount_vcoin);
            }
            _ => {}
        }
    }

    fn account(&self, address: &Address) -> &Account {
        self.ledger.account(address).expect("it was opened")
    }

    pub(super) fn check(&self, campaign: &Campaign) {
        let escrow = self.account(&effects::escrow(CAMPAIGN));
        assert_eq!(minor(campaign.held()), minor(Vcoin(escrow.held)));
        assert_eq!(minor(campaign.left()), escrow.available());
        assert_eq!(minor(campaign.funded), self.funded);
        let (paid, returned) = (minor(campaign.paid), minor(campaign.returned));
        assert_eq!(
            self.funded,
            paid + minor(campaign.held()) + minor(campaign.left()) + returned
        );
        assert_eq!(
            self.account(&effects::wallet(SPONSOR)).balance(),
            returned - self.funded
        );
        let earned: i128 = self.earned.values().sum();
        assert_eq!(self.account(&effects::fees()).balance(), paid - earned);
        self.check_earnings(campaign);
        self.check_places(campaign);
    }

    fn check_earnings(&self, campaign: &Campaign) {
        for (creator, earnings) in &campaign.earnings {
            let earned = self.earned.get(creator).copied().unwrap_or_default();
            let out = self.taken_out.get(creator).copied().unwrap_or_default();
            assert!(out <= earned, "more was taken out than was earned");
            assert_eq!(self.account(&effects::wallet(*creator)).balance(), earned);
            assert_eq!(minor(earnings.earned), earned);
            assert_eq!(minor(earnings.reserved) + minor(earnings.paid_out), out);
            assert_eq!(minor(campaign.payable(*creator)), earned - out);
            let open = campaign
                .open_payouts
                .values()
                .filter(|payout| payout.creator == *creator);
            assert_eq!(
                open.map(|payout| minor(payout.amount)).sum::<i128>(),
                minor(earnings.reserved)
            );
        }
    }

    fn check_places(&self, campaign: &Campaign) {
        for (id, mission) in &campaign.missions {
            let held = campaign.places.values().filter(|place| place.mission == *id).count();
            assert!(held <= mission.taken as usize && mission.taken <= mission.added.places);
        }
        assert!(
            campaign
                .places
                .values()
                .all(|place| self.ledger.hold(place.hold).is_some())
        );
        match campaign.status {
            Status::Closing => assert!(!campaign.places.is_empty(), "it waits for open work"),
            Status::Closed => assert_eq!(self.account(&effects::escrow(CAMPAIGN)).balance(), 0),
            _ => assert_eq!(campaign.returned, Vcoin::ZERO),
        }
    }
}
