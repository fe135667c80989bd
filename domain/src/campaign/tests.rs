//! Tests of the decisions, and the campaign that they are about.

mod closing;
mod drafts;
mod flags;
mod identities;
mod missions;
mod payouts;
mod places;
mod table;

use super::*;
use crate::ids::{AssignmentId, CampaignId, FlagId, MissionId, PayoutId, UserId};
use crate::money::Vcoin;
use crate::requirements::Requirements;
use crate::sum::VcoinSum;
use crate::terms::BasisPoints;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

const CAMPAIGN: CampaignId = CampaignId(Uuid::from_u128(1));
const SPONSOR: UserId = UserId(Uuid::from_u128(2));
const CREATOR: UserId = UserId(Uuid::from_u128(3));
const OTHER: UserId = UserId(Uuid::from_u128(4));
const MISSION: MissionId = MissionId(Uuid::from_u128(5));
const SECOND: MissionId = MissionId(Uuid::from_u128(6));
const PAYOUT: PayoutId = PayoutId(Uuid::from_u128(7));
const FLAG: FlagId = FlagId(Uuid::from_u128(8));
const FUNDING: Uuid = Uuid::from_u128(100);
const HOLD: Uuid = Uuid::from_u128(101);
const REWARD: Uuid = Uuid::from_u128(102);
const REFUND: Uuid = Uuid::from_u128(103);
const FEE: BasisPoints = BasisPoints(500);

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn now() -> DateTime<Utc> {
    at("2026-03-01T12:00:00Z")
}

fn deadline() -> DateTime<Utc> {
    at("2026-03-20T00:00:00Z")
}

fn end() -> DateTime<Utc> {
    at("2026-03-31T00:00:00Z")
}

fn vcoin(text: &str) -> Vcoin {
    Vcoin::parse(text).unwrap()
}

fn sum(text: &str) -> VcoinSum {
    vcoin(text).into()
}

/// The first assignment: the creator's part in the mission.
fn first() -> AssignmentId {
    AssignmentId::of(MISSION, CREATOR)
}

/// The other creator's part in it.
fn other() -> AssignmentId {
    AssignmentId::of(MISSION, OTHER)
}

fn brief() -> Brief {
    let Value::Object(kpi_config) = json!({"deliverables": 10, "watch_hours": 2.5}) else {
        unreachable!("it is an object")
    };
    Brief {
        budget_vcoin: vcoin("1000"),
        campaign_type: "launch".to_owned(),
        description: "A new game.\nShow it.".to_owned(),
        end_at: end(),
        kpi_config,
        start_at: at("2026-03-01T00:00:00Z"),
        title: "Launch".to_owned(),
    }
}

fn created() -> CampaignEvent {
    CampaignEvent::Created(Created {
        brief: brief(),
        campaign: CAMPAIGN,
        sponsor: SPONSOR,
    })
}

fn of_campaign() -> OfCampaign {
    OfCampaign { campaign: CAMPAIGN }
}

fn of_mission(mission: MissionId) -> OfMission {
    let campaign = CAMPAIGN;
    OfMission { campaign, mission }
}

fn new_mission(mission: MissionId) -> NewMission {
    NewMission {
        mission,
        mission_type: "clip".to_owned(),
        requirements: Requirements::parse(json!({"required": ["url"]})).unwrap(),
        reward: vcoin("100"),
        deadline: deadline(),
        places: 2,
    }
}

fn added(mission: MissionId) -> CampaignEvent {
    let new = new_mission(mission);
    CampaignEvent::MissionAdded(MissionAdded {
        campaign: CAMPAIGN,
        deadline: new.deadline,
        mission,
        mission_type: new.mission_type,
        places: new.places,
        requirements: new.requirements,
        reward_vcoin: new.reward,
    })
}

fn funded(amount: &str) -> CampaignEvent {
    CampaignEvent::Funded(Funded {
        amount_vcoin: vcoin(amount),
        campaign: CAMPAIGN,
        sponsor: SPONSOR,
        transaction: FUNDING,
    })
}

