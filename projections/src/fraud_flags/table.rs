//! Table `fraud_flags`.

use crate::rows::row;
use crate::table::Table;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use viral_domain::fraud_flag::SourceType;
use viral_ledger::timestamp;

pub(super) const FRAUD_FLAGS: Table = Table {
    name: "fraud_flags",
    columns: &[
        ("source_type", "text NOT NULL"),
        ("source_id", "uuid NOT NULL"),
        ("score", "integer NOT NULL"),
        ("reasons", "jsonb NOT NULL"),
        ("reviewer_id", "text"),
        ("resolution_status", "text NOT NULL"),
        ("note", "text"),
        ("raised_by", "text"),
        ("raised_at", "timestamptz NOT NULL"),
        ("resolved_at", "timestamptz"),
        ("position", "bigint NOT NULL"),
    ],
    indexes: &["resolution_status, score, raised_at, id", "score, raised_at, id"],
};

/// A suspicion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct FraudFlagRow {
    pub(super) id: Uuid,
    pub(super) source_type: SourceType,
    pub(super) source_id: Uuid,
    /// How likely it is, from 0 to 100.
    pub(super) score: u8,
    pub(super) reasons: Vec<String>,
    /// Who looked into it.
    pub(super) reviewer_id: Option<String>,
    pub(super) resolution_status: String,
    pub(super) note: Option<String>,
    /// Who raised it; none if a part of the platform did.
    pub(super) raised_by: Option<String>,
    #[serde(with = "timestamp")]
    pub(super) raised_at: DateTime<Utc>,
    #[serde(with = "timestamp::option")]
    pub(super) resolved_at: Option<DateTime<Utc>>,
    pub(super) position: u64,
}

row!(FraudFlagRow, FRAUD_FLAGS, "fraud flag");
