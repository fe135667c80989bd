//! Reads of a read model that is as far as a test wants it to be.

use super::*;
use crate::auth::Principal;
use crate::{Tokens, surround};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tower::ServiceExt;
use uuid::Uuid;
use viral_commands::{Commands, Scope, Settings, Unit, Vault, Writer};
use viral_domain::Terms;
use viral_domain::user::Role;
use viral_ledger::{Address, Asset, Command, NormalSide};
use viral_projections::Behind;
use viral_store::MemoryStore;

/// Two read models, `fast` and `slow`, at fixed positions.
#[derive(Debug)]
struct Fixed {
    fast: AtomicU64,
    slow: AtomicU64,
}

#[async_trait]
impl Progress for Fixed {
    async fn wait_for(&self, model: &str, wanted: Position, timeout: Duration) -> Result<Position, ProjectionError> {
        assert!(timeout <= PATIENCE);
        let at = match model {
            "fast" => self.fast.load(Ordering::Relaxed),
            _ => self.slow.load(Ordering::Relaxed),
        };
        let (at, name) = (Position(at), model.to_owned());
        if at >= wanted {
            return Ok(at);
        }
        Err(Behind { name, at, wanted }.into())
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    colour: Option<String>,
}

async fn one(State(state): State<AppState>, read: Read<Filter>) -> Result<Response, Problem> {
    let at = read.reached(&state, &["fast", "slow"]).await?;
    read.one(at, &json!({"colour": read.params.colour}))
}

async fn many(State(state): State<AppState>, read: Read<Filter>) -> Result<Response, Problem> {
    let at = read.reached(&state, &["fast"]).await?;
    read.many(at, &json!([]))
}

/// Three events in the log; `fast` has all of them, `slow` two.
async fn routes() -> Router {
    let store = Arc::new(MemoryStore::new(Uuid::nil()));
    let (writer, _) = Writer::start(store.clone(), Settings::default()).await.unwrap();
    for account in ["a", "b", "c"] {
        let command = Command::OpenAccount {
            account: Address::parse(account).unwrap(),
            asset: Asset::VCOIN,
            normal_side: NormalSide::Credit,
            may_go_negative: false,
        };
        writer.append(Unit::ledger(Uuid::now_v7(), command)).await.unwrap();
    }
    let commands = Commands::new(writer, Terms::default(), Vault::new(store, &[0; 32]));
    let progress = Fixed {
        fast: 3.into(),
        slow: 2.into(),
    };
    let state = AppState::new(commands, Tokens::new()).with_progress(Arc::new(progress));
    let caller = async |mut request: Request, next: Next| {
        let auditor = Principal::new("auditor", Role::Auditor);
        request.extensions_mut().insert(Caller::new(auditor, Scope::Any));
        next.run(request).await
    };
    let routes = Router::new()
        .route("/one", get(one))
        .route("/many", get(many))
        .layer(from_fn(caller));
    surround(routes, state)
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn code(&self) -> (u16, String) {
        let body: Value = serde_json::from_str(&self.text).unwrap();
        (self.status, body["code"].as_str().unwrap().to_owned())
    }
}

async fn ask(path: &str, known: &[&str]) -> Answer {
    let mut request = Request::get(path);
    for known in known {
        request = request.header("if-none-match", *known);
    }
    let response = routes()
        .await
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 10_000).await.unwrap();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        text: String::from_utf8(body.to_vec()).unwrap(),
    }
}

#[tokio::test]
async fn an_answer_says_how_far_all_its_read_models_are() {
    let answer = ask("/one", &[]).await;
    assert_eq!((answer.status, answer.header("viral-position")), (200, Some("2")));
    let answer = ask("/many", &[]).await;
    assert_eq!((answer.status, answer.header("viral-position")), (200, Some("3")));
    assert_eq!(
        (answer.header("etag"), answer.header("cache-control")),
        (None, Some("no-store"))
    );
}

