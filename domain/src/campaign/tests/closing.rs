//! Closing: at once, or after the open work.

use super::*;
use crate::given::given;

fn close() -> CampaignCommand {
    CampaignCommand::Close { refund: REFUND }
}

fn mission_closed(mission: MissionId) -> CampaignEvent {
    CampaignEvent::MissionClosed(of_mission(mission))
}

#[test]
fn without_open_work_all_goes_back_at_once() {
    for events in [draft(), running(), [running(), vec![paused()]].concat()] {
        let state = given::<Campaign>(events)
            .when(close())
            .then([mission_closed(MISSION), CampaignEvent::Closed(returned("500"))])
            .state();
        assert_eq!(
            (state.status, state.left(), state.returned),
            (Status::Closed, VcoinSum::ZERO, sum("500"))
        );
    }
}

#[test]
fn without_money_nothing_is_posted() {
    given::<Campaign>([created()])
        .when(close())
        .then([CampaignEvent::Closed(Returned {
            campaign: CAMPAIGN,
            returned_vcoin: Vcoin::ZERO,
            sponsor: SPONSOR,
            transaction: None,
        })]);
}

#[test]
fn missions_that_are_closed_are_not_closed_again() {
    given::<Campaign>([draft(), vec![added(SECOND), mission_closed(MISSION)]].concat())
        .when(close())
        .then([mission_closed(SECOND), CampaignEvent::Closed(returned("500"))]);
}

#[test]
fn open_work_is_settled_first() {
    let two = [at_work(), vec![taken(other(), OTHER)]].concat();
    let state = given::<Campaign>(two)
        .when(close())
        .then([mission_closed(MISSION), CampaignEvent::Closing(returned("300"))])
        .when(free(first()))
        .then([freed(first())])
        .when(pay(other()))
        .then([paid(other(), OTHER), CampaignEvent::Closed(returned("100"))])
        .state();
    assert_eq!(
        (state.status, state.left(), state.held()),
        (Status::Closed, VcoinSum::ZERO, VcoinSum::ZERO)
    );
    assert_eq!((state.returned, state.paid), (sum("400"), sum("100")));
}

#[test]
fn the_last_place_closes_it_whether_it_is_paid_or_freed() {
    let state = given::<Campaign>(closing())
        .when(free(first()))
        .then([freed(first()), CampaignEvent::Closed(returned("100"))])
        .state();
    assert_eq!(state.status, Status::Closed);
    given::<Campaign>(closing())
        .when(pay(first()))
        .then([paid(first(), CREATOR), CampaignEvent::Closed(returned("0"))]);
}

#[test]
fn a_campaign_is_closed_once() {
    for (events, status) in [(closing(), "closing"), (closed(), "closed")] {
        given::<Campaign>(events)
            .when(close())
            .then_error(CampaignError::WrongStatus {
                status,
                action: "it can be closed",
                allowed: &[Status::Draft, Status::Published, Status::Paused],
            });
    }
    let error = given::<Campaign>(closed()).when(close()).error();
    assert_eq!(
        error.to_string(),
        "the campaign is closed: it can be closed only while it is draft, published or paused"
    );
    given::<Campaign>([]).when(close()).then_error(CampaignError::Unknown);
}

/// No decision leads there, a log that was tampered with may: then nothing is returned, rather than another sum.
#[test]
fn what_is_no_amount_is_not_returned() {
    let overspent = [running(), vec![paid(first(), CREATOR); 6]].concat();
    let sum_of = |sum| CampaignError::NotAnAmount { sum };
    given::<Campaign>(overspent)
        .when(close())
        .then_error(sum_of(sum("-100")));
    let largest = "100000000000000000000";
    let overflown = [draft(), vec![funded(largest)]].concat();
    let all = sum(largest) + vcoin("500");
    given::<Campaign>(overflown).when(close()).then_error(sum_of(all));
}
