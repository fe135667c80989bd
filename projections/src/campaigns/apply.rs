//! What events make of campaigns and missions. Assignments are beside this.

use super::assignments;
use super::table::{AssignmentRow, CampaignRow, MissionRow};
use crate::fact::{Event, Fact, Problem};
use crate::model::Fold;
use crate::rows::{Rows, TableRows};
use crate::sums::{add, subtract};
use uuid::Uuid;
use viral_domain::Vcoin;
use viral_domain::campaign::{Brief, CampaignEvent, MissionAdded, MissionStatus, PlaceFreed, PlaceTaken, RewardPaid};
use viral_domain::campaign::{Returned, Status};

#[derive(Default)]
pub(super) struct Campaigns {
    campaigns: Rows<CampaignRow>,
    missions: Rows<MissionRow>,
    assignments: Rows<AssignmentRow>,
}

impl Fold for Campaigns {
    fn touch(&mut self, event: &Event) {
        match &event.fact {
            Fact::Campaign(fact) => {
                self.campaigns.want(event.aggregate);
                if let Some(mission) = mission_of(fact) {
                    self.missions.want(mission);
                }
            }
            Fact::Assignment(_) => self.assignments.want(event.aggregate),
            _ => {}
        }
    }

    fn apply(&mut self, event: &Event) -> Result<(), Problem> {
        match &event.fact {
            Fact::Campaign(fact) => self.apply_campaign(event, fact),
            Fact::Assignment(fact) => assignments::apply(&mut self.assignments, event, fact),
            _ => Ok(()),
        }
    }

    fn tables(&mut self) -> Vec<&mut dyn TableRows> {
        vec![&mut self.campaigns, &mut self.missions, &mut self.assignments]
    }
}

/// The mission that an event is about.
fn mission_of(fact: &CampaignEvent) -> Option<Uuid> {
    match fact {
        CampaignEvent::MissionAdded(added) => Some(added.mission.0),
        CampaignEvent::MissionOpened(mission) | CampaignEvent::MissionClosed(mission) => Some(mission.mission.0),
        CampaignEvent::PlaceTaken(taken) => Some(taken.mission.0),
        CampaignEvent::PlaceFreed(freed) => Some(freed.mission.0),
        _ => None,
    }
}

impl Campaigns {
    fn apply_campaign(&mut self, event: &Event, fact: &CampaignEvent) -> Result<(), Problem> {
        match fact {
            CampaignEvent::Created(created) => self.campaigns.add(campaign(event, created.sponsor.0, &created.brief)),
            CampaignEvent::Edited(edited) => {
                describe(self.campaign(event)?, &edited.brief);
                Ok(())
            }
            CampaignEvent::Published(_) | CampaignEvent::Resumed(_) => self.set_status(event, Status::Published),
            CampaignEvent::Paused(_) => self.set_status(event, Status::Paused),
            CampaignEvent::MissionAdded(added) => self.missions.add(mission(event, added)),
            CampaignEvent::MissionOpened(opened) => {
                self.missions.change(opened.mission.0)?.open_call = true;
                Ok(())
            }
            CampaignEvent::MissionClosed(closed) => {
                self.missions.change(closed.mission.0)?.status = MissionStatus::Closed.as_str().to_owned();
                Ok(())
            }
            CampaignEvent::Funded(funded) => add(&mut self.campaign(event)?.funded_vcoin, funded.amount_vcoin),
            CampaignEvent::PlaceTaken(taken) => self.take_place(event, taken),
            CampaignEvent::PlaceFreed(freed) => self.free_place(event, freed),
            CampaignEvent::RewardPaid(paid) => self.pay(event, paid),
            CampaignEvent::Closing(returned) => self.close(event, returned, Status::Closing),
            CampaignEvent::Closed(returned) => self.close(event, returned, Status::Closed),
            // These concern payouts, which have a read model of their own.
            CampaignEvent::PayoutReserved(_)
            | CampaignEvent::PayoutReturned(_)
            | CampaignEvent::PayoutSettled(_)
            | CampaignEvent::Flagged(_)
            | CampaignEvent::FlagCleared(_) => Ok(()),
        }
    }

