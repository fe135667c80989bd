//! What has become of a campaign. The state has what decisions ask for; whatever is only shown is in the read models.

use super::{Brief, MissionAdded};
use crate::ids::{AssignmentId, CampaignId, FlagId, MissionId, PayoutId, UserId};
use crate::money::Vcoin;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// A campaign. The default is one that does not exist.
#[derive(Debug, Clone, PartialEq)]
pub struct Campaign {
    /// Which; the nil UUID before it exists.
    pub id: CampaignId,
    /// Whose; the nil UUID before it exists.
    pub sponsor: UserId,
    /// How far it is.
    pub status: Status,
    /// What it says; nothing before it exists.
    pub brief: Option<Brief>,
    /// Its missions.
    pub missions: BTreeMap<MissionId, Mission>,
    /// The places whose reward is held in the escrow.
    pub places: BTreeMap<AssignmentId, Place>,
    /// The assignments whose reward was paid: none is paid twice.
    pub rewarded: BTreeSet<AssignmentId>,
    /// All that was ever put into the escrow.
    pub funded: Vcoin,
    /// What is held in the escrow for work that goes on.
    pub(super) held: Vcoin,
    /// All rewards that were paid, fees included.
    pub paid: Vcoin,
    /// What went back to the sponsor.
    pub returned: Vcoin,
    /// What lies in the escrow and is not held: all that was funded and neither paid, held nor returned.
    pub(super) left: Vcoin,
    /// Whether all sums here are those of the events. An event that no amount could be counted with, or that takes more
    /// than there is, is one that no sound campaign could have produced.
    pub(super) adds_up: bool,
    /// What each creator earned here.
    pub earnings: BTreeMap<UserId, Earnings>,
    /// The payouts of earnings that are neither made nor given up.
    pub open_payouts: BTreeMap<PayoutId, OpenPayout>,
    /// The suspicions, each against one creator or against everybody in the campaign.
    pub flags: BTreeMap<FlagId, Option<UserId>>,
}

/// How far a campaign is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Status {
    /// It does not exist.
    #[default]
    Missing,
    /// The sponsor writes it.
    Draft,
    /// Creators can take part.
    Published,
    /// Nobody new can take part for now.
    Paused,
    /// It ends as soon as the open work is settled.
    Closing,
    /// It is over. What was earned can still be paid out.
    Closed,
}

impl Status {
    /// All of them.
    pub const ALL: [Status; 6] = [
        Status::Missing,
        Status::Draft,
        Status::Published,
        Status::Paused,
        Status::Closing,
        Status::Closed,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Missing => "missing",
            Status::Draft => "draft",
            Status::Published => "published",
            Status::Paused => "paused",
            Status::Closing => "closing",
            Status::Closed => "closed",
        }
    }
}

/// A mission of a campaign.
#[derive(Debug, Clone, PartialEq)]
pub struct Mission {
    /// What was added.
    pub added: MissionAdded,
    /// Whether every creator may take part without an invitation.
    pub open_call: bool,
    /// Whether anybody new may take part.
    pub status: MissionStatus,
    /// How many places are held or were paid.
    pub taken: u32,
}

/// Whether creators can take part in a mission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissionStatus {
    /// They can.
    Open,
    /// Nobody new can; whoever works on it goes on.
    Closed,
}

impl MissionStatus {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            MissionStatus::Open => "open",
            MissionStatus::Closed => "closed",
        }
    }
}

/// A creator works on a mission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// On which.
    pub mission: MissionId,
    /// Who.
    pub creator: UserId,
    /// The hold on the escrow.
    pub hold: Uuid,
    /// What is held.
    pub reward: Vcoin,
}

/// What a creator earned in a campaign, less the fees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Earnings {
    /// All of it.
    pub earned: Vcoin,
    /// The part that open payouts have taken out of it.
    pub reserved: Vcoin,
    /// The part that was paid out.
    pub paid_out: Vcoin,
    /// The part that can still be asked for.
    pub payable: Vcoin,
}

/// A payout that is neither made nor given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenPayout {
    /// Whose.
    pub creator: UserId,
    /// How much.
    pub amount: Vcoin,
}

impl Default for Campaign {
    fn default() -> Campaign {
        Campaign {
            id: CampaignId(Uuid::nil()),
            sponsor: UserId(Uuid::nil()),
            status: Status::Missing,
            brief: None,
            missions: BTreeMap::new(),
            places: BTreeMap::new(),
            rewarded: BTreeSet::new(),
            funded: Vcoin::ZERO,
            held: Vcoin::ZERO,
            paid: Vcoin::ZERO,
            returned: Vcoin::ZERO,
            left: Vcoin::ZERO,
            adds_up: true,
            earnings: BTreeMap::new(),
            open_payouts: BTreeMap::new(),
            flags: BTreeMap::new(),
        }
    }
}

impl Campaign {
    /// What is held in the escrow for work that goes on.
    pub fn held(&self) -> Vcoin {
        self.held
    }

    /// What lies in the escrow and is not held.
    pub fn left(&self) -> Vcoin {
        self.left
    }

    /// What a creator can still ask for in a payout.
    pub fn payable(&self, creator: UserId) -> Vcoin {
        self.earnings
            .get(&creator)
            .map_or(Vcoin::ZERO, |earnings| earnings.payable)
    }

    /// The suspicions that concern a creator here.
    pub fn flags_against(&self, creator: UserId) -> impl Iterator<Item = FlagId> + '_ {
        let concerns = move |against: &Option<UserId>| against.is_none_or(|against| against == creator);
        self.flags
            .iter()
            .filter(move |(_, against)| concerns(against))
            .map(|(flag, _)| *flag)
    }

    /// The open payouts, of one creator or of all.
    pub fn payouts_of(&self, creator: Option<UserId>) -> impl Iterator<Item = PayoutId> + '_ {
        let wanted = move |payout: &OpenPayout| creator.is_none_or(|creator| creator == payout.creator);
        self.open_payouts
            .iter()
            .filter(move |(_, payout)| wanted(payout))
            .map(|(payout, _)| *payout)
    }
}
