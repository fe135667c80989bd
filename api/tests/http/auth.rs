//! Who may call what: a walk over all routes.

use crate::support::{Api, TOKEN};
use axum::body::Body;
use axum::http::Request;
use std::collections::BTreeSet;
use viral_api::Role;
use viral_api::auth::{Access, ROUTES, allowed};

/// A path that fits a registered one.
pub(crate) fn concrete(path: &str) -> String {
    let id = "0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071";
    let path = path.replace("{address}", "nobody").replace("{id}", id);
    path.replace("{file}", "swagger-ui.css")
}

#[tokio::test]
async fn every_route_that_is_not_public_wants_a_valid_token() {
    let api = Api::new().await;
    for rule in ROUTES {
        for header in [
            None,
            Some("Bearer"),
            Some("Bearer "),
            Some("Bearer another-token-0123456789"),
            Some(&format!("Basic {TOKEN}")),
            Some(TOKEN),
            Some(&format!("Bearer {}", &TOKEN[1..])),
        ] {
            let mut request = Request::builder().method(&rule.method).uri(concrete(rule.path));
            if let Some(header) = header {
                request = request.header("authorization", header);
            }
            let answer = api.send(request.body(Body::empty()).unwrap()).await;
            match rule.access {
                Access::Public => assert!(answer.status < 400, "{rule:?}"),
                Access::To(_) => {
                    assert_eq!(
                        answer.problem(),
                        (401, "unauthenticated".to_owned()),
                        "{rule:?} {header:?}"
                    );
                    assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"viral\""));
                    assert!(!answer.text.contains(TOKEN));
                }
            }
        }
    }
    assert_eq!(api.head().await, 0);
}

#[tokio::test]
async fn every_route_of_the_table_exists_and_lets_through_who_may() {
    let api = Api::for_development().await;
    for rule in ROUTES {
        let role = match rule.access {
            Access::Public => Role::Admin,
            Access::To(action) => allowed(action)[0].0,
        };
        let request = Request::builder()
            .method(&rule.method)
            .uri(concrete(rule.path))
            .header("authorization", format!("bearer {}", api.stranger(role).token));
        let answer = api.send(request.body(Body::empty()).unwrap()).await;
        // Without a key or for an address that is not there: but past the tables.
        assert!(![401, 403, 405, 500].contains(&answer.status), "{rule:?}: {answer:?}");
        if answer.status == 404 {
            assert_ne!(answer.problem().1, "not_found", "{rule:?}");
        }
    }
}

#[tokio::test]
async fn other_methods_are_405_and_say_which_there_are() {
    let api = Api::new().await;
    let paths: BTreeSet<&str> = ROUTES.iter().map(|rule| rule.path).collect();
    for path in paths {
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
            if ROUTES.iter().any(|rule| rule.path == path && rule.method == method) {
                continue;
            }
            let request = Request::builder().method(method).uri(concrete(path));
            let answer = api.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(
                answer.problem(),
                (405, "method_not_allowed".to_owned()),
                "{method} {path}"
            );
            let allow = answer.header("allow").unwrap();
            let known = ROUTES.iter().filter(|rule| rule.path == path);
            assert_eq!(
                allow,
                known.map(|rule| rule.method.as_str()).collect::<Vec<_>>().join(", ")
            );
        }
    }
}

#[tokio::test]
async fn two_authorization_headers_are_refused() {
    let api = Api::new().await;
    let bearer = format!("Bearer {TOKEN}");
    let request = Request::get("/v1/ledger/holds")
        .header("authorization", &bearer)
        .header("authorization", &bearer);
    let answer = api.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.problem(), (401, "unauthenticated".to_owned()));
}
