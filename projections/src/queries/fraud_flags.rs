//! Suspicions of fraud: the list by risk, and one.

use super::page::one_more;
use super::snapshot::{Snapshot, select};
use super::{At, Page, QueryError, ReadModels};
use crate::fraud_flags::READ_MODEL;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use viral_domain::FlagId;
use viral_domain::fraud_flag::{SourceType, Status};
use viral_ledger::timestamp;

/// The columns of a suspicion.
macro_rules! flag_columns {
    () => {
        "id, source_type, source_id, score, reasons, resolution_status AS status, note, reviewer_id AS reviewer, \
         raised_by, raised_at, resolved_at"
    };
}

/// Which suspicions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlagFilter {
    /// In this status.
    pub status: Option<Status>,
    /// About this kind of thing.
    pub source_type: Option<SourceType>,
    /// With at least this score.
    pub min_score: Option<u8>,
}

/// The key in the list of suspicions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlagKey {
    /// The score.
    pub score: u8,
    /// When it was raised.
    pub raised_at: DateTime<Utc>,
    /// Which suspicion.
    pub id: Uuid,
}

/// A suspicion of fraud.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FraudFlag {
    /// Which suspicion.
    pub id: Uuid,
    /// What kind of thing it is about.
    pub source_type: SourceType,
    /// What it is about.
    pub source_id: Uuid,
    /// How likely it is, from 0 to 100.
    pub score: u8,
    /// Why.
    pub reasons: Vec<String>,
    /// `open`, `confirmed` or `dismissed`.
    pub status: String,
    /// What was found.
    pub note: Option<String>,
    /// Who looked into it.
    pub reviewer: Option<String>,
    /// Who raised it.
    pub raised_by: Option<String>,
    /// When it was raised.
    #[serde(with = "timestamp")]
    #[schemars(with = "DateTime<Utc>")]
    pub raised_at: DateTime<Utc>,
    /// When somebody decided.
    #[serde(with = "timestamp::option")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub resolved_at: Option<DateTime<Utc>>,
}

impl ReadModels {
    /// Suspicions, the highest score first, then the newest.
    pub async fn fraud_flags(
        &self,
        filter: &FlagFilter,
        after: Option<FlagKey>,
        limit: usize,
    ) -> Result<At<Page<FraudFlag, FlagKey>>, QueryError> {
        let mut snapshot = Snapshot::begin(&self.pool, &[&READ_MODEL]).await?;
        let query = select!(
            "SELECT ",
            flag_columns!(),
            r#"
               FROM fraud_flags
               WHERE ($1::text IS NULL OR resolution_status = $1)
                 AND ($2::text IS NULL OR source_type = $2)
                 AND ($3::integer IS NULL OR score >= $3)
                 AND ($4::integer IS NULL OR (score, raised_at, id) < ($4, $5, $6))
               ORDER BY score DESC, raised_at DESC, id DESC
               LIMIT $7"#
        )
        .bind(filter.status.map(Status::as_str))
        .bind(filter.source_type.map(SourceType::as_str))
        .bind(filter.min_score.map(i32::from))
        .bind(after.map(|key| i32::from(key.score)))
        .bind(after.map(|key| key.raised_at))
        .bind(after.map(|key| key.id))
        .bind(one_more(limit));
        let rows: Vec<FraudFlag> = snapshot.rows(query).await?;
        let key = |row: &FraudFlag| FlagKey {
            score: row.score,
            raised_at: row.raised_at,
            id: row.id,
        };
        snapshot.answer(Page::cut(rows, limit, key)).await
    }

    /// A suspicion.
    pub async fn fraud_flag(&self, id: FlagId) -> Result<At<Option<FraudFlag>>, QueryError> {
        let mut snapshot = Snapshot::begin(&self.pool, &[&READ_MODEL]).await?;
        let query = select!("SELECT ", flag_columns!(), " FROM fraud_flags WHERE id = $1");
        let flag = snapshot.row(query.bind(id.0)).await?;
        snapshot.answer(flag).await
    }
}
