//! Suspicions of fraud as they are read.

use crate::stage::Stage;
use serde_json::{Value, json};
use std::time::Duration;

const FRAUD: &str = "/v1/admin/fraud";
const HOUR: Duration = Duration::from_secs(3_600);

async fn raised(stage: &Stage, source_type: &str, source_id: &str, score: u8) -> String {
    stage.api.advance(HOUR);
    let flag = json!({"source_type": source_type, "source_id": source_id, "score": score, "reasons": ["one", "two"]});
    let raised = stage.api.post_as(&stage.admin, FRAUD, flag).await;
    assert_eq!(raised.status, 201, "{raised:?}");
    raised.id()
}

#[tokio::test]
async fn a_suspicion_is_seen_open_and_resolved() {
    let stage = Stage::new().await;
    let user = stage.first.id.to_string();
    for (resolution, status, note) in [
        ("confirm", "confirmed", Some("seen\nit")),
        ("dismiss", "dismissed", None),
    ] {
        let id = raised(&stage, "user", &user, 80).await;
        let raised_at = stage.api.now();
        let path = format!("{FRAUD}/{id}");
        let mut expected = json!({"id": id, "source_type": "user", "source_id": user, "score": 80,
            "reasons": ["one", "two"], "status": "open", "note": null, "reviewer": null,
            "raised_by": stage.admin.id.to_string(), "raised_at": raised_at, "resolved_at": null});
        let lookers = stage.lookers();
        for who in [&stage.admin, &lookers[0], &lookers[1]] {
            assert_eq!(stage.api.read_as(who, &path).await, expected);
        }
        stage.api.advance(HOUR);
        let mut body = json!({"resolution": resolution});
        if let Some(note) = note {
            body["note"] = note.into();
        }
        let resolved = stage.api.post_as(&stage.admin, &format!("{path}/resolve"), body).await;
        assert_eq!(resolved.status, 200, "{resolved:?}");
        expected["status"] = status.into();
        expected["note"] = note.into();
        expected["reviewer"] = stage.admin.id.to_string().into();
        expected["resolved_at"] = stage.api.now().into();
        assert_eq!(stage.api.read_as(&stage.admin, &path).await, expected);
        for who in [&stage.sponsor, &stage.first, &lookers[2]] {
            stage.api.unread_as(who, &path, (403, "forbidden")).await;
            stage.api.unread_as(who, FRAUD, (403, "forbidden")).await;
        }
    }
}

#[tokio::test]
async fn the_list_is_by_risk() {
    let stage = Stage::new().await;
    let campaign = stage.draft().await;
    let campaign = campaign.rsplit('/').next().unwrap();
    let [first, second] = [&stage.first, &stage.second].map(|creator| creator.id.to_string());
    let low = raised(&stage, "user", &first, 0).await;
    let older = raised(&stage, "user", &first, 70).await;
    let newer = raised(&stage, "campaign", campaign, 70).await;
    let high = raised(&stage, "user", &second, 100).await;
    let confirm = json!({"resolution": "confirm"});
    let path = format!("{FRAUD}/{high}/resolve");
    assert_eq!(stage.api.post_as(&stage.admin, &path, confirm).await.status, 200);
    let found = async |query: &str, limit: usize| -> Vec<String> {
        let path = format!("{FRAUD}{query}");
        let all = stage.api.pages_as(&stage.admin, &path, "flags", limit).await;
        let id = |flag: &Value| flag["id"].as_str().unwrap().to_owned();
        all.iter().map(id).collect()
    };
    for limit in 1..=5 {
        assert_eq!(found("", limit).await, [&*high, &newer, &older, &low], "{limit}");
    }
    for (query, expected) in [
        ("?status=open", vec![&newer, &older, &low]),
        ("?status=confirmed", vec![&high]),
        ("?status=dismissed", vec![]),
        ("?source_type=campaign", vec![&newer]),
        ("?source_type=user&min_score=70", vec![&high, &older]),
        ("?min_score=71", vec![&high]),
        ("?min_score=0", vec![&high, &newer, &older, &low]),
        ("?source_type=payout", vec![]),
    ] {
        let expected: Vec<String> = expected.into_iter().cloned().collect();
        assert_eq!(found(query, 2).await, expected, "{query}");
    }
}

#[tokio::test]
async fn what_cannot_be_asked() {
    let stage = Stage::new().await;
    for (path, why) in [
        ("?status=missing", (400, "invalid_query")),
        ("?source_type=stream", (400, "invalid_query")),
        ("?min_score=101", (400, "invalid_query")),
        ("?min_score=%2B1", (400, "invalid_query")),
        ("?min_score=", (400, "invalid_query")),
        ("?score=1", (400, "invalid_query")),
        ("?cursor=702f31", (400, "invalid_cursor")),
        ("/1", (400, "invalid_id")),
        ("/0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071", (404, "unknown_flag")),
    ] {
        stage.api.unread_as(&stage.admin, &format!("{FRAUD}{path}"), why).await;
    }
}