fn published() -> CampaignEvent {
    CampaignEvent::Published(of_campaign())
}

fn paused() -> CampaignEvent {
    CampaignEvent::Paused(WithReason {
        campaign: CAMPAIGN,
        reason: None,
    })
}

fn taken(assignment: AssignmentId, creator: UserId) -> CampaignEvent {
    CampaignEvent::PlaceTaken(PlaceTaken {
        assignment,
        campaign: CAMPAIGN,
        creator,
        hold: HOLD,
        mission: MISSION,
        reward_vcoin: vcoin("100"),
    })
}

fn freed(assignment: AssignmentId) -> CampaignEvent {
    CampaignEvent::PlaceFreed(PlaceFreed {
        assignment,
        campaign: CAMPAIGN,
        hold: HOLD,
        mission: MISSION,
        reward_vcoin: vcoin("100"),
    })
}

fn paid(assignment: AssignmentId, creator: UserId) -> CampaignEvent {
    CampaignEvent::RewardPaid(RewardPaid {
        assignment,
        campaign: CAMPAIGN,
        creator,
        fee_bps: FEE,
        fee_vcoin: vcoin("5"),
        hold: HOLD,
        mission: MISSION,
        net_vcoin: vcoin("95"),
        reward_vcoin: vcoin("100"),
        sponsor: SPONSOR,
        transaction: REWARD,
    })
}

fn returned(amount: &str) -> Returned {
    let returned_vcoin = vcoin(amount);
    Returned {
        campaign: CAMPAIGN,
        returned_vcoin,
        sponsor: SPONSOR,
        transaction: returned_vcoin.is_positive().then_some(REFUND),
    }
}

fn payout(amount: &str) -> PayoutOfCampaign {
    PayoutOfCampaign {
        amount_vcoin: vcoin(amount),
        campaign: CAMPAIGN,
        creator: CREATOR,
        payout: PAYOUT,
    }
}

/// A draft with a mission and 500 VCOIN in its escrow.
fn draft() -> Vec<CampaignEvent> {
    vec![created(), added(MISSION), funded("500")]
}

/// The same, published.
fn running() -> Vec<CampaignEvent> {
    draft().into_iter().chain([published()]).collect()
}

/// The same, with a creator at work.
fn at_work() -> Vec<CampaignEvent> {
    running().into_iter().chain([taken(first(), CREATOR)]).collect()
}

/// The same, closing because of the creator who is at work.
fn closing() -> Vec<CampaignEvent> {
    let closing = [
        CampaignEvent::MissionClosed(of_mission(MISSION)),
        CampaignEvent::Closing(returned("400")),
    ];
    at_work().into_iter().chain(closing).collect()
}

/// Closed, after the creator was paid.
fn closed() -> Vec<CampaignEvent> {
    let end = [paid(first(), CREATOR), CampaignEvent::Closed(returned("0"))];
    closing().into_iter().chain(end).collect()
}

fn create() -> CampaignCommand {
    CampaignCommand::Create {
        campaign: CAMPAIGN,
        sponsor: SPONSOR,
        brief: brief(),
        now: now().into(),
    }
}

fn take(assignment: AssignmentId, creator: UserId) -> CampaignCommand {
    CampaignCommand::TakePlace {
        mission: MISSION,
        assignment,
        creator,
        hold: HOLD,
        open_call: false,
        now: now().into(),
    }
}

fn free(assignment: AssignmentId) -> CampaignCommand {
    CampaignCommand::FreePlace {
        assignment,
        refund: REFUND,
    }
}

fn pay(assignment: AssignmentId) -> CampaignCommand {
    CampaignCommand::PayReward {
        assignment,
        fee: FEE,
        transaction: REWARD,
        refund: REFUND,
    }
}

fn fund(amount: &str) -> CampaignCommand {
    CampaignCommand::Fund {
        amount: vcoin(amount),
        transaction: FUNDING,
    }
}

fn reserve(amount: &str) -> CampaignCommand {
    CampaignCommand::ReservePayout {
        payout: PAYOUT,
        creator: CREATOR,
        amount: vcoin(amount),
    }
}
