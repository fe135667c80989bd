//! Why a payout's command is refused.

use super::Status;
use crate::codes::refusal_codes;
use crate::ids::{CampaignId, FlagId, PayoutId, UserId};
use crate::money::{Money, Rate, Vcoin};
use crate::text::InvalidText;
use viral_ledger::Asset;

/// Why a payout's command is refused; in the order of the checks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayoutError {
    /// There is a payout with this id.
    #[error("payout {0} exists already: a new request needs a new id")]
    PayoutExists(PayoutId),
    /// There is no such payout.
    #[error("there is no such payout: request it first")]
    UnknownPayout,
    /// Nothing is asked for.
    #[error("the amount is {0} VCOIN: ask for more than zero")]
    AmountNotPositive(Vcoin),
    /// The fiat money is beyond the bounds of an amount.
    #[error("{amount} VCOIN at {rate} {fiat} each is more than the ledger can count: ask for less")]
    AmountOutOfRange {
        /// What was asked for.
        amount: Vcoin,
        /// What one V-Coin is worth.
        rate: Rate,
        /// In which currency.
        fiat: Asset,
    },
    /// The fiat money would be nothing.
    #[error("{amount} VCOIN at {rate} {fiat} each is less than the smallest amount of {fiat}: ask for more")]
    PayoutTooSmall {
        /// What was asked for.
        amount: Vcoin,
        /// What one V-Coin is worth.
        rate: Rate,
        /// In which currency.
        fiat: Asset,
    },
    /// The command does not fit how far the payout is.
    #[error("the payout is {}: only one that is {needed} can be {action}", .status.as_str())]
    WrongStatus {
        /// How far it is.
        status: Status,
        /// What was to be done.
        action: &'static str,
        /// How far it would have to be.
        needed: &'static str,
    },
    /// Suspicions stop it.
    #[error("the payout is held because of {flags} fraud flag(s): an admin must dismiss them first")]
    PayoutHeld {
        /// How many.
        flags: usize,
    },
    /// Nobody approves money for themselves.
    #[error("the payout goes to {0}, who asks to approve it: somebody else must")]
    OwnPayout(UserId),
    /// Another one must approve.
    #[error("the money was earned in campaign {campaign}: only its sponsor {sponsor} can approve the payout")]
    NotTheSponsor {
        /// Where it was earned.
        campaign: CampaignId,
        /// Who must approve.
        sponsor: UserId,
    },
    /// Two people must approve.
    #[error(
        "{sponsor} approved as the sponsor: above {admin_limit} VCOIN an admin who is somebody else must approve too"
    )]
    SameApprover {
        /// Who approved before.
        sponsor: UserId,
        /// Up to where one approval is enough.
        admin_limit: Vcoin,
    },
    /// Something else was approved.
    #[error(
        "the digest is not that of this payout of {amount} VCOIN ({fiat}) to {creator}: \
         read the payout again and send the digest that it shows"
    )]
    DigestMismatch {
        /// How much it is.
        amount: Vcoin,
        /// What the payee gets.
        fiat: Money,
        /// The payee.
        creator: UserId,
    },
    /// The suspicion stops it already.
    #[error("flag {0} holds the payout already")]
    AlreadyHeld(FlagId),
    /// The suspicion does not stop it.
    #[error("flag {0} does not hold the payout")]
    NotHeld(FlagId),
    /// A text cannot be kept.
    #[error(transparent)]
    InvalidText(#[from] InvalidText),
}

refusal_codes!(PayoutError {
    PayoutExists(_) => "payout_exists",
    UnknownPayout => "unknown_payout",
    AmountNotPositive(_) => "amount_not_positive",
    AmountOutOfRange { .. } => "amount_out_of_range",
    PayoutTooSmall { .. } => "payout_too_small",
    WrongStatus { .. } => "payout_wrong_status",
    PayoutHeld { .. } => "payout_held",
    OwnPayout(_) => "own_payout",
    NotTheSponsor { .. } => "not_the_sponsor",
    SameApprover { .. } => "same_approver",
    DigestMismatch { .. } => "digest_mismatch",
    AlreadyHeld(_) => "payout_already_held",
    NotHeld(_) => "payout_not_held",
    InvalidText(_) => "invalid_text",
});
