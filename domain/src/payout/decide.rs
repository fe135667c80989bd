//! From a request to money at a bank. Before anything is sent, everybody who must agree has; while it is not known
//! whether an attempt paid, nothing is sent again; and however it ends, the V-Coin is either redeemed or back.

use super::under_way::{Approving, UnderWay};
use super::{Payout, PayoutCommand, PayoutError, PayoutEvent, Request, Requested, Settled, Status, Submitted, digest};
use crate::aggregate::Aggregate;
use crate::ids::FlagId;
use crate::money::Money;
use crate::text;
use uuid::Uuid;

/// The longest name of a payment provider, in characters.
const PROVIDER: usize = 64;
/// The longest reference of a payment provider, in characters.
const PROVIDER_REFERENCE: usize = 200;

type Events = Result<Vec<PayoutEvent>, PayoutError>;

impl Aggregate for Payout {
    const TYPE: &'static str = "payout";
    type Command = PayoutCommand;
    type Event = PayoutEvent;
    type Error = PayoutError;

    fn decide(&self, command: &PayoutCommand) -> Events {
        match (&self.request, command) {
            (None, PayoutCommand::Request(request)) => asked(request),
            (None, _) => Err(PayoutError::UnknownPayout),
            (Some(request), command) => UnderWay { payout: self, request }.decide(command),
        }
    }

    fn evolve(&mut self, event: &PayoutEvent) {
        self.apply(event);
    }

    fn exists(&self) -> bool {
        self.request.is_some()
    }
}

/// The answer to a request.
fn asked(request: &Request) -> Events {
    let terms = &request.terms;
    let (amount, rate) = (request.amount, terms.rate);
    if !amount.is_positive() {
        return Err(PayoutError::AmountNotPositive(amount));
    }
    let fiat = match rate.to_fiat(amount, terms.fiat) {
        None => {
            let fiat = terms.fiat;
            return Err(PayoutError::AmountOutOfRange { amount, rate, fiat });
        }
        Some(fiat) if !fiat.amount.is_positive() => {
            let fiat = terms.fiat;
            return Err(PayoutError::PayoutTooSmall { amount, rate, fiat });
        }
        Some(fiat) => fiat,
    };
    Ok(vec![PayoutEvent::Requested(requested(request, fiat))])
}

fn requested(request: &Request, fiat: Money) -> Requested {
    Requested {
        admin_limit_vcoin: request.terms.admin_limit,
        amount_vcoin: request.amount,
        attempts: request.terms.payout_attempts,
        campaign: request.campaign,
        creator: request.creator,
        digest: digest(request.payout, request.creator, request.campaign, request.amount, fiat),
        fiat,
        payout: request.payout,
        rate: request.terms.rate,
        sponsor: request.sponsor,
        transaction: request.transaction,
    }
}

