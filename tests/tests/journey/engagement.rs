//! Measurements of engagement: recorded, corrected, refused one by one, and seen by whom they concern.

use crate::people::Person;
use crate::stage::{Stage, id};
use crate::support::{Answer, OPERATOR};
use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use std::time::Duration;

const PATH: &str = "/v1/engagement";

/// A measurement of the first creator's work.
fn row(campaign: &str, creator: &Person, name: &str, impressions: u64) -> Value {
    json!({"platform": "youtube", "id": name, "campaign_id": id(campaign), "creator_id": creator.id.to_string(),
        "timestamp": "2026-03-01T10:30:00Z", "impressions": impressions, "clicks": 5, "watch_time": 5_400, "conversions": 1})
}

async fn send(stage: &Stage, content_type: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post(PATH)
        .header("authorization", format!("Bearer {OPERATOR}"))
        .header("content-type", content_type);
    stage.api.send(request.body(body.into()).unwrap()).await
}

async fn record(stage: &Stage, rows: &[Value]) -> Value {
    let answer = send(stage, "application/json", json!({"measurements": rows}).to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn totals(stage: &Stage, campaign: &str) -> Value {
    let path = format!("{campaign}/metrics");
    stage.api.read_as(&stage.sponsor, &path).await["totals"]["engagement"].clone()
}

#[tokio::test]
async fn a_measurement_counts_once_in_its_highest_version() {
    let stage = Stage::new().await;
    let (campaign, _) = stage.published(1).await;
    let first = row(&campaign, &stage.first, "a", 100);
    let all = json!({"accepted": 2, "rejected": []});
    let rows = [first.clone(), row(&campaign, &stage.second, "b", 10)];
    let head = stage.api.head().await;
    assert_eq!(record(&stage, &rows).await, all);
    assert_eq!(record(&stage, &rows).await, all);
    assert_eq!(stage.api.head().await, head, "a measurement is no event");
    let sum = |impressions: u64, count: u64| json!({"impressions": impressions, "clicks": 5 * count, "watch_time": 5_400 * count, "conversions": count});
    assert_eq!(totals(&stage, &campaign).await, sum(110, 2));

    // Corrected, then told again as it was before, which is late; and twice in one request.
    let corrected = |version: u64, impressions: u64| {
        let mut row = row(&campaign, &stage.first, "a", impressions);
        row["version"] = version.into();
        row
    };
    record(&stage, &[corrected(3, 70), corrected(2, 1)]).await;
    record(&stage, std::slice::from_ref(&first)).await;
    assert_eq!(totals(&stage, &campaign).await, sum(80, 2));
    // Of equal versions the last counts.
    record(&stage, &[corrected(3, 60), corrected(3, 50)]).await;
    assert_eq!(totals(&stage, &campaign).await, sum(60, 2));

    // It was another campaign's, and another day's.
    let (other, _) = stage.published(1).await;
    let mut moved = corrected(4, 50);
    moved["campaign_id"] = id(&other).into();
    moved["timestamp"] = "2026-02-01T00:00:00Z".into();
    record(&stage, &[moved]).await;
    assert_eq!(totals(&stage, &campaign).await, sum(10, 1));
    assert_eq!(totals(&stage, &other).await, sum(50, 1));
    // Another platform may use the same id.
    let mut elsewhere = first;
    elsewhere["platform"] = "twitch".into();
    record(&stage, &[elsewhere]).await;
    assert_eq!(totals(&stage, &campaign).await, sum(110, 2));
}

#[tokio::test]
async fn bad_ones_are_told_by_index_and_the_others_are_kept() {
    let stage = Stage::new().await;
    let (campaign, _) = stage.published(1).await;
    let changed = |field: &str, value: Value| {
        let mut row = row(&campaign, &stage.first, field, 7);
        row[field] = value;
        row.to_string()
    };
    let good = |name: &str| row(&campaign, &stage.first, name, 7).to_string();
    let nobody = "0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071";
    let sponsor = stage.sponsor.id.to_string();
    let campaign_as_creator = id(&campaign);
    let bad: Vec<(String, &str, &str)> = vec![
        (
            changed("timestamp", json!("yesterday")),
            "invalid_time",
            "timestamp: write",
        ),
        (
            changed("timestamp", json!("2026-03-03T00:00:00Z")),
            "invalid_measurement",
            "timestamp is more than a day",
        ),
        (
            changed("timestamp", json!("1999-12-31T23:59:59Z")),
            "invalid_measurement",
            "timestamp is before 2000",
        ),
        (changed("impressions", json!(-1)), "invalid_body", "invalid value"),
        (changed("impressions", json!(1.5)), "invalid_body", "invalid type"),
        (
            changed("impressions", json!(1_000_000_001_u64)),
            "invalid_measurement",
            "impressions is more than",
        ),
        (
            changed("platform", json!("You Tube")),
            "invalid_measurement",
            "platform has other characters",
        ),
        (changed("id", json!("")), "invalid_measurement", "id must not be empty"),
        (
            changed("version", json!(9_007_199_254_740_992_u64)),
            "invalid_measurement",
            "version is more than",
        ),
        (
            changed("campaign_id", json!("this one")),
            "invalid_id",
            "campaign_id: an id is a UUID",
        ),
        (
            changed("campaign_id", json!(nobody)),
            "unknown_campaign",
            "there is no campaign",
        ),
        (
            changed("creator_id", json!(nobody)),
            "unknown_creator",
            "there is no creator",
        ),
        (
            changed("creator_id", json!(sponsor)),
            "unknown_creator",
            "there is no creator",
        ),
        (
            changed("creator_id", json!(campaign_as_creator)),
            "unknown_creator",
            "there is no creator",
        ),
        (changed("likes", json!(3)), "invalid_body", "unknown field `likes`"),
        (
            good("twice").replacen('{', "{\"id\":\"x\",", 1),
            "duplicate_key",
            "\"id\" is there twice",
        ),
        ("7".to_owned(), "invalid_body", "must be a JSON object"),
        ("[]".to_owned(), "invalid_body", "must be a JSON object"),
    ];
    let mut rows = vec![good("first")];
    rows.extend(bad.iter().map(|(row, ..)| row.clone()));
    rows.push(good("last"));
    let json = format!("{{\"measurements\":[{}]}}", rows.join(","));
    let lines = rows.join("\r\n") + "\n\n";
    for (content_type, body) in [
        ("application/json", json),
        ("application/x-ndjson; charset=utf-8", lines),
    ] {
        let answer = send(&stage, content_type, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let told = answer.json();
        assert_eq!(told["accepted"], 2, "{told}");
        let rejected = told["rejected"].as_array().unwrap();
        assert_eq!(rejected.len(), bad.len(), "{told}");
        for (index, (rejected, (row, code, detail))) in rejected.iter().zip(&bad).enumerate() {
            assert_eq!(
                (&rejected["index"], &rejected["code"]),
                (&json!(index + 1), &json!(code)),
                "{row}: {rejected}"
            );
            assert!(
                rejected["detail"].as_str().unwrap().contains(detail),
                "{row}: {rejected}"
            );
        }
        assert_eq!(totals(&stage, &campaign).await["impressions"], 14);
    }
    // A line that is no JSON is a bad one, too.
    let told = send(
        &stage,
        "application/x-ndjson",
        format!("{}\n{{\"id\":\n[\"youtube\"]\n", good("first")),
    )
    .await
    .json();
    assert_eq!(
        (
            &told["accepted"],
            &told["rejected"][0]["code"],
            &told["rejected"][1]["code"]
        ),
        (&json!(1), &json!("malformed_json"), &json!("invalid_body"))
    );
}

#[tokio::test]
async fn requests_that_cannot_be_read_are_refused_as_a_whole() {
    let stage = Stage::new().await;
    let (campaign, _) = stage.published(1).await;
    let good = row(&campaign, &stage.first, "a", 1).to_string();
    let many = format!("{good}\n").repeat(10_001);
    for (content_type, body, expected) in [
        (
            "application/json",
            "{\"measurements\":[{]}".to_owned(),
            (400, "malformed_json"),
        ),
        ("application/json", "[]".to_owned(), (400, "invalid_body")),
        ("application/json", format!(" [[{good}]]"), (400, "invalid_body")),
        ("application/json", "{}".to_owned(), (400, "invalid_body")),
        (
            "application/json",
            "{\"measurements\":[],\"more\":1}".to_owned(),
            (400, "invalid_body"),
        ),
        ("application/x-ndjson", many.clone(), (413, "payload_too_large")),
        (
            "application/x-ndjson",
            " ".repeat(8 * 1024 * 1024 + 1),
            (413, "payload_too_large"),
        ),
        ("text/csv", good.clone(), (415, "unsupported_media_type")),
    ] {
        let answer = send(&stage, content_type, body).await;
        assert_eq!(answer.problem(), (expected.0, expected.1.to_owned()));
    }
    let most = send(
        &stage,
        "application/x-ndjson",
        many.replacen(&format!("{good}\n"), "", 1),
    )
    .await
    .json();
    assert_eq!(most, json!({"accepted": 10_000, "rejected": []}));
    assert_eq!(totals(&stage, &campaign).await["impressions"], 1);
    let empty = send(&stage, "application/json", "{\"measurements\":[]}").await.json();
    assert_eq!(empty, json!({"accepted": 0, "rejected": []}));
    // Whoever could look better by it may not.
    let body = json!({"measurements": []});
    for who in [&stage.sponsor, &stage.first].into_iter().chain(&stage.lookers()) {
        let answer = stage.api.post_as(who, PATH, body.clone()).await;
        assert_eq!(answer.problem(), (403, "forbidden".to_owned()));
    }
}

#[tokio::test]
async fn a_campaign_shows_what_came_of_it() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(2).await;
    stage.approved(&mission, &stage.first).await;
    stage.api.advance(Duration::from_secs(86_400 * 2));
    stage.approved(&mission, &stage.second).await;
    let mut night = row(&campaign, &stage.second, "night", 4_000);
    night["timestamp"] = "2026-03-01T23:59:59.999999Z".into();
    night["platform"] = "twitch".into();
    let mut next = row(&campaign, &stage.first, "next", 1_000);
    next["timestamp"] = "2026-03-02T01:00:00+01:00".into();
    record(&stage, &[row(&campaign, &stage.first, "a", 1_000), night, next]).await;

    let path = format!("{campaign}/metrics");
    let told = stage.api.read_as(&stage.sponsor, &path).await;
    let figures = |impressions: u64, count: u64| json!({"impressions": impressions, "clicks": 5 * count, "watch_time": 5_400 * count, "conversions": count});
    let part = |impressions: u64, count: u64, rewards: u64, paid: &str| json!({"engagement": figures(impressions, count), "rewards": rewards, "paid_vcoin": paid});
    let named = |mut part: Value, name: &str, value: &str| {
        part[name] = value.into();
        part
    };
    assert_eq!((&told["source"], &told["missing"]), (&json!("postgres"), &Value::Null));
    assert_eq!(told["watermark"]["position"], stage.api.head().await.to_string());
    assert_eq!(told["totals"], part(6_000, 3, 2, "1000.0000"));
    assert_eq!(
        told["cost"],
        json!({"per_thousand_impressions": "166.6667", "per_click": "66.6667", "per_watch_hour": "222.2222",
            "per_conversion": "333.3333"})
    );
    let series = json!([
        named(part(5_000, 2, 1, "500.0000"), "start", "2026-03-01T00:00:00.000000Z"),
        named(part(1_000, 1, 0, "0.0000"), "start", "2026-03-02T00:00:00.000000Z"),
        named(part(0, 0, 1, "500.0000"), "start", "2026-03-03T00:00:00.000000Z"),
    ]);
    assert_eq!(told["series"], series);
    let (first, second) = (stage.first.id.to_string(), stage.second.id.to_string());
    assert_eq!(
        told["by_creator"],
        json!([
            named(part(4_000, 1, 1, "500.0000"), "creator_id", &second),
            named(part(2_000, 2, 1, "500.0000"), "creator_id", &first)
        ])
    );
    assert_eq!(
        told["by_platform"],
        json!([{"platform": "twitch", "engagement": figures(4_000, 1)},
            {"platform": "youtube", "engagement": figures(2_000, 2)}])
    );
    assert_eq!(
        told["kpi_progress"],
        json!([{"metric": "deliverables", "target": 2, "actual": 2, "percent": 100.0},
            {"metric": "impressions", "target": 100_000, "actual": 6_000, "percent": 6.0}])
    );
    // By hour, and only a part of the time; targets are about all of it.
    let hours = format!("{path}?interval=hour&from=2026-03-01T23:00:00Z&to=2026-03-02T00:00:00Z");
    let told = stage.api.read_as(&stage.sponsor, &hours).await;
    assert_eq!(
        told["series"],
        json!([named(
            part(4_000, 1, 0, "0.0000"),
            "start",
            "2026-03-01T23:00:00.000000Z"
        )])
    );
    assert_eq!(told["kpi_progress"][1]["actual"], 6_000);

    // The campaign and the creators show their sums.
    let shown = stage.api.read_as(&stage.sponsor, &campaign).await;
    assert_eq!(shown["engagement"], figures(6_000, 3));
    assert!(
        stage
            .api
            .read_as(&stage.first, &campaign)
            .await
            .get("engagement")
            .is_none()
    );
    let dashboard = stage.api.read_as(&stage.first, "/v1/creators/me/dashboard").await;
    assert_eq!(dashboard["engagement"], figures(2_000, 2));

    // For whom it is, and what nobody can ask.
    for who in std::iter::once(&stage.admin).chain(&stage.lookers()) {
        assert_eq!(stage.api.read_as(who, &path).await["totals"]["rewards"], 2);
    }
    stage
        .api
        .unread_as(&stage.rival, &path, (404, "unknown_campaign"))
        .await;
    stage.api.unread_as(&stage.first, &path, (403, "forbidden")).await;
    for (query, code) in [
        ("interval=week", "invalid_query"),
        ("from=now", "invalid_time"),
        ("by=day", "invalid_query"),
    ] {
        stage
            .api
            .unread_as(&stage.sponsor, &format!("{path}?{query}"), (400, code))
            .await;
    }
}
