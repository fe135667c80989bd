//! What is to be done without anybody asking. Workers look here several times a second, so each answer comes from an
//! index. It is only a hint: the use case that follows decides by the log whether it really is to be done.

use super::position;
use super::snapshot::{Select, Snapshot, select};
use super::{At, QueryError, ReadModels};
use crate::model::ReadModel;
use crate::{campaigns, payouts};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;
use viral_store::Position;

/// Something that is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Due {
    /// The assignment or the payout.
    pub id: Uuid,
    /// The last event that touched it: what is to be done follows from that state.
    #[serde(deserialize_with = "position::deserialize")]
    pub position: Position,
}

impl ReadModels {
    /// Assignments whose deadline has passed without work, the oldest first.
    pub async fn overdue_assignments(&self, now: DateTime<Utc>, limit: usize) -> Result<At<Vec<Due>>, QueryError> {
        let query = select!(
            r#"SELECT id, position
               FROM creator_assignments
               WHERE assignment_status IN ('invited', 'accepted', 'rejected') AND deadline <= $1
               ORDER BY deadline
               LIMIT $2"#
        );
        self.due(&campaigns::READ_MODEL, query.bind(now), limit).await
    }

    /// Invitations that cannot be accepted any more, because their mission or their campaign was closed. There are
    /// always many invitations and seldom a void one: they are compared with the missions that go on, which are few,
    /// not with those that were ever closed.
    pub async fn void_invitations(&self, limit: usize) -> Result<At<Vec<Due>>, QueryError> {
        let query = select!(
            r#"SELECT a.id, a.position
               FROM creator_assignments a JOIN campaign_missions m ON m.id = a.mission_id
               WHERE a.assignment_status = 'invited'
                 AND a.mission_id NOT IN (
                   SELECT going.id
                   FROM campaign_missions going JOIN campaigns c ON c.id = going.campaign_id
                   WHERE going.status = 'open' AND c.status IN ('draft', 'published', 'paused'))
               LIMIT $1"#
        );
        self.due(&campaigns::READ_MODEL, query, limit).await
    }

    /// Payouts that everybody approved and no suspicion stops, the oldest first.
    pub async fn payouts_to_submit(&self, limit: usize) -> Result<At<Vec<Due>>, QueryError> {
        let query = select!(
            r#"SELECT id, position
               FROM payouts
               WHERE status = 'approved' AND held_by = '[]'
               ORDER BY requested_at
               LIMIT $1"#
        );
        self.due(&payouts::READ_MODEL, query, limit).await
    }

    /// Asks a query whose last parameter is how many rows it may answer.
    async fn due(&self, model: &ReadModel, query: Select<'_>, limit: usize) -> Result<At<Vec<Due>>, QueryError> {
        let mut snapshot = Snapshot::begin(&self.pool, &[model]).await?;
        let due = snapshot
            .rows(query.bind(i64::try_from(limit).unwrap_or(i64::MAX)))
            .await?;
        snapshot.answer(due).await
    }
}
