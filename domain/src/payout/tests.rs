//! Given, when, then for payouts. Unless a test says otherwise, the payout is of 2,000 VCOIN, above the limit up to
//! which the sponsor's approval is enough.

mod approval;
mod holds;
mod machine;
mod money;
mod request;
mod sending;

use super::*;
use crate::given::{Given, given};
use crate::ids::{CampaignId, FlagId, PayoutId, UserId};
use crate::money::{Money, Rate, Vcoin};
use crate::terms::Terms;
use crate::text::InvalidText;
use uuid::Uuid;
use viral_ledger::{Amount, Asset};

fn creator() -> UserId {
    UserId(Uuid::from_u128(0xc))
}

fn sponsor() -> UserId {
    UserId(Uuid::from_u128(0x5))
}

fn payout() -> PayoutId {
    PayoutId(Uuid::from_u128(0xb))
}

fn campaign() -> CampaignId {
    CampaignId(Uuid::from_u128(0xca))
}

fn flag(number: u128) -> FlagId {
    FlagId(Uuid::from_u128(number))
}

/// The transaction that a command brings along.
fn transaction() -> Uuid {
    Uuid::from_u128(0x7)
}

fn vcoin(text: &str) -> Vcoin {
    Vcoin::parse(text).unwrap()
}

fn usd(text: &str) -> Money {
    let asset = Asset::parse("USD").unwrap();
    let amount = Amount::parse(text, asset).unwrap();
    Money { amount, asset }
}

fn request_of(amount: &str) -> Request {
    Request {
        payout: payout(),
        creator: creator(),
        campaign: campaign(),
        sponsor: sponsor(),
        amount: vcoin(amount),
        terms: Terms::default(),
        transaction: transaction(),
    }
}

fn request() -> Request {
    request_of("2000")
}

fn requested_of(amount: &str, fiat: &str) -> Requested {
    Requested {
        admin_limit_vcoin: vcoin("1000"),
        amount_vcoin: vcoin(amount),
        attempts: 3,
        campaign: campaign(),
        creator: creator(),
        digest: digest(payout(), creator(), campaign(), vcoin(amount), usd(fiat)),
        fiat: usd(fiat),
        payout: payout(),
        rate: Rate::parse("0.01").unwrap(),
        sponsor: sponsor(),
        transaction: transaction(),
    }
}

fn requested() -> Requested {
    requested_of("2000", "20.00")
}

fn approval(by: &str) -> Approval {
    Approval {
        by: by.to_owned(),
        digest: requested().digest,
        payout: payout(),
        second_factor: SecondFactor::Totp,
    }
}

fn approve_as_sponsor(by: &str) -> PayoutCommand {
    let Approval {
        by,
        digest,
        second_factor,
        ..
    } = approval(by);
    PayoutCommand::ApproveAsSponsor {
        by,
        digest,
        second_factor,
    }
}

fn approve_as_admin(by: &str) -> PayoutCommand {
    let Approval {
        by,
        digest,
        second_factor,
        ..
    } = approval(by);
    PayoutCommand::ApproveAsAdmin {
        by,
        digest,
        second_factor,
    }
}

fn submit() -> PayoutCommand {
    let provider = "manual".to_owned();
    PayoutCommand::Submit { provider }
}

fn settle() -> PayoutCommand {
    PayoutCommand::Settle {
        provider_reference: Some("po_1".to_owned()),
        transaction: transaction(),
    }
}

fn fail(finally: bool) -> PayoutCommand {
    PayoutCommand::FailAttempt {
        reason: Some("account closed".to_owned()),
        finally,
        transaction: transaction(),
    }
}

fn lose_sight() -> PayoutCommand {
    let reason = Some("account closed".to_owned());
    PayoutCommand::LoseSight { reason }
}

fn reject() -> PayoutCommand {
    PayoutCommand::Reject {
        reason: "account closed".to_owned(),
        transaction: transaction(),
    }
}

fn cancel() -> PayoutCommand {
    PayoutCommand::Cancel {
        reason: None,
        transaction: transaction(),
    }
}

fn approved(admin: Option<Approval>) -> PayoutEvent {
    let payout = payout();
    PayoutEvent::Approved(Approved { admin, payout })
}

fn submitted(attempt: u32) -> PayoutEvent {
    PayoutEvent::Submitted(Submitted {
        attempt,
        payout: payout(),
        provider: "manual".to_owned(),
    })
}

fn attempt(attempt: u32) -> Attempt {
    Attempt {
        attempt,
        payout: payout(),
        reason: Some("account closed".to_owned()),
    }
}

fn settled(attempt: u32) -> PayoutEvent {
    PayoutEvent::Settled(Settled {
        amount_vcoin: vcoin("2000"),
        attempt,
        fiat: usd("20.00"),
        payout: payout(),
        provider_reference: Some("po_1".to_owned()),
        transaction: transaction(),
    })
}

fn ended(reason: Option<&str>) -> Ended {
    Ended {
        amount_vcoin: vcoin("2000"),
        creator: creator(),
        payout: payout(),
        reason: reason.map(str::to_owned),
        transaction: transaction(),
    }
}

fn held(number: u128) -> PayoutEvent {
    let flag = flag(number);
    PayoutEvent::Held(FlagOfPayout { flag, payout: payout() })
}

fn released(number: u128) -> PayoutEvent {
    let flag = flag(number);
    PayoutEvent::Released(FlagOfPayout { flag, payout: payout() })
}

/// What led to a status. A new status does not compile here: give it a place in [`Status::ALL`] too.
fn past(status: Status) -> Vec<PayoutEvent> {
    let after = |status: Status, event: PayoutEvent| [past(status), vec![event]].concat();
    match status {
        Status::Missing => vec![],
        Status::Requested => vec![PayoutEvent::Requested(requested())],
        Status::SponsorApproved => {
            let approval = approval(&sponsor().to_string());
            after(Status::Requested, PayoutEvent::SponsorApproved(approval))
        }
        Status::Approved => after(Status::SponsorApproved, approved(Some(approval("admin")))),
        Status::Submitted => after(Status::Approved, submitted(1)),
        Status::Unknown => after(Status::Submitted, PayoutEvent::Unknown(attempt(1))),
        Status::Settled => after(Status::Submitted, settled(1)),
        Status::Rejected => after(Status::Requested, PayoutEvent::Rejected(ended(Some("account closed")))),
        Status::Cancelled => after(Status::Requested, PayoutEvent::Cancelled(ended(None))),
        Status::Failed => after(Status::Approved, PayoutEvent::Failed(ended(Some("account closed")))),
    }
}

/// A payout with this status.
fn payout_that_is(status: Status) -> Given<Payout> {
    given(past(status))
}

/// The error of a command that comes too early or too late.
fn wrong(status: Status, action: &'static str, needed: &'static str) -> PayoutError {
    PayoutError::WrongStatus { status, action, needed }
}

/// The field that a text was refused for.
fn refused_text(given: Given<Payout>, command: PayoutCommand) -> &'static str {
    match given.when(command).answer() {
        Err(PayoutError::InvalidText(InvalidText { field, .. })) => field,
        other => panic!("{other:?}"),
    }
}
