//! Tests of the decisions, and the assignment that they are about.

mod deliverables;
mod machine;
mod offers;
mod work;

use super::*;
use crate::ids::{AssignmentId, CampaignId, MissionId, UserId};
use crate::money::Vcoin;
use crate::requirements::Requirements;
use crate::terms::BasisPoints;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

const MISSION: MissionId = MissionId(Uuid::from_u128(5));
const CREATOR: UserId = UserId(Uuid::from_u128(3));
const HOLD: Uuid = Uuid::from_u128(101);
const SECOND_HOLD: Uuid = Uuid::from_u128(102);
const REWARD: Uuid = Uuid::from_u128(103);
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

fn vcoin(text: &str) -> Vcoin {
    Vcoin::parse(text).unwrap()
}

fn id() -> AssignmentId {
    AssignmentId::of(MISSION, CREATOR)
}

fn offer() -> Offered {
    Offered {
        assignment: id(),
        campaign: CampaignId(Uuid::from_u128(1)),
        creator: CREATOR,
        deadline: deadline(),
        mission: MISSION,
        reward_vcoin: vcoin("100"),
        sponsor: UserId(Uuid::from_u128(2)),
    }
}

fn link(url: &str) -> Deliverable {
    Deliverable {
        details: Map::new(),
        stream_id: None,
        url: Some(url.to_owned()),
    }
}

fn work() -> Deliverable {
    link("https://video.example/1")
}

fn because(reason: Option<&str>) -> WithReason {
    WithReason {
        assignment: id(),
        reason: reason.map(str::to_owned),
    }
}

fn invited() -> AssignmentEvent {
    AssignmentEvent::Invited(offer())
}

fn accepted() -> AssignmentEvent {
    AssignmentEvent::Accepted(Accepted {
        fee_bps: FEE,
        hold: HOLD,
        offer: offer(),
    })
}

fn submitted(submission: u32, hold: Option<Uuid>) -> AssignmentEvent {
    AssignmentEvent::Submitted(Submitted {
        assignment: id(),
        deliverable: work(),
        hold,
        submission,
    })
}

fn approved() -> AssignmentEvent {
    AssignmentEvent::Approved(Approved {
        assignment: id(),
        fee_vcoin: vcoin("5"),
        net_vcoin: vcoin("95"),
        transaction: REWARD,
    })
}

fn rejected() -> AssignmentEvent {
    AssignmentEvent::Rejected(because(Some("too short")))
}

fn expired() -> AssignmentEvent {
    AssignmentEvent::Expired(OfAssignment { assignment: id() })
}

/// What leads to a status, the shortest way.
fn past(status: Status) -> Vec<AssignmentEvent> {
    let end = match status {
        Status::Missing => return Vec::new(),
        Status::Invited => vec![],
        Status::Accepted => vec![accepted()],
        Status::Submitted => vec![accepted(), submitted(1, None)],
        Status::Approved => vec![accepted(), submitted(1, None), approved()],
        Status::Rejected => vec![accepted(), submitted(1, None), rejected()],
        Status::Declined => vec![AssignmentEvent::Declined(because(None))],
        Status::Withdrawn => vec![accepted(), AssignmentEvent::Withdrawn(because(None))],
        Status::Expired => vec![accepted(), expired()],
        Status::Cancelled => vec![AssignmentEvent::Cancelled(because(None))],
    };
    [vec![invited()], end].concat()
}

fn wrong(status: &'static str, action: &'static str, allowed: &'static [Status]) -> AssignmentError {
    AssignmentError::WrongStatus {
        status,
        action,
        allowed,
    }
}

fn invite(now: DateTime<Utc>) -> AssignmentCommand {
    let (offer, now) = (offer(), now.into());
    AssignmentCommand::Invite { offer, now }
}

fn accept(now: DateTime<Utc>) -> AssignmentCommand {
    let (fee, hold, now) = (FEE, HOLD, now.into());
    AssignmentCommand::Accept { fee, hold, now }
}

fn join(now: DateTime<Utc>) -> AssignmentCommand {
    AssignmentCommand::Join {
        offer: offer(),
        fee: FEE,
        hold: HOLD,
        now: now.into(),
    }
}

fn submit(deliverable: Deliverable, requirements: &Value, now: DateTime<Utc>) -> AssignmentCommand {
    let requirements = Requirements::parse(requirements.clone()).unwrap();
    AssignmentCommand::Submit {
        work: deliverable.fit(&requirements).unwrap(),
        hold: SECOND_HOLD,
        now: now.into(),
    }
}

fn approve() -> AssignmentCommand {
    AssignmentCommand::Approve {
        net: vcoin("95"),
        fee: vcoin("5"),
        transaction: REWARD,
    }
}

fn reject(reason: &str) -> AssignmentCommand {
    let reason = reason.to_owned();
    AssignmentCommand::Reject { reason }
}

fn decline(reason: Option<&str>) -> AssignmentCommand {
    let reason = reason.map(str::to_owned);
    AssignmentCommand::Decline { reason }
}

fn withdraw(reason: Option<&str>) -> AssignmentCommand {
    let reason = reason.map(str::to_owned);
    AssignmentCommand::Withdraw { reason }
}

fn cancel(reason: Option<&str>) -> AssignmentCommand {
    let reason = reason.map(str::to_owned);
    AssignmentCommand::Cancel { reason }
}
