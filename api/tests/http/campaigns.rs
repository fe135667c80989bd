//! Campaigns: drafting, publishing, pausing, funding and closing them.

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

#[tokio::test]
async fn a_campaign_is_funded_up_to_its_budget() {
    let stage = Stage::new().await;
    let path = stage.draft().await;
    let (fund, amount) = (format!("{path}/fund"), |amount: &str| json!({"amount_vcoin": amount}));
    let poor = (422, "insufficient_funds");
    stage
        .api
        .refused_as(&stage.sponsor, POST, &fund, &amount("1"), poor)
        .await;
    stage
        .api
        .refused_as(
            &stage.sponsor,
            POST,
            &format!("{fund}?dry_run=true"),
            &amount("1"),
            poor,
        )
        .await;
    stage.buys("200").await;
    for part in ["4000.5", "5000"] {
        let answer = stage.api.must_as(&stage.sponsor, POST, &fund, &amount(part), 201).await;
        let transaction = answer["transaction_id"].as_str().unwrap().to_owned();
        let posted = stage
            .api
            .get_json(&format!("/v1/ledger/transactions/{transaction}"))
            .await;
        let escrow = format!("campaign:{}:escrow", id(&path));
        let moved = &posted["postings"][0];
        assert_eq!((&posted["code"], &moved["credit"]), (&json!("fund"), &json!(escrow)));
        assert_eq!(moved["debit"], format!("user:{}:wallet", stage.sponsor.id));
        assert_eq!(moved["amount"], answer["amount_vcoin"]);
        let expected = json!({"id": id(&path), "amount_vcoin": moved["amount"], "transaction_id": transaction});
        assert_eq!(body(answer), expected);
    }
    for (text, why) in [
        (amount("999.5001"), (422, "budget_exceeded")),
        (amount("0"), (422, "amount_not_positive")),
        (amount("-1"), (422, "amount_not_positive")),
        (amount("0.00001"), (400, "too_many_digits")),
        (json!({"amount_vcoin": 1}), (400, "invalid_amount")),
        (json!({}), (400, "invalid_body")),
        (json!({"amount_vcoin": "1", "dry_run": true}), (400, "invalid_body")),
    ] {
        stage.api.refused_as(&stage.sponsor, POST, &fund, &text, why).await;
        stage
            .api
            .refused_as(&stage.sponsor, POST, &format!("{fund}?dry_run=true"), &text, why)
            .await;
    }
    stage
        .api
        .must_as(&stage.sponsor, POST, &fund, &amount("999.5"), 201)
        .await;
}

#[tokio::test]
async fn a_dry_run_says_what_would_happen_and_nothing_does() {
    let stage = Stage::new().await;
    stage.buys("200").await;
    let path = stage.draft().await;
    let head = stage.api.head().await;
    let (fund, close) = (
        format!("{path}/fund?dry_run=true"),
        format!("{path}/close?dry_run=true"),
    );
    let amount = json!({"amount_vcoin": "20"}).to_string();
    // The key is used for something else afterwards: a dry run leaves it fresh.
    for _ in 0..2 {
        let tried = stage.api.write_as(&stage.sponsor, POST, &fund, "k", &amount).await;
        assert_eq!(tried.status, 200, "{tried:?}");
        assert_eq!(
            tried.json(),
            json!({"id": id(&path), "amount_vcoin": "20.0000", "dry_run": true})
        );
    }
    let tried = stage.api.write_as(&stage.sponsor, POST, &close, "k", "").await;
    let closed = json!({"id": id(&path), "status": "closed", "returned_vcoin": "0.0000", "dry_run": true});
    assert_eq!((tried.status, tried.json()), (200, closed));
    assert_eq!(stage.api.head().await, head);
    let fund = format!("{path}/fund?dry_run=false");
    let funded = stage.api.write_as(&stage.sponsor, POST, &fund, "k", &amount).await;
    assert_eq!(funded.status, 201, "{funded:?}");
    // And a used key may be tried with.
    let tried = stage.api.write_as(&stage.sponsor, POST, &close, "k", "").await;
    assert_eq!(tried.json()["returned_vcoin"], "20.0000");
    for query in ["dry_run=yes", "dry_run=", "dry=true", "dry_run=true&dry_run=true"] {
        let path = format!("{path}/fund?{query}");
        let why = (400, "invalid_query");
        stage
            .api
            .refused_as(&stage.sponsor, POST, &path, &json!({"amount_vcoin": "20"}), why)
            .await;
    }
}

#[tokio::test]
async fn closing_returns_what_is_not_held() {
    let stage = Stage::new().await;
    let (path, mission) = stage.published(2).await;
    let assignment = stage.submitted(&mission, &stage.first).await;
    let close = format!("{path}/close");
    let tried = stage
        .api
        .write_as(&stage.sponsor, POST, &format!("{close}?dry_run=true"), "t", "")
        .await;
    assert_eq!(
        tried.json(),
        json!({"id": id(&path), "status": "closing", "returned_vcoin": "4500.0000", "dry_run": true})
    );
    let answer = stage.api.must_as(&stage.admin, POST, &close, &json!({}), 200).await;
    let transaction = answer["transaction_id"].clone();
    assert!(transaction.is_string(), "{answer}");
    let expected =
        json!({"id": id(&path), "status": "closing", "returned_vcoin": "4500.0000", "transaction_id": transaction});
    assert_eq!(body(answer), expected);
    let closing = (409, "campaign_wrong_status");
    for call in [
        &close,
        &format!("{close}?dry_run=true"),
        &format!("{path}/publish"),
        &format!("{path}/pause"),
    ] {
        stage
            .api
            .refused_as(&stage.sponsor, POST, call, &json!({}), closing)
            .await;
    }
    let fund = json!({"amount_vcoin": "1"});
    stage
        .api
        .refused_as(&stage.sponsor, POST, &format!("{path}/fund"), &fund, closing)
        .await;
    let missions = format!("{path}/missions");
    stage
        .api
        .refused_as(&stage.sponsor, POST, &missions, &stage.mission(1), closing)
        .await;
    // The last work closes it: nothing is left in its escrow.
    let approved = stage
        .does("review", &assignment, json!({"verdict": "approve"}), 200)
        .await;
    assert_eq!(approved["campaign_status"], "closed");
    assert_eq!(
        stage.api.balance(&format!("campaign:{}:escrow", id(&path))).await,
        "0.0000"
    );
    stage
        .api
        .refused_as(&stage.sponsor, POST, &close, &json!({}), closing)
        .await;
}

#[tokio::test]
async fn a_draft_without_money_closes_at_once() {
    let stage = Stage::new().await;
    let path = stage.draft().await;
    let answer = stage
        .api
        .must_as(&stage.sponsor, POST, &format!("{path}/close"), &json!({}), 200)
        .await;
    assert_eq!(
        body(answer),
        json!({"id": id(&path), "status": "closed", "returned_vcoin": "0.0000"})
    );
}

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
