//! Campaigns: drafting, publishing and pausing them.

use crate::stage::{Stage, id};
use serde_json::{Value, json};

const POST: &str = "POST";
const PATCH: &str = "PATCH";
const CAMPAIGNS: &str = "/v1/campaigns";

/// The fields of an answer beside those that say where and when it was recorded.
pub(crate) fn body(mut answer: Value) -> Value {
    let fields = answer.as_object_mut().unwrap();
    assert!(fields.remove("position").is_some() && fields.remove("recorded_at").is_some());
    answer
}

#[tokio::test]
async fn a_draft_is_written_and_edited() {
    let stage = Stage::new().await;
    let created = stage
        .api
        .must_as(&stage.sponsor, POST, CAMPAIGNS, &stage.brief(), 201)
        .await;
    let campaign = created["id"].as_str().unwrap().to_owned();
    let mut expected = json!({
        "id": campaign, "sponsor_id": stage.sponsor.id.to_string(), "type": "launch", "title": "A launch",
        "description": "Show it.\nTo everybody.", "kpi_config": {"deliverables": 2, "impressions": 100_000},
        "budget_vcoin": "10000.0000", "start_at": "2026-03-01T00:00:00.000000Z",
        "end_at": "2026-06-01T00:00:00.000000Z", "status": "draft",
    });
    assert_eq!(body(created), expected);

    let path = format!("{CAMPAIGNS}/{campaign}");
    let edit = json!({"title": "A better launch", "budget_vcoin": "12000.5", "kpi_config": {"creators": 1.5}});
    let edited = stage.api.must_as(&stage.sponsor, PATCH, &path, &edit, 200).await;
    expected["title"] = "A better launch".into();
    expected["budget_vcoin"] = "12000.5000".into();
    expected["kpi_config"] = json!({"creators": 1.5});
    assert_eq!(body(edited), expected);
    let edit = json!({"type": "release", "description": "", "start_at": "2026-03-02T00:00:00.1234567Z",
        "end_at": "2026-05-01T00:00:00Z"});
    let edited = stage.api.must_as(&stage.sponsor, PATCH, &path, &edit, 200).await;
    expected["type"] = "release".into();
    expected["description"] = "".into();
    expected["start_at"] = "2026-03-02T00:00:00.123456Z".into();
    expected["end_at"] = "2026-05-01T00:00:00.000000Z".into();
    assert_eq!(body(edited), expected);
}

#[tokio::test]
async fn a_draft_says_where_it_is() {
    let stage = Stage::new().await;
    let created = stage.api.post_as(&stage.sponsor, CAMPAIGNS, stage.brief()).await;
    assert_eq!(
        created.header("location"),
        Some(format!("{CAMPAIGNS}/{}", created.id()).as_str())
    );
}

#[tokio::test]
async fn what_a_campaign_cannot_say() {
    let stage = Stage::new().await;
    let path = stage.draft().await;
    let with = |field: &str, value: Value| {
        let mut body = stage.brief();
        body[field] = value;
        body
    };
    for (field, value, why) in [
        ("title", json!(""), (422, "invalid_campaign")),
        ("title", json!("a\nb"), (422, "invalid_campaign")),
        ("title", json!("x".repeat(201)), (422, "invalid_campaign")),
        ("type", json!(" "), (422, "invalid_campaign")),
        ("description", json!("x".repeat(4_001)), (422, "invalid_campaign")),
        ("budget_vcoin", json!("0"), (422, "invalid_campaign")),
        ("budget_vcoin", json!("-1"), (422, "invalid_campaign")),
        ("budget_vcoin", json!("1.00001"), (400, "too_many_digits")),
        ("budget_vcoin", json!("much"), (400, "invalid_amount")),
        ("budget_vcoin", json!(10_000), (400, "invalid_amount")),
        ("budget_vcoin", json!("1".repeat(30)), (400, "amount_out_of_range")),
        ("start_at", json!("today"), (400, "invalid_time")),
        ("end_at", json!("2026-06-01"), (400, "invalid_time")),
        ("end_at", json!("2026-03-01T00:00:00Z"), (422, "invalid_campaign")),
        ("kpi_config", json!({"deliverables": 0}), (422, "invalid_campaign")),
        ("kpi_config", json!({"deliverables": "2"}), (422, "invalid_campaign")),
        ("kpi_config", json!({"Deliverables": 2}), (422, "invalid_campaign")),
        ("kpi_config", json!([]), (400, "invalid_body")),
        ("sponsor_id", json!(stage.rival.id.to_string()), (400, "invalid_body")),
        ("status", json!("published"), (400, "invalid_body")),
    ] {
        let body = with(field, value.clone());
        stage.api.refused_as(&stage.sponsor, POST, CAMPAIGNS, &body, why).await;
        stage
            .api
            .refused_as(&stage.sponsor, PATCH, &path, &json!({field: value}), why)
            .await;
    }
    for missing in ["type", "title", "budget_vcoin", "start_at", "end_at"] {
        let mut body = stage.brief();
        body.as_object_mut().unwrap().remove(missing);
        let why = (400, "invalid_body");
        stage.api.refused_as(&stage.sponsor, POST, CAMPAIGNS, &body, why).await;
    }
    let nothing = (422, "nothing_to_change");
    stage
        .api
        .refused_as(&stage.sponsor, PATCH, &path, &json!({}), nothing)
        .await;
    // Once it is published, what it says is fixed.
    stage.buys("200").await;
    stage.does("missions", &path, stage.mission(1), 201).await;
    stage.does("publish", &path, json!({}), 200).await;
    let fixed = (409, "campaign_wrong_status");
    stage
        .api
        .refused_as(&stage.sponsor, PATCH, &path, &json!({"title": "x"}), fixed)
        .await;
}

