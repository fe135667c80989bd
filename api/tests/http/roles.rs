//! Every route, every role, and nobody.

use crate::auth::concrete;
use crate::support::{Answer, Api};
use axum::body::Body;
use axum::http::Request;
use uuid::Uuid;
use viral_api::Role;
use viral_api::auth::{Access, ROUTES, Rule, scope};
use viral_domain::UserId;

/// Who may call what, once more: whoever adds a route writes it down twice, on purpose. `any` and `own` say with whose
/// objects; `-` is refused.
const TABLE: &str = "
                                                  nobody sponsor creator admin auditor compliance analyst
    GET  /healthz                                 any    any     any     any   any     any        any
    GET  /readyz                                  any    any     any     any   any     any        any
    GET  /openapi.json                            any    any     any     any   any     any        any
    GET  /docs                                    any    any     any     any   any     any        any
    GET  /docs/                                   any    any     any     any   any     any        any
    GET  /docs/{file}                             any    any     any     any   any     any        any
    GET  /v1/ledger/accounts                      -      -       -       any   any     any        -
    GET  /v1/ledger/accounts/{address}            -      -       -       any   any     any        -
    GET  /v1/ledger/accounts/{address}/balance    -      -       -       any   any     any        -
    GET  /v1/ledger/transactions                  -      -       -       any   any     any        -
    GET  /v1/ledger/transactions/{id}             -      -       -       any   any     any        -
    GET  /v1/ledger/trial-balance                 -      -       -       any   any     any        -
    GET  /v1/ledger/holds                         -      -       -       any   any     any        -
    GET  /v1/ledger/holds/{id}                    -      -       -       any   any     any        -
    POST /v1/ledger/accounts                      -      -       -       any   -       -          -
    POST /v1/ledger/accounts/{address}/freeze     -      -       -       any   -       -          -
    POST /v1/ledger/accounts/{address}/unfreeze   -      -       -       any   -       -          -
    POST /v1/ledger/accounts/{address}/close      -      -       -       any   -       -          -
    POST /v1/ledger/transactions                  -      -       -       any   -       -          -
    POST /v1/ledger/transactions/{id}/reverse     -      -       -       any   -       -          -
    POST /v1/ledger/holds                         -      -       -       any   -       -          -
    POST /v1/ledger/holds/{id}/capture            -      -       -       any   -       -          -
    POST /v1/ledger/holds/{id}/void               -      -       -       any   -       -          -
    POST /v1/ledger/periods/close                 -      -       -       any   -       -          -
    GET  /v1/events                               -      -       -       any   any     any        -
    GET  /v1/campaigns                            -      own     own     any   any     any        any
    POST /v1/campaigns                            -      own     -       -     -       -          -
    GET  /v1/campaigns/{id}                       -      own     own     any   any     any        any
    PATCH /v1/campaigns/{id}                      -      own     -       -     -       -          -
    POST /v1/campaigns/{id}/publish               -      own     -       -     -       -          -
    POST /v1/campaigns/{id}/pause                 -      own     -       any   -       -          -
    POST /v1/campaigns/{id}/fund                  -      own     -       -     -       -          -
    POST /v1/campaigns/{id}/close                 -      own     -       any   -       -          -
    GET  /v1/campaigns/{id}/assignments           -      own     -       any   any     any        -
    GET  /v1/campaigns/{id}/events                -      own     -       any   any     any        -
    GET  /v1/campaigns/{id}/statement             -      own     -       any   any     any        -
    GET  /v1/campaigns/{id}/metrics               -      own     -       any   any     any        any
    POST /v1/engagement                           -      -       -       any   -       -          -
    GET  /v1/campaigns/{id}/missions              -      own     own     any   any     any        any
    POST /v1/campaigns/{id}/missions              -      own     -       -     -       -          -
    GET  /v1/missions/{id}                        -      own     own     any   any     any        any
    POST /v1/missions/{id}/assign                 -      own     own     -     -       -          -
    POST /v1/missions/{id}/close                  -      own     -       -     -       -          -
    POST /v1/missions/{id}/deliverables           -      -       own     -     -       -          -
    GET  /v1/assignments/{id}                     -      own     own     any   any     any        -
    POST /v1/assignments/{id}/accept              -      -       own     -     -       -          -
    POST /v1/assignments/{id}/decline             -      -       own     -     -       -          -
    POST /v1/assignments/{id}/withdraw            -      -       own     -     -       -          -
    POST /v1/assignments/{id}/review              -      own     -       -     -       -          -
    POST /v1/dev/users                            -      -       -       any   -       -          -
    GET  /v1/users/me                             -      own     own     own   own     own        own
    PUT  /v1/users/me/profile                     -      own     own     own   own     own        own
    POST /v1/admin/users/{id}/verification        -      -       -       any   -       -          -
    GET  /v1/creators/me/dashboard                -      -       own     -     -       -          -
    GET  /v1/wallets/me                           -      own     own     -     -       -          -
    GET  /v1/wallets/{id}                         -      -       -       any   any     any        -
    POST /v1/wallets/on-ramp                      -      own     -       any   -       -          -
    POST /v1/wallets/payout                       -      -       own     -     -       -          -
    GET  /v1/payouts                              -      own     own     any   any     any        -
    GET  /v1/payouts/{id}                         -      own     own     any   any     any        -
    POST /v1/payouts/{id}/approve                 -      own     -       any   -       -          -
    POST /v1/payouts/{id}/reject                  -      own     -       any   -       -          -
    POST /v1/payouts/{id}/cancel                  -      -       own     -     -       -          -
    POST /v1/admin/payouts/{id}/outcome           -      -       -       any   -       -          -
    POST /v1/admin/fraud                          -      -       -       any   -       -          -
    GET  /v1/admin/fraud                          -      -       -       any   any     any        -
    GET  /v1/admin/fraud/{id}                     -      -       -       any   any     any        -
    POST /v1/admin/fraud/{id}/resolve             -      -       -       any   -       -          -
