//! Missions: adding them, opening them to everybody, closing them.

use super::super::{
    Brief, Campaign, CampaignEvent, Mission, MissionAdded, MissionStatus, NewMission, OfMission, Status,
};
use super::brief::TYPE_LENGTH;
use super::{CampaignError, Decision};
use crate::ids::MissionId;
use crate::present::Present;
use crate::text;
use chrono::{DateTime, Utc};
use viral_ledger::timestamp;

/// The most missions of a campaign.
const MISSIONS: usize = 200;
/// The most places of a mission.
const PLACES: u32 = 10_000;

impl Campaign {
    pub(super) fn add(&self, brief: &Brief, new: &NewMission, now: &Present) -> Decision {
        self.check_status(
            "missions can be added",
            &[Status::Draft, Status::Published, Status::Paused],
        )?;
        if self.missions.contains_key(&new.mission) {
            return Err(CampaignError::MissionExists { mission: new.mission });
        }
        if self.missions.len() >= MISSIONS {
            return Err(CampaignError::TooManyMissions { max: MISSIONS });
        }
        let deadline = timestamp::truncate(new.deadline);
        check_fields(brief, new, deadline, now)?;
        Ok(vec![CampaignEvent::MissionAdded(MissionAdded {
            campaign: self.id,
            deadline,
            mission: new.mission,
            mission_type: new.mission_type.clone(),
            places: new.places,
            requirements: new.requirements.clone(),
            reward_vcoin: new.reward,
        })])
    }

    pub(super) fn open_mission(&self, id: MissionId, now: &Present) -> Decision {
        let allowed = &[Status::Draft, Status::Published, Status::Paused];
        self.check_status("missions can be opened", allowed)?;
        let mission = self.open(id)?;
        if mission.open_call {
            return Err(CampaignError::AlreadyOpenCall { mission: id });
        }
        check_deadline(mission, now)?;
        Ok(vec![CampaignEvent::MissionOpened(self.of_mission(id))])
    }

    pub(super) fn close_mission(&self, id: MissionId) -> Decision {
        let allowed = &[Status::Draft, Status::Published, Status::Paused, Status::Closing];
        self.check_status("missions can be closed", allowed)?;
        self.open(id)?;
        Ok(vec![CampaignEvent::MissionClosed(self.of_mission(id))])
    }

    /// The mission, if it takes anybody.
    pub(super) fn open(&self, id: MissionId) -> Result<&Mission, CampaignError> {
        let mission = self
            .missions
            .get(&id)
            .ok_or(CampaignError::UnknownMission { mission: id })?;
        match mission.status {
            MissionStatus::Open => Ok(mission),
            MissionStatus::Closed => Err(CampaignError::MissionClosed { mission: id }),
        }
    }

    fn of_mission(&self, mission: MissionId) -> OfMission {
        let campaign = self.id;
        OfMission { campaign, mission }
    }
}

pub(super) fn check_deadline(mission: &Mission, now: &Present) -> Result<(), CampaignError> {
    let added = &mission.added;
    if !now.has_reached(added.deadline) {
        return Ok(());
    }
    Err(CampaignError::DeadlinePassed {
        mission: added.mission,
        deadline: added.deadline,
    })
}

fn check_fields(brief: &Brief, new: &NewMission, deadline: DateTime<Utc>, now: &Present) -> Result<(), CampaignError> {
    let invalid = |field, problem: String| Err(CampaignError::InvalidMission { field, problem });
    if let Err(text) = text::check_identifier("mission_type", &new.mission_type, TYPE_LENGTH) {
        return invalid(text.field, text.problem);
    }
    if !new.reward.is_positive() {
        return invalid("reward_vcoin", "must be more than zero".to_owned());
    }
    if new.reward > brief.budget_vcoin {
        let problem = format!(
            "must not be more than the campaign's budget, {} VCOIN",
            brief.budget_vcoin
        );
        return invalid("reward_vcoin", problem);
    }
    if !(1..=PLACES).contains(&new.places) {
        return invalid("places", format!("must be 1 to {PLACES}"));
    }
    if now.has_reached(deadline) {
        return invalid("deadline", format!("must be in the future, it is {now} now"));
    }
    if deadline > brief.end_at {
        let end = timestamp::to_text(&brief.end_at);
        return invalid("deadline", format!("must not be after the campaign's end, {end}"));
    }
    Ok(())
}
