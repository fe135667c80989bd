//! Payouts: lists, and one.

use super::page::one_more;
use super::snapshot::{Snapshot, select};
use super::{At, Page, QueryError, ReadModels, TimeKey};
use crate::payouts::READ_MODEL;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use viral_domain::payout::Status;
use viral_domain::{CampaignId, FlagId, Money, PayoutId, Rate, UserId, Vcoin};
use viral_ledger::timestamp;

/// The columns of a payout.
macro_rules! payout_columns {
    () => {
        "id, status, jsonb_array_length(held_by) > 0 AS held, held_by, campaign_id, creator_id, sponsor_id, \
         amount_vcoin::text, json_build_object('amount', fiat_amount::text, 'asset', fiat_asset) AS fiat, rate::text, \
         digest, needs_admin, attempt, attempts, sponsor_approved_by, sponsor_approved_at, admin_approved_by, \
         admin_approved_at, provider, provider_reference, reason, requested_at, updated_at"
    };
}

/// Which payouts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PayoutFilter {
    /// To this creator.
    pub creator: Option<UserId>,
    /// From campaigns of this sponsor.
    pub sponsor: Option<UserId>,
    /// In this status.
    pub status: Option<Status>,
    /// From this campaign.
    pub campaign: Option<CampaignId>,
}

/// A payout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Payout {
    /// Which payout.
    pub id: Uuid,
    /// How far it is.
    pub status: String,
    /// Whether a suspicion stops it.
    pub held: bool,
    /// The suspicions that stop it.
    pub held_by: Vec<FlagId>,
    /// Where it was earned.
    pub campaign_id: Uuid,
    /// The payee.
    pub creator_id: Uuid,
    /// Who must approve.
    pub sponsor_id: Uuid,
    /// How much.
    pub amount_vcoin: Vcoin,
    /// What the payee gets.
    pub fiat: Money,
    /// What one V-Coin is worth in it.
    pub rate: Rate,
    /// What approvals are bound to.
    pub digest: String,
    /// Whether an admin must approve beside the sponsor.
    pub needs_admin: bool,
    /// The last attempt to pay, from 1; 0 before the first.
    pub attempt: u32,
    /// How often it is sent before it has failed for good.
    pub attempts: u32,
    /// Who approved for the sponsor.
    pub sponsor_approved_by: Option<String>,
    /// When.
    #[serde(with = "timestamp::option")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub sponsor_approved_at: Option<DateTime<Utc>>,
    /// Which admin approved.
    pub admin_approved_by: Option<String>,
    /// When.
    #[serde(with = "timestamp::option")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub admin_approved_at: Option<DateTime<Utc>>,
    /// Who pays.
    pub provider: Option<String>,
    /// The provider's own id of the payment.
    pub provider_reference: Option<String>,
    /// Why it ended as it did, or what the provider said about the last attempt.
    pub reason: Option<String>,
    /// When it was asked for.
    #[serde(with = "timestamp")]
    #[schemars(with = "DateTime<Utc>")]
    pub requested_at: DateTime<Utc>,
    /// When something last happened to it.
    #[serde(with = "timestamp")]
    #[schemars(with = "DateTime<Utc>")]
    pub updated_at: DateTime<Utc>,
}

impl ReadModels {
    /// Payouts, the newest first.
    pub async fn payouts(
        &self,
        filter: &PayoutFilter,
        after: Option<TimeKey>,
        limit: usize,
    ) -> Result<At<Page<Payout, TimeKey>>, QueryError> {
        let mut snapshot = Snapshot::begin(&self.pool, &[&READ_MODEL]).await?;
        let query = select!(
            "SELECT ",
            payout_columns!(),
            r#"
               FROM payouts
               WHERE ($1::uuid IS NULL OR creator_id = $1)
                 AND ($2::uuid IS NULL OR sponsor_id = $2)
                 AND ($3::text IS NULL OR status = $3)
                 AND ($4::uuid IS NULL OR campaign_id = $4)
                 AND ($5::timestamptz IS NULL OR (requested_at, id) < ($5, $6))
               ORDER BY requested_at DESC, id DESC
               LIMIT $7"#
        )
        .bind(filter.creator.map(|creator| creator.0))
        .bind(filter.sponsor.map(|sponsor| sponsor.0))
        .bind(filter.status.map(Status::as_str))
        .bind(filter.campaign.map(|campaign| campaign.0))
        .bind(after.map(|key| key.at))
        .bind(after.map(|key| key.id))
        .bind(one_more(limit));
        let rows: Vec<Payout> = snapshot.rows(query).await?;
        let key = |row: &Payout| TimeKey {
            at: row.requested_at,
            id: row.id,
        };
        snapshot.answer(Page::cut(rows, limit, key)).await
    }

    /// A payout.
    pub async fn payout(&self, id: PayoutId) -> Result<At<Option<Payout>>, QueryError> {
        let mut snapshot = Snapshot::begin(&self.pool, &[&READ_MODEL]).await?;
        let query = select!("SELECT ", payout_columns!(), " FROM payouts WHERE id = $1");
        let payout = snapshot.row(query.bind(id.0)).await?;
        snapshot.answer(payout).await
    }
}
