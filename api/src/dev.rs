//! Users without a login, for trying the platform out: under `--dev` an admin registers anybody in any role and gets a
//! token for them. Elsewhere there is nothing at this path.

use crate::kind;
use crate::openapi::schemas;
use crate::problem::Problem;
use crate::recorded::Recorded;
use crate::state::AppState;
use crate::tokens::DevTokens;
use crate::write::Write;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use viral_commands::use_cases::{Profile, RegisterUser};
use viral_domain::user::{Role, User, UserEvent};

const PATH: &str = "/v1/dev/users";

/// The platform is only tried out: what is for that alone asks for this before it looks at the request.
pub(crate) struct Development(DevTokens);

impl FromRequestParts<AppState> for Development {
    type Rejection = Problem;

    async fn from_request_parts(_: &mut Parts, state: &AppState) -> Result<Development, Problem> {
        let tokens = state.dev_tokens().cloned();
        let nothing = || Problem::new(kind::NOT_FOUND, "users without a login are registered under --dev only");
        tokens.map(Development).ok_or_else(nothing)
    }
}

/// Somebody to register.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterDevUser {
    /// What the user is to the platform.
    #[schema(value_type = schemas::Role)]
    role: Role,
    /// The name that others see.
    #[schema(min_length = 1, max_length = 320)]
    display_name: String,
    /// Where the user can be reached. No two users share it.
    email: Option<String>,
    /// Some words about the user.
    #[serde(default)]
    bio: String,
    /// Where the user can be seen.
    #[serde(default)]
    #[schema(max_items = 10)]
    links: Vec<String>,
}

/// A user who was registered.
#[derive(Serialize, ToSchema)]
#[schema(as = RegisteredDevUser)]
struct Registered {
    /// The user's id.
    id: Uuid,
    /// What the user is to the platform.
    #[schema(value_type = schemas::Role)]
    role: Role,
    /// The user's bearer token. It does not expire.
    token: String,
    #[serde(flatten)]
    recorded: Recorded,
}

/// Register a user without a login
///
/// Only under `--dev`, elsewhere 404. Answers a bearer token for the user. Sponsors and creators get a wallet.
#[utoipa::path(
    post, path = "/v1/dev/users", operation_id = "registerDevUser", tag = "users",
    request_body(content = RegisterDevUser, example = json!({"role": "creator", "display_name": "A creator"})),
    responses((status = 201, description = "The user and the token", body = Registered,
        example = json!({"id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11", "role": "creator",
            "token": "viral_dev_creator_5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11_6921f2525e1a27a89a8d4a1b848bc22825b57afee0175e44a234ed1c67d621c7",
            "position": "2", "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn register(
    State(state): State<AppState>,
    Development(tokens): Development,
    write: Write<RegisterDevUser>,
) -> Result<Response, Problem> {
    let body = &write.body;
    let case = RegisterUser {
        role: body.role,
        profile: Profile {
            bio: body.bio.clone(),
            display_name: body.display_name.clone(),
            email: body.email.clone(),
            links: body.links.clone(),
        },
    };
    let written = write.run(&state, "dev.user.register", PATH, &case).await?;
    let registered = written.find::<User, _>(|event| match event {
        UserEvent::Registered(registered) => Some(registered),
        _ => None,
    })?;
    let (role, user) = (registered.role, registered.user);
    let answer = Registered {
        id: user.0,
        role,
        token: tokens.issue(role, user),
        recorded: written.recorded()?,
    };
    written.answer(StatusCode::CREATED, None, &answer)
}
