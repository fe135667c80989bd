//! Work that creators hand in.

use crate::campaigns::body;
use crate::stage::{Stage, id};
use serde_json::json;
use std::time::Duration;

const POST: &str = "POST";

#[tokio::test]
async fn work_is_handed_in_and_again_after_a_rejection() {
    let stage = Stage::new().await;
    let (_, mission) = stage.published(1).await;
    let assignment = stage.accepted(&mission, &stage.first).await;
    let path = format!("{mission}/deliverables");
    let work = json!({"url": "https://video.example/1", "details": {"language": "en", "seconds": 30}});
    let answer = stage.api.must_as(&stage.first, POST, &path, &work, 201).await;
    let mut expected = json!({
        "assignment_id": id(&assignment), "mission_id": id(&mission), "status": "submitted", "submission": 1,
        "deliverable": work,
    });
    assert_eq!(body(answer), expected);
    stage
        .api
        .refused_as(&stage.first, POST, &path, &work, (409, "assignment_wrong_status"))
        .await;
    stage
        .does(
            "review",
            &assignment,
            json!({"verdict": "reject", "reason": "too short"}),
            200,
        )
        .await;
    let better = json!({"url": "https://video.example/2"});
    let answer = stage.api.post_as(&stage.first, &path, better.clone()).await;
    assert_eq!(answer.header("location"), Some(assignment.as_str()));
    expected["submission"] = 2.into();
    expected["deliverable"] = better;
    assert_eq!(body(answer.json()), expected);
}

#[tokio::test]
async fn work_that_is_not_what_was_asked_for() {
    let stage = Stage::new().await;
    let (_, mission) = stage.published(2).await;
    stage.accepted(&mission, &stage.first).await;
    let path = format!("{mission}/deliverables");
    let stream = "0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071";
    for (work, why) in [
        (json!({}), (422, "invalid_deliverable")),
        (
            json!({"url": "https://video.example/1", "stream_id": stream}),
            (422, "invalid_deliverable"),
        ),
        (json!({"url": "video.example"}), (422, "invalid_deliverable")),
        (json!({"url": "http://[::1"}), (422, "invalid_deliverable")),
        (
            json!({"url": "https://video.example/1", "details": {"url": "x"}}),
            (422, "invalid_deliverable"),
        ),
        (json!({"stream_id": stream}), (422, "requirements_not_met")),
        (json!({"stream_id": "1"}), (400, "invalid_id")),
        (
            json!({"url": "https://video.example/1", "details": []}),
            (400, "invalid_body"),
        ),
        (
            json!({"url": "https://video.example/1", "note": "x"}),
            (400, "invalid_body"),
        ),
    ] {
        stage.api.refused_as(&stage.first, POST, &path, &work, why).await;
    }
    let work = json!({"url": "https://video.example/1"});
    // Who was not asked has nothing to hand in work for.
    let missing = (422, "unknown_assignment");
    stage.api.refused_as(&stage.second, POST, &path, &work, missing).await;
    stage
        .api
        .refused_as(&stage.sponsor, POST, &path, &work, (403, "forbidden"))
        .await;
    stage.api.advance(Duration::from_secs(40 * 24 * 3_600));
    stage
        .api
        .refused_as(&stage.first, POST, &path, &work, (409, "deadline_passed"))
        .await;
}

/// Rounded, it would be another number than was handed in, and a repeated request with another last digit the same one.
#[tokio::test]
async fn numbers_that_would_lose_digits_are_refused() {
    let stage = Stage::new().await;
    let (campaign, mission) = stage.published(2).await;
    stage.accepted(&mission, &stage.first).await;
    let path = format!("{mission}/deliverables");
    let work = |number: &str| format!(r#"{{"url":"https://video.example/1","details":{{"views":{number}}}}}"#);
    for number in [
        "9007199254740993",
        "18446744073709551615",
        "12345678901234567890123",
        "1.2345678901234567890123e22",
    ] {
        let answer = stage.api.write_as(&stage.first, POST, &path, "k", &work(number)).await;
        assert_eq!(answer.problem(), (400, "invalid_body".to_owned()), "{number}");
        assert!(answer.text.contains(number), "{}", answer.text);
    }
    let answer = stage
        .api
        .write_as(&stage.first, POST, &path, "k", &work("9007199254740991"))
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let mission = stage
        .mission(1)
        .to_string()
        .replace(r#"{"required":["url"]}"#, r#"{"maximum":12345678901234567890123}"#);
    let answer = stage
        .api
        .write_as(&stage.sponsor, POST, &format!("{campaign}/missions"), "k", &mission)
        .await;
    assert_eq!(answer.problem(), (400, "invalid_body".to_owned()), "{}", answer.text);
}

/// One creator and one sponsor must not be able to keep everybody else waiting.
#[tokio::test]
async fn work_that_takes_too_long_to_check_is_refused() {
    let stage = Stage::new().await;
    let (campaign, _) = stage.published(1).await;
    let mut new = stage.mission(1);
    new["requirements"] = json!({"properties": {"x": {"items": {"allOf": vec![json!({"const": 9}); 550]}}}});
    let mission = stage
        .api
        .must_as(&stage.sponsor, POST, &format!("{campaign}/missions"), &new, 201)
        .await;
    let mission = format!("/v1/missions/{}", mission["id"].as_str().unwrap());
    stage.accepted(&mission, &stage.first).await;
    let path = format!("{mission}/deliverables");
    let work = |count: usize| json!({"url": "https://video.example/1", "details": {"x": vec![1; count]}});
    let too_large = (422, "deliverable_too_large");
    stage
        .api
        .refused_as(&stage.first, POST, &path, &work(7_000), too_large)
        .await;
    let unfit = (422, "requirements_not_met");
    stage.api.refused_as(&stage.first, POST, &path, &work(100), unfit).await;
}
