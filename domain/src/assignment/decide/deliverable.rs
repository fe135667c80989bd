//! Is this work that can be kept, and is it what the mission asks for? The answer comes before the decision: it takes far
//! longer than one.

use super::super::Deliverable;
use super::AssignmentError;
use crate::json;
use crate::link;
use crate::requirements::{Misfit, Requirements};
use crate::text::InvalidText;
use serde_json::Value;

/// The longest link, in characters.
const URL: usize = 2_000;
/// The longest details, in bytes of JSON.
const DETAILS: usize = 16_384;
/// How deep details may be nested.
const DEPTH: usize = 32;

/// Work that can be kept and that fits its mission's requirements. [`Deliverable::fit`] makes it, and nothing else can.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitting(Deliverable);

impl Fitting {
    /// The work.
    pub fn deliverable(&self) -> &Deliverable {
        &self.0
    }
}

impl Deliverable {
    /// Checks this against a mission's requirements, which see one object: the details with `url` or `stream_id` beside
    /// them. What it costs is bounded ([`Requirements::check`]), and too much for a task that others wait for.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn fit(self, requirements: &Requirements) -> Result<Fitting, AssignmentError> {
        match (&self.url, &self.stream_id) {
            (Some(url), None) => {
                link::check("url", url, URL).map_err(|InvalidText { field, problem }| invalid(field, problem))?;
            }
            (None, Some(_)) => {}
            _ => return Err(invalid("deliverable", "must have either url or stream_id")),
        }
        let mut all = self.details.clone();
        json::check(&Value::Object(all.clone()), DETAILS, DEPTH)
            .map_err(|error| invalid("details", error.to_string()))?;
        if ["url", "stream_id"].iter().any(|name| all.contains_key(*name)) {
            let problem = "must not have url or stream_id: they stand beside the details";
            return Err(invalid("details", problem));
        }
        if let Some(url) = &self.url {
            all.insert("url".to_owned(), url.clone().into());
        }
        if let Some(stream) = &self.stream_id {
            all.insert("stream_id".to_owned(), stream.to_string().into());
        }
        match requirements.check(&Value::Object(all)) {
            Ok(()) => Ok(Fitting(self)),
            Err(Misfit::Problem(problem)) => Err(AssignmentError::RequirementsNotMet { problem }),
            Err(too_much @ Misfit::TooMuchWork { .. }) => Err(AssignmentError::TooMuchWork(too_much.to_string())),
        }
    }
}

fn invalid(field: &'static str, problem: impl Into<String>) -> AssignmentError {
    let problem = problem.into();
    AssignmentError::InvalidDeliverable { field, problem }
}
