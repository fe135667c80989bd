//! Every command in every status: what is possible, and otherwise which refusal comes first.

use super::*;
use crate::aggregate::{Aggregate, Refusal};
use crate::given::given;

const TABLE: &str = "
command        missing           draft                  published              paused                 closing                closed
Create         ok                already_exists         already_exists         already_exists         already_exists         already_exists
Edit           unknown_campaign  ok                     campaign_wrong_status  campaign_wrong_status  campaign_wrong_status  campaign_wrong_status
Publish        unknown_campaign  ok                     campaign_wrong_status  ok                     campaign_wrong_status  campaign_wrong_status
Pause          unknown_campaign  campaign_wrong_status  ok                     campaign_wrong_status  campaign_wrong_status  campaign_wrong_status
AddMission     unknown_campaign  ok                     ok                     ok                     campaign_wrong_status  campaign_wrong_status
OpenMission    unknown_campaign  ok                     ok                     ok                     campaign_wrong_status  campaign_wrong_status
CloseMission   unknown_campaign  ok                     ok                     ok                     mission_closed         campaign_wrong_status
Fund           unknown_campaign  ok                     ok                     ok                     campaign_wrong_status  campaign_wrong_status
TakePlace      unknown_campaign  campaign_wrong_status  ok                     campaign_wrong_status  campaign_wrong_status  campaign_wrong_status
FreePlace      unknown_campaign  campaign_wrong_status  ok                     ok                     ok                     campaign_wrong_status
PayReward      unknown_campaign  campaign_wrong_status  ok                     ok                     ok                     campaign_wrong_status
Close          unknown_campaign  ok                     ok                     ok                     campaign_wrong_status  campaign_wrong_status
ReservePayout  unknown_campaign  payout_exceeds_earnings  ok                   ok                     ok                     ok
ReturnPayout   unknown_campaign  unknown_payout         ok                     ok                     ok                     ok
SettlePayout   unknown_campaign  unknown_payout         ok                     ok                     ok                     ok
Flag           unknown_campaign  ok                     ok                     ok                     ok                     ok
ClearFlag      unknown_campaign  ok                     ok                     ok                     ok                     ok
";

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
    let (now, mission, payout, flag) = (now(), MISSION, PAYOUT, FLAG);
    vec![
        create(),
        CampaignCommand::Edit {
            edit: BriefEdit {
                title: Some("Another".to_owned()),
                ..BriefEdit::default()
            },
            now,
        },
        CampaignCommand::Publish { now },
        CampaignCommand::Pause { reason: None },
        CampaignCommand::AddMission {
            mission: new_mission(SECOND),
            now,
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
        CampaignCommand::Create { .. } => "Create",
        CampaignCommand::Edit { .. } => "Edit",
        CampaignCommand::Publish { .. } => "Publish",
        CampaignCommand::Pause { .. } => "Pause",
        CampaignCommand::AddMission { .. } => "AddMission",
        CampaignCommand::OpenMission { .. } => "OpenMission",
        CampaignCommand::CloseMission { .. } => "CloseMission",
        CampaignCommand::Fund { .. } => "Fund",
        CampaignCommand::TakePlace { .. } => "TakePlace",
        CampaignCommand::FreePlace { .. } => "FreePlace",
        CampaignCommand::PayReward { .. } => "PayReward",
        CampaignCommand::Close { .. } => "Close",
        CampaignCommand::ReservePayout { .. } => "ReservePayout",
        CampaignCommand::ReturnPayout { .. } => "ReturnPayout",
        CampaignCommand::SettlePayout { .. } => "SettlePayout",
        CampaignCommand::Flag { .. } => "Flag",
        CampaignCommand::ClearFlag { .. } => "ClearFlag",
    }
}

fn answer(status: Status, command: &CampaignCommand) -> &'static str {
    let state = given::<Campaign>(past(status)).state();
    assert_eq!(state.status, status, "the past leads to the status");
    match state.decide(command) {
        Ok(events) => {
            assert!(!events.is_empty());
            "ok"
        }
        Err(error) => error.code(),
    }
}

#[test]
fn every_command_in_every_status() {
    let mut expected = TABLE
        .trim()
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let header: Vec<&str> = std::iter::once("command")
        .chain(Status::ALL.map(Status::as_str))
        .collect();
    assert_eq!(expected.next(), Some(header));
    for command in commands() {
        let answers = Status::ALL.map(|status| answer(status, &command));
        let row: Vec<&str> = std::iter::once(name(&command)).chain(answers).collect();
        assert_eq!(expected.next(), Some(row));
    }
    assert_eq!(expected.next(), None);
}

#[test]
fn every_refusal_has_a_code_of_its_own() {
    let mut codes = CampaignError::CODES.to_vec();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), CampaignError::CODES.len());
}
