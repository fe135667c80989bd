//! What a creator sees first: what to do, what came of it, and what else there is.

use super::assignments::{Assignment, assignment_columns};
use super::earnings::{self, Earnings};
use super::measurements::{Engagement, Of};
use super::missions::{Mission, mission_columns};
use super::snapshot::{Snapshot, select};
use super::{At, QueryError, ReadModels, users};
use crate::{campaigns, payouts};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use viral_domain::UserId;
use viral_domain::user::{Role, Verification};

/// The most entries of each list of assignments: the next deadlines. More is nothing to see at a glance.
const AT_A_GLANCE: i32 = 100;
/// The most suggestions.
const SUGGESTIONS: i32 = 10;
/// Experience for an assignment that was accepted.
const XP_ACCEPTED: u64 = 10;
/// Experience on top for one that was approved.
const XP_APPROVED: u64 = 100;

/// A creator's dashboard.
#[derive(Clone, PartialEq, Serialize, JsonSchema)]
pub struct Dashboard {
    /// The profile in clear; nothing once the creator was erased.
    #[schemars(with = "Option<Map<String, Value>>")]
    pub profile: Option<Value>,
    /// How far the creator's identity was checked.
    pub verification_state: Verification,
    /// The level: 1, and one more at 100, 400, 900 … points of experience.
    pub level: u64,
    /// The points of experience: 10 for each accepted assignment, 100 for each approved one.
    pub xp: u64,
    /// Invitations that can still be accepted, by deadline.
    pub invitations: Vec<Task>,
    /// Work to be handed in, or handed in again, by deadline.
    pub tasks: Vec<Task>,
    /// Work that waits for the sponsor.
    pub in_review: Vec<Task>,
    /// What was earned.
    pub earnings: Earnings,
    /// What was measured of the creator's work, in all campaigns.
    pub engagement: Engagement,
    /// Missions that the creator could take part in at once, the best reward first.
    pub suggestions: Vec<Suggestion>,
}

impl std::fmt::Debug for Dashboard {
    /// Without the profile: it must not reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dashboard")
            .field("level", &self.level)
            .field("xp", &self.xp)
            .finish_non_exhaustive()
    }
}

/// An assignment, with the campaign's title.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Task {
    /// The assignment.
    #[serde(flatten)]
    pub assignment: Assignment,
    /// The title of its campaign; nothing while that cannot be shown.
    pub campaign_title: Option<String>,
}

/// A mission, with the campaign's title.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Suggestion {
    /// The mission.
    #[serde(flatten)]
    pub mission: Mission,
    /// The title of its campaign.
    pub campaign_title: String,
}

impl ReadModels {
    /// The dashboard of a creator; nothing if there is no such creator.
    pub async fn dashboard(&self, creator: UserId, now: DateTime<Utc>) -> Result<At<Option<Dashboard>>, QueryError> {
        let models = [&crate::users::READ_MODEL, &campaigns::READ_MODEL, &payouts::READ_MODEL];
        let asked = self.measurements.ask(Of::Creator(creator.0)).await;
        let mut snapshot = Snapshot::begin(&self.pool, &models).await?;
        let user = users::find(&mut snapshot, creator).await?;
        let Some(user) = user.filter(|user| user.role == Role::Creator) else {
            return snapshot.answer(None).await;
        };
        let xp = experience(&mut snapshot, creator).await?;
        let dashboard = Dashboard {
            profile: user.profile,
            verification_state: user.verification_state,
            level: level(xp),
            xp,
            invitations: tasks(&mut snapshot, creator, &["invited"], Some(now)).await?,
            tasks: tasks(&mut snapshot, creator, &["accepted", "rejected"], Some(now)).await?,
            in_review: tasks(&mut snapshot, creator, &["submitted"], None).await?,
            earnings: earnings::of(&mut snapshot, creator).await?,
            engagement: asked.answered(&mut snapshot).await?,
            suggestions: suggestions(&mut snapshot, creator, now).await?,
        };
        snapshot.answer(Some(dashboard)).await
    }
}

async fn experience(snapshot: &mut Snapshot, creator: UserId) -> Result<u64, QueryError> {
    #[derive(Default, Deserialize)]
    struct Counts {
        accepted: u64,
        approved: u64,
    }
    let query = select!(
        r#"SELECT count(accepted_at) AS accepted, count(*) FILTER (WHERE assignment_status = 'approved') AS approved
           FROM creator_assignments
           WHERE creator_id = $1"#
    );
    let counts: Counts = snapshot.row(query.bind(creator.0)).await?.unwrap_or_default();
    Ok(counts.accepted * XP_ACCEPTED + counts.approved * XP_APPROVED)
}

fn level(xp: u64) -> u64 {
    1 + (xp / 100).isqrt()
}

/// Assignments in one of these statuses whose deadline is still ahead, where that matters.
async fn tasks(
    snapshot: &mut Snapshot,
    creator: UserId,
    statuses: &[&str],
    now: Option<DateTime<Utc>>,
) -> Result<Vec<Task>, QueryError> {
    let query = select!(
        "SELECT ",
        assignment_columns!(),
        r#", c.title AS campaign_title
           FROM creator_assignments a LEFT JOIN campaigns c ON c.id = a.campaign_id
           WHERE a.creator_id = $1 AND a.assignment_status = ANY($2)
             AND ($3::timestamptz IS NULL OR a.deadline > $3)
           ORDER BY a.deadline, a.id
           LIMIT $4"#
    );
    let query = query.bind(creator.0).bind(statuses).bind(now).bind(AT_A_GLANCE);
    snapshot.rows(query).await
}

/// Open calls of published campaigns with a free place, and enough in the escrow to pay for it.
async fn suggestions(
    snapshot: &mut Snapshot,
    creator: UserId,
    now: DateTime<Utc>,
) -> Result<Vec<Suggestion>, QueryError> {
    let query = select!(
        "SELECT ",
        mission_columns!(),
        r#", c.title AS campaign_title
           FROM campaign_missions m JOIN campaigns c ON c.id = m.campaign_id
           WHERE m.status = 'open' AND m.open_call AND m.deadline > $2 AND m.places_taken < m.places
             AND c.status = 'published' AND c.end_at > $2
             AND c.funded_vcoin - c.held_vcoin - c.paid_vcoin - c.returned_vcoin >= m.reward_vcoin
             AND NOT EXISTS (SELECT FROM creator_assignments a WHERE a.mission_id = m.id AND a.creator_id = $1)
           ORDER BY m.reward_vcoin DESC, m.deadline, m.id
           LIMIT $3"#
    );
    snapshot.rows(query.bind(creator.0).bind(now).bind(SUGGESTIONS)).await
}

#[cfg(test)]
mod tests {
    use super::level;

    #[test]
    fn each_level_is_farther_than_the_one_before() {
        let levels = [0, 99, 100, 399, 400, 899, 900, 10_000].map(level);
        assert_eq!(levels, [1, 1, 2, 2, 3, 3, 4, 11]);
    }
}
