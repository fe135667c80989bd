//! A user's money: what is there, what is held, where the rest is, and how it came to that.

use super::page::one_more;
use super::position;
use super::snapshot::{Snapshot, select};
use super::{At, Page, QueryError, ReadModels};
use crate::{campaigns, wallets};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use viral_domain::{UserId, Vcoin, effects};
use viral_ledger::timestamp;
use viral_store::Position;

/// The most open holds that are listed; `holds_total` counts all.
const HOLDS: i32 = 500;

/// Which transactions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransactionFilter {
    /// With this code: `on_ramp`, `fund`, `reward` and so on.
    pub code: Option<String>,
    /// Effective at or after this time.
    pub from: Option<DateTime<Utc>>,
    /// Effective before this time.
    pub to: Option<DateTime<Utc>>,
}

/// The key in lists of transactions: where in the log, and which posting of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionKey {
    /// The position of the transaction.
    pub position: Position,
    /// Which of its postings, from 0.
    pub posting: u32,
}

/// A user's wallet. All amounts are those after the event at `position`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Wallet {
    /// The wallet's address in the ledger.
    pub account: String,
    /// What is there.
    pub balance_vcoin: Vcoin,
    /// What of it is held.
    pub held_vcoin: Vcoin,
    /// What of it can be spent.
    pub available_vcoin: Vcoin,
    /// What is on its way out.
    pub in_payout_vcoin: Vcoin,
    /// What is in the escrows of the user's campaigns.
    pub escrow_vcoin: Vcoin,
    /// The escrows with something in them, the fullest first.
    pub escrow: Vec<Escrow>,
    /// Open holds on the wallet and on the escrows, the oldest first; 500 at most.
    pub holds: Vec<Hold>,
    /// How many open holds there are.
    pub holds_total: u64,
    /// The page of transactions, the newest first.
    pub transactions: Vec<WalletTransaction>,
    /// After which key the next page begins, if there is one.
    #[serde(skip)]
    pub next: Option<TransactionKey>,
    /// The last event that is part of this.
    #[serde(serialize_with = "position::serialize")]
    #[schemars(with = "String", regex(pattern = "^(0|[1-9][0-9]*)$"))]
    pub position: Position,
}

/// What is in a campaign's escrow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Escrow {
    /// Which campaign.
    pub campaign_id: Uuid,
    /// Its title; nothing while that cannot be shown.
    pub title: Option<String>,
    /// What is there.
    pub balance_vcoin: Vcoin,
    /// What of it is held for work that goes on.
    pub held_vcoin: Vcoin,
}

/// Money that is set aside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "WalletHold")]
pub struct Hold {
    /// Which hold.
    pub id: Uuid,
    /// The address of the account that it is on.
    pub account: String,
    /// The campaign, where it is on an escrow.
    pub campaign_id: Option<Uuid>,
    /// How much.
    pub amount_vcoin: Vcoin,
    /// What kind of thing it is about.
    pub reference_type: Option<String>,
    /// What it is about.
    pub reference_id: Option<String>,
    /// From when on it cannot be captured.
    #[serde(with = "timestamp::option")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Since when.
    #[serde(with = "timestamp")]
    #[schemars(with = "DateTime<Utc>")]
    pub placed_at: DateTime<Utc>,
}

/// What one posting of a transaction did to the wallet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WalletTransaction {
    /// Which entry.
    pub id: Uuid,
    /// Of which transaction.
    pub transaction_id: Uuid,
    /// The transaction's code.
    #[serde(rename = "type")]
    pub code: String,
    /// What was added; below zero if it was taken.
    #[schemars(with = "String", regex(pattern = r"^-?[0-9]+\.[0-9]{4}$"))]
    pub amount_vcoin: Vcoin,
    /// The balance after it.
    pub balance_after: Vcoin,
    /// What kind of thing it is about.
    pub reference_type: Option<String>,
    /// What it is about.
    pub reference_id: Option<String>,
    /// `posted`, or `reversed` once another transaction has undone it.
    pub status: String,
    /// When it takes effect.
    #[serde(with = "timestamp")]
    #[schemars(with = "DateTime<Utc>")]
    pub effective_at: DateTime<Utc>,
    /// When it was recorded.
    #[serde(with = "timestamp")]
    #[schemars(with = "DateTime<Utc>")]
    pub posted_at: DateTime<Utc>,
    #[serde(skip_serializing)]
    #[schemars(skip)]
    posted_position: u64,
    #[serde(skip_serializing)]
    #[schemars(skip)]
    posting: u32,
}

/// The account itself.
#[derive(Deserialize)]
struct Account {
    id: Uuid,
    balance_vcoin: Vcoin,
    held_vcoin: Vcoin,
    available_vcoin: Vcoin,
    escrow_balance: Vcoin,
    in_payout_vcoin: Vcoin,
    holds_total: u64,
}

