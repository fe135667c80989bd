//! Users of the API under test, and short ways to call it as one of them.

use crate::support::{Answer, Api};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use uuid::Uuid;
use viral_api::Role;
use viral_domain::UserId;

/// Somebody who calls the API.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) role: Role,
    pub(crate) token: String,
}

impl Api {
    /// A user who was registered through the API.
    pub(crate) async fn person(&self, role: Role) -> Person {
        let body = json!({"role": role.as_str(), "display_name": format!("A {}", role.as_str())});
        let answer = self.post("/v1/dev/users", body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        Person {
            id: UserId(answer.id().parse().unwrap()),
            role,
            token: answer.json()["token"].as_str().unwrap().to_owned(),
        }
    }

    /// Somebody with a token whom nobody registered.
    pub(crate) fn stranger(&self, role: Role) -> Person {
        let id = UserId(Uuid::now_v7());
        let token = self.state.dev_tokens().unwrap().issue(role, id);
        Person { id, role, token }
    }

    pub(crate) async fn get_as(&self, who: &Person, path: &str) -> Answer {
        let request = Request::get(path).header("authorization", format!("Bearer {}", who.token));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// A write with a fresh key.
    pub(crate) async fn post_as(&self, who: &Person, path: &str, body: Value) -> Answer {
        self.write_as(who, "POST", path, &self.fresh_key(), &body.to_string())
            .await
    }

    pub(crate) async fn write_as(&self, who: &Person, method: &str, path: &str, key: &str, body: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", who.token))
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// A write that must be carried out: with this status, and the same bytes when it is repeated later. Gives its body.
    pub(crate) async fn must_as(&self, who: &Person, method: &str, path: &str, body: &Value, status: u16) -> Value {
        let key = self.fresh_key();
        let first = self.write_as(who, method, path, &key, &body.to_string()).await;
        assert_eq!(first.status, status, "{method} {path}: {first:?}");
        let head = self.head().await;
        let position = first.header("viral-position").map(|position| position.parse().unwrap());
        assert_eq!(position, Some(head), "the position of the last event");
        assert_eq!(first.json()["position"], head.to_string(), "{first:?}");
        assert_eq!(first.json()["recorded_at"], self.now(), "{first:?}");
        self.advance(std::time::Duration::from_secs(60));
        // Spelled in another way, it is the same request.
        let spaced = serde_json::to_string_pretty(body).unwrap();
        let again = self.write_as(who, method, path, &key, &spaced).await;
        let same = |answer: &Answer| {
            (
                answer.status,
                answer.text.clone(),
                answer.header("location").map(str::to_owned),
            )
        };
        assert_eq!(same(&again), same(&first), "{method} {path}");
        assert_eq!(again.header("viral-position"), first.header("viral-position"));
        assert_eq!(again.header("idempotent-replayed"), Some("true"), "{again:?}");
        assert_eq!(self.head().await, head, "{method} {path} happened twice");
        first.json()
    }

    /// A write that must be refused with this status and code, and without an event.
    pub(crate) async fn refused_as(&self, who: &Person, method: &str, path: &str, body: &Value, why: (u16, &str)) {
        let head = self.head().await;
        let answer = self
            .write_as(who, method, path, &self.fresh_key(), &body.to_string())
            .await;
        let (status, code) = answer.problem();
        assert_eq!((status, code.as_str()), why, "{method} {path} {body}: {answer:?}");
        assert_eq!(self.head().await, head, "{method} {path} left an event");
    }
}