impl UnderWay<'_> {
    fn decide(&self, command: &PayoutCommand) -> Events {
        match command {
            PayoutCommand::Request(_) => Err(PayoutError::PayoutExists(self.request.payout)),
            PayoutCommand::ApproveAsSponsor {
                by,
                digest,
                second_factor,
            } => self.approve_as_sponsor(&Approving {
                by,
                digest,
                second_factor: *second_factor,
            }),
            PayoutCommand::ApproveAsAdmin {
                by,
                digest,
                second_factor,
            } => self.approve_as_admin(&Approving {
                by,
                digest,
                second_factor: *second_factor,
            }),
            PayoutCommand::Reject { reason, transaction } => self.reject(reason, *transaction),
            PayoutCommand::Cancel { reason, transaction } => self.cancel(reason.as_deref(), *transaction),
            PayoutCommand::Submit { provider } => self.submit(provider),
            PayoutCommand::Settle {
                provider_reference,
                transaction,
            } => self.settle(provider_reference.as_deref(), *transaction),
            PayoutCommand::FailAttempt {
                reason,
                finally,
                transaction,
            } => self.fail_attempt(reason.as_deref(), *finally, *transaction),
            PayoutCommand::LoseSight { reason } => self.lose_sight(reason.as_deref()),
            PayoutCommand::Hold { flag } => self.hold(*flag),
            PayoutCommand::Release { flag } => self.release(*flag),
        }
    }

    fn approve_as_sponsor(&self, approving: &Approving<'_>) -> Events {
        self.must_be(&[Status::Requested], "approved by its sponsor", "requested")?;
        self.must_not_be_held()?;
        self.must_not_be_own(approving.by)?;
        if !self.is_sponsor(approving.by) {
            let (campaign, sponsor) = (self.request.campaign, self.request.sponsor);
            return Err(PayoutError::NotTheSponsor { campaign, sponsor });
        }
        self.must_know_digest(approving.digest)?;
        let mut events = vec![PayoutEvent::SponsorApproved(self.approval(approving))];
        if !self.request.needs_admin() {
            events.push(self.approved(None));
        }
        Ok(events)
    }

    fn approve_as_admin(&self, approving: &Approving<'_>) -> Events {
        self.must_be(&[Status::SponsorApproved], "approved by an admin", "sponsor_approved")?;
        self.must_not_be_held()?;
        self.must_not_be_own(approving.by)?;
        if self.is_sponsor(approving.by) {
            let (sponsor, admin_limit) = (self.request.sponsor, self.request.admin_limit_vcoin);
            return Err(PayoutError::SameApprover { sponsor, admin_limit });
        }
        self.must_know_digest(approving.digest)?;
        Ok(vec![self.approved(Some(self.approval(approving)))])
    }

    fn reject(&self, reason: &str, transaction: Uuid) -> Events {
        self.must_not_be_sent("rejected")?;
        text::check_line("reason", reason, text::REASON)?;
        Ok(vec![PayoutEvent::Rejected(self.ended(Some(reason), transaction))])
    }

    fn cancel(&self, reason: Option<&str>, transaction: Uuid) -> Events {
        self.must_not_be_sent("cancelled")?;
        if let Some(reason) = reason {
            text::check_line("reason", reason, text::REASON)?;
        }
        Ok(vec![PayoutEvent::Cancelled(self.ended(reason, transaction))])
    }

    fn submit(&self, provider: &str) -> Events {
        self.must_be(&[Status::Approved], "submitted", "approved")?;
        self.must_not_be_held()?;
        text::check_identifier("provider", provider, PROVIDER)?;
        Ok(vec![PayoutEvent::Submitted(Submitted {
            attempt: self.payout.attempt.saturating_add(1),
            payout: self.request.payout,
            provider: provider.to_owned(),
        })])
    }

    fn settle(&self, provider_reference: Option<&str>, transaction: Uuid) -> Events {
        self.must_be_sent("settled")?;
        if let Some(reference) = provider_reference {
            text::check_identifier("provider_reference", reference, PROVIDER_REFERENCE)?;
        }
        Ok(vec![PayoutEvent::Settled(Settled {
            amount_vcoin: self.request.amount_vcoin,
            attempt: self.payout.attempt,
            fiat: self.request.fiat,
            payout: self.request.payout,
            provider_reference: provider_reference.map(str::to_owned),
            transaction,
        })])
    }

    /// The last attempt, or one after which no other makes sense, gives the money back.
    fn fail_attempt(&self, reason: Option<&str>, finally: bool, transaction: Uuid) -> Events {
        self.must_be_sent("failed")?;
        let mut events = vec![PayoutEvent::AttemptFailed(self.attempt(reason)?)];
        if finally || self.payout.attempt >= self.request.attempts {
            events.push(PayoutEvent::Failed(self.ended(reason, transaction)));
        }
        Ok(events)
    }

    fn lose_sight(&self, reason: Option<&str>) -> Events {
        self.must_be(&[Status::Submitted], "marked as unknown", "submitted")?;
        Ok(vec![PayoutEvent::Unknown(self.attempt(reason)?)])
    }

    /// Stops what is not sent yet. What is sent already goes on, but would not be sent again.
    fn hold(&self, flag: FlagId) -> Events {
        self.must_not_be_over("held")?;
        if self.payout.holds.contains(&flag) {
            return Err(PayoutError::AlreadyHeld(flag));
        }
        Ok(vec![PayoutEvent::Held(self.flag(flag))])
    }

    fn release(&self, flag: FlagId) -> Events {
        self.must_not_be_over("released")?;
        if !self.payout.holds.contains(&flag) {
            return Err(PayoutError::NotHeld(flag));
        }
        Ok(vec![PayoutEvent::Released(self.flag(flag))])
    }
}
