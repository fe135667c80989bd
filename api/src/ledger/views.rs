//! What the ledger's resources look like from outside: amounts and positions are decimal strings, times RFC 3339 in
//! UTC. What a write answers is made of events alone.

use crate::error;
use crate::kind;
use crate::openapi::schemas;
use crate::problem::Problem;
use crate::write::read_book_event;
use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;
use uuid::Uuid;
use viral_ledger::event::HoldPlaced;
use viral_ledger::{Account, Address, Asset, BookEvent, NormalSide, Reference, Transaction, timestamp};
use viral_store::event::time_text;
use viral_store::{Position, StoredEvent};

/// Where and when something entered the log, and who asked for it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Recorded {
    /// Where in the log it is.
    #[schema(value_type = schemas::Position)]
    position: String,
    /// When it was recorded.
    #[schema(value_type = schemas::Time)]
    recorded_at: String,
    /// Who asked for it: a pseudonymous id.
    #[schema(value_type = String, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<Cow<'static, str>>,
}

impl Recorded {
    pub(super) fn of(event: &StoredEvent) -> Result<Recorded, Problem> {
        Ok(Recorded {
            position: event.position.to_string(),
            recorded_at: time_text(&event.recorded_at),
            actor: event.parse_metadata().map_err(|e| error::internal(&e))?.actor,
        })
    }
}

/// A transaction that was posted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PostedTransaction)]
pub(super) struct TransactionView {
    /// Its id, which is that of its event.
    id: Uuid,
    #[serde(flatten)]
    recorded: Recorded,
    #[schema(value_type = schemas::Transaction)]
    #[serde(flatten)]
    transaction: Transaction,
}

impl TransactionView {
    pub(super) fn new(event: &StoredEvent, transaction: Transaction) -> Result<TransactionView, Problem> {
        Ok(TransactionView {
            id: event.event_id,
            recorded: Recorded::of(event)?,
            transaction,
        })
    }
}

/// The transaction that an event posted; nothing if it is another event.
pub(super) fn transaction(event: &StoredEvent) -> Result<Option<Transaction>, Problem> {
    if !is_of_book(event) {
        return Ok(None);
    }
    Ok(match read_book_event(event)? {
        BookEvent::TransactionPosted(transaction) => Some(transaction),
        _ => None,
    })
}

/// The hold that an event placed; nothing if it is another event.
pub(super) fn hold_placed(event: &StoredEvent) -> Result<Option<HoldPlaced>, Problem> {
    if !is_of_book(event) {
        return Ok(None);
    }
    Ok(match read_book_event(event)? {
        BookEvent::HoldPlaced(placed) => Some(placed),
        _ => None,
    })
}

fn is_of_book(event: &StoredEvent) -> bool {
    event.stream.aggregate_type == BookEvent::AGGREGATE_TYPE
}

/// A hold as it was placed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Hold)]
pub(super) struct HoldView {
    /// Its id.
    id: Uuid,
    /// What became of it: `open` or `resolved`. Absent in the answer to its placing.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    /// Where the money is set aside.
    #[schema(value_type = schemas::Address)]
    account: Address,
    /// How much was set aside.
    #[schema(value_type = schemas::Amount)]
    amount: String,
    /// Of what.
    #[schema(value_type = schemas::Asset)]
    asset: Asset,
    /// When it can no longer be captured. Absent if it never expires.
    #[schema(value_type = schemas::Time, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    /// What it is about.
    #[schema(value_type = schemas::Reference, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<Reference>,
    #[serde(flatten)]
    recorded: Recorded,
}

impl HoldView {
    pub(super) fn of(event: &StoredEvent, placed: HoldPlaced) -> Result<HoldView, Problem> {
        Ok(HoldView {
            id: placed.hold,
            status: None,
            amount: placed.amount.to_text(placed.asset),
            account: placed.account,
            asset: placed.asset,
            expires_at: placed.expires_at.as_ref().map(timestamp::to_text),
            reference: placed.reference,
            recorded: Recorded::of(event)?,
        })
    }

    /// Adds what became of it.
    pub(super) fn with_status(mut self, status: &'static str) -> HoldView {
        self.status = Some(status);
        self
    }
}

/// An account and its totals.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub(super) struct AccountView {
    /// Its address.
    #[schema(value_type = schemas::Address)]
    account: Address,
    /// What it counts.
    #[schema(value_type = schemas::Asset)]
    asset: Asset,
    /// The side on which it grows.
    #[schema(value_type = schemas::NormalSide)]
    normal_side: NormalSide,
    /// Whether its balance may go below zero.
    may_go_negative: bool,
    /// It takes nothing until it is unfrozen.
    frozen: bool,
    /// It takes nothing ever again.
    closed: bool,
    #[serde(flatten)]
    totals: TotalsView,
}

impl AccountView {
    pub(super) fn of(address: Address, account: &Account) -> AccountView {
        AccountView {
            account: address,
            asset: account.asset,
            normal_side: account.normal_side,
            may_go_negative: account.flags.may_go_negative,
            frozen: account.flags.frozen,
            closed: account.flags.closed,
            totals: TotalsView::of(account),
        }
    }
}

/// The totals of an account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Totals)]
pub(super) struct TotalsView {
    /// The sum of its debits.
    #[schema(value_type = schemas::Amount)]
    debits: String,
    /// The sum of its credits.
    #[schema(value_type = schemas::Amount)]
    credits: String,
    /// The balance on its normal side.
    #[schema(value_type = schemas::Amount)]
    balance: String,
    /// What open holds set aside.
    #[schema(value_type = schemas::Amount)]
    held: String,
    /// What is not held.
    #[schema(value_type = schemas::Amount)]
    available: String,
}

impl TotalsView {
    pub(super) fn of(account: &Account) -> TotalsView {
        let text = |minor| account.asset.decimal(minor);
        TotalsView {
            debits: text(account.debits.minor()),
            credits: text(account.credits.minor()),
            balance: text(account.balance()),
            held: text(account.held.minor()),
            available: text(account.available()),
        }
    }
}

pub(super) fn unknown_account(address: &Address, position: Position) -> Problem {
    let detail = format!("there is no account {address} as of position {position}");
    Problem::new(kind::UNKNOWN_ACCOUNT, detail).with("account", address.as_str())
}

pub(super) fn unknown_transaction(id: Uuid) -> Problem {
    Problem::new(kind::UNKNOWN_TRANSACTION, format!("there is no transaction {id}"))
}

pub(super) fn unknown_hold(id: Uuid) -> Problem {
    Problem::new(kind::UNKNOWN_HOLD, format!("there never was a hold {id}"))
}
