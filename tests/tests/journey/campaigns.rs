//! Campaigns as they are read: the list, and one with its money and progress.

use crate::stage::{Stage, id};
use crate::support::only;
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

/// Every status of an assignment, none of them there.
fn no_assignments() -> Value {
    json!({"invited": 0, "accepted": 0, "submitted": 0, "approved": 0, "rejected": 0, "declined": 0, "withdrawn": 0,
        "expired": 0, "cancelled": 0})
}

#[tokio::test]
async fn a_campaign_tells_its_money_and_its_progress() {
    let stage = Stage::new().await;
    let created_at = stage.api.now();
    let path = stage.draft().await;
    let mut expected = json!({
        "id": id(&path), "sponsor_id": stage.sponsor.id.to_string(), "type": "launch", "title": "A launch",
        "status": "draft", "start_at": "2026-03-01T00:00:00.000000Z", "end_at": "2026-06-01T00:00:00.000000Z",
        "created_at": created_at, "updated_at": created_at, "description": "Show it.\nTo everybody.",
        "money": {"budget": "10000.0000", "funded": "0.0000", "held": "0.0000", "paid": "0.0000", "returned": "0.0000",
            "left": "0.0000"},
        "kpi_config": {"deliverables": 2, "impressions": 100_000},
        "missions": {"total": 0, "open": 0, "places": 0, "places_taken": 0},
        "assignments": no_assignments(),
        "kpi_progress": [{"metric": "deliverables", "target": 2, "actual": 0, "percent": 0.0},
            {"metric": "impressions", "target": 100_000, "actual": 0, "percent": 0.0}],
        "engagement": {"impressions": 0, "clicks": 0, "watch_time": 0, "conversions": 0},
    });
    assert_eq!(stage.api.read_as(&stage.sponsor, &path).await, expected);

    // One creator is paid, another works, the money moves.
    stage.api.advance(HOUR);
    stage.buys("200").await;
    let targets = json!({"kpi_config": {"deliverables": 2, "creators": 4, "spend_vcoin": 2000}});
    let edited = stage
        .api
        .write_as(&stage.sponsor, "PATCH", &path, "edit", &targets.to_string())
        .await;
    assert_eq!(edited.status, 200, "{edited:?}");
    let mission = stage.does("missions", &path, stage.mission(3), 201).await;
    let mission = format!("/v1/missions/{}", mission["id"].as_str().unwrap());
    stage.does("fund", &path, json!({"amount_vcoin": "2000.5"}), 201).await;
    stage.does("fund", &path, json!({"amount_vcoin": "1000"}), 201).await;
    stage.does("publish", &path, json!({}), 200).await;
    let assignment = stage.submitted(&mission, &stage.first).await;
    stage
        .does("review", &assignment, json!({"verdict": "approve"}), 200)
        .await;
    stage.api.advance(HOUR);
    stage.accepted(&mission, &stage.second).await;
    expected["status"] = "published".into();
    expected["updated_at"] = stage.api.now().into();
    expected["money"] = json!({"budget": "10000.0000", "funded": "3000.5000", "held": "500.0000", "paid": "500.0000",
        "returned": "0.0000", "left": "2000.5000"});
    expected["kpi_config"] = targets["kpi_config"].clone();
    expected["missions"] = json!({"total": 1, "open": 1, "places": 3, "places_taken": 2});
    expected["assignments"]["approved"] = 1.into();
    expected["assignments"]["accepted"] = 1.into();
    expected["kpi_progress"] = json!([
        {"metric": "creators", "target": 4, "actual": 1, "percent": 25.0},
        {"metric": "deliverables", "target": 2, "actual": 1, "percent": 50.0},
        {"metric": "spend_vcoin", "target": 2000, "actual": "500.0000", "percent": 25.0},
    ]);
    assert_eq!(stage.api.read_as(&stage.sponsor, &path).await, expected);
    for who in std::iter::once(&stage.admin).chain(&stage.lookers()) {
        assert_eq!(stage.api.read_as(who, &path).await, expected);
    }

    // Creators see no money, also not by its share of a target.
    let fields = expected.as_object_mut().unwrap();
    fields.remove("money");
    fields.remove("engagement");
    fields["kpi_progress"][2]["actual"] = Value::Null;
    fields["kpi_progress"][2]["percent"] = Value::Null;
    assert_eq!(stage.api.read_as(&stage.first, &path).await, expected);

    stage.does("close", &path, json!({}), 200).await;
    let closing = stage.api.read_as(&stage.sponsor, &path).await;
    assert_eq!(closing["status"], "closing");
    let money = json!({"budget": "10000.0000", "funded": "3000.5000", "held": "500.0000", "paid": "500.0000",
        "returned": "2000.5000", "left": "0.0000"});
    assert_eq!(closing["money"], money);
}

