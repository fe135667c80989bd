//! Is this work that can be kept, and is it what the mission asks for?

use super::super::Deliverable;
use super::AssignmentError;
use crate::json;
use crate::requirements::Requirements;
use serde_json::Value;

/// The longest link, in characters.
const URL: usize = 2_000;
/// The longest details, in bytes of JSON.
const DETAILS: usize = 16_384;
/// How deep details may be nested.
const DEPTH: usize = 32;

/// The requirements see one object: the details with `url` or `stream_id` beside them.
pub(super) fn check(deliverable: &Deliverable, requirements: &Requirements) -> Result<(), AssignmentError> {
    match (&deliverable.url, &deliverable.stream_id) {
        (Some(url), None) => check_url(url)?,
        (None, Some(_)) => {}
        _ => return invalid("deliverable", "must have either url or stream_id"),
    }
    let mut all = deliverable.details.clone();
    if let Err(problem) = json::check(&Value::Object(all.clone()), DETAILS, DEPTH) {
        return invalid("details", problem.to_string());
    }
    if ["url", "stream_id"].iter().any(|name| all.contains_key(*name)) {
        return invalid(
            "details",
            "must not have url or stream_id: they stand beside the details",
        );
    }
    if let Some(url) = &deliverable.url {
        all.insert("url".to_owned(), url.clone().into());
    }
    if let Some(stream) = &deliverable.stream_id {
        all.insert("stream_id".to_owned(), stream.to_string().into());
    }
    let problems = requirements.check(&Value::Object(all));
    if !problems.is_empty() {
        return Err(AssignmentError::RequirementsNotMet { problems });
    }
    Ok(())
}

fn check_url(url: &str) -> Result<(), AssignmentError> {
    if url.chars().count() > URL {
        return invalid("url", format!("has more than {URL} characters"));
    }
    if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return invalid("url", "has spaces or control characters");
    }
    let rest = url
        .split_once("://")
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http"));
    match rest {
        Some((_, rest)) if !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':', '@']) => Ok(()),
        _ => invalid("url", "must be a link such as https://example.com/video"),
    }
}

fn invalid(field: &'static str, problem: impl Into<String>) -> Result<(), AssignmentError> {
    let problem = problem.into();
    Err(AssignmentError::InvalidDeliverable { field, problem })
}
