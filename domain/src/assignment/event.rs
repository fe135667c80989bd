//! What happens to a creator's part in a mission. The money is the campaign's: each event here that takes or frees a
//! place stands in one unit with the campaign's event about it.

use crate::aggregate::DomainEvent;
use crate::effects::Effect;
use crate::ids::{AssignmentId, CampaignId, MissionId, UserId};
use crate::money::Vcoin;
use crate::terms::BasisPoints;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;
use viral_ledger::{event_types, timestamp};

/// An event of stream `assignment/<id>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type")]
pub enum AssignmentEvent {
    /// The sponsor asks the creator to take part.
    #[serde(rename = "assignment.invited")]
    Invited(Offered),
    /// The creator takes part; without an invitation where the mission is an open call.
    #[serde(rename = "assignment.accepted")]
    Accepted(Accepted),
    /// The creator does not want to.
    #[serde(rename = "assignment.declined")]
    Declined(WithReason),
    /// The creator gives the place back.
    #[serde(rename = "assignment.withdrawn")]
    Withdrawn(WithReason),
    /// The creator hands in work.
    #[serde(rename = "assignment.submitted")]
    Submitted(Submitted),
    /// The sponsor takes the work: the reward is paid.
    #[serde(rename = "assignment.approved")]
    Approved(Approved),
    /// The sponsor does not take the work as it is.
    #[serde(rename = "assignment.rejected")]
    Rejected(WithReason),
    /// The deadline passed without work.
    #[serde(rename = "assignment.expired")]
    Expired(OfAssignment),
    /// The invitation is void, because the campaign or the mission was closed.
    #[serde(rename = "assignment.cancelled")]
    Cancelled(WithReason),
}

/// A creator was asked to take part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Offered {
    /// Which assignment.
    pub assignment: AssignmentId,
    /// In which campaign.
    pub campaign: CampaignId,
    /// Who is asked.
    pub creator: UserId,
    /// Until when work can be submitted.
    #[serde(with = "timestamp")]
    #[schemars(with = "DateTime<Utc>")]
    pub deadline: DateTime<Utc>,
    /// In which mission.
    pub mission: MissionId,
    /// What it pays, the fee included.
    pub reward_vcoin: Vcoin,
    /// Who asks.
    pub sponsor: UserId,
}

/// A creator takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// The platform's share of the reward, fixed from now on.
    pub fee_bps: BasisPoints,
    /// The hold on the escrow.
    pub hold: Uuid,
    /// What was offered.
    pub offer: Offered,
}

/// Something happened to an assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfAssignment {
    /// Which assignment.
    pub assignment: AssignmentId,
}

/// Something happened to an assignment, maybe for a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithReason {
    /// Which assignment.
    pub assignment: AssignmentId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Work: a link or a stream, and whatever else the mission requires to be said about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deliverable {
    /// What the mission's requirements ask for beside the link.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
    /// The stream that it was done in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_id: Option<Uuid>,
    /// Where it can be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Work was handed in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Submitted {
    /// Which assignment.
    pub assignment: AssignmentId,
    /// The work.
    pub deliverable: Deliverable,
    /// The new hold on the escrow, where a rejection had voided the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Uuid>,
    /// Which submission of this assignment, from 1.
    pub submission: u32,
}

/// Work was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    /// Which assignment.
    pub assignment: AssignmentId,
    /// The platform's share of the reward.
    pub fee_vcoin: Vcoin,
    /// What the creator got.
    pub net_vcoin: Vcoin,
    /// The ledger's transaction.
    pub transaction: Uuid,
}

event_types!(AssignmentEvent {
    Invited => "assignment.invited" "1",
    Accepted => "assignment.accepted" "1",
    Declined => "assignment.declined" "1",
    Withdrawn => "assignment.withdrawn" "1",
    Submitted => "assignment.submitted" "1",
    Approved => "assignment.approved" "1",
    Rejected => "assignment.rejected" "1",
    Expired => "assignment.expired" "1",
    Cancelled => "assignment.cancelled" "1",
});

impl DomainEvent for AssignmentEvent {
    fn effects(&self) -> Vec<Effect> {
        Vec::new()
    }
}
