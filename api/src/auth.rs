//! Who may do what. One table ([`ROUTES`]) names every route with the action it stands for, another ([`allowed`]) the
//! roles that may do each action and with whose objects.

mod actions;
mod principal;
mod routes;

pub use actions::{Action, Scope, allowed, scope};
pub use principal::{Caller, Principal};
pub use routes::{Access, ROUTES, Rule};

use crate::kind;
use crate::problem::Problem;
use crate::state::AppState;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;

/// Lets a request through to its route if the tables allow it, with the [`Caller`] in its extensions.
pub(crate) async fn authorise(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(path) = request.extensions().get::<MatchedPath>() else {
        // No route: what follows answers 404.
        return Ok(next.run(request).await);
    };
    match access(request.method(), path.as_str())? {
        Access::Public => {}
        Access::To(action) => {
            let principal = authenticate(&state, &request)?;
            let Some(scope) = scope(action, principal.role()) else {
                return Err(Problem::new(kind::FORBIDDEN, "your role does not allow this"));
            };
            request.extensions_mut().insert(Caller::new(principal, scope));
        }
    }
    Ok(next.run(request).await)
}

fn access(method: &Method, path: &str) -> Result<Access, Problem> {
    // A HEAD is answered by the route of the GET.
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let here: Vec<&Rule> = ROUTES.iter().filter(|rule| rule.path == path).collect();
    if let Some(rule) = here.iter().find(|rule| rule.method == method) {
        return Ok(rule.access);
    }
    if here.is_empty() {
        return Err(Problem::new(kind::FORBIDDEN, "nobody may call this"));
    }
    let allow: Vec<&str> = here.iter().map(|rule| rule.method.as_str()).collect();
    let allow = allow.join(", ");
    let detail = format!("the path takes {allow}, not {method}");
    Err(Problem::new(kind::METHOD_NOT_ALLOWED, detail).with("allow", allow))
}

fn authenticate(state: &AppState, request: &Request) -> Result<Principal, Problem> {
    let refuse = |detail: &str| Problem::new(kind::UNAUTHENTICATED, detail);
    let mut headers = request.headers().get_all(AUTHORIZATION).iter();
    let header = match (headers.next(), headers.next()) {
        (Some(header), None) => header.to_str().unwrap_or_default(),
        (None, _) => return Err(refuse("send the header Authorization: Bearer followed by your token")),
        (Some(_), Some(_)) => return Err(refuse("there is more than one Authorization header")),
    };
    let token = match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => return Err(refuse("the Authorization header must be Bearer followed by your token")),
    };
    state.principal(token).ok_or_else(|| refuse("the token is not valid"))
}
