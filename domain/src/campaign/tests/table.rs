//! Every command in every status: where it leads, or which refusal comes first.

use super::*;
use crate::machine::assert_machine;

/// The first creator works, the second was paid and asks for a payout, a third may come.
fn past(status: Status) -> Vec<CampaignEvent> {
    let flag = CampaignEvent::Flagged(FlagOfCampaign {
        campaign: CAMPAIGN,
        creator: None,
        flag: FLAG,
    });
    let mission = CampaignEvent::MissionAdded(MissionAdded {
        campaign: CAMPAIGN,
        deadline: deadline(),
        mission: MISSION,
        mission_type: "clip".to_owned(),
        places: 3,
        requirements: Requirements::default(),
        reward_vcoin: vcoin("100"),
    });
    let draft = vec![created(), mission, funded("500"), flag];
    let payout = CampaignEvent::PayoutReserved(PayoutOfCampaign {
        creator: OTHER,
        ..payout("50")
    });
    let work = vec![
        published(),
        taken(first(), CREATOR),
        taken(other(), OTHER),
        paid(other(), OTHER),
        payout,
    ];
    let running = [draft.clone(), work].concat();
    let closing = vec![
        CampaignEvent::MissionClosed(of_mission(MISSION)),
        CampaignEvent::Closing(returned("300")),
    ];
    let end = vec![freed(first()), CampaignEvent::Closed(returned("100"))];
    match status {
        Status::Missing => Vec::new(),
        Status::Draft => draft,
        Status::Published => running,
        Status::Paused => [running, vec![paused()]].concat(),
        Status::Closing => [running, closing].concat(),
        Status::Closed => [running, closing, end].concat(),
    }
}

fn commands() -> Vec<CampaignCommand> {
    let (now, mission, payout, flag) = (crate::Present::at(now()), MISSION, PAYOUT, FLAG);
    vec![
        create(),
        CampaignCommand::Edit {
            edit: BriefEdit {
                title: Some("Another".to_owned()),
                ..BriefEdit::default()
            },
            now: now.clone(),
        },
        CampaignCommand::Publish { now: now.clone() },
        CampaignCommand::Pause { reason: None },
        CampaignCommand::AddMission {
            mission: new_mission(SECOND),
            now: now.clone(),
        },
        CampaignCommand::OpenMission { mission, now },
        CampaignCommand::CloseMission { mission },
        fund("1"),
        take(AssignmentId::of(MISSION, SPONSOR), SPONSOR),
        free(first()),
        pay(first()),
        CampaignCommand::Close { refund: REFUND },
        CampaignCommand::ReservePayout {
            payout: PayoutId(Uuid::from_u128(99)),
            creator: OTHER,
            amount: vcoin("45"),
        },
        CampaignCommand::ReturnPayout { payout },
        CampaignCommand::SettlePayout { payout },
        CampaignCommand::Flag {
            flag: FlagId(Uuid::from_u128(99)),
            creator: None,
        },
        CampaignCommand::ClearFlag { flag },
    ]
}

/// A new command does not compile here: it needs a row in the table and an example above.
fn name(command: &CampaignCommand) -> &'static str {
    match command {
        CampaignCommand::Create { .. } => "create",
        CampaignCommand::Edit { .. } => "edit",
        CampaignCommand::Publish { .. } => "publish",
        CampaignCommand::Pause { .. } => "pause",
        CampaignCommand::AddMission { .. } => "add_mission",
        CampaignCommand::OpenMission { .. } => "open_mission",
        CampaignCommand::CloseMission { .. } => "close_mission",
        CampaignCommand::Fund { .. } => "fund",
        CampaignCommand::TakePlace { .. } => "take_place",
        CampaignCommand::FreePlace { .. } => "free_place",
        CampaignCommand::PayReward { .. } => "pay_reward",
        CampaignCommand::Close { .. } => "close",
        CampaignCommand::ReservePayout { .. } => "reserve_payout",
        CampaignCommand::ReturnPayout { .. } => "return_payout",
        CampaignCommand::SettlePayout { .. } => "settle_payout",
        CampaignCommand::Flag { .. } => "flag",
        CampaignCommand::ClearFlag { .. } => "clear_flag",
    }
}

#[test]
fn the_machine_of_a_campaign() {
    let columns = Status::ALL.map(|status| (status.as_str(), past(status)));
    let rows: Vec<_> = commands()
        .into_iter()
        .map(|command| (name(&command), command))
        .collect();
    assert_machine::<Campaign>(include_str!("table.txt"), &columns, &rows, |campaign| {
        campaign.status.as_str()
    });
}

#[test]
fn every_refusal_has_a_code_of_its_own() {
    let mut codes = CampaignError::CODES.to_vec();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), CampaignError::CODES.len());
}
