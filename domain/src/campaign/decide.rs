//! What a campaign answers to a command. The checks of each command come in one order: does it exist, is it in the
//! right status, are the fields valid, does the money suffice.

mod brief;
mod error;
mod missions;
mod money;
mod offer;
mod places;

pub use error::CampaignError;

use super::{
    Brief, Campaign, CampaignCommand, CampaignEvent, FlagOfCampaign, MissionStatus, OfCampaign, OfMission, Returned,
    Status, WithReason,
};
use crate::aggregate::Aggregate;
use crate::ids::FlagId;
use crate::text;
use chrono::{DateTime, Utc};
use uuid::Uuid;

type Decision = Result<Vec<CampaignEvent>, CampaignError>;

impl Aggregate for Campaign {
    const TYPE: &'static str = "campaign";
    type Command = CampaignCommand;
    type Event = CampaignEvent;
    type Error = CampaignError;

    fn decide(&self, command: &CampaignCommand) -> Decision {
        match (&self.brief, command) {
            (Some(brief), command) => self.decide_existing(brief, command),
            (
                None,
                CampaignCommand::Create {
                    campaign,
                    sponsor,
                    brief,
                    now,
                },
            ) => brief::create(*campaign, *sponsor, brief, *now),
            (None, _) => Err(CampaignError::Unknown),
        }
    }

    fn evolve(&mut self, event: &CampaignEvent) {
        self.apply(event);
    }

    fn exists(&self) -> bool {
        self.brief.is_some()
    }
}

impl Campaign {
    fn decide_existing(&self, brief: &Brief, command: &CampaignCommand) -> Decision {
        if !self.adds_up {
            return Err(CampaignError::DoesNotAddUp);
        }
        match command {
            CampaignCommand::Create { .. } => Err(CampaignError::AlreadyExists),
            CampaignCommand::Edit { edit, now } => self.edit(brief, edit, *now),
            CampaignCommand::Publish { now } => self.publish(brief, *now),
            CampaignCommand::Pause { reason } => self.pause(reason.as_deref()),
            CampaignCommand::AddMission { mission, now } => self.add(brief, mission, *now),
            CampaignCommand::OpenMission { mission, now } => self.open_mission(*mission, *now),
            CampaignCommand::CloseMission { mission } => self.close_mission(*mission),
            CampaignCommand::Fund { amount, transaction } => self.fund(brief, *amount, *transaction),
            CampaignCommand::TakePlace {
                mission,
                assignment,
                creator,
                hold,
                open_call,
                now,
            } => {
                let claim = places::Claim {
                    assignment: *assignment,
                    creator: *creator,
                    hold: *hold,
                    open_call: *open_call,
                };
                self.take_place(brief, *mission, &claim, *now)
            }
            CampaignCommand::FreePlace { assignment, refund } => self.free_place(*assignment, *refund),
            CampaignCommand::PayReward {
                assignment,
                fee,
                transaction,
                refund,
            } => self.pay_reward(*assignment, *fee, *transaction, *refund),
            CampaignCommand::Close { refund } => self.close(*refund),
            CampaignCommand::ReservePayout {
                payout,
                creator,
                amount,
            } => self.reserve_payout(*payout, *creator, *amount),
            CampaignCommand::ReturnPayout { payout } => {
                Ok(vec![CampaignEvent::PayoutReturned(self.open_payout(*payout)?)])
            }
            CampaignCommand::SettlePayout { payout } => {
                Ok(vec![CampaignEvent::PayoutSettled(self.open_payout(*payout)?)])
            }
            CampaignCommand::Flag { flag, creator } => self.flag(*flag, *creator),
            CampaignCommand::ClearFlag { flag } => self.clear_flag(*flag),
        }
    }

    /// Is it in one of these statuses?
    fn check_status(&self, action: &'static str, allowed: &'static [Status]) -> Result<(), CampaignError> {
        if allowed.contains(&self.status) {
            return Ok(());
        }
        Err(CampaignError::WrongStatus {
            status: self.status.as_str(),
            action,
            allowed,
        })
    }

    fn publish(&self, brief: &Brief, now: DateTime<Utc>) -> Decision {
        self.check_status("it can be published", &[Status::Draft, Status::Paused])?;
        if self.missions.is_empty() {
            return Err(CampaignError::NoMission);
        }
        check_not_ended(brief, now)?;
        let campaign = OfCampaign { campaign: self.id };
        Ok(vec![match self.status {
            Status::Draft => CampaignEvent::Published(campaign),
            _ => CampaignEvent::Resumed(campaign),
        }])
    }

    fn pause(&self, reason: Option<&str>) -> Decision {
        self.check_status("it can be paused", &[Status::Published])?;
        if let Some(reason) = reason {
            text::check_line("reason", reason, text::REASON)?;
        }
        Ok(vec![CampaignEvent::Paused(WithReason {
            campaign: self.id,
            reason: reason.map(str::to_owned),
        })])
    }

    /// What is not held goes back at once, and the rest when the last place is settled.
    fn close(&self, refund: Uuid) -> Decision {
        self.check_status("it can be closed", &[Status::Draft, Status::Published, Status::Paused])?;
        let open = self
            .missions
            .iter()
            .filter(|(_, mission)| mission.status == MissionStatus::Open);
        let mut events: Vec<CampaignEvent> = open
            .map(|(mission, _)| {
                let (campaign, mission) = (self.id, *mission);
                CampaignEvent::MissionClosed(OfMission { campaign, mission })
            })
            .collect();
        let returned = self.returned_with(refund);
        events.push(match self.places.is_empty() {
            true => CampaignEvent::Closed(returned),
            false => CampaignEvent::Closing(returned),
        });
        Ok(events)
    }

    /// All that is left goes back to the sponsor.
    fn returned_with(&self, refund: Uuid) -> Returned {
        let left = self.left();
        Returned {
            campaign: self.id,
            returned_vcoin: left,
            sponsor: self.sponsor,
            transaction: left.is_positive().then_some(refund),
        }
    }

    fn flag(&self, flag: FlagId, creator: Option<crate::UserId>) -> Decision {
        if self.flags.contains_key(&flag) {
            return Err(CampaignError::FlagExists { flag });
        }
        Ok(vec![CampaignEvent::Flagged(FlagOfCampaign {
            campaign: self.id,
            creator,
            flag,
        })])
    }

    fn clear_flag(&self, flag: FlagId) -> Decision {
        let creator = *self.flags.get(&flag).ok_or(CampaignError::UnknownFlag { flag })?;
        Ok(vec![CampaignEvent::FlagCleared(FlagOfCampaign {
            campaign: self.id,
            creator,
            flag,
        })])
    }
}

fn check_not_ended(brief: &Brief, now: DateTime<Utc>) -> Result<(), CampaignError> {
    if brief.end_at > now {
        return Ok(());
    }
    Err(CampaignError::Ended { end_at: brief.end_at })
}
