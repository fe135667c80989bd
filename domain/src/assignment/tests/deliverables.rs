//! What counts as work, and whether it fits the mission's requirements.

use super::*;
use crate::aggregate::Refusal;
use crate::given::given;

fn answer(deliverable: &Deliverable, requirements: &Value) -> Result<(), AssignmentError> {
    deliverable
        .clone()
        .fit(&Requirements::parse(requirements.clone()).unwrap())?;
    let when = given::<Assignment>(past(Status::Accepted)).when(submit(deliverable.clone(), requirements, now()));
    let events = when.answer()?;
    let submitted = AssignmentEvent::Submitted(Submitted {
        assignment: id(),
        deliverable: deliverable.clone(),
        hold: None,
        submission: 1,
    });
    assert_eq!(events, [submitted]);
    Ok(())
}

fn invalid(field: &'static str, problem: &str) -> Result<(), AssignmentError> {
    let problem = problem.to_owned();
    Err(AssignmentError::InvalidDeliverable { field, problem })
}

fn with(details: Value) -> Deliverable {
    Deliverable {
        details: details.as_object().unwrap().clone(),
        ..work()
    }
}

#[test]
fn work_is_a_link_or_a_stream() {
    let stream = Deliverable {
        stream_id: Some(Uuid::from_u128(9)),
        url: None,
        ..work()
    };
    assert_eq!(answer(&work(), &json!({})), Ok(()));
    assert_eq!(answer(&stream, &json!({})), Ok(()));
    let either = invalid("deliverable", "must have either url or stream_id");
    let both = Deliverable {
        stream_id: stream.stream_id,
        ..work()
    };
    let none = Deliverable { url: None, ..work() };
    assert_eq!(answer(&both, &json!({})), either);
    assert_eq!(answer(&none, &json!({})), either);
}

#[test]
fn links_lead_to_the_web() {
    let url = |length: usize| format!("https://video.example/{}", "x".repeat(length - 22));
    assert_eq!(answer(&link(&url(2_000)), &json!({})), Ok(()));
    assert_eq!(
        answer(&link(&url(2_001)), &json!({})),
        invalid("url", "has more than 2000 characters")
    );
    let bracket = "must be a link such as https://example.com/video: invalid IPv6 address";
    assert_eq!(answer(&link("http://[::1"), &json!({})), invalid("url", bracket));
}

#[test]
fn details_are_bounded() {
    let text = |length: usize| with(json!({"t": "x".repeat(length - 8)}));
    assert_eq!(answer(&text(16_384), &json!({})), Ok(()));
    let long = invalid("details", "has 16385 bytes as JSON, at most 16384 are possible");
    assert_eq!(answer(&text(16_385), &json!({})), long);
    let mut deep = json!(1);
    for _ in 0..32 {
        deep = json!({"a": deep});
    }
    assert_eq!(
        answer(&with(deep), &json!({})),
        invalid("details", "is nested deeper than 32 levels")
    );
    let null = invalid("details", "has the character U+0000");
    assert_eq!(answer(&with(json!({"a": "\0"})), &json!({})), null);
    let twice = invalid(
        "details",
        "must not have url or stream_id: they stand beside the details",
    );
    assert_eq!(
        answer(&with(json!({"url": "https://other.example"})), &json!({})),
        twice
    );
}

#[test]
fn requirements_see_the_link_and_the_details_as_one_object() {
    let requirements = json!({
        "required": ["url", "views"],
        "properties": {"url": {"pattern": "^https://video\\.example/"}, "views": {"minimum": 1_000}}
    });
    assert_eq!(answer(&with(json!({"views": 1_000})), &requirements), Ok(()));
    let error = answer(&with(json!({"views": 999})), &requirements).unwrap_err();
    assert_eq!(error.code(), "requirements_not_met");
    assert_eq!(
        error.to_string(),
        "the deliverable does not fit the mission's requirements: /views: 999 is less than the minimum of 1000"
    );
    let other = Deliverable {
        url: Some("https://other.example/".to_owned()),
        ..with(json!({}))
    };
    let error = answer(&other, &requirements).unwrap_err();
    assert_eq!(error.code(), "requirements_not_met", "the first of two problems");
}

#[test]
fn more_work_than_is_done_for_one_deliverable_is_refused() {
    let requirements = json!({"properties": {"x": {"items": {"allOf": vec![json!({"const": 9}); 550]}}}});
    let error = answer(&with(json!({"x": vec![1; 7_000]})), &requirements).unwrap_err();
    assert_eq!(error.code(), "deliverable_too_large");
    assert!(error.to_string().contains("hand in fewer values"), "{error}");
}

#[test]
fn a_stream_can_be_required() {
    let requirements = json!({"properties": {"stream_id": {"format": "uuid"}}, "required": ["stream_id"]});
    let stream = Deliverable {
        stream_id: Some(Uuid::from_u128(9)),
        url: None,
        ..work()
    };
    assert_eq!(answer(&stream, &requirements), Ok(()));
    assert!(answer(&work(), &requirements).is_err());
}
