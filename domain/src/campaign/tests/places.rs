//! Taking places, giving them back, being paid.

use super::*;
use crate::given::given;

#[test]
fn a_place_holds_the_reward() {
    let state = given::<Campaign>(running())
        .when(take(first(), CREATOR))
        .then([taken(first(), CREATOR)])
        .state();
    assert_eq!((state.held(), state.left()), (sum("100"), sum("400")));
    assert_eq!(state.missions[&MISSION].taken, 1);
}

#[test]
fn only_a_published_campaign_has_places() {
    for (events, status) in [
        (draft(), "draft"),
        ([running(), vec![paused()]].concat(), "paused"),
        (closing(), "closing"),
        (closed(), "closed"),
    ] {
        given::<Campaign>(events)
            .when(take(other(), OTHER))
            .then_error(CampaignError::WrongStatus {
                status,
                action: "places can be taken",
                allowed: &[Status::Published],
            });
    }
}

#[test]
fn places_end_with_the_mission_and_with_the_campaign() {
    let late = |now: DateTime<Utc>| CampaignCommand::TakePlace {
        mission: MISSION,
        assignment: first(),
        creator: CREATOR,
        hold: HOLD,
        open_call: false,
        now: now.into(),
    };
    let passed = CampaignError::DeadlinePassed {
        mission: MISSION,
        deadline: deadline(),
    };
    given::<Campaign>(running()).when(late(deadline())).then_error(passed);
    given::<Campaign>(running())
        .when(late(end()))
        .then_error(CampaignError::Ended { end_at: end() });
    let closed = CampaignEvent::MissionClosed(of_mission(MISSION));
    given::<Campaign>([running(), vec![closed]].concat())
        .when(take(first(), CREATOR))
        .then_error(CampaignError::MissionClosed { mission: MISSION });
    given::<Campaign>([created(), added(SECOND), published()])
        .when(take(first(), CREATOR))
        .then_error(CampaignError::UnknownMission { mission: MISSION });
}

#[test]
fn without_an_invitation_the_mission_must_be_an_open_call() {
    let join = || CampaignCommand::TakePlace {
        mission: MISSION,
        assignment: first(),
        creator: CREATOR,
        hold: HOLD,
        open_call: true,
        now: now().into(),
    };
    given::<Campaign>(running())
        .when(join())
        .then_error(CampaignError::NotAnOpenCall { mission: MISSION });
    let opened = CampaignEvent::MissionOpened(of_mission(MISSION));
    given::<Campaign>([running(), vec![opened]].concat())
        .when(join())
        .then([taken(first(), CREATOR)]);
}

#[test]
fn nobody_takes_two_places_or_is_paid_twice() {
    let assignment = first();
    given::<Campaign>(at_work())
        .when(take(first(), CREATOR))
        .then_error(CampaignError::PlaceHeld { assignment });
    given::<Campaign>([at_work(), vec![paid(first(), CREATOR)]].concat())
        .when(take(first(), CREATOR))
        .then_error(CampaignError::AlreadyPaid { assignment });
    given::<Campaign>([at_work(), vec![paid(first(), CREATOR)]].concat())
        .when(pay(first()))
        .then_error(CampaignError::UnknownPlace { assignment });
}

#[test]
fn a_place_that_was_paid_stays_taken_one_that_was_freed_does_not() {
    let third = AssignmentId::of(MISSION, SPONSOR);
    let full = CampaignError::MissionFull {
        mission: MISSION,
        places: 2,
    };
    let events = [at_work(), vec![paid(first(), CREATOR), taken(other(), OTHER)]].concat();
    given::<Campaign>(events.clone())
        .when(take(third, SPONSOR))
        .then_error(full);
    given::<Campaign>([events, vec![freed(other())]].concat())
        .when(take(third, SPONSOR))
        .then([taken(third, SPONSOR)]);
}

#[test]
fn the_escrow_must_cover_the_reward() {
    let events = |amount| vec![created(), added(MISSION), funded(amount), published()];
    given::<Campaign>(events("100"))
        .when(take(first(), CREATOR))
        .then([taken(first(), CREATOR)]);
    given::<Campaign>(events("99.9999"))
        .when(take(first(), CREATOR))
        .then_error(CampaignError::EscrowTooLow {
            needed: vcoin("100"),
            left: sum("99.9999"),
        });
    // What is held for one cannot be held for another.
    given::<Campaign>([events("150"), vec![taken(first(), CREATOR)]].concat())
        .when(take(other(), OTHER))
        .then_error(CampaignError::EscrowTooLow {
            needed: vcoin("100"),
            left: sum("50"),
        });
}

#[test]
fn a_freed_place_frees_its_reward() {
    let state = given::<Campaign>(at_work())
        .when(free(first()))
        .then([freed(first())])
        .state();
    assert_eq!((state.held(), state.left()), (VcoinSum::ZERO, sum("500")));
    assert_eq!(state.missions[&MISSION].taken, 0);
    let assignment = other();
    given::<Campaign>(at_work())
        .when(free(other()))
        .then_error(CampaignError::UnknownPlace { assignment });
}

#[test]
fn a_reward_is_paid_less_the_fee() {
    let state = given::<Campaign>(at_work())
        .when(pay(first()))
        .then([paid(first(), CREATOR)])
        .state();
    assert_eq!(
        (state.paid, state.held(), state.left()),
        (sum("100"), VcoinSum::ZERO, sum("400"))
    );
    assert_eq!(state.payable(CREATOR), vcoin("95"));
    let assignment = other();
    given::<Campaign>(at_work())
        .when(pay(other()))
        .then_error(CampaignError::UnknownPlace { assignment });
}

#[test]
fn a_pause_does_not_stop_open_work() {
    let events = [at_work(), vec![paused()]].concat();
    given::<Campaign>(events.clone())
        .when(pay(first()))
        .then([paid(first(), CREATOR)]);
    given::<Campaign>(events).when(free(first())).then([freed(first())]);
}