impl ReadModels {
    /// A user's wallet; nothing if the user has none.
    pub async fn wallet(
        &self,
        user: UserId,
        filter: &TransactionFilter,
        after: Option<TransactionKey>,
        limit: usize,
    ) -> Result<At<Option<Wallet>>, QueryError> {
        let models = [&wallets::READ_MODEL, &campaigns::READ_MODEL];
        // The titles of campaigns may be older; the money is of one moment.
        let mut snapshot = Snapshot::begin(&self.pool, &models).await?.at_the_first();
        let address = effects::wallet(user).to_string();
        let Some(account) = account(&mut snapshot, user, &address).await? else {
            return snapshot.answer(None).await;
        };
        let page = transactions(&mut snapshot, account.id, filter, after, limit).await?;
        let wallet = Wallet {
            account: address,
            balance_vcoin: account.balance_vcoin,
            held_vcoin: account.held_vcoin,
            available_vcoin: account.available_vcoin,
            in_payout_vcoin: account.in_payout_vcoin,
            escrow_vcoin: account.escrow_balance,
            escrow: escrows(&mut snapshot, user).await?,
            holds: holds(&mut snapshot, user).await?,
            holds_total: account.holds_total,
            transactions: page.items,
            next: page.next,
            position: snapshot.position(),
        };
        snapshot.answer(Some(wallet)).await
    }
}

async fn account(snapshot: &mut Snapshot, user: UserId, address: &str) -> Result<Option<Account>, QueryError> {
    let query = select!(
        r#"SELECT w.id, w.balance_vcoin::text, w.held_vcoin::text, w.escrow_balance::text,
             (w.balance_vcoin - w.held_vcoin)::text AS available_vcoin,
             (SELECT COALESCE(sum(p.balance_vcoin), 0)::numeric(38,4)::text
              FROM wallet_accounts p WHERE p.user_id = $2 AND p.kind = 'payout') AS in_payout_vcoin,
             (SELECT count(*) FROM wallet_holds h WHERE h.user_id = $2 AND h.status = 'open') AS holds_total
           FROM wallet_accounts w
           WHERE w.address = $1"#
    );
    snapshot.row(query.bind(address).bind(user.0)).await
}

async fn escrows(snapshot: &mut Snapshot, user: UserId) -> Result<Vec<Escrow>, QueryError> {
    let query = select!(
        r#"SELECT w.campaign_id, c.title, w.balance_vcoin::text, w.held_vcoin::text
           FROM wallet_accounts w LEFT JOIN campaigns c ON c.id = w.campaign_id
           WHERE w.user_id = $1 AND w.kind = 'escrow' AND w.balance_vcoin <> 0
           ORDER BY w.balance_vcoin DESC, w.campaign_id"#
    );
    snapshot.rows(query.bind(user.0)).await
}

async fn holds(snapshot: &mut Snapshot, user: UserId) -> Result<Vec<Hold>, QueryError> {
    let query = select!(
        r#"SELECT h.id, w.address AS account, h.campaign_id, h.amount_vcoin::text, h.reference_type, h.reference_id,
             h.expires_at, h.placed_at
           FROM wallet_holds h JOIN wallet_accounts w ON w.id = h.account_id
           WHERE h.user_id = $1 AND h.status = 'open'
           ORDER BY h.placed_at, h.id
           LIMIT $2"#
    );
    snapshot.rows(query.bind(user.0).bind(HOLDS)).await
}

async fn transactions(
    snapshot: &mut Snapshot,
    account: Uuid,
    filter: &TransactionFilter,
    after: Option<TransactionKey>,
    limit: usize,
) -> Result<Page<WalletTransaction, TransactionKey>, QueryError> {
    let query = select!(
        r#"SELECT t.id, t.transaction_id, t.type, t.amount_vcoin::text, t.balance_after::text, t.reference_type,
             t.reference_id, t.status, t.effective_at, t.posted_at, t.posted_position, t.posting
           FROM wallet_transactions t
           WHERE t.account_id = $1
             AND ($2::text IS NULL OR t.type = $2)
             AND ($3::timestamptz IS NULL OR t.effective_at >= $3)
             AND ($4::timestamptz IS NULL OR t.effective_at < $4)
             AND ($5::bigint IS NULL OR (t.posted_position, t.posting) < ($5, $6))
           ORDER BY t.posted_position DESC, t.posting DESC
           LIMIT $7"#
    )
    .bind(account)
    .bind(filter.code.as_deref())
    .bind(filter.from)
    .bind(filter.to)
    .bind(after.map(|key| position::column(key.position)))
    .bind(after.map(|key| i64::from(key.posting)))
    .bind(one_more(limit));
    let rows: Vec<WalletTransaction> = snapshot.rows(query).await?;
    let key = |row: &WalletTransaction| TransactionKey {
        position: Position(row.posted_position),
        posting: row.posting,
    };
    Ok(Page::cut(rows, limit, key))
}
