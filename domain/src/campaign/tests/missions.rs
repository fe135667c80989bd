//! Adding, opening and closing missions.

use super::*;
use crate::aggregate::Refusal;
use crate::given::given;

fn add(mission: NewMission) -> CampaignCommand {
    let now = now().into();
    CampaignCommand::AddMission { mission, now }
}

fn open(now: DateTime<Utc>) -> CampaignCommand {
    let (mission, now) = (MISSION, now.into());
    CampaignCommand::OpenMission { mission, now }
}

fn close(mission: MissionId) -> CampaignCommand {
    CampaignCommand::CloseMission { mission }
}

#[test]
fn missions_are_added_while_the_campaign_goes_on() {
    for events in [vec![created()], running(), [running(), vec![paused()]].concat()] {
        given::<Campaign>(events)
            .when(add(new_mission(SECOND)))
            .then([added(SECOND)]);
    }
    given::<Campaign>(draft())
        .when(add(new_mission(MISSION)))
        .then_error(CampaignError::MissionExists { mission: MISSION });
    given::<Campaign>(closing())
        .when(add(new_mission(SECOND)))
        .then_error(CampaignError::WrongStatus {
            status: "closing",
            action: "missions can be added",
            allowed: &[Status::Draft, Status::Published, Status::Paused],
        });
}

#[test]
fn two_hundred_missions_are_enough() {
    let missions = (1_000..1_200).map(|id| added(MissionId(Uuid::from_u128(id))));
    let events: Vec<CampaignEvent> = std::iter::once(created()).chain(missions).collect();
    given::<Campaign>(events[..200].to_vec())
        .when(add(new_mission(SECOND)))
        .then([added(SECOND)]);
    given::<Campaign>(events)
        .when(add(new_mission(SECOND)))
        .then_error(CampaignError::TooManyMissions { max: 200 });
}

#[test]
fn what_a_mission_says_is_checked() {
    let deadline = at("2026-03-31T00:00:00.000001Z");
    let new = || new_mission(SECOND);
    let (mission_type, reward) = (String::new(), Vcoin::ZERO);
    for (field, part, mission) in [
        (
            "mission_type",
            "must not be empty",
            NewMission { mission_type, ..new() },
        ),
        (
            "mission_type",
            "more than 64",
            NewMission {
                mission_type: "x".repeat(65),
                ..new()
            },
        ),
        ("reward_vcoin", "more than zero", NewMission { reward, ..new() }),
        (
            "reward_vcoin",
            "1000.0000 VCOIN",
            NewMission {
                reward: vcoin("1000.0001"),
                ..new()
            },
        ),
        ("places", "1 to 10000", NewMission { places: 0, ..new() }),
        (
            "places",
            "1 to 10000",
            NewMission {
                places: 10_001,
                ..new()
            },
        ),
        (
            "deadline",
            "in the future",
            NewMission {
                deadline: now(),
                ..new()
            },
        ),
        (
            "deadline",
            "after the campaign's end, 2026-03-31",
            NewMission { deadline, ..new() },
        ),
    ] {
        let error = given::<Campaign>(draft()).when(add(mission)).error();
        assert_eq!(error.code(), "invalid_mission");
        let text = error.to_string();
        assert!(
            text.starts_with(field) && text.contains(part),
            "{field}, {part}: {text}"
        );
    }
    let most = NewMission {
        places: 10_000,
        reward: vcoin("1000"),
        deadline: end(),
        ..new()
    };
    assert!(given::<Campaign>(draft()).when(add(most)).answer().is_ok());
}

#[test]
fn a_mission_becomes_an_open_call_once() {
    let opened = CampaignEvent::MissionOpened(of_mission(MISSION));
    let state = given::<Campaign>(draft())
        .when(open(now()))
        .then([opened.clone()])
        .state();
    assert!(state.missions[&MISSION].open_call);
    given::<Campaign>([created()])
        .when(open(now()))
        .then_error(CampaignError::UnknownMission { mission: MISSION });
    let late = CampaignError::DeadlinePassed {
        mission: MISSION,
        deadline: deadline(),
    };
    given::<Campaign>(draft()).when(open(deadline())).then_error(late);
    given::<Campaign>([draft(), vec![opened]].concat())
        .when(open(now()))
        .then_error(CampaignError::AlreadyOpenCall { mission: MISSION });
    given::<Campaign>([draft(), vec![CampaignEvent::MissionClosed(of_mission(MISSION))]].concat())
        .when(open(now()))
        .then_error(CampaignError::MissionClosed { mission: MISSION });
}

#[test]
fn a_mission_is_closed_once() {
    given::<Campaign>(running())
        .when(close(MISSION))
        .then([CampaignEvent::MissionClosed(of_mission(MISSION))])
        .when(close(MISSION))
        .then_error(CampaignError::MissionClosed { mission: MISSION });
    given::<Campaign>(running())
        .when(close(SECOND))
        .then_error(CampaignError::UnknownMission { mission: SECOND });
}

#[test]
fn an_offer_is_made_while_the_mission_is_open() {
    let state = |events: Vec<CampaignEvent>| given::<Campaign>(events).state();
    let offer = state(running()).offer(MISSION, CREATOR).unwrap();
    assert_eq!(
        (offer.assignment, offer.reward_vcoin, offer.deadline),
        (first(), vcoin("100"), deadline())
    );
    assert_eq!((offer.campaign, offer.mission), (CAMPAIGN, MISSION));
    assert_eq!((offer.sponsor, offer.creator), (SPONSOR, CREATOR));
    for events in [vec![], draft(), closing(), closed()] {
        let error = state(events).offer(MISSION, CREATOR).unwrap_err();
        assert_eq!(error.code(), "campaign_wrong_status");
    }
    let mission = SECOND;
    let error = state(running()).offer(mission, CREATOR);
    assert_eq!(error, Err(CampaignError::UnknownMission { mission }));
}
