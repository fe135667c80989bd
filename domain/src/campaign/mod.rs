//! Campaigns, their missions and their escrow.

mod command;
mod decide;
mod event;
mod state;

pub use command::{BriefEdit, CampaignCommand, NewMission};
pub use decide::CampaignError;
pub use event::{
    Brief, CampaignEvent, Created, Edited, FlagOfCampaign, Funded, MissionAdded, OfCampaign, OfMission,
    PayoutOfCampaign, PlaceFreed, PlaceTaken, Returned, RewardPaid, WithReason,
};
pub use state::{Campaign, Mission, MissionStatus, Place, Status};
