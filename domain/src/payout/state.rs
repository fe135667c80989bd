//! What is known of a payout.

use super::{Approval, PayoutEvent, Requested};
use crate::ids::FlagId;
use std::collections::BTreeSet;

/// How far a payout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Status {
    /// It was never requested.
    #[default]
    Missing,
    /// It waits for the sponsor.
    Requested,
    /// It waits for an admin.
    SponsorApproved,
    /// It can be sent, or sent again.
    Approved,
    /// It was handed to the payment provider.
    Submitted,
    /// Nobody knows whether the last attempt paid.
    Unknown,
    /// The creator has the money.
    Settled,
    /// The sponsor or an admin refused; the V-Coin is back.
    Rejected,
    /// The creator took the request back; the V-Coin is back.
    Cancelled,
    /// It could not be paid; the V-Coin is back.
    Failed,
}

impl Status {
    /// Every status, in the order in which a payout goes through them.
    pub const ALL: [Status; 10] = [
        Status::Missing,
        Status::Requested,
        Status::SponsorApproved,
        Status::Approved,
        Status::Submitted,
        Status::Unknown,
        Status::Settled,
        Status::Rejected,
        Status::Cancelled,
        Status::Failed,
    ];

    /// The status's name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Missing => "missing",
            Status::Requested => "requested",
            Status::SponsorApproved => "sponsor_approved",
            Status::Approved => "approved",
            Status::Submitted => "submitted",
            Status::Unknown => "unknown",
            Status::Settled => "settled",
            Status::Rejected => "rejected",
            Status::Cancelled => "cancelled",
            Status::Failed => "failed",
        }
    }

    /// Nothing more can happen to it.
    pub fn is_over(self) -> bool {
        matches!(
            self,
            Status::Settled | Status::Rejected | Status::Cancelled | Status::Failed
        )
    }
}

/// A payout, as its stream says; the default is one that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Payout {
    /// How far it is.
    pub status: Status,
    /// What was asked for.
    pub request: Option<Requested>,
    /// The last attempt to pay, from 1; 0 before the first.
    pub attempt: u32,
    /// The sponsor's approval.
    pub sponsor_approval: Option<Approval>,
    /// The admin's approval, where one was needed.
    pub admin_approval: Option<Approval>,
    /// The suspicions that stop it.
    pub holds: BTreeSet<FlagId>,
}

impl Payout {
    /// Whether an admin must approve beside the sponsor: the amount is above the limit of the day of the request.
    pub fn needs_admin(&self) -> bool {
        self.request.as_ref().is_some_and(Requested::needs_admin)
    }

    /// Applies an event.
    pub(super) fn apply(&mut self, event: &PayoutEvent) {
        match event {
            PayoutEvent::Requested(requested) => {
                self.request = Some(requested.clone());
                self.status = Status::Requested;
            }
            PayoutEvent::SponsorApproved(approval) => {
                self.sponsor_approval = Some(approval.clone());
                self.status = Status::SponsorApproved;
            }
            PayoutEvent::Approved(approved) => {
                self.admin_approval = approved.admin.clone();
                self.status = Status::Approved;
            }
            PayoutEvent::Submitted(submitted) => {
                self.attempt = submitted.attempt;
                self.status = Status::Submitted;
            }
            PayoutEvent::AttemptFailed(_) => self.status = Status::Approved,
            PayoutEvent::Unknown(_) => self.status = Status::Unknown,
            PayoutEvent::Settled(_) => self.status = Status::Settled,
            PayoutEvent::Failed(_) => self.status = Status::Failed,
            PayoutEvent::Rejected(_) => self.status = Status::Rejected,
            PayoutEvent::Cancelled(_) => self.status = Status::Cancelled,
            PayoutEvent::Held(held) => {
                self.holds.insert(held.flag);
            }
            PayoutEvent::Released(released) => {
                self.holds.remove(&released.flag);
            }
        }
    }
}

impl Requested {
    /// Whether the amount is above the limit up to which the sponsor's approval is enough.
    pub fn needs_admin(&self) -> bool {
        self.amount_vcoin > self.admin_limit_vcoin
    }
}
