//! What happens to a campaign, its missions and its money.

use crate::aggregate::DomainEvent;
use crate::effects::{self, Effect};
use crate::ids::{AssignmentId, CampaignId, FlagId, MissionId, PayoutId, UserId};
use crate::money::Vcoin;
use crate::requirements::Requirements;
use crate::terms::BasisPoints;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;
use viral_ledger::{Command, event_types, timestamp};

/// An event of stream `campaign/<id>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type")]
pub enum CampaignEvent {
    /// There is a draft; its escrow account is opened.
    #[serde(rename = "campaign.created")]
    Created(Created),
    /// The draft says something else.
    #[serde(rename = "campaign.edited")]
    Edited(Edited),
    /// Creators can see it and take part.
    #[serde(rename = "campaign.published")]
    Published(OfCampaign),
    /// Nobody new can take part for now.
    #[serde(rename = "campaign.paused")]
    Paused(WithReason),
    /// Creators can take part again.
    #[serde(rename = "campaign.resumed")]
    Resumed(OfCampaign),
    /// There is one more mission.
    #[serde(rename = "campaign.mission_added")]
    MissionAdded(MissionAdded),
    /// Every creator may take part in a mission without an invitation.
    #[serde(rename = "campaign.mission_opened")]
    MissionOpened(OfMission),
    /// Nobody new can take part in a mission any more.
    #[serde(rename = "campaign.mission_closed")]
    MissionClosed(OfMission),
    /// The sponsor put V-Coin into the escrow.
    #[serde(rename = "campaign.funded")]
    Funded(Funded),
    /// A creator works on a mission: the reward is held in the escrow.
    #[serde(rename = "campaign.place_taken")]
    PlaceTaken(PlaceTaken),
    /// A creator works on it no longer and is not paid: the hold is voided.
    #[serde(rename = "campaign.place_freed")]
    PlaceFreed(PlaceFreed),
    /// A creator was paid out of the escrow, less the fee.
    #[serde(rename = "campaign.reward_paid")]
    RewardPaid(RewardPaid),
    /// No new work; what is not held went back to the sponsor, open work is settled first.
    #[serde(rename = "campaign.closing")]
    Closing(Returned),
    /// It is over: the rest went back to the sponsor.
    #[serde(rename = "campaign.closed")]
    Closed(Returned),
    /// A creator asked for a payout of what was earned here.
    #[serde(rename = "campaign.payout_reserved")]
    PayoutReserved(PayoutOfCampaign),
    /// A payout did not happen: its amount may be asked for again.
    #[serde(rename = "campaign.payout_returned")]
    PayoutReturned(PayoutOfCampaign),
    /// A payout was made.
    #[serde(rename = "campaign.payout_settled")]
    PayoutSettled(PayoutOfCampaign),
    /// The campaign, or a creator in it, is under suspicion.
    #[serde(rename = "campaign.flagged")]
    Flagged(FlagOfCampaign),
    /// A suspicion was dismissed.
    #[serde(rename = "campaign.flag_cleared")]
    FlagCleared(FlagOfCampaign),
}

/// What a sponsor says about a campaign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Brief {
    /// The most that the sponsor wants to fund.
    pub budget_vcoin: Vcoin,
    /// What kind of campaign, in the sponsor's words.
    pub campaign_type: String,
    /// What it is about.
    pub description: String,
    /// When it ends.
    #[serde(with = "timestamp")]
    #[schemars(with = "DateTime<Utc>")]
    pub end_at: DateTime<Utc>,
    /// Targets by the name of their metric, each a number above zero: `{"deliverables": 10, "impressions": 100000}`.
    pub kpi_config: Map<String, Value>,
    /// When it starts.
    #[serde(with = "timestamp")]
    #[schemars(with = "DateTime<Utc>")]
    pub start_at: DateTime<Utc>,
    /// Its title.
    pub title: String,
}

/// A campaign was created.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Created {
    /// What it says.
    pub brief: Brief,
    /// Which campaign.
    pub campaign: CampaignId,
    /// Whose.
    pub sponsor: UserId,
}

/// A draft was edited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Edited {
    /// What it says now, as a whole.
    pub brief: Brief,
    /// Which campaign.
    pub campaign: CampaignId,
}

/// Something happened to a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfCampaign {
    /// Which campaign.
    pub campaign: CampaignId,
}

/// Something happened to a campaign, maybe for a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WithReason {
    /// Which campaign.
    pub campaign: CampaignId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A mission was added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MissionAdded {
    /// Which campaign.
    pub campaign: CampaignId,
    /// Until when work can be submitted.
    #[serde(with = "timestamp")]
    #[schemars(with = "DateTime<Utc>")]
    pub deadline: DateTime<Utc>,
    /// Which mission.
    pub mission: MissionId,
    /// What kind of mission, in the sponsor's words.
    pub mission_type: String,
    /// How many creators may be paid for it.
    pub places: u32,
    /// A JSON Schema that a deliverable must fit.
    pub requirements: Requirements,
    /// What each of them is paid, the fee included.
    pub reward_vcoin: Vcoin,
}

/// Something happened to a mission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfMission {
    /// Which campaign.
    pub campaign: CampaignId,
    /// Which mission.
    pub mission: MissionId,
}

/// The escrow was filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Funded {
    /// How much.
    pub amount_vcoin: Vcoin,
    /// Which campaign.
    pub campaign: CampaignId,
    /// From whose wallet.
    pub sponsor: UserId,
    /// The ledger's transaction.
    pub transaction: Uuid,
}

/// A place in a mission was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceTaken {
    /// By which assignment.
    pub assignment: AssignmentId,
    /// Which campaign.
    pub campaign: CampaignId,
    /// By whom.
    pub creator: UserId,
    /// The hold on the escrow.
    pub hold: Uuid,
    /// In which mission.
    pub mission: MissionId,
    /// What is held.
    pub reward_vcoin: Vcoin,
}

