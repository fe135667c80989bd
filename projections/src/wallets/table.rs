//! Tables `wallet_accounts`, `wallet_transactions` and `wallet_holds`.

use super::place::Kind;
use crate::rows::row;
use crate::table::Table;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;
use viral_domain::Vcoin;
use viral_ledger::{NormalSide, timestamp};

pub(super) const ACCOUNTS: Table = Table {
    name: "wallet_accounts",
    columns: &[
        ("user_id", "uuid"),
        ("balance_vcoin", "numeric(38,4) NOT NULL"),
        ("escrow_balance", "numeric(38,4) NOT NULL"),
        ("stripe_account_id", "text"),
        ("address", "text NOT NULL"),
        ("kind", "text NOT NULL"),
        ("normal_side", "text NOT NULL"),
        ("campaign_id", "uuid"),
        ("payout_id", "uuid"),
        ("held_vcoin", "numeric(38,4) NOT NULL"),
        ("opened_at", "timestamptz NOT NULL"),
        ("position", "bigint NOT NULL"),
    ],
    indexes: &["user_id, kind", "address", "campaign_id", "payout_id"],
};

pub(super) const TRANSACTIONS: Table = Table {
    name: "wallet_transactions",
    columns: &[
        ("account_id", "uuid NOT NULL"),
        ("type", "text NOT NULL"),
        ("amount_vcoin", "numeric(38,4) NOT NULL"),
        ("reference_type", "text"),
        ("reference_id", "text"),
        ("status", "text NOT NULL"),
        ("metadata", "jsonb NOT NULL"),
        ("user_id", "uuid"),
        ("transaction_id", "uuid NOT NULL"),
        ("posting", "integer NOT NULL"),
        ("balance_after", "numeric(38,4) NOT NULL"),
        ("effective_at", "timestamptz NOT NULL"),
        ("posted_at", "timestamptz NOT NULL"),
        ("posted_position", "bigint NOT NULL"),
        ("position", "bigint NOT NULL"),
    ],
    indexes: &[
        "account_id, posted_position DESC, posting DESC",
        "account_id, effective_at",
        "transaction_id",
    ],
};

pub(super) const HOLDS: Table = Table {
    name: "wallet_holds",
    columns: &[
        ("account_id", "uuid NOT NULL"),
        ("amount_vcoin", "numeric(38,4) NOT NULL"),
        ("reference_type", "text"),
        ("reference_id", "text"),
        ("status", "text NOT NULL"),
        ("user_id", "uuid"),
        ("campaign_id", "uuid"),
        ("expires_at", "timestamptz"),
        ("placed_at", "timestamptz NOT NULL"),
        ("resolved_at", "timestamptz"),
        ("position", "bigint NOT NULL"),
    ],
    indexes: &["account_id, status", "user_id, status"],
};

/// An account of the platform in V-Coin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct AccountRow {
    pub(super) id: Uuid,
    /// The owner of a wallet, the sponsor of an escrow, the payee of a payout.
    pub(super) user_id: Option<Uuid>,
    /// What is there, on the account's normal side.
    pub(super) balance_vcoin: Vcoin,
    /// Of a sponsor's wallet: what is in all escrows of theirs.
    pub(super) escrow_balance: Vcoin,
    /// The owner's account at the payment provider; none until there is one.
    pub(super) stripe_account_id: Option<String>,
    pub(super) address: String,
    pub(super) kind: Kind,
    pub(super) normal_side: NormalSide,
    pub(super) campaign_id: Option<Uuid>,
    pub(super) payout_id: Option<Uuid>,
    /// What open holds set aside of the balance.
    pub(super) held_vcoin: Vcoin,
    #[serde(with = "timestamp")]
    pub(super) opened_at: DateTime<Utc>,
    pub(super) position: u64,
}

row!(AccountRow, ACCOUNTS, "account");

/// What one posting of a transaction did to one account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct TransactionRow {
    pub(super) id: Uuid,
    pub(super) account_id: Uuid,
    /// The transaction's code.
    #[serde(rename = "type")]
    pub(super) code: String,
    /// What was added to the balance; below zero if it was taken.
    pub(super) amount_vcoin: Vcoin,
    pub(super) reference_type: Option<String>,
    pub(super) reference_id: Option<String>,
    /// `posted`, or `reversed` once another transaction has undone it.
    pub(super) status: String,
    /// The free fields of the transaction.
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) user_id: Option<Uuid>,
    pub(super) transaction_id: Uuid,
    /// Which posting of the transaction, from 0.
    pub(super) posting: u32,
    /// The account's balance after this posting.
    pub(super) balance_after: Vcoin,
    #[serde(with = "timestamp")]
    pub(super) effective_at: DateTime<Utc>,
    #[serde(with = "timestamp")]
    pub(super) posted_at: DateTime<Utc>,
    /// Where it stands in the log: this orders an account's transactions, while `position` moves with a reversal.
    pub(super) posted_position: u64,
    pub(super) position: u64,
}

row!(TransactionRow, TRANSACTIONS, "transaction");

/// Money that was set aside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct HoldRow {
    pub(super) id: Uuid,
    pub(super) account_id: Uuid,
    pub(super) amount_vcoin: Vcoin,
    pub(super) reference_type: Option<String>,
    pub(super) reference_id: Option<String>,
    /// `open`, `captured`, `voided` or `expired`.
    pub(super) status: String,
    /// Whose account it is on.
    pub(super) user_id: Option<Uuid>,
    pub(super) campaign_id: Option<Uuid>,
    #[serde(with = "timestamp::option")]
    pub(super) expires_at: Option<DateTime<Utc>>,
    #[serde(with = "timestamp")]
    pub(super) placed_at: DateTime<Utc>,
    #[serde(with = "timestamp::option")]
    pub(super) resolved_at: Option<DateTime<Utc>>,
    pub(super) position: u64,
}

row!(HoldRow, HOLDS, "hold");
