//! Whatever is asked of a campaign, in whatever order: no money appears, disappears, or is promised twice.

use super::*;
use crate::aggregate::Aggregate;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A step of a random journey. Small numbers stand for ids, so that steps meet.
#[derive(Debug, Clone)]
enum Step {
    Publish,
    Pause,
    Add(u8, i64, u32),
    CloseMission(u8),
    Fund(i64),
    Take(u8, u8),
    Free(u8, u8),
    Pay(u8, u8, u16),
    Close,
    Reserve(u8, u8, i64),
    Return(u8),
    Settle(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let mission = 0_u8..3;
    let creator = 0_u8..4;
    let payout = 0_u8..6;
    let place = (mission.clone(), creator.clone());
    prop_oneof![
        2 => Just(Step::Publish),
        1 => Just(Step::Pause),
        3 => (mission.clone(), 1_i64..3_000_000, 1_u32..4).prop_map(|(m, r, p)| Step::Add(m, r, p)),
        1 => mission.prop_map(Step::CloseMission),
        3 => (1_i64..5_000_000).prop_map(Step::Fund),
        8 => place.clone().prop_map(|(m, c)| Step::Take(m, c)),
        4 => place.clone().prop_map(|(m, c)| Step::Free(m, c)),
        6 => (place, 0_u16..=10_000).prop_map(|((m, c), bps)| Step::Pay(m, c, bps)),
        1 => Just(Step::Close),
        4 => (payout.clone(), creator, 1_i64..2_000_000).prop_map(|(p, c, a)| Step::Reserve(p, c, a)),
        2 => payout.clone().prop_map(Step::Return),
        2 => payout.prop_map(Step::Settle),
    ]
}

fn minor(amount: i64) -> Vcoin {
    Vcoin(viral_ledger::Amount::from_minor(amount.into()).unwrap())
}

fn mission_id(number: u8) -> MissionId {
    MissionId(Uuid::from_u128(1_000 + u128::from(number)))
}

fn creator_id(number: u8) -> UserId {
    UserId(Uuid::from_u128(2_000 + u128::from(number)))
}

fn payout_id(number: u8) -> PayoutId {
    PayoutId(Uuid::from_u128(3_000 + u128::from(number)))
}

fn command(step: &Step) -> CampaignCommand {
    let assignment = |mission: u8, creator: u8| AssignmentId::of(mission_id(mission), creator_id(creator));
    match *step {
        Step::Publish => CampaignCommand::Publish { now: now() },
        Step::Pause => CampaignCommand::Pause { reason: None },
        Step::Add(mission, reward, places) => CampaignCommand::AddMission {
            mission: NewMission {
                reward: minor(reward),
                places,
                ..new_mission(mission_id(mission))
            },
            now: now(),
        },
        Step::CloseMission(mission) => CampaignCommand::CloseMission {
            mission: mission_id(mission),
        },
        Step::Fund(amount) => CampaignCommand::Fund {
            amount: minor(amount),
            transaction: FUNDING,
        },
        Step::Take(mission, creator) => CampaignCommand::TakePlace {
            mission: mission_id(mission),
            assignment: assignment(mission, creator),
            creator: creator_id(creator),
            hold: HOLD,
            open_call: false,
            now: now(),
        },
        Step::Free(mission, creator) => free(assignment(mission, creator)),
        Step::Pay(mission, creator, bps) => CampaignCommand::PayReward {
            assignment: assignment(mission, creator),
            fee: BasisPoints(bps),
            transaction: REWARD,
            refund: REFUND,
        },
        Step::Close => CampaignCommand::Close { refund: REFUND },
        Step::Reserve(payout, creator, amount) => CampaignCommand::ReservePayout {
            payout: payout_id(payout),
            creator: creator_id(creator),
            amount: minor(amount),
        },
        Step::Return(payout) => CampaignCommand::ReturnPayout {
            payout: payout_id(payout),
        },
        Step::Settle(payout) => CampaignCommand::SettlePayout {
            payout: payout_id(payout),
        },
    }
}

/// What the events alone say, in plain integers that may go below zero.
#[derive(Default)]
struct Books {
    funded: i128,
    held: i128,
    paid: i128,
    fees: i128,
    returned: i128,
    rewarded: BTreeSet<AssignmentId>,
    net: BTreeMap<UserId, i128>,
    out: BTreeMap<UserId, i128>,
}

impl Books {
    fn book(&mut self, event: &CampaignEvent) {
        let of = |amount: Vcoin| amount.0.minor();
        match event {
            CampaignEvent::Funded(event) => self.funded += of(event.amount_vcoin),
            CampaignEvent::PlaceTaken(event) => self.held += of(event.reward_vcoin),
            CampaignEvent::PlaceFreed(event) => self.held -= of(event.reward_vcoin),
            CampaignEvent::RewardPaid(event) => {
                assert!(self.rewarded.insert(event.assignment), "paid twice: {event:?}");
                assert_eq!(of(event.reward_vcoin), of(event.net_vcoin) + of(event.fee_vcoin));
                self.held -= of(event.reward_vcoin);
                self.paid += of(event.reward_vcoin);
                self.fees += of(event.fee_vcoin);
                *self.net.entry(event.creator).or_default() += of(event.net_vcoin);
            }
            CampaignEvent::Closing(event) | CampaignEvent::Closed(event) => {
                assert_eq!(event.transaction.is_some(), of(event.returned_vcoin) > 0);
                self.returned += of(event.returned_vcoin);
            }
            CampaignEvent::PayoutReserved(event) => {
                *self.out.entry(event.creator).or_default() += of(event.amount_vcoin)
            }
            CampaignEvent::PayoutReturned(event) => {
                *self.out.entry(event.creator).or_default() -= of(event.amount_vcoin)
            }
            _ => {}
        }
    }

