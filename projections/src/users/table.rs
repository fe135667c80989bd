//! Table `users`.

use crate::rows::row;
use crate::table::Table;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;
use viral_domain::user::{Role, Verification};
use viral_ledger::timestamp;

pub(super) const USERS: Table = Table {
    name: "users",
    columns: &[
        ("role", "text NOT NULL"),
        ("auth_provider_id", "text"),
        ("profile_metadata", "jsonb"),
        ("verification_state", "text NOT NULL"),
        ("created_at", "timestamptz NOT NULL"),
        ("updated_at", "timestamptz NOT NULL"),
        ("position", "bigint NOT NULL"),
    ],
    indexes: &["role, created_at"],
};

/// A user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct UserRow {
    pub(super) id: Uuid,
    pub(super) role: Role,
    /// The user's id at an identity provider; none until people log in with one.
    pub(super) auth_provider_id: Option<String>,
    /// The profile in clear; none once the user was erased.
    pub(super) profile_metadata: Option<Value>,
    pub(super) verification_state: Verification,
    #[serde(with = "timestamp")]
    pub(super) created_at: DateTime<Utc>,
    #[serde(with = "timestamp")]
    pub(super) updated_at: DateTime<Utc>,
    pub(super) position: u64,
}

row!(UserRow, USERS, "user");
