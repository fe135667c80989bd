//! Verify: what somebody does to the platform's accounts who has the keys of the database and a writer of their own.

use crate::history::{address, transaction};
use crate::journey::Journey;
use crate::tampered::Tampered;
use crate::verify::{finds, verified};
use crate::verify_domain::{place, told};
use uuid::Uuid;
use viral_commands::{NewEvent, Part, Unit};
use viral_domain::effects::{fees, wallet};
use viral_domain::user::{UserEvent, Verification, VerificationChanged};
use viral_ledger::{Address, Amount, Asset, BookEvent, Command, NormalSide};
use viral_store::StreamId;

/// Appends a unit that the writer takes, and looks for it: the bad event is this one of the unit.
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
        events: vec![NewEvent::new(event.event_type(), event.version(), &event).unwrap()],
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
