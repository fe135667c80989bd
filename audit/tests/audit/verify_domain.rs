//! Verify: the platform's money moves as the domain says, and every other way is named.

use crate::history::{address, transaction};
use crate::journey::Journey;
use crate::tampered::Tampered;
use crate::verify::{finds, verified};
use uuid::Uuid;
use viral_audit::{AsOf, Silent, verify, verify_up_to};
use viral_commands::{NewEvent, Part, Unit};
use viral_domain::DomainEvent;
use viral_domain::effects::{fees, wallet};
use viral_domain::user::{UserEvent, Verification, VerificationChanged};
use viral_ledger::{Address, Amount, Asset, BookEvent, Command, NormalSide};
use viral_store::{Position, StreamId};

async fn told() -> Tampered {
    Tampered::copy(Journey::told().await.store.as_ref()).await
}

/// Where an event of this type stands whose payload has this text: the first one.
fn place(log: &Tampered, event_type: &str, text: &str) -> u64 {
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
    // Everything that moves money is in it, and every kind of aggregate but suspicions and logins.
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
            "which the book refuses",
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
            "not spelled as the platform writes",
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
    let mut version = log.clone();
    version.at(funded).event_version = "2".into();
    let text = "version \"2\" of campaign.funded is unknown";
    finds("an unknown version", version, funded, text).await;
    let mut renamed = log;
    renamed.at(funded).event_type = "campaign.paused".into();
    renamed.payload(funded, "campaign.funded", "campaign.paused");
    finds("a type with other fields", renamed, funded, "payload: unknown field").await;
}

/// Appends a unit that the writer takes, as somebody with the keys of the database could, and looks for it: the bad
/// event is this one of the unit.
async fn smuggled(what: &str, unit: impl FnOnce(&Journey, &Tampered) -> Unit, event: u64, text: &str) {
    let journey = Journey::told().await;
    let before = Tampered::copy(journey.store.as_ref()).await;
    let unit = unit(&journey, &before);
    journey.commands.writer().append(unit).await.unwrap();
    let log = Tampered::copy(journey.store.as_ref()).await;
    finds(what, log, before.head.position.0 + event, text).await;
}

fn ledger(command: Command) -> Part {
    Part::Ledger { id: None, command }
}

fn opening(account: Address, normal_side: NormalSide) -> Command {
    Command::OpenAccount {
        account,
        asset: Asset::VCOIN,
        normal_side,
        may_go_negative: true,
    }
}

/// An event of the domain that does nothing to the ledger.
fn verification(journey: &Journey) -> Part {
    let user = journey.admin.user.unwrap();
    let event = UserEvent::VerificationChanged(VerificationChanged {
        verification: Verification::Verified,
        user,
    });
    Part::Events {
        stream: StreamId::new("user", user.to_string()),
        expected: 1,
        events: vec![NewEvent::new(event.event_type(), UserEvent::VERSION, &event).unwrap()],
    }
}

#[tokio::test]
async fn the_platforms_accounts_are_nobody_elses() {
    let unsaid = "is an account of the platform, but no event";
    let of_sponsor = |journey: &Journey| wallet(journey.sponsor.user.unwrap());
    let post = |journey: &Journey, _: &Tampered| {
        let to = wallet(journey.first.user.unwrap());
        let text = format!("1.0000 VCOIN {} -> {to}", of_sponsor(journey));
        Unit::ledger(Uuid::now_v7(), Command::Post(transaction(&[&text])))
    };
    smuggled("a transaction on wallets", post, 1, unsaid).await;

    let reverse = |journey: &Journey, log: &Tampered| {
        let fund = log
            .events
            .iter()
            .rev()
            .find(|event| event.payload.contains("\"fund\""))
            .unwrap();
        let Ok(BookEvent::TransactionPosted(original)) = serde_json::from_str(&fund.payload) else {
            panic!("{}", fund.payload)
        };
        // What was funded went back; somebody else's money makes up for it.
        let fill = format!(
            "10.0000 VCOIN {} -> {}",
            of_sponsor(journey),
            original.postings[0].credit
        );
        let reversal = Command::Reverse {
            original: fund.event_id,
            postings: original.postings,
            is_reversal: false,
            reason: None,
        };
        let parts = vec![ledger(Command::Post(transaction(&[&fill]))), ledger(reversal)];
        Unit::new(Uuid::now_v7(), parts)
    };
    smuggled("a reversal on an escrow", reverse, 1, unsaid).await;

    let hold = |_: &Journey, _: &Tampered| {
        let command = Command::PlaceHold {
            account: fees(),
            amount: Amount::parse("1", Asset::VCOIN).unwrap(),
            asset: Asset::VCOIN,
            expires_at: None,
            reference: None,
        };
        Unit::ledger(Uuid::now_v7(), command)
    };
    smuggled("a hold on fees", hold, 1, unsaid).await;
    let freeze = |_: &Journey, _: &Tampered| {
        let (account, reason) = (fees(), None);
        Unit::ledger(Uuid::now_v7(), Command::FreezeAccount { account, reason })
    };
    smuggled("frozen fees", freeze, 1, unsaid).await;
    for account in ["user:1:savings", "platform:secret"] {
        let open =
            |_: &Journey, _: &Tampered| Unit::ledger(Uuid::now_v7(), opening(address(account), NormalSide::Credit));
        smuggled("a secret account", open, 1, unsaid).await;
    }

    let mut log = told().await;
    let fees = place(&log, "book.account_opened", "platform:fees");
    log.payload(fees, "false", "true");
    finds("fees that may go below zero", log, fees, unsaid).await;
}

/// A release names no account: it is that of the hold.
#[tokio::test]
async fn a_hold_of_the_platform_is_not_released_by_itself() {
    let mut log = told().await;
    // The place that was given back as the last of its campaign.
    let withdrawn = place(&log, "assignment.withdrawn", "");
    let unit = log.at(withdrawn).event_id;
    for _ in ["assignment.withdrawn", "campaign.place_freed", "campaign.closed"] {
        log.remove_and_close_gap(withdrawn);
    }
    assert_eq!(log.at(withdrawn).event_type, "book.hold_voided");
    log.at(withdrawn).event_id = unit;
    finds("a release", log, withdrawn, ":escrow is an account of the platform").await;
}

#[tokio::test]
async fn a_unit_with_events_does_what_they_say_and_nothing_more() {
    let free = |account| ledger(opening(address(account), NormalSide::Credit));
    let more = |journey: &Journey, _: &Tampered| Unit::new(Uuid::now_v7(), vec![verification(journey), free("a")]);
    let text = "no event of the domain in its unit says that this happens";
    smuggled("an account too many", more, 2, text).await;
    let behind =
        |journey: &Journey, _: &Tampered| Unit::new(Uuid::now_v7(), vec![free("a"), free("b"), verification(journey)]);
    let text = "of its unit, where the ledger did what no event of the domain says";
    smuggled("an event behind the ledger's", behind, 3, text).await;

    let journey = Journey::told().await;
    let alone = Unit::new(Uuid::now_v7(), vec![free("a"), free("b")]);
    journey.commands.writer().append(alone).await.unwrap();
    assert!(verified(Tampered::copy(journey.store.as_ref()).await).await.holds);
}
