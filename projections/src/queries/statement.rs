//! The statement of a campaign's escrow: what was there, what moved, and what is left.

use super::of_campaign::head;
use super::page::{Page, one_more};
use super::position;
use super::snapshot::{Snapshot, select};
use super::{At, OfCampaign, QueryError, ReadModels};
use crate::{campaigns, wallets};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use viral_domain::{CampaignId, Vcoin, effects};
use viral_ledger::{Asset, timestamp};
use viral_store::Position;

/// A statement, or a page of one: the balances are those of the whole.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Statement {
    /// Of which campaign.
    pub campaign_id: CampaignId,
    /// The escrow's address in the ledger.
    pub account: String,
    /// What it counts.
    pub asset: Asset,
    /// What was there when the first entry came.
    pub opening_balance: Vcoin,
    /// What moved, in the order in which it took effect.
    pub entries: Vec<Entry>,
    /// What was there after the last entry of the last page.
    pub closing_balance: Vcoin,
    /// What is held now for work that goes on.
    pub held_vcoin: Vcoin,
    /// After which key the next page begins, if there is one.
    #[serde(skip)]
    pub next: Option<EntryKey>,
}

/// What one posting of a transaction did to the escrow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "StatementEntry")]
pub struct Entry {
    /// The position of the transaction.
    #[serde(with = "position")]
    #[schemars(with = "String", regex(pattern = "^(0|[1-9][0-9]*)$"))]
    pub position: Position,
    /// Which transaction.
    pub transaction_id: Uuid,
    /// Its code.
    #[serde(rename = "type")]
    pub code: String,
    /// What was added; below zero if it was taken.
    #[schemars(with = "String", regex(pattern = r"^-?[0-9]+\.[0-9]{4}$"))]
    pub amount_vcoin: Vcoin,
    /// The balance after it.
    pub balance: Vcoin,
    /// What kind of thing it is about.
    pub reference_type: Option<String>,
    /// What it is about.
    pub reference_id: Option<String>,
    /// When it took effect.
    #[serde(with = "timestamp")]
    #[schemars(with = "DateTime<Utc>")]
    pub effective_at: DateTime<Utc>,
    #[serde(skip_serializing)]
    #[schemars(skip)]
    posting: u32,
}

/// The key in a statement: entries stand in the order of their effect, then of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryKey {
    /// When the entry took effect.
    pub effective_at: DateTime<Utc>,
    /// The position of its transaction.
    pub position: Position,
    /// Which of its postings, from 0.
    pub posting: u32,
}

/// Which entries.
struct Range {
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    after: Option<EntryKey>,
}

/// The escrow, and its balance at three moments.
#[derive(Deserialize)]
struct Account {
    id: Uuid,
    held_vcoin: Vcoin,
    opening_balance: Vcoin,
    /// After the entry that the page comes after.
    brought_forward: Vcoin,
    closing_balance: Vcoin,
}

impl ReadModels {
    /// The statement of a campaign over what takes effect at or after `from` and before `to`; nothing if there is no
    /// such campaign.
    pub async fn statement(
        &self,
        campaign: CampaignId,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        after: Option<EntryKey>,
        limit: usize,
    ) -> Result<At<Option<OfCampaign<Statement>>>, QueryError> {
        let models = [&campaigns::READ_MODEL, &wallets::READ_MODEL];
        let mut snapshot = Snapshot::begin(&self.pool, &models).await?;
        let Some(head) = head(&mut snapshot, campaign, None).await? else {
            return snapshot.answer(None).await;
        };
        let address = effects::escrow(campaign).to_string();
        let range = Range { from, to, after };
        // The read model of the money may be a little behind the campaign's.
        let Some(account) = account(&mut snapshot, &address, &range).await? else {
            return snapshot.answer(None).await;
        };
        let page = entries(&mut snapshot, &account, &range, limit).await?;
        let statement = Statement {
            campaign_id: campaign,
            account: address,
            asset: Asset::VCOIN,
            opening_balance: account.opening_balance,
            entries: page.items,
            closing_balance: account.closing_balance,
            held_vcoin: account.held_vcoin,
            next: page.next,
        };
        snapshot.answer(Some(head.with(statement))).await
    }
}

async fn account(snapshot: &mut Snapshot, address: &str, range: &Range) -> Result<Option<Account>, QueryError> {
    let query = select!(
        r#"SELECT w.id, w.held_vcoin::text,
             COALESCE(sum(t.amount_vcoin) FILTER (WHERE t.effective_at < $2), 0)
               ::numeric(38,4)::text AS opening_balance,
             COALESCE(sum(t.amount_vcoin) FILTER (WHERE t.effective_at < $2
                 OR (t.effective_at, t.posted_position, t.posting) <= ($4, $5, $6)), 0)
               ::numeric(38,4)::text AS brought_forward,
             COALESCE(sum(t.amount_vcoin) FILTER (WHERE $3::timestamptz IS NULL OR t.effective_at < $3
                 OR t.effective_at < $2), 0)
               ::numeric(38,4)::text AS closing_balance
           FROM wallet_accounts w LEFT JOIN wallet_transactions t ON t.account_id = w.id
           WHERE w.address = $1
           GROUP BY w.id, w.held_vcoin"#
    )
    .bind(address)
    .bind(range.from)
    .bind(range.to)
    .bind(range.after.map(|key| key.effective_at))
    .bind(range.after.map(|key| position::column(key.position)))
    .bind(range.after.map(|key| i64::from(key.posting)));
    snapshot.row(query).await
}

async fn entries(
    snapshot: &mut Snapshot,
    account: &Account,
    range: &Range,
    limit: usize,
) -> Result<Page<Entry, EntryKey>, QueryError> {
    let query = select!(
        r#"SELECT t.posted_position AS position, t.transaction_id, t.type, t.amount_vcoin::text,
             ($7::text::numeric(38,4) + sum(t.amount_vcoin)
               OVER (ORDER BY t.effective_at, t.posted_position, t.posting))::text AS balance,
             t.reference_type, t.reference_id, t.effective_at, t.posting
           FROM wallet_transactions t
           WHERE t.account_id = $1
             AND ($2::timestamptz IS NULL OR t.effective_at >= $2)
             AND ($3::timestamptz IS NULL OR t.effective_at < $3)
             AND ($4::timestamptz IS NULL OR (t.effective_at, t.posted_position, t.posting) > ($4, $5, $6))
           ORDER BY t.effective_at, t.posted_position, t.posting
           LIMIT $8"#
    )
    .bind(account.id)
    .bind(range.from)
    .bind(range.to)
    .bind(range.after.map(|key| key.effective_at))
    .bind(range.after.map(|key| position::column(key.position)))
    .bind(range.after.map(|key| i64::from(key.posting)))
    .bind(account.brought_forward.to_string())
    .bind(one_more(limit));
    let rows: Vec<Entry> = snapshot.rows(query).await?;
    let key = |row: &Entry| EntryKey {
        effective_at: row.effective_at,
        position: row.position,
        posting: row.posting,
    };
    Ok(Page::cut(rows, limit, key))
}