#[tokio::test]
async fn campaigns_are_listed_newest_first_and_filtered() {
    let stage = Stage::new().await;
    let mut paths = Vec::new();
    for number in 0..5 {
        stage.api.advance(HOUR);
        let mut brief = stage.brief();
        brief["type"] = if number % 2 == 0 { "even" } else { "odd" }.into();
        let draft = stage.api.post_as(&stage.sponsor, "/v1/campaigns", brief).await;
        paths.insert(0, draft.header("location").unwrap().to_owned());
    }
    let theirs = stage
        .api
        .post_as(&stage.rival, "/v1/campaigns", stage.brief())
        .await
        .id();
    stage.does("missions", &paths[1], stage.mission(1), 201).await;
    stage.does("publish", &paths[1], json!({}), 200).await;
    stage.does("close", &paths[2], json!({}), 200).await;
    let own: Vec<&str> = paths.iter().map(|path| id(path)).collect();
    let ids = async |who, query: &str| -> Vec<String> {
        let found = stage
            .api
            .pages_as(who, &format!("/v1/campaigns{query}"), "campaigns", 2)
            .await;
        found
            .iter()
            .map(|campaign| campaign["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&stage.sponsor, "").await, own);
    assert_eq!(ids(&stage.sponsor, "?type=even").await, [own[0], own[2], own[4]]);
    assert_eq!(ids(&stage.sponsor, "?status=draft").await, [own[0], own[3], own[4]]);
    assert_eq!(ids(&stage.sponsor, "?status=closed&type=even").await, [own[2]]);
    assert_eq!(ids(&stage.sponsor, "?status=paused").await, [""; 0]);
    // Sponsors see their own only, whatever they ask for.
    assert_eq!(
        ids(&stage.sponsor, &format!("?sponsor_id={}", stage.sponsor.id)).await,
        own
    );
    assert_eq!(
        ids(&stage.sponsor, &format!("?sponsor_id={}", stage.rival.id)).await,
        [""; 0]
    );
    assert_eq!(ids(&stage.rival, "").await, [theirs.as_str()]);
    // Creators see what is published; the others everything.
    assert_eq!(ids(&stage.first, "").await, [own[1]]);
    assert_eq!(ids(&stage.first, "?status=draft").await, [""; 0]);
    for who in std::iter::once(&stage.admin).chain(&stage.lookers()) {
        assert_eq!(ids(who, "").await.len(), 6);
        assert_eq!(
            ids(who, &format!("?sponsor_id={}", stage.rival.id)).await,
            [theirs.as_str()]
        );
    }
    // An entry is the beginning of the campaign itself.
    let whole = stage.api.read_as(&stage.sponsor, &paths[1]).await;
    let entry = stage
        .api
        .read_as(&stage.sponsor, "/v1/campaigns?status=published")
        .await;
    assert!(entry.get("next_cursor").is_none());
    let fields = [
        "id",
        "sponsor_id",
        "type",
        "title",
        "status",
        "start_at",
        "end_at",
        "created_at",
        "updated_at",
        "money",
    ];
    assert_eq!(entry["campaigns"], json!([only(&whole, &fields)]));
    let entry = stage.api.read_as(&stage.first, "/v1/campaigns").await;
    assert_eq!(entry["campaigns"], json!([only(&whole, &fields[..9])]));
}

#[tokio::test]
async fn a_reader_sees_what_it_wrote_and_is_not_sent_what_it_has() {
    let stage = Stage::new().await;
    let draft = stage.api.post_as(&stage.sponsor, "/v1/campaigns", stage.brief()).await;
    let path = draft.header("location").unwrap().to_owned();
    let position = draft.header("viral-position").unwrap().to_owned();
    let beyond = format!("{path}?min_position=1000000");
    let answer = stage.api.get_as(&stage.sponsor, &beyond).await;
    assert_eq!(answer.problem(), (400, "position_beyond_head".to_owned()));
    // It is waited for, for a while.
    stage.api.caught_up().await;
    let answer = stage
        .api
        .get_as(&stage.sponsor, &format!("{path}?min_position={position}"))
        .await;
    assert_eq!(
        (answer.status, answer.header("viral-position")),
        (200, Some(position.as_str()))
    );
    let mission = stage.does("missions", &path, stage.mission(1), 201).await;
    let mission = format!("/v1/missions/{}", mission["id"].as_str().unwrap());
    stage.does("publish", &path, json!({}), 200).await;
    let assignment = stage.invited(&mission, &stage.first).await;
    stage.api.caught_up().await;
    for path in [&path, &mission, &assignment] {
        let first = stage.api.get_as(&stage.sponsor, path).await;
        let request = Request::get(path)
            .header("authorization", format!("Bearer {}", stage.sponsor.token))
            .header("if-none-match", first.header("etag").unwrap());
        let again = stage.api.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{path}");
    }
}
