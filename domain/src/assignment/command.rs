//! What can be asked of an assignment.

use super::{Fitting, Offered};
use crate::money::Vcoin;
use crate::present::Present;
use crate::terms::BasisPoints;
use uuid::Uuid;

/// A command to an assignment. Who may give it is checked before.
#[derive(Debug, Clone, PartialEq)]
pub enum AssignmentCommand {
    /// Ask a creator to take part, for the first time or again.
    Invite {
        /// What is offered.
        offer: Offered,
        /// The present.
        now: Present,
    },
    /// Take part by invitation.
    Accept {
        /// The platform's share of the reward.
        fee: BasisPoints,
        /// The hold to be placed.
        hold: Uuid,
        /// The present.
        now: Present,
    },
    /// Take part in an open call.
    Join {
        /// What is offered to everybody.
        offer: Offered,
        /// The platform's share of the reward.
        fee: BasisPoints,
        /// The hold to be placed.
        hold: Uuid,
        /// The present.
        now: Present,
    },
    /// Do not take part.
    Decline {
        /// Why.
        reason: Option<String>,
    },
    /// Give the place back, before the work is reviewed.
    Withdraw {
        /// Why.
        reason: Option<String>,
    },
    /// Hand in work, for the first time or after a rejection.
    Submit {
        /// The work, which fits the mission's requirements.
        work: Fitting,
        /// The hold to be placed where a rejection voided the one before.
        hold: Uuid,
        /// The present.
        now: Present,
    },
    /// Take the work.
    Approve {
        /// What the creator gets.
        net: Vcoin,
        /// What the platform gets.
        fee: Vcoin,
        /// The ledger's transaction.
        transaction: Uuid,
    },
    /// Do not take the work as it is.
    Reject {
        /// Why.
        reason: String,
    },
    /// The deadline has passed without work.
    Expire {
        /// The present.
        now: Present,
    },
    /// Take the invitation back.
    Cancel {
        /// Why.
        reason: Option<String>,
    },
}