/// A place in a mission was given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceFreed {
    /// By which assignment.
    pub assignment: AssignmentId,
    /// Which campaign.
    pub campaign: CampaignId,
    /// The hold that was voided.
    pub hold: Uuid,
    /// In which mission.
    pub mission: MissionId,
    /// What is free again.
    pub reward_vcoin: Vcoin,
}

/// A reward was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RewardPaid {
    /// For which assignment.
    pub assignment: AssignmentId,
    /// Which campaign.
    pub campaign: CampaignId,
    /// To whom.
    pub creator: UserId,
    /// The platform's share, as agreed when the assignment was accepted.
    pub fee_bps: BasisPoints,
    /// The fee.
    pub fee_vcoin: Vcoin,
    /// The hold that was captured.
    pub hold: Uuid,
    /// For which mission.
    pub mission: MissionId,
    /// What the creator got: the reward less the fee.
    pub net_vcoin: Vcoin,
    /// What the sponsor paid.
    pub reward_vcoin: Vcoin,
    /// The campaign's sponsor.
    pub sponsor: UserId,
    /// The ledger's transaction.
    pub transaction: Uuid,
}

/// Money went back to the sponsor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Returned {
    /// Which campaign.
    pub campaign: CampaignId,
    /// How much; may be nothing.
    pub returned_vcoin: Vcoin,
    /// To whom.
    pub sponsor: UserId,
    /// The ledger's transaction, unless nothing was left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Uuid>,
}

/// A payout of what was earned in a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PayoutOfCampaign {
    /// How much.
    pub amount_vcoin: Vcoin,
    /// Where it was earned.
    pub campaign: CampaignId,
    /// By whom.
    pub creator: UserId,
    /// Which payout.
    pub payout: PayoutId,
}

/// A suspicion against a campaign, or against one creator in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlagOfCampaign {
    /// Which campaign.
    pub campaign: CampaignId,
    /// Against whom; everybody in it if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creator: Option<UserId>,
    /// Which suspicion.
    pub flag: FlagId,
}

event_types!(CampaignEvent {
    Created => "campaign.created" "1",
    Edited => "campaign.edited" "1",
    Published => "campaign.published" "1",
    Paused => "campaign.paused" "1",
    Resumed => "campaign.resumed" "1",
    MissionAdded => "campaign.mission_added" "1",
    MissionOpened => "campaign.mission_opened" "1",
    MissionClosed => "campaign.mission_closed" "1",
    Funded => "campaign.funded" "1",
    PlaceTaken => "campaign.place_taken" "1",
    PlaceFreed => "campaign.place_freed" "1",
    RewardPaid => "campaign.reward_paid" "1",
    Closing => "campaign.closing" "1",
    Closed => "campaign.closed" "1",
    PayoutReserved => "campaign.payout_reserved" "1",
    PayoutReturned => "campaign.payout_returned" "1",
    PayoutSettled => "campaign.payout_settled" "1",
    Flagged => "campaign.flagged" "1",
    FlagCleared => "campaign.flag_cleared" "1",
});

impl DomainEvent for CampaignEvent {
    fn effects(&self) -> Vec<Effect> {
        match self {
            CampaignEvent::Created(created) => vec![effects::open(effects::escrow(created.campaign))],
            CampaignEvent::Funded(funded) => vec![funded.effect()],
            CampaignEvent::PlaceTaken(taken) => vec![taken.effect()],
            CampaignEvent::PlaceFreed(freed) => vec![freed.effect()],
            CampaignEvent::RewardPaid(paid) => vec![paid.effect()],
            CampaignEvent::Closing(returned) | CampaignEvent::Closed(returned) => {
                returned.effect().into_iter().collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Funded {
    fn effect(&self) -> Effect {
        let (from, to) = (effects::wallet(self.sponsor), effects::escrow(self.campaign));
        let postings = vec![effects::vcoin(from, to, self.amount_vcoin)];
        effects::post(
            self.transaction,
            effects::transaction("fund", "campaign", self.campaign.0, postings),
        )
    }
}

impl PlaceTaken {
    fn effect(&self) -> Effect {
        Effect {
            id: Some(self.hold),
            command: Command::PlaceHold {
                account: effects::escrow(self.campaign),
                amount: self.reward_vcoin.0,
                asset: viral_ledger::Asset::VCOIN,
                expires_at: None,
                reference: Some(effects::reference("assignment", self.assignment.0)),
            },
        }
    }
}

impl PlaceFreed {
    fn effect(&self) -> Effect {
        Effect {
            id: None,
            command: Command::VoidHold {
                hold: self.hold,
                reason: None,
            },
        }
    }
}

impl RewardPaid {
    fn effect(&self) -> Effect {
        let escrow = effects::escrow(self.campaign);
        let postings = vec![
            effects::vcoin(escrow.clone(), effects::wallet(self.creator), self.net_vcoin),
            effects::vcoin(escrow, effects::fees(), self.fee_vcoin),
        ];
        Effect {
            id: Some(self.transaction),
            command: Command::Capture {
                hold: self.hold,
                transaction: effects::transaction("reward", "assignment", self.assignment.0, postings),
            },
        }
    }
}

impl Returned {
    fn effect(&self) -> Option<Effect> {
        let (from, to) = (effects::escrow(self.campaign), effects::wallet(self.sponsor));
        let postings = vec![effects::vcoin(from, to, self.returned_vcoin)];
        let transaction = effects::transaction("refund", "campaign", self.campaign.0, postings);
        Some(effects::post(self.transaction?, transaction))
    }
}