    fn campaign(&mut self, event: &Event) -> Result<&mut CampaignRow, Problem> {
        let row = self.campaigns.change(event.aggregate)?;
        row.updated_at = event.recorded_at;
        Ok(row)
    }

    fn set_status(&mut self, event: &Event, status: Status) -> Result<(), Problem> {
        self.campaign(event)?.status = status.as_str().to_owned();
        Ok(())
    }

    fn take_place(&mut self, event: &Event, taken: &PlaceTaken) -> Result<(), Problem> {
        add(&mut self.campaign(event)?.held_vcoin, taken.reward_vcoin)?;
        let mission = self.missions.change(taken.mission.0)?;
        mission.places_taken = mission.places_taken.saturating_add(1);
        Ok(())
    }

    fn free_place(&mut self, event: &Event, freed: &PlaceFreed) -> Result<(), Problem> {
        subtract(&mut self.campaign(event)?.held_vcoin, freed.reward_vcoin)?;
        let mission = self.missions.change(freed.mission.0)?;
        let Some(taken) = mission.places_taken.checked_sub(1) else {
            return Err(Problem(format!("no place of mission {} is taken", freed.mission)));
        };
        mission.places_taken = taken;
        Ok(())
    }

    /// The place stays taken: it was for one creator, who is paid now.
    fn pay(&mut self, event: &Event, paid: &RewardPaid) -> Result<(), Problem> {
        let row = self.campaign(event)?;
        subtract(&mut row.held_vcoin, paid.reward_vcoin)?;
        add(&mut row.paid_vcoin, paid.reward_vcoin)
    }

    fn close(&mut self, event: &Event, returned: &Returned, status: Status) -> Result<(), Problem> {
        self.set_status(event, status)?;
        add(&mut self.campaign(event)?.returned_vcoin, returned.returned_vcoin)
    }
}

fn campaign(event: &Event, sponsor_id: Uuid, brief: &Brief) -> CampaignRow {
    let mut row = CampaignRow {
        id: event.aggregate,
        sponsor_id,
        campaign_type: String::new(),
        title: String::new(),
        description: String::new(),
        kpi_config: Default::default(),
        budget_vcoin: Vcoin::ZERO,
        status: Status::Draft.as_str().to_owned(),
        start_at: brief.start_at,
        end_at: brief.end_at,
        funded_vcoin: Vcoin::ZERO,
        held_vcoin: Vcoin::ZERO,
        paid_vcoin: Vcoin::ZERO,
        returned_vcoin: Vcoin::ZERO,
        created_at: event.recorded_at,
        updated_at: event.recorded_at,
        position: 0,
    };
    describe(&mut row, brief);
    row
}

fn describe(row: &mut CampaignRow, brief: &Brief) {
    row.campaign_type.clone_from(&brief.campaign_type);
    row.title.clone_from(&brief.title);
    row.description.clone_from(&brief.description);
    row.kpi_config.clone_from(&brief.kpi_config);
    row.budget_vcoin = brief.budget_vcoin;
    row.start_at = brief.start_at;
    row.end_at = brief.end_at;
}

fn mission(event: &Event, added: &MissionAdded) -> MissionRow {
    MissionRow {
        id: added.mission.0,
        campaign_id: event.aggregate,
        mission_type: added.mission_type.clone(),
        requirements: added.requirements.clone(),
        reward_vcoin: added.reward_vcoin,
        status: MissionStatus::Open.as_str().to_owned(),
        deadline: added.deadline,
        places: added.places,
        places_taken: 0,
        open_call: false,
        created_at: event.recorded_at,
        position: 0,
    }
}