    fn check(&self, campaign: &Campaign) {
        let of = |amount: Vcoin| amount.0.minor();
        let left = self.funded - self.held - self.paid - self.returned;
        assert!(left >= 0 && self.held >= 0, "the escrow covers what is held");
        assert_eq!(of(campaign.left()), left);
        assert_eq!(of(campaign.held()), self.held);
        assert_eq!((of(campaign.paid), of(campaign.returned)), (self.paid, self.returned));
        assert_eq!(self.net.values().sum::<i128>() + self.fees, self.paid);
        for (creator, earnings) in &campaign.earnings {
            let (net, out) = (self.net.get(creator).unwrap_or(&0), self.out.get(creator).unwrap_or(&0));
            assert!(out <= net, "more was paid out than earned");
            assert_eq!(of(earnings.earned), *net);
            assert_eq!(of(earnings.reserved) + of(earnings.paid_out), *out);
            assert_eq!(of(campaign.payable(*creator)), net - out);
        }
        for (id, mission) in &campaign.missions {
            let held = campaign.places.values().filter(|place| place.mission == *id).count();
            assert!(held <= mission.taken as usize && mission.taken <= mission.added.places);
        }
        match campaign.status {
            Status::Closing => assert!(!campaign.places.is_empty(), "closing waits for open work"),
            Status::Closed => assert_eq!((self.held, left), (0, 0), "nothing stays in the escrow"),
            _ => assert_eq!(self.returned, 0),
        }
    }
}

fn walk(campaign: &mut Campaign, books: &mut Books, command: &CampaignCommand) {
    for event in campaign.decide(command).unwrap_or_default() {
        campaign.evolve(&event);
        books.book(&event);
    }
    books.check(campaign);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn money_is_kept(steps in prop::collection::vec(step(), 1..120)) {
        let (mut campaign, mut books) = (Campaign::default(), Books::default());
        walk(&mut campaign, &mut books, &create());
        for step in &steps {
            walk(&mut campaign, &mut books, &command(step));
        }
        // However it went, it can be brought to its end.
        walk(&mut campaign, &mut books, &CampaignCommand::Close { refund: REFUND });
        let open: Vec<AssignmentId> = campaign.places.keys().copied().collect();
        for (number, assignment) in open.into_iter().enumerate() {
            let last = if number % 2 == 0 { pay(assignment) } else { free(assignment) };
            walk(&mut campaign, &mut books, &last);
        }
        prop_assert_eq!(campaign.status, Status::Closed);
        prop_assert_eq!(books.returned + books.paid, books.funded);
    }
}