#[tokio::test]
async fn a_field_that_is_there_twice_is_refused_inside_too() {
    let stage = Stage::new().await;
    let body = stage
        .brief()
        .to_string()
        .replace("\"deliverables\":2", "\"deliverables\":2,\"deliverables\":3");
    let answer = stage
        .api
        .write_as(&stage.sponsor, POST, CAMPAIGNS, "twice", &body)
        .await;
    assert_eq!(answer.problem(), (400, "duplicate_key".to_owned()));
}

#[tokio::test]
async fn a_campaign_is_published_paused_and_published_again() {
    let stage = Stage::new().await;
    let path = stage.draft().await;
    let publish = format!("{path}/publish");
    let empty = (409, "no_mission");
    stage
        .api
        .refused_as(&stage.sponsor, POST, &publish, &json!({}), empty)
        .await;
    stage.does("missions", &path, stage.mission(1), 201).await;
    let published = json!({"id": id(&path), "status": "published"});
    let answer = stage.api.must_as(&stage.sponsor, POST, &publish, &json!({}), 200).await;
    assert_eq!(body(answer), published);
    let pause = format!("{path}/pause");
    let answer = stage
        .api
        .must_as(&stage.sponsor, POST, &pause, &json!({"reason": "it is late"}), 200)
        .await;
    assert_eq!(
        body(answer),
        json!({"id": id(&path), "status": "paused", "reason": "it is late"})
    );
    let answer = stage.api.must_as(&stage.sponsor, POST, &publish, &json!({}), 200).await;
    assert_eq!(body(answer), published);
    // Admins may stop what is not theirs, but not start it.
    let forbidden = (403, "forbidden");
    stage
        .api
        .refused_as(&stage.admin, POST, &publish, &json!({}), forbidden)
        .await;
    let answer = stage.api.must_as(&stage.admin, POST, &pause, &json!({}), 200).await;
    assert_eq!(body(answer), json!({"id": id(&path), "status": "paused"}));
    for (call, text, why) in [
        (&pause, json!({}), (409, "campaign_wrong_status")),
        (&publish, json!({"reason": "x"}), (400, "invalid_body")),
        (&pause, json!({"reason": 1}), (400, "invalid_body")),
    ] {
        stage.api.refused_as(&stage.sponsor, POST, call, &text, why).await;
    }
    stage.does("publish", &path, json!({}), 200).await;
    let invalid = (422, "invalid_text");
    stage
        .api
        .refused_as(&stage.sponsor, POST, &pause, &json!({"reason": "a\nb"}), invalid)
        .await;
}

#[tokio::test]
async fn a_body_without_fields_may_be_left_out() {
    let stage = Stage::new().await;
    let path = stage.draft().await;
    stage.does("missions", &path, stage.mission(1), 201).await;
    let answer = stage
        .api
        .write_as(&stage.sponsor, POST, &format!("{path}/publish"), "p", "")
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    // It is the same request as one with the empty object.
    let again = stage
        .api
        .write_as(&stage.sponsor, POST, &format!("{path}/publish"), "p", "{}")
        .await;
    assert_eq!(
        (again.text, again.headers.contains_key("idempotent-replayed")),
        (answer.text, true)
    );
}
