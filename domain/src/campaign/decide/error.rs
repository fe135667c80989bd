//! Why a campaign refuses, in the order of the checks.

use super::super::Status;
use crate::codes::refusal_codes;
use crate::ids::{AssignmentId, FlagId, MissionId, PayoutId};
use crate::money::Vcoin;
use crate::text::InvalidText;
use chrono::{DateTime, Utc};
use viral_ledger::timestamp::to_text;

/// Why a campaign refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CampaignError {
    /// The id is taken.
    #[error("this campaign exists already: use another id")]
    AlreadyExists,
    /// There is none.
    #[error("there is no such campaign")]
    Unknown,
    /// Its events say of its money what cannot be: nothing that depends on it is decided.
    #[error("what the log says of this campaign's money does not add up: run `viral audit verify`")]
    DoesNotAddUp,
    /// Not as the campaign is now.
    #[error("the campaign is {status}: {action} only while it is {}", names(.allowed))]
    WrongStatus {
        /// How far it is.
        status: &'static str,
        /// What was asked, such as "it can be published".
        action: &'static str,
        /// When this can be done.
        allowed: &'static [Status],
    },
    /// An edit without a field.
    #[error("nothing is to be changed: give at least one field")]
    NothingToChange,
    /// What the campaign would say is not valid.
    #[error("{field} {problem}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// What the mission would say is not valid.
    #[error("{field} {problem}")]
    InvalidMission {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A text is not valid.
    #[error(transparent)]
    InvalidText(#[from] InvalidText),
    /// An amount of nothing.
    #[error("the amount must be more than zero")]
    InvalidAmount,
    /// There is nothing to take part in.
    #[error("the campaign has no mission: add one before it is published")]
    NoMission,
    /// Its time is over.
    #[error("the campaign ended at {}", to_text(.end_at))]
    Ended {
        /// When.
        end_at: DateTime<Utc>,
    },
    /// The mission's id is taken.
    #[error("mission {mission} exists already: use another id")]
    MissionExists {
        /// Which.
        mission: MissionId,
    },
    /// There are as many missions as there can be.
    #[error("the campaign has {max} missions, more are not possible: make another campaign")]
    TooManyMissions {
        /// How many.
        max: usize,
    },
    /// There is no such mission.
    #[error("the campaign has no mission {mission}")]
    UnknownMission {
        /// Which.
        mission: MissionId,
    },
    /// Nobody new can take part in it.
    #[error("mission {mission} is closed")]
    MissionClosed {
        /// Which.
        mission: MissionId,
    },
    /// It is an open call.
    #[error("mission {mission} is an open call already")]
    AlreadyOpenCall {
        /// Which.
        mission: MissionId,
    },
    /// It is no open call.
    #[error("mission {mission} is no open call: the sponsor has to invite you")]
    NotAnOpenCall {
        /// Which.
        mission: MissionId,
    },
    /// It is too late.
    #[error("the deadline of mission {mission} passed at {}", to_text(.deadline))]
    DeadlinePassed {
        /// Of which mission.
        mission: MissionId,
        /// When.
        deadline: DateTime<Utc>,
    },
    /// The assignment has a place.
    #[error("assignment {assignment} holds a place already")]
    PlaceHeld {
        /// Which.
        assignment: AssignmentId,
    },
    /// The assignment was paid.
    #[error("assignment {assignment} was paid already: a creator is paid once for a mission")]
    AlreadyPaid {
        /// Which.
        assignment: AssignmentId,
    },
    /// All places are taken.
    #[error("all {places} places of mission {mission} are taken")]
    MissionFull {
        /// Of which mission.
        mission: MissionId,
        /// How many there are.
        places: u32,
    },
    /// The assignment has no place.
    #[error("assignment {assignment} holds no place")]
    UnknownPlace {
        /// Which.
        assignment: AssignmentId,
    },
    /// More than the sponsor wanted to fund.
    #[error("{amount} VCOIN is more than the budget allows: {funded} of {budget} VCOIN are funded")]
    BudgetExceeded {
        /// The budget.
        budget: Vcoin,
        /// What was funded before.
        funded: Vcoin,
        /// What was to be funded.
        amount: Vcoin,
    },
    /// The escrow does not cover the reward.
    #[error("the reward of {needed} VCOIN is not covered: {left} VCOIN are left in the escrow, fund the campaign")]
    EscrowTooLow {
        /// The reward.
        needed: Vcoin,
        /// What is left.
        left: Vcoin,
    },
    /// The payout's id is taken.
    #[error("payout {payout} is open already: use another id")]
    PayoutExists {
        /// Which.
        payout: PayoutId,
    },
    /// More than was earned here.
    #[error("{requested} VCOIN is more than can be paid out: {payable} VCOIN of what was earned here are left")]
    PayoutExceedsEarnings {
        /// What can be paid out.
        payable: Vcoin,
        /// What was asked for.
        requested: Vcoin,
    },
    /// There is no such payout open here.
    #[error("the campaign has no open payout {payout}")]
    UnknownPayout {
        /// Which.
        payout: PayoutId,
    },
    /// The suspicion is known.
    #[error("flag {flag} is raised against the campaign already")]
    FlagExists {
        /// Which.
        flag: FlagId,
    },
    /// There is no such suspicion.
    #[error("flag {flag} is not raised against the campaign")]
    UnknownFlag {
        /// Which.
        flag: FlagId,
    },
}

refusal_codes!(CampaignError {
    AlreadyExists => "already_exists",
    Unknown => "unknown_campaign",
    DoesNotAddUp => "amount_out_of_range",
    WrongStatus { .. } => "campaign_wrong_status",
    NothingToChange => "nothing_to_change",
    Invalid { .. } => "invalid_campaign",
    InvalidMission { .. } => "invalid_mission",
    InvalidText(_) => "invalid_text",
    InvalidAmount => "amount_not_positive",
    NoMission => "no_mission",
    Ended { .. } => "campaign_ended",
    MissionExists { .. } => "mission_exists",
    TooManyMissions { .. } => "too_many_missions",
    UnknownMission { .. } => "unknown_mission",
    MissionClosed { .. } => "mission_closed",
    AlreadyOpenCall { .. } => "already_open_call",
    NotAnOpenCall { .. } => "not_an_open_call",
    DeadlinePassed { .. } => "deadline_passed",
    PlaceHeld { .. } => "place_held",
    AlreadyPaid { .. } => "already_paid",
    MissionFull { .. } => "mission_full",
    UnknownPlace { .. } => "unknown_place",
    BudgetExceeded { .. } => "budget_exceeded",
    EscrowTooLow { .. } => "escrow_too_low",
    PayoutExists { .. } => "payout_exists",
    PayoutExceedsEarnings { .. } => "payout_exceeds_earnings",
    UnknownPayout { .. } => "unknown_payout",
    FlagExists { .. } => "flag_exists",
    UnknownFlag { .. } => "unknown_flag",
});

/// `draft, published or paused`.
fn names(statuses: &[Status]) -> String {
    let names: Vec<&str> = statuses.iter().map(|status| status.as_str()).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}
