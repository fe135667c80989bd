//! Verify: events of the domain are what the platform writes, and money moves as they say.

use crate::journey::Journey;
use crate::tampered::Tampered;
use crate::verify::{finds, verified};
use uuid::Uuid;
use viral_audit::{AsOf, Silent, verify, verify_up_to};
use viral_store::Position;

pub(crate) async fn told() -> Tampered {
    Tampered::copy(Journey::told().await.store.as_ref()).await
}

/// Where an event of this type stands whose payload has this text: the first one.
pub(crate) fn place(log: &Tampered, event_type: &str, text: &str) -> u64 {
    let found = log
        .events
        .iter()
        .find(|event| event.event_type == event_type && event.payload.contains(text));
    found
        .unwrap_or_else(|| panic!("no {event_type} with {text}"))
        .position
        .0
}

fn posted(log: &Tampered, code: &str) -> u64 {
    place(log, "book.transaction_posted", &format!("\"code\":\"{code}\""))
}

#[tokio::test]
async fn a_story_of_the_platform_holds() {
    let journey = Journey::told().await;
    let verification = verify(&journey.store, &Silent).await.unwrap();
    assert_eq!(verification.first_bad, None);
    let log = Tampered::copy(journey.store.as_ref()).await;
    // Every kind of aggregate is in it, and everything that moves money.
    for kind in [
        "assignment",
        "campaign",
        "fraud_flag",
        "login",
        "on_ramp",
        "payout",
        "user",
    ] {
        assert!(
            log.events.iter().any(|event| event.stream.aggregate_type == kind),
            "{kind}"
        );
    }
    for code in [
        "on_ramp",
        "fund",
        "reward",
        "refund",
        "payout_request",
        "payout",
        "payout_return",
    ] {
        posted(&log, code);
    }
    place(&log, "book.hold_voided", "");
    // The log ends in the middle of a unit wherever somebody asks for it: what is due then comes later.
    for position in 1..=log.head.position.0 {
        let up_to = AsOf::Position(Position(position));
        let part = verify_up_to(&journey.store, up_to, &Silent).await.unwrap();
        assert_eq!(part.first_bad, None, "up to {position}");
    }
}

#[tokio::test]
async fn what_no_event_says() {
    let log = told().await;
    let mut reward = log.clone();
    let said = place(&log, "campaign.reward_paid", "");
    reward.remove_and_close_gap(said);
    let text = "no event of the domain in its unit says that this happens";
    finds("a reward without its event", reward, said, text).await;
}

#[tokio::test]
async fn what_is_said_otherwise() {
    let log = told().await;
    let (reward, fund, payout) = (posted(&log, "reward"), posted(&log, "fund"), posted(&log, "payout"));
    let hold = place(&log, "book.hold_placed", "");
    for (what, position, from, to, at, text) in [
        (
            "more for the creator",
            reward,
            "1900.0000",
            "1990.0000",
            reward,
            "says: postings should be [{\"amount\":\"1900.0000\"",
        ),
        (
            "less in the escrow",
            fund,
            "4500.0000",
            "4499.0000",
            fund,
            "it is not what campaign.funded at position",
        ),
        (
            "another code",
            payout,
            "\"payout\"",
            "\"payday\"",
            payout,
            "code should be \"payout\", it is \"payday\"",
        ),
        (
            "another amount in the event",
            fund - 1,
            "4500.0000",
            "4499.0000",
            fund,
            "postings should be",
        ),
        (
            "more than there is",
            fund - 1,
            "4500.0000",
            "90000.0000",
            fund,
            "says: postings should be [{\"amount\":\"90000.0000\"",
        ),
        ("a smaller hold", hold, "2000.0000", "1.0000", hold, "amount should be"),
    ] {
        let mut changed = log.clone();
        changed.payload(position, from, to);
        finds(what, changed, at, text).await;
    }
    let mut id = log.clone();
    id.at(fund).event_id = Uuid::from_u128(5);
    finds("another id", id, fund, "as campaign.funded at position").await;
    let mut opened = log.clone();
    let account = place(&log, "book.account_opened", ":wallet");
    opened.payload(account, "false", "true");
    finds(
        "a wallet with credit",
        opened,
        account,
        "may_go_negative should be false",
    )
    .await;
}