";

/// What the table of the code says.
fn cell(rule: &Rule, role: Option<Role>) -> &'static str {
    match (rule.access, role) {
        (Access::Public, _) => "any",
        (Access::To(_), None) => "-",
        (Access::To(action), Some(role)) => scope(action, role).map_or("-", |scope| scope.as_str()),
    }
}

fn everybody() -> impl Iterator<Item = Option<Role>> {
    std::iter::once(None).chain(Role::ALL.into_iter().map(Some))
}

#[test]
fn the_routes_are_as_they_are_written_down() {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let written: Vec<String> = TABLE.lines().map(words).filter(|line| !line.is_empty()).collect();
    let names: Vec<&str> = everybody().map(|role| role.map_or("nobody", Role::as_str)).collect();
    let mut actual = vec![names.join(" ")];
    for rule in ROUTES {
        let cells: Vec<&str> = everybody().map(|role| cell(rule, role)).collect();
        actual.push(format!("{} {} {}", rule.method, rule.path, cells.join(" ")));
    }
    assert_eq!(written, actual);
}

async fn call(api: &Api, rule: &Rule, role: Option<Role>) -> Answer {
    let mut request = Request::builder().method(&rule.method).uri(concrete(rule.path));
    if let Some(role) = role {
        let token = api.state.dev_tokens().unwrap().issue(role, UserId(Uuid::from_u128(7)));
        request = request.header("authorization", format!("Bearer {token}"));
    }
    api.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn the_router_keeps_to_the_table() {
    let api = Api::for_development().await;
    for rule in ROUTES {
        for role in everybody() {
            let answer = call(&api, rule, role).await;
            let allowed = cell(rule, role) != "-";
            match (role, allowed) {
                // Without a key or for something that is not there: but past the tables.
                (_, true) => assert!(
                    ![401, 403, 405, 500].contains(&answer.status),
                    "{rule:?} {role:?}: {answer:?}"
                ),
                (Some(_), false) => {
                    assert_eq!(answer.problem(), (403, "forbidden".to_owned()), "{rule:?} {role:?}");
                }
                (None, false) => assert_eq!(answer.problem(), (401, "unauthenticated".to_owned()), "{rule:?}"),
            }
        }
    }
    assert_eq!(api.head().await, 0);
}

#[tokio::test]
async fn dev_tokens_are_refused_where_they_are_not_issued() {
    let development = Api::for_development().await;
    let user = UserId(Uuid::from_u128(7));
    let token = development.state.dev_tokens().unwrap().issue(Role::Admin, user);
    let api = Api::new().await;
    assert!(api.state.dev_tokens().is_none());
    let bearer = format!("Bearer {token}");
    for (api, status) in [(&api, 401), (&development, 200)] {
        let request = Request::get("/v1/ledger/holds").header("authorization", &bearer);
        assert_eq!(api.send(request.body(Body::empty()).unwrap()).await.status, status);
    }
}

#[tokio::test]
async fn what_a_user_does_has_its_id_as_actor() {
    let api = Api::for_development().await;
    let user = UserId(Uuid::from_u128(7));
    let token = api.state.dev_tokens().unwrap().issue(Role::Admin, user);
    let request = Request::post("/v1/ledger/accounts")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .header("idempotency-key", "one");
    let body = Body::from(r#"{"account":"shop:a","asset":"USD"}"#);
    let opened = api.send(request.body(body).unwrap()).await;
    assert_eq!(
        (opened.status, &opened.json()["actor"]),
        (201, &user.to_string().into())
    );
}
