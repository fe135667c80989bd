//! Who may do what. One table names every route with the action it stands for, another the roles that may do each
//! action; a route that is in no table is refused to everybody, so one that is forgotten is not open.

use crate::kind;
use crate::problem::Problem;
use crate::state::AppState;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;

/// What a principal is to the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Runs the platform.
    Admin,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    name: Arc<str>,
    role: Role,
}

impl Principal {
    pub(crate) fn new(name: &str, role: Role) -> Principal {
        Principal {
            name: name.into(),
            role,
        }
    }

    /// The pseudonymous id that becomes the actor of events.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// What a route stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Look at accounts, transactions, holds and reports.
    ReadLedger,
    /// Open an account.
    OpenAccount,
    /// Freeze, unfreeze or close an account.
    ChangeAccount,
    /// Post a transaction.
    Post,
    /// Place, capture or void a hold.
    Hold,
    /// Reverse a transaction.
    Reverse,
    /// Close a period.
    ClosePeriod,
}

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without a token.
    Public,
    /// Roles that may do this.
    To(Action),
}

/// A route and who may call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The method.
    pub method: Method,
    /// The path as it is registered.
    pub path: &'static str,
    /// Who may.
    pub access: Access,
}

const fn get(path: &'static str, access: Access) -> Rule {
    Rule {
        method: Method::GET,
        path,
        access,
    }
}

const fn post(path: &'static str, action: Action) -> Rule {
    Rule {
        method: Method::POST,
        path,
        access: Access::To(action),
    }
}

const READ: Access = Access::To(Action::ReadLedger);

/// Every route.
pub const ROUTES: &[Rule] = &[
    get("/healthz", Access::Public),
    get("/readyz", Access::Public),
    get("/v1/ledger/accounts", READ),
    get("/v1/ledger/accounts/{address}", READ),
    get("/v1/ledger/accounts/{address}/balance", READ),
    get("/v1/ledger/transactions", READ),
    get("/v1/ledger/transactions/{id}", READ),
    get("/v1/ledger/trial-balance", READ),
    get("/v1/ledger/holds", READ),
    get("/v1/ledger/holds/{id}", READ),
    post("/v1/ledger/accounts", Action::OpenAccount),
    post("/v1/ledger/accounts/{address}/freeze", Action::ChangeAccount),
    post("/v1/ledger/accounts/{address}/unfreeze", Action::ChangeAccount),
    post("/v1/ledger/accounts/{address}/close", Action::ChangeAccount),
    post("/v1/ledger/transactions", Action::Post),
    post("/v1/ledger/transactions/{id}/reverse", Action::Reverse),
    post("/v1/ledger/holds", Action::Hold),
    post("/v1/ledger/holds/{id}/capture", Action::Hold),
    post("/v1/ledger/holds/{id}/void", Action::Hold),
    post("/v1/ledger/periods/close", Action::ClosePeriod),
];

/// Which roles may do an action.
fn allowed(action: Action) -> &'static [Role] {
    match action {
        Action::ReadLedger
        | Action::OpenAccount
        | Action::ChangeAccount
        | Action::Post
        | Action::Hold
        | Action::Reverse
        | Action::ClosePeriod => &[Role::Admin],
    }
}

/// Lets a request through to its route if the tables allow it, with the [`Principal`] in its extensions.
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
            if !allowed(action).contains(&principal.role) {
                return Err(Problem::new(kind::FORBIDDEN, "your role does not allow this"));
            }
            request.extensions_mut().insert(principal);
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
    let principal = state.tokens().find(token);
    principal.cloned().ok_or_else(|| refuse("the token is not valid"))
}