#[tokio::test]
async fn what_is_said_and_not_done() {
    let log = told().await;
    let reward = posted(&log, "reward");
    let mut capture = log.clone();
    capture.remove_and_close_gap(reward);
    let text = "its unit does not capture the hold";
    finds("a missing capture", capture, reward - 1, text).await;

    // The closing of the second campaign is the last thing that happens.
    let mut last = log.clone();
    let refund = log.head.position.0;
    last.remove_and_close_gap(refund);
    let text = "its unit does not post the transaction";
    finds("a missing refund at the end", last, refund - 1, text).await;

    let mut void = log.clone();
    let voided = place(&log, "book.hold_voided", "");
    void.remove_and_close_gap(voided);
    let text = "its unit does not void the hold";
    finds("a missing release", void, voided - 1, text).await;

    let mut refund = log.clone();
    let returned = posted(&log, "refund");
    refund.remove_and_close_gap(returned);
    finds("a missing refund", refund, returned - 1, "its unit does not post").await;
}

#[tokio::test]
async fn payloads_are_what_the_platform_writes() {
    let log = told().await;
    let funded = place(&log, "campaign.funded", "");
    let other = Uuid::from_u128(9).to_string();
    let campaign = log.events[usize::try_from(funded).unwrap() - 1]
        .stream
        .aggregate_id
        .to_string();
    for (what, from, to, text) in [
        ("an unknown field", "{", "{\"aa\":1,", "payload: unknown field `aa`"),
        (
            "a missing field",
            "\"sponsor\"",
            "\"sponsoz\"",
            "payload: unknown field",
        ),
        (
            "other digits",
            "4500.0000",
            "4500.00",
            "not spelled as version 1 of this event is written",
        ),
        ("no amount", "4500.0000", "x", "payload: "),
        (
            "an unknown type",
            "campaign.funded",
            "campaign.fended",
            "the payload's type is",
        ),
        ("spaces", "{", "{ ", "payload: not in canonical form"),
        (
            "another campaign",
            campaign.as_str(),
            other.as_str(),
            "but about 00000000",
        ),
    ] {
        let mut changed = log.clone();
        changed.payload(funded, from, to);
        finds(what, changed, funded, text).await;
    }
    // Whatever happened to one aggregate is not another one's history.
    for event_type in [
        "assignment.invited",
        "assignment.accepted",
        "assignment.approved",
        "fraud_flag.raised",
        "on_ramp.completed",
        "payout.requested",
        "user.registered",
    ] {
        let position = place(&log, event_type, "");
        let mut moved = log.clone();
        moved.at(position).stream.aggregate_id = other.clone().into();
        finds(event_type, moved, position, "but about ").await;
    }
    let mut version = log.clone();
    version.at(funded).event_version = "2".into();
    let verification = verified(version).await;
    let unknown = verification.not_verified.unwrap();
    assert_eq!((unknown.position, verification.first_bad), (Position(funded), None));
    let mut renamed = log;
    renamed.at(funded).event_type = "campaign.paused".into();
    renamed.payload(funded, "campaign.funded", "campaign.paused");
    finds("a type with other fields", renamed, funded, "payload: unknown field").await;
}

#[tokio::test]
async fn who_decided_is_who_appended_it() {
    let log = told().await;
    for (event_type, field) in [
        ("payout.sponsor_approved", "\"by\":\""),
        ("payout.approved", "\"by\":\""),
        ("fraud_flag.dismissed", "\"reviewer\":\""),
    ] {
        let at = place(&log, event_type, field);
        let mut changed = log.clone();
        changed.payload(at, field, &format!("{field}somebody-else-"));
        finds(event_type, changed, at, "decided, but").await;
    }
}
