//! Users: their own profile, and how far an admin has checked who they are.

use crate::kind;
use crate::openapi::schemas;
use crate::parse;
use crate::problem::Problem;
use crate::query::NoQuery;
use crate::read::{MinPosition, Read};
use crate::recorded::Recorded;
use crate::state::AppState;
use crate::write::Write;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use viral_commands::use_cases::{self, Profile};
use viral_domain::UserId;
use viral_domain::user::{User, UserEvent, Verification};

/// The routes; who may call them is in [`crate::auth`].
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(me))
        .routes(routes!(change_profile))
        .routes(routes!(change_verification))
}

/// Look at oneself
#[utoipa::path(
    get, path = "/v1/users/me", operation_id = "getMe", tag = "users", params(MinPosition),
    responses((status = 200, description = "The user", body = schemas::User,
        example = json!({"id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "role": "creator",
            "profile": {"display_name": "A creator", "bio": "Films things."}, "verification_state": "unverified",
            "created_at": "2026-03-01T12:00:00.000000Z"})),
        (status = 304, description = "Nothing has changed")),
)]
pub(crate) async fn me(State(state): State<AppState>, read: Read<NoQuery>) -> Result<Response, Problem> {
    let id = read.caller.user()?;
    read.reached(&state, &["users"]).await?;
    let found = state.read_models()?.user(id).await?;
    let user = found.value.ok_or_else(|| unknown(id))?;
    read.one(found.position, &user)
}

/// The problem of a token whose user is not there.
pub(crate) fn unknown(id: UserId) -> Problem {
    Problem::new(kind::UNKNOWN_USER, format!("there is no user {id}"))
}

/// A profile as a whole: what is left out is gone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeProfile {
    /// The name that others see.
    #[schema(min_length = 1, max_length = 320)]
    display_name: String,
    /// Where the user can be reached.
    email: Option<String>,
    /// Some words about the user.
    #[serde(default)]
    bio: String,
    /// Where the user can be seen.
    #[serde(default)]
    #[schema(max_items = 10)]
    links: Vec<String>,
}

/// A profile that was changed. What it says is not repeated: events hold it sealed only.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedProfile)]
struct ProfileChanged {
    /// Whose.
    id: Uuid,
    #[serde(flatten)]
    recorded: Recorded,
}

/// Change one's profile
///
/// Replaces it as a whole. The login stays what it was at registration.
#[utoipa::path(
    put, path = "/v1/users/me/profile", operation_id = "changeProfile", tag = "users",
    request_body(content = ChangeProfile, example = json!({"display_name": "A creator", "bio": "Films things.",
        "links": ["https://video.example/a-creator"]})),
    responses((status = 200, description = "It is changed", body = ProfileChanged,
        example = json!({"id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "position": "12",
            "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn change_profile(
    State(state): State<AppState>,
    write: Write<ChangeProfile>,
) -> Result<Response, Problem> {
    let body = &write.body;
    let case = use_cases::ChangeProfile {
        user: write.caller.user()?,
        profile: Profile {
            bio: body.bio.clone(),
            display_name: body.display_name.clone(),
            email: body.email.clone(),
            links: body.links.clone(),
        },
    };
    let written = write
        .run(&state, "user.profile.change", "/v1/users/me/profile", &case)
        .await?;
    let changed = written.find::<User, _>(|event| match event {
        UserEvent::ProfileChanged(changed) => Some(changed),
        _ => None,
    })?;
    let answer = ProfileChanged {
        id: changed.user.0,
        recorded: written.recorded()?,
    };
    written.answer(StatusCode::OK, None, &answer)
}

/// What was found out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeVerification {
    /// How far the user's identity is checked.
    #[schema(value_type = schemas::Verification)]
    verification_state: Verification,
}

/// A user whose identity was checked.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedVerification)]
struct VerificationChanged {
    /// Whose.
    id: Uuid,
    /// How far it is checked now.
    #[schema(value_type = schemas::Verification)]
    verification_state: Verification,
    #[serde(flatten)]
    recorded: Recorded,
}

/// Record how far a user's identity is checked
#[utoipa::path(
    post, path = "/v1/admin/users/{id}/verification", operation_id = "changeVerification", tag = "users",
    params(("id" = Uuid, Path, description = "The user's id", example = "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11")),
    request_body(content = ChangeVerification, example = json!({"verification_state": "verified"})),
    responses((status = 200, description = "It is recorded", body = VerificationChanged,
        example = json!({"id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "verification_state": "verified",
            "position": "12", "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn change_verification(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write<ChangeVerification>,
) -> Result<Response, Problem> {
    let user = UserId(parse::id(&id)?);
    let case = use_cases::ChangeVerification {
        user,
        verification: write.body.verification_state,
    };
    let path = format!("/v1/admin/users/{user}/verification");
    let written = write.run(&state, "user.verification.change", &path, &case).await?;
    let changed = written.find::<User, _>(|event| match event {
        UserEvent::VerificationChanged(changed) => Some(changed),
        _ => None,
    })?;
    let answer = VerificationChanged {
        id: changed.user.0,
        verification_state: changed.verification,
        recorded: written.recorded()?,
    };
    written.answer(StatusCode::OK, None, &answer)
}
