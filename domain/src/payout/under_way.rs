//! A payout that was requested: what its commands check, and the parts of its events.

use super::{
    Approval, Approved, Attempt, Ended, FlagOfPayout, Payout, PayoutError, PayoutEvent, Requested, SecondFactor, Status,
};
use crate::ids::{FlagId, UserId};
use crate::text;
use uuid::Uuid;

/// An approval that is asked for.
pub(super) struct Approving<'a> {
    pub(super) by: &'a str,
    pub(super) digest: &'a str,
    pub(super) second_factor: SecondFactor,
}

/// A payout that was requested.
pub(super) struct UnderWay<'a> {
    pub(super) payout: &'a Payout,
    pub(super) request: &'a Requested,
}

/// The checks.
impl UnderWay<'_> {
    pub(super) fn must_be(
        &self,
        allowed: &[Status],
        action: &'static str,
        needed: &'static str,
    ) -> Result<(), PayoutError> {
        let status = self.payout.status;
        if allowed.contains(&status) {
            return Ok(());
        }
        Err(PayoutError::WrongStatus { status, action, needed })
    }

    pub(super) fn must_not_be_sent(&self, action: &'static str) -> Result<(), PayoutError> {
        let allowed = [Status::Requested, Status::SponsorApproved, Status::Approved];
        self.must_be(&allowed, action, "requested, sponsor_approved or approved")
    }

    pub(super) fn must_be_sent(&self, action: &'static str) -> Result<(), PayoutError> {
        self.must_be(&[Status::Submitted, Status::Unknown], action, "submitted or unknown")
    }

    pub(super) fn must_not_be_over(&self, action: &'static str) -> Result<(), PayoutError> {
        let status = self.payout.status;
        if !status.is_over() {
            return Ok(());
        }
        let needed = "still under way";
        Err(PayoutError::WrongStatus { status, action, needed })
    }

    pub(super) fn must_not_be_held(&self) -> Result<(), PayoutError> {
        match self.payout.holds.len() {
            0 => Ok(()),
            flags => Err(PayoutError::PayoutHeld { flags }),
        }
    }

    pub(super) fn must_not_be_own(&self, by: &str) -> Result<(), PayoutError> {
        if is(by, self.request.creator) {
            return Err(PayoutError::OwnPayout(self.request.creator));
        }
        Ok(())
    }

    pub(super) fn is_sponsor(&self, by: &str) -> bool {
        is(by, self.request.sponsor)
    }

    pub(super) fn must_know_digest(&self, digest: &str) -> Result<(), PayoutError> {
        if digest == self.request.digest {
            return Ok(());
        }
        Err(PayoutError::DigestMismatch {
            amount: self.request.amount_vcoin,
            fiat: self.request.fiat,
            creator: self.request.creator,
        })
    }
}

/// The parts of events.
impl UnderWay<'_> {
    pub(super) fn approval(&self, approving: &Approving<'_>) -> Approval {
        Approval {
            by: approving.by.to_owned(),
            digest: approving.digest.to_owned(),
            payout: self.request.payout,
            second_factor: approving.second_factor,
        }
    }

    pub(super) fn approved(&self, admin: Option<Approval>) -> PayoutEvent {
        let payout = self.request.payout;
        PayoutEvent::Approved(Approved { admin, payout })
    }

    /// A provider's words may have several lines.
    pub(super) fn attempt(&self, reason: Option<&str>) -> Result<Attempt, PayoutError> {
        if let Some(reason) = reason {
            text::check_text("reason", reason, text::REASON)?;
        }
        Ok(Attempt {
            attempt: self.payout.attempt,
            payout: self.request.payout,
            reason: reason.map(str::to_owned),
        })
    }

    pub(super) fn ended(&self, reason: Option<&str>, transaction: Uuid) -> Ended {
        Ended {
            amount_vcoin: self.request.amount_vcoin,
            creator: self.request.creator,
            payout: self.request.payout,
            reason: reason.map(str::to_owned),
            transaction,
        }
    }

    pub(super) fn flag(&self, flag: FlagId) -> FlagOfPayout {
        let payout = self.request.payout;
        FlagOfPayout { flag, payout }
    }
}

/// Whether a principal is this user, however the id is written.
fn is(principal: &str, user: UserId) -> bool {
    Uuid::try_parse(principal) == Ok(user.0)
}
