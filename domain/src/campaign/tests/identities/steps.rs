//! The steps of a random journey.

use super::super::*;
use proptest::prelude::*;

/// A step. Small numbers stand for ids, so that steps meet.
#[derive(Debug, Clone)]
pub(super) enum Step {
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

pub(super) fn step() -> impl Strategy<Value = Step> {
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

pub(super) fn creator_id(number: u8) -> UserId {
    UserId(Uuid::from_u128(2_000 + u128::from(number)))
}

fn payout_id(number: u8) -> PayoutId {
    PayoutId(Uuid::from_u128(3_000 + u128::from(number)))
}

pub(super) fn command(number: u128, step: &Step) -> CampaignCommand {
    let assignment = |mission: u8, creator: u8| AssignmentId::of(mission_id(mission), creator_id(creator));
    // Every step names transactions and holds of its own.
    let (id, refund) = (
        Uuid::from_u128(10_000 + 2 * number),
        Uuid::from_u128(10_001 + 2 * number),
    );
    match *step {
        Step::Publish => CampaignCommand::Publish { now: now().into() },
        Step::Pause => CampaignCommand::Pause { reason: None },
        Step::Add(mission, reward, places) => CampaignCommand::AddMission {
            mission: NewMission {
                reward: minor(reward),
                places,
                ..new_mission(mission_id(mission))
            },
            now: now().into(),
        },
        Step::CloseMission(mission) => CampaignCommand::CloseMission {
            mission: mission_id(mission),
        },
        Step::Fund(amount) => CampaignCommand::Fund {
            amount: minor(amount),
            transaction: id,
        },
        Step::Take(mission, creator) => CampaignCommand::TakePlace {
            mission: mission_id(mission),
            assignment: assignment(mission, creator),
            creator: creator_id(creator),
            hold: id,
            open_call: false,
            now: now().into(),
        },
        Step::Free(mission, creator) => CampaignCommand::FreePlace {
            assignment: assignment(mission, creator),
            refund,
        },
        Step::Pay(mission, creator, bps) => CampaignCommand::PayReward {
            assignment: assignment(mission, creator),
            fee: BasisPoints(bps),
            transaction: id,
            refund,
        },
        Step::Close => CampaignCommand::Close { refund },
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
