//! What can be asked of a payout.

use super::SecondFactor;
use crate::ids::{CampaignId, FlagId, PayoutId, UserId};
use crate::money::Vcoin;
use crate::terms::Terms;
use uuid::Uuid;

/// A command to a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PayoutCommand {
    /// Ask for money.
    Request(Request),
    /// Agree as the campaign's sponsor.
    ApproveAsSponsor {
        /// Who.
        by: String,
        /// What the approver saw.
        digest: String,
        /// How the approver proved to be who it is.
        second_factor: SecondFactor,
    },
    /// Agree as an admin, where the amount is above the limit.
    ApproveAsAdmin {
        /// Who.
        by: String,
        /// What the approver saw.
        digest: String,
        /// How the approver proved to be who it is.
        second_factor: SecondFactor,
    },
    /// Refuse, before it is sent.
    Reject {
        /// Why.
        reason: String,
        /// The ledger's transaction.
        transaction: Uuid,
    },
    /// Take the request back, before it is sent.
    Cancel {
        /// Why.
        reason: Option<String>,
        /// The ledger's transaction.
        transaction: Uuid,
    },
    /// Hand it to the payment provider.
    Submit {
        /// Who pays.
        provider: String,
    },
    /// The attempt paid.
    Settle {
        /// The provider's own id of the payment.
        provider_reference: Option<String>,
        /// The ledger's transaction.
        transaction: Uuid,
    },
    /// The attempt definitely did not pay.
    FailAttempt {
        /// What the provider said.
        reason: Option<String>,
        /// Not to be tried again, however many attempts are left.
        finally: bool,
        /// The ledger's transaction, if this was the last attempt.
        transaction: Uuid,
    },
    /// It is not known whether the attempt paid.
    LoseSight {
        /// What the provider said.
        reason: Option<String>,
    },
    /// A suspicion stops it.
    Hold {
        /// Which.
        flag: FlagId,
    },
    /// A suspicion is dismissed.
    Release {
        /// Which.
        flag: FlagId,
    },
}

/// A request for a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The new payout.
    pub payout: PayoutId,
    /// Who asks.
    pub creator: UserId,
    /// Where it was earned.
    pub campaign: CampaignId,
    /// Who must approve.
    pub sponsor: UserId,
    /// How much.
    pub amount: Vcoin,
    /// The terms of today.
    pub terms: Terms,
    /// The ledger's transaction.
    pub transaction: Uuid,
}
