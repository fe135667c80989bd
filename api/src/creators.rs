//! Creators: what they see first.

use crate::openapi::schemas;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::read::{MinPosition, Read};
use crate::state::AppState;
use crate::users;
use axum::extract::State;
use axum::response::Response;

/// What the answer is made of.
const MODELS: &[&str] = &["users", "campaigns", "payouts"];

/// Look at one's dashboard
///
/// Invitations, tasks by deadline, work in review, earnings, what was measured of the work, level and experience, and missions that are open to all.
#[utoipa::path(
    get, path = "/v1/creators/me/dashboard", operation_id = "getDashboard", tag = "creators", params(MinPosition),
    responses((status = 200, description = "The dashboard", body = schemas::Dashboard,
        example = json!({"profile": {"display_name": "A creator"}, "verification_state": "verified", "level": 2, "xp": 110,
            "invitations": [], "tasks": [], "in_review": [],
            "earnings": {"total_vcoin": "95.0000",
                "by_campaign": [{"campaign_id": "0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071", "title": "A launch",
                    "earned_vcoin": "95.0000", "payable_vcoin": "15.0000"}],
                "by_month": [{"month": "2026-03", "earned_vcoin": "95.0000"}]},
            "engagement": {"impressions": 1000, "clicks": 50, "watch_time": 3600, "conversions": 2},
            "suggestions": [{"id": "0199a3c4-77aa-7f80-9a1b-2c3d4e5f6071",
                "campaign_id": "0199a3c4-6b6e-7f80-9a1b-2c3d4e5f6071", "mission_type": "video",
                "requirements": {"required": ["url"]}, "reward_vcoin": "50.0000",
                "deadline": "2026-04-01T12:00:00.000000Z", "places": 3, "places_taken": 1, "open_call": true,
                "status": "open", "campaign_title": "Another launch"}]}))),
)]
pub(crate) async fn dashboard(State(state): State<AppState>, read: Read<NoQuery>) -> Result<Response, Problem> {
    let creator = read.caller.user()?;
    read.reached(&state, MODELS).await?;
    let found = state.read_models()?.dashboard(creator, state.now()).await?;
    let dashboard = found.value.ok_or_else(|| users::unknown(creator))?;
    // It changes with the time too, as deadlines pass: so it has no tag.
    read.many(found.position, &dashboard)
}
