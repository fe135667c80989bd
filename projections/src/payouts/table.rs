//! Table `payouts`.

use crate::rows::row;
use crate::table::Table;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use viral_domain::{FlagId, Rate, Vcoin};
use viral_ledger::timestamp;

pub(super) const PAYOUTS: Table = Table {
    name: "payouts",
    columns: &[
        ("creator_id", "uuid NOT NULL"),
        ("campaign_id", "uuid NOT NULL"),
        ("sponsor_id", "uuid NOT NULL"),
        ("amount_vcoin", "numeric(38,4) NOT NULL"),
        ("fiat_amount", "numeric NOT NULL"),
        ("fiat_asset", "text NOT NULL"),
        ("rate", "numeric NOT NULL"),
        ("digest", "text NOT NULL"),
        ("status", "text NOT NULL"),
        ("needs_admin", "boolean NOT NULL"),
        ("attempt", "bigint NOT NULL"),
        ("attempts", "bigint NOT NULL"),
        ("held_by", "jsonb NOT NULL"),
        ("sponsor_approved_by", "text"),
        ("sponsor_approved_at", "timestamptz"),
        ("admin_approved_by", "text"),
        ("admin_approved_at", "timestamptz"),
        ("provider", "text"),
        ("provider_reference", "text"),
        ("reason", "text"),
        ("requested_at", "timestamptz NOT NULL"),
        ("updated_at", "timestamptz NOT NULL"),
        ("position", "bigint NOT NULL"),
    ],
    indexes: &[
        "creator_id, requested_at",
        "sponsor_id, requested_at",
        "status, requested_at",
        "requested_at, id",
        "campaign_id",
    ],
};

/// A payout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PayoutRow {
    pub(super) id: Uuid,
    pub(super) creator_id: Uuid,
    pub(super) campaign_id: Uuid,
    pub(super) sponsor_id: Uuid,
    pub(super) amount_vcoin: Vcoin,
    /// What the payee gets: a decimal with the digits of `fiat_asset`.
    pub(super) fiat_amount: String,
    pub(super) fiat_asset: String,
    pub(super) rate: Rate,
    /// What approvals are bound to.
    pub(super) digest: String,
    pub(super) status: String,
    /// Above the limit: an admin must approve beside the sponsor.
    pub(super) needs_admin: bool,
    /// The last attempt to pay, from 1; 0 before the first.
    pub(super) attempt: u32,
    /// How often it is sent before it has failed for good.
    pub(super) attempts: u32,
    /// The suspicions that stop it.
    pub(super) held_by: Vec<FlagId>,
    pub(super) sponsor_approved_by: Option<String>,
    #[serde(with = "timestamp::option")]
    pub(super) sponsor_approved_at: Option<DateTime<Utc>>,
    pub(super) admin_approved_by: Option<String>,
    #[serde(with = "timestamp::option")]
    pub(super) admin_approved_at: Option<DateTime<Utc>>,
    pub(super) provider: Option<String>,
    pub(super) provider_reference: Option<String>,
    /// Why it ended as it did, or what the provider said about the last attempt.
    pub(super) reason: Option<String>,
    #[serde(with = "timestamp")]
    pub(super) requested_at: DateTime<Utc>,
    #[serde(with = "timestamp")]
    pub(super) updated_at: DateTime<Utc>,
    pub(super) position: u64,
}

row!(PayoutRow, PAYOUTS, "payout");
