//! What can be asked of a campaign.

use super::Brief;
use crate::ids::{AssignmentId, CampaignId, FlagId, MissionId, PayoutId, UserId};
use crate::money::Vcoin;
use crate::present::Present;
use crate::requirements::Requirements;
use crate::terms::BasisPoints;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

/// A command to a campaign. Ids of transactions and holds are those that the ledger's events will have.
#[derive(Debug, Clone, PartialEq)]
pub enum CampaignCommand {
    /// Make a draft.
    Create {
        /// The new campaign.
        campaign: CampaignId,
        /// Whose.
        sponsor: UserId,
        /// What it says.
        brief: Brief,
        /// The present.
        now: Present,
    },
    /// Change a draft.
    Edit {
        /// What changes.
        edit: BriefEdit,
        /// The present.
        now: Present,
    },
    /// Let creators take part: a draft for the first time, a paused campaign again.
    Publish {
        /// The present.
        now: Present,
    },
    /// Let nobody new take part for now.
    Pause {
        /// Why.
        reason: Option<String>,
    },
    /// Add a mission.
    AddMission {
        /// The mission.
        mission: NewMission,
        /// The present.
        now: Present,
    },
    /// Let every creator take part in a mission without an invitation.
    OpenMission {
        /// Which.
        mission: MissionId,
        /// The present.
        now: Present,
    },
    /// Let nobody new take part in a mission any more.
    CloseMission {
        /// Which.
        mission: MissionId,
    },
    /// Put V-Coin into the escrow.
    Fund {
        /// How much.
        amount: Vcoin,
        /// The ledger's transaction.
        transaction: Uuid,
    },
    /// Hold the reward of a mission for a creator.
    TakePlace {
        /// Which mission.
        mission: MissionId,
        /// For which assignment.
        assignment: AssignmentId,
        /// For whom.
        creator: UserId,
        /// The hold to be placed.
        hold: Uuid,
        /// Whether the creator comes by the open call, without an invitation.
        open_call: bool,
        /// The present.
        now: Present,
    },
    /// Let the reward go back into the escrow. The last place of a closing campaign closes it.
    FreePlace {
        /// Of which assignment.
        assignment: AssignmentId,
        /// The ledger's transaction for the rest, if this closes the campaign.
        refund: Uuid,
    },
    /// Pay the reward. The last place of a closing campaign closes it.
    PayReward {
        /// For which assignment.
        assignment: AssignmentId,
        /// The platform's share, as agreed at acceptance.
        fee: BasisPoints,
        /// The ledger's transaction.
        transaction: Uuid,
        /// The ledger's transaction for the rest, if this closes the campaign.
        refund: Uuid,
    },
    /// End it: at once where nobody works, otherwise when the open work is settled.
    Close {
        /// The ledger's transaction for what is not held.
        refund: Uuid,
    },
    /// Set aside what a creator earned here for a payout.
    ReservePayout {
        /// Which payout.
        payout: PayoutId,
        /// Whose.
        creator: UserId,
        /// How much.
        amount: Vcoin,
    },
    /// A payout did not happen.
    ReturnPayout {
        /// Which payout.
        payout: PayoutId,
    },
    /// A payout was made.
    SettlePayout {
        /// Which payout.
        payout: PayoutId,
    },
    /// A suspicion comes up.
    Flag {
        /// Which.
        flag: FlagId,
        /// Against one creator; everybody in the campaign if absent.
        creator: Option<UserId>,
    },
    /// A suspicion is dismissed.
    ClearFlag {
        /// Which.
        flag: FlagId,
    },
}

/// What changes in a draft; absent fields stay.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BriefEdit {
    /// The kind of campaign.
    pub campaign_type: Option<String>,
    /// The title.
    pub title: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// The targets, as a whole.
    pub kpi_config: Option<Map<String, Value>>,
    /// The budget.
    pub budget_vcoin: Option<Vcoin>,
    /// The start.
    pub start_at: Option<DateTime<Utc>>,
    /// The end.
    pub end_at: Option<DateTime<Utc>>,
}

/// A mission to be added.
#[derive(Debug, Clone, PartialEq)]
pub struct NewMission {
    /// The new mission.
    pub mission: MissionId,
    /// The kind of mission.
    pub mission_type: String,
    /// What a deliverable must fit.
    pub requirements: Requirements,
    /// What each creator is paid, the fee included.
    pub reward: Vcoin,
    /// Until when work can be submitted.
    pub deadline: DateTime<Utc>,
    /// How many creators may be paid.
    pub places: u32,
}
