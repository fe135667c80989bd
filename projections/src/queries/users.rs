//! Who somebody is. The only answer with personal fields in clear.

use super::snapshot::{Snapshot, select};
use super::{At, QueryError, ReadModels};
use crate::users::READ_MODEL;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use uuid::Uuid;
use viral_domain::UserId;
use viral_domain::user::{Role, Verification};
use viral_ledger::timestamp;

/// A user.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// Which user.
    pub id: Uuid,
    /// What the user is to the platform.
    pub role: Role,
    /// The profile in clear; nothing once the user was erased.
    #[schemars(with = "Option<Map<String, Value>>")]
    pub profile: Option<Value>,
    /// How far the user's identity was checked.
    pub verification_state: Verification,
    /// When the user was registered.
    #[serde(with = "timestamp")]
    #[schemars(with = "DateTime<Utc>")]
    pub created_at: DateTime<Utc>,
}

impl fmt::Debug for User {
    /// Without the profile: it must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl ReadModels {
    /// A user.
    pub async fn user(&self, id: UserId) -> Result<At<Option<User>>, QueryError> {
        let mut snapshot = Snapshot::begin(&self.pool, &[&READ_MODEL]).await?;
        let user = find(&mut snapshot, id).await?;
        snapshot.answer(user).await
    }
}

pub(super) async fn find(snapshot: &mut Snapshot, id: UserId) -> Result<Option<User>, QueryError> {
    let query = select!(
        r#"SELECT id, role, profile_metadata AS profile, verification_state, created_at
           FROM users
           WHERE id = $1"#
    );
    snapshot.row(query.bind(id.0)).await
}
