//! Why a command was refused. The variants stand in the order in which the checks are made: where several apply, the
//! first is the answer, whatever else is wrong.

use crate::address::Address;
use crate::asset::Asset;
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

/// A command that was not carried out. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    // What the command says by itself.
    /// A transaction without postings.
    #[error("a transaction needs at least one posting")]
    EmptyTransaction,
    /// More postings than one transaction may have.
    #[error("a transaction has at most {max} postings, this one has {count}")]
    TooManyPostings {
        /// How many there are.
        count: usize,
        /// How many there may be.
        max: usize,
    },
    /// The code is kept for transactions that the book makes itself.
    #[error("the code {0:?} is reserved: reverse the transaction instead")]
    ReservedCode(String),
    /// A text field is too long or has characters that cannot be kept.
    #[error("{field} {problem}")]
    InvalidText {
        /// Which field.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The same account on both sides.
    #[error("posting {posting}: {account} is debited and credited by the same posting")]
    SelfTransfer {
        /// Which posting, from 1.
        posting: usize,
        /// The account.
        account: Address,
    },
    /// Zero or less.
    #[error("{place}: the amount must be more than zero")]
    AmountNotPositive {
        /// Where it stands.
        place: String,
    },
    /// An effective time that no report could show.
    #[error("effective_at {0} is outside 1900-01-01 to 9999-12-31")]
    EffectiveOutOfRange(DateTime<Utc>),
    /// A reversal cannot be reversed: post what should be there instead.
    #[error("transaction {0} is itself a reversal: post a new transaction instead")]
    ReversalOfReversal(Uuid),

    // What the state says of the hold.
    /// There is no open hold of this id: it never was, or it was captured, voided or has expired.
    #[error("there is no open hold {0}: it does not exist or was already captured, voided or expired")]
    UnknownHold(Uuid),
    /// The hold's time is over.
    #[error("hold {hold} expired at {expires_at}")]
    HoldExpired {
        /// Which.
        hold: Uuid,
        /// When its time was over.
        expires_at: DateTime<Utc>,
    },
    /// The hold's time is not over, or it has none.
    #[error("hold {0} has not expired")]
    HoldNotExpired(Uuid),
    /// A hold that could never be captured.
    #[error("expires_at {0} is not in the future")]
    ExpiryInPast(DateTime<Utc>),

    // What the state says of the accounts.
    /// The account is not open.
    #[error("unknown account {0}: open it first")]
    UnknownAccount(Address),
    /// The account is already there.
    #[error("account {0} exists already")]
    AccountExists(Address),
    /// The account counts another asset, so the transaction would not balance.
    #[error(
        "{place}: {account} is an account of {expected}, not of {asset}: debits and credits must balance in every asset"
    )]
    AssetMismatch {
        /// Where it stands.
        place: String,
        /// The account.
        account: Address,
        /// What it counts.
        expected: Asset,
        /// What was to be posted.
        asset: Asset,
    },
    /// The account was closed.
    #[error("account {0} is closed")]
    AccountClosed(Address),
    /// The account is frozen.
    #[error("account {0} is frozen")]
    AccountFrozen(Address),
    /// The account is not frozen.
    #[error("account {0} is not frozen")]
    AccountNotFrozen(Address),
    /// Only empty accounts without holds can be closed.
    #[error("account {0} still has a balance or holds: empty it first")]
    AccountNotEmpty(Address),

    // What the state says of time.
    /// The transaction would change a closed period.
    #[error("the books are closed through {through}: {effective_at} is not after it")]
    PeriodClosed {
        /// The last closed day.
        through: NaiveDate,
        /// When it was to take effect.
        effective_at: DateTime<Utc>,
    },
    /// The closing date only moves forward.
    #[error("the books are already closed through {0}")]
    PeriodNotForward(NaiveDate),
    /// A day can be closed when it is over.
    #[error("{0} is not over yet (UTC)")]
    PeriodNotOver(NaiveDate),

    // What the state says of the money.
    /// A capture may only take from the account of its hold.
    #[error("posting {posting} does not take from {account}, the account of the hold")]
    CaptureFromOtherAccount {
        /// Which posting, from 1.
        posting: usize,
        /// The hold's account.
        account: Address,
    },
    /// More than was held.
    #[error("the capture of {requested} exceeds the hold of {held}")]
    CaptureExceedsHold {
        /// What was asked, a decimal.
        requested: String,
        /// What is held, a decimal.
        held: String,
    },
    /// Totals beyond ±10^24 minor units.
    #[error("{0}: the totals would leave the bounds of ±10^24 minor units")]
    Overflow(Address),
    /// Less is there than would be taken or held.
    #[error("{account} has {available} {asset} available, {needed} needed")]
    InsufficientFunds {
        /// The account.
        account: Address,
        /// What can be spent, a decimal.
        available: String,
        /// What would be taken or held, a decimal.
        needed: String,
        /// Of what.
        asset: Asset,
    },
}

impl Refusal {
    /// A stable name for programs, in snake case.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::EmptyTransaction => "empty_transaction",
            Refusal::TooManyPostings { .. } => "too_many_postings",
            Refusal::ReservedCode(_) => "reserved_code",
            Refusal::InvalidText { .. } => "invalid_text",
            Refusal::SelfTransfer { .. } => "self_transfer",
            Refusal::AmountNotPositive { .. } => "amount_not_positive",
            Refusal::EffectiveOutOfRange(_) => "effective_out_of_range",
            Refusal::ReversalOfReversal(_) => "reversal_of_reversal",
            Refusal::UnknownHold(_) => "unknown_hold",
            Refusal::HoldExpired { .. } => "hold_expired",
            Refusal::HoldNotExpired(_) => "hold_not_expired",
            Refusal::ExpiryInPast(_) => "expiry_in_past",
            Refusal::UnknownAccount(_) => "unknown_account",
            Refusal::AccountExists(_) => "account_exists",
            Refusal::AssetMismatch { .. } => "asset_mismatch",
            Refusal::AccountClosed(_) => "account_closed",
            Refusal::AccountFrozen(_) => "account_frozen",
            Refusal::AccountNotFrozen(_) => "account_not_frozen",
            Refusal::AccountNotEmpty(_) => "account_not_empty",
            Refusal::PeriodClosed { .. } => "period_closed",
            Refusal::PeriodNotForward(_) => "period_not_forward",
            Refusal::PeriodNotOver(_) => "period_not_over",
            Refusal::CaptureFromOtherAccount { .. } => "capture_from_other_account",
            Refusal::CaptureExceedsHold { .. } => "capture_exceeds_hold",
            Refusal::Overflow(_) => "overflow",
            Refusal::InsufficientFunds { .. } => "insufficient_funds",
        }
    }
}
