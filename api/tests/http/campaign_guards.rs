//! What guards campaigns: whose they are, keys that are for one request, and reads that are refused.

use crate::stage::{Stage, id};
use serde_json::json;

const POST: &str = "POST";
const PATCH: &str = "PATCH";
const CAMPAIGNS: &str = "/v1/campaigns";

#[tokio::test]
async fn campaigns_of_others_are_not_there() {
    let stage = Stage::new().await;
    let (path, _) = stage.published(1).await;
    let calls = [
        (PATCH, String::new(), json!({"title": "mine"})),
        (POST, "/publish".to_owned(), json!({})),
        (POST, "/pause".to_owned(), json!({})),
        (POST, "/fund".to_owned(), json!({"amount_vcoin": "1"})),
        (POST, "/fund?dry_run=true".to_owned(), json!({"amount_vcoin": "1"})),
        (POST, "/close".to_owned(), json!({})),
        (POST, "/close?dry_run=true".to_owned(), json!({})),
        (POST, "/missions".to_owned(), stage.mission(1)),
    ];
    let unknown = format!("{CAMPAIGNS}/0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071");
    for (method, call, body) in &calls {
        let theirs = format!("{path}{call}");
        let missing = (404, "unknown_campaign");
        stage.api.refused_as(&stage.rival, method, &theirs, body, missing).await;
        stage
            .api
            .refused_as(&stage.sponsor, method, &format!("{unknown}{call}"), body, missing)
            .await;
        let malformed = (400, "invalid_id");
        stage
            .api
            .refused_as(&stage.sponsor, method, &format!("{CAMPAIGNS}/1{call}"), body, malformed)
            .await;
        let forbidden = (403, "forbidden");
        stage
            .api
            .refused_as(&stage.first, method, &theirs, body, forbidden)
            .await;
        for looker in stage.lookers() {
            stage.api.refused_as(&looker, method, &theirs, body, forbidden).await;
        }
    }
    // Somebody with a sponsor's token whom nobody registered.
    let stranger = stage.api.stranger(viral_api::Role::Sponsor);
    let why = (403, "not_a_sponsor");
    stage
        .api
        .refused_as(&stranger, POST, CAMPAIGNS, &stage.brief(), why)
        .await;
}

#[tokio::test]
async fn a_key_is_for_one_request() {
    let stage = Stage::new().await;
    stage.buys("200").await;
    let (one, other) = (stage.draft().await, stage.draft().await);
    let body = json!({"amount_vcoin": "1"}).to_string();
    let first = stage
        .api
        .write_as(&stage.sponsor, POST, &format!("{one}/fund"), "k", &body)
        .await;
    assert_eq!(first.status, 201);
    let head = stage.api.head().await;
    for (path, body) in [
        (format!("{other}/fund"), body.clone()),
        (format!("{one}/fund"), json!({"amount_vcoin": "2"}).to_string()),
        (format!("{one}/close"), "{}".to_owned()),
    ] {
        let answer = stage.api.write_as(&stage.sponsor, POST, &path, "k", &body).await;
        assert_eq!(answer.problem(), (409, "idempotency_key_reused".to_owned()), "{path}");
    }
    // Another spelling of the path is the same request.
    let shouted = format!("{CAMPAIGNS}/{}/fund", id(&one).to_uppercase());
    let again = stage.api.write_as(&stage.sponsor, POST, &shouted, "k", &body).await;
    assert_eq!((again.status, again.text), (201, first.text));
    assert_eq!(stage.api.head().await, head);
}

#[tokio::test]
async fn without_read_models_nothing_is_read() {
    let stage = Stage::new().await;
    let (path, mission) = stage.published(1).await;
    let assignment = stage.invited(&mission, &stage.first).await;
    for path in [
        CAMPAIGNS.to_owned(),
        path.clone(),
        format!("{path}/missions"),
        format!("{path}/assignments"),
        format!("{path}/events"),
        format!("{path}/statement"),
        mission.clone(),
        assignment.clone(),
    ] {
        let answer = stage.api.get_as(&stage.sponsor, &path).await;
        assert_eq!(answer.problem(), (503, "not_ready".to_owned()), "{path}");
    }
    // What cannot be read is refused before.
    for (path, why) in [
        (format!("{CAMPAIGNS}/1"), (400, "invalid_id")),
        (format!("{CAMPAIGNS}?status=missing"), (400, "invalid_query")),
        (format!("{CAMPAIGNS}?sponsor_id=1"), (400, "invalid_id")),
        (format!("{CAMPAIGNS}?cursor=1"), (400, "invalid_cursor")),
        (format!("{CAMPAIGNS}?limit=501"), (400, "invalid_limit")),
        (format!("{CAMPAIGNS}?colour=red"), (400, "invalid_query")),
        (format!("{path}?colour=red"), (400, "invalid_query")),
        (format!("{path}/assignments?status=gone"), (400, "invalid_query")),
        (format!("{path}/statement?from=today"), (400, "invalid_time")),
        (format!("{path}/statement?to=today"), (400, "invalid_time")),
        (format!("{path}/events?cursor=70"), (400, "invalid_cursor")),
        ("/v1/missions/x".to_owned(), (400, "invalid_id")),
        ("/v1/assignments/x".to_owned(), (400, "invalid_id")),
    ] {
        let answer = stage.api.get_as(&stage.sponsor, &path).await;
        assert_eq!(answer.problem(), (why.0, why.1.to_owned()), "{path}");
    }
}
