//! Campaigns, their missions and their escrow.

mod command;
mod decide;
mod event;
mod evolve;
mod state;
#[cfg(test)]
mod tests;

pub use command::{BriefEdit, CampaignCommand, NewMission};
pub use decide::CampaignError;
pub use event::{
    Brief, CampaignEvent, Created, Edited, FlagOfCampaign, Funded, MissionAdded, OfCampaign, OfMission,
    PayoutOfCampaign, PlaceFreed, PlaceTaken, Returned, RewardPaid, WithReason,
};
pub use state::{Campaign, Earnings, Mission, MissionStatus, OpenPayout, Place, Status};