#[tokio::test]
async fn a_reader_sees_at_least_what_it_asks_for() {
    assert_eq!(ask("/many?min_position=3", &[]).await.status, 200);
    assert_eq!(ask("/one?min_position=2", &[]).await.status, 200);
    let behind = ask("/one?min_position=3", &[]).await;
    assert_eq!(behind.code(), (503, "read_model_behind".to_owned()));
    assert_eq!(behind.header("retry-after"), Some("1"));
    for beyond in ["4", "18446744073709551615", "99999999999999999999999"] {
        let answer = ask(&format!("/many?min_position={beyond}"), &[]).await;
        assert_eq!(answer.code(), (400, "position_beyond_head".to_owned()), "{beyond}");
        assert!(answer.text.contains("\"head\":\"3\""), "{}", answer.text);
    }
}

#[tokio::test]
async fn the_other_parameters_are_read_as_strictly_as_ever() {
    for (query, colour) in [
        ("colour=red", "red"),
        ("colour=red&min_position=1", "red"),
        ("min_position=1&colour=a%26b", "a&b"),
    ] {
        let answer = ask(&format!("/one?{query}"), &[]).await;
        assert_eq!(answer.text, format!("{{\"colour\":{colour:?}}}"), "{query}");
    }
    for (query, code) in [
        ("min_position=", "invalid_position"),
        ("min_position", "invalid_position"),
        ("min_position=-1", "invalid_position"),
        ("min_position=%31", "invalid_position"),
        ("min_position=1&min_position=1", "invalid_query"),
        ("min_position=1&taste=sweet", "invalid_query"),
        ("colour=red&min_position=1&colour=red", "invalid_query"),
        ("min%5Fposition=1", "invalid_query"),
    ] {
        let answer = ask(&format!("/one?{query}"), &[]).await;
        assert_eq!(answer.code(), (400, code.to_owned()), "{query}");
    }
}

#[tokio::test]
async fn what_the_caller_has_is_not_sent_again() {
    let answer = ask("/one", &[]).await;
    let tag = answer.header("etag").unwrap();
    let opaque = tag.strip_prefix("W/").unwrap();
    assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
    let (among, other) = (format!("W/\"1\", {tag}"), "W/\"1\"");
    for known in [&[tag][..], &[opaque], &[among.as_str()], &["*"], &[other, tag]] {
        let answer = ask("/one", known).await;
        assert_eq!((answer.status, answer.text.as_str()), (304, ""), "{known:?}");
        assert_eq!(answer.header("etag"), Some(tag));
        assert_eq!(answer.header("viral-position"), Some("2"));
        assert!(answer.header("x-request-id").is_some());
    }
    let (unquoted, longer) = (opaque.trim_matches('"'), format!("{}0\"", tag.trim_end_matches('"')));
    for known in [&[other][..], &[unquoted], &[longer.as_str()], &["\"W/2\""], &[""]] {
        assert_eq!(ask("/one", known).await.status, 200, "{known:?}");
    }
}

/// What another caller, or the same one with other parameters, sees at the same position is something else.
#[tokio::test]
async fn another_body_has_another_tag() {
    let (red, blue) = (ask("/one?colour=red", &[]).await, ask("/one?colour=blue", &[]).await);
    assert_ne!(red.header("etag"), blue.header("etag"));
    let known = red.header("etag").unwrap();
    assert_eq!(ask("/one?colour=blue", &[known]).await.status, 200);
    assert_eq!(ask("/one?colour=red", &[known]).await.status, 304);
}

#[tokio::test]
async fn without_read_models_there_are_no_answers_from_them() {
    let store = Arc::new(MemoryStore::new(Uuid::nil()));
    let (writer, _) = Writer::start(store.clone(), Settings::default()).await.unwrap();
    let commands = Commands::new(writer, Terms::default(), Vault::new(store, &[0; 32]));
    let state = AppState::new(commands, Tokens::new());
    let reached = MinPosition { min_position: None }.reached(&state, &["fast"]).await;
    assert_eq!(reached.unwrap_err().kind(), kind::NOT_READY);
}
