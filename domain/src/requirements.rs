//! What a deliverable must be: a JSON Schema (draft 2020-12) that a sponsor wrote. It runs in our process, so it may
//! neither fetch anything nor be able to keep us busy: see `requirements/cost.rs`.

mod cost;
#[cfg(test)]
mod tests;

use crate::json::{self, InvalidJson};
use jsonschema::{PatternOptions, Validator};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The longest schema, in bytes of JSON.
const BYTES: usize = 8_192;
/// How deep a schema may be nested.
const DEPTH: usize = 32;
/// The most work that checking one deliverable may be: parts of the schema × values of the deliverable, by the counts of
/// `requirements/cost.rs`. Each part meets each value at most once or twice, so that this bounds time and memory, whoever
/// wrote the two: a deadline could only leave the work behind, and to ask for the first error only is not enough, as `anyOf`
/// collects all errors of its branches for it. Twenty fields with three patterns leave room for the longest
/// text, or for five hundred values; the length of texts counts for patterns only.
const WORK: usize = 200_000;
/// The longest text about a problem, in characters.
const PROBLEM_LENGTH: usize = 300;
/// The size of a compiled pattern, in bytes.
const PATTERN_SIZE: usize = 65_536;

/// A JSON Schema (draft 2020-12) that the JSON of a deliverable must fit. The empty one fits everything.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Requirements(Value);

/// The JSON is no schema that we can work with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the requirements {problem}")]
pub struct InvalidRequirements {
    /// What is wrong with them.
    pub problem: String,
}

/// Why a deliverable is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// To find out would take too long.
    #[error(
        "to check the deliverable against the mission's requirements would be {work} steps, more than {max}: hand in fewer \
         values or shorter texts"
    )]
    TooMuchWork {
        /// How many steps.
        work: usize,
        /// How many there may be.
        max: usize,
    },
    /// It is not what is required.
    #[error("{0}")]
    Problem(String),
}

impl From<InvalidJson> for InvalidRequirements {
    fn from(error: InvalidJson) -> InvalidRequirements {
        let problem = error.to_string();
        InvalidRequirements { problem }
    }
}

impl Default for Requirements {
    fn default() -> Requirements {
        Requirements(Value::Object(Map::new()))
    }
}

impl Requirements {
    /// Reads a schema.
    pub fn parse(schema: Value) -> Result<Requirements, InvalidRequirements> {
        if !schema.is_object() {
            return invalid("must be an object: a JSON Schema, or {} if everything fits");
        }
        json::check(&schema, BYTES, DEPTH)?;
        cost::of_schema(&schema)?;
        match compile(&schema) {
            Ok(_) => Ok(Requirements(schema)),
            Err(problem) => invalid(format!("are no JSON Schema (draft 2020-12): {problem}")),
        }
    }

    /// The schema.
    pub fn as_json(&self) -> &Value {
        &self.0
    }

    /// Whether a deliverable fits. How long that takes is bounded, but it is not short: no place for it in a task that
    /// others wait for.
    ///
    /// # Errors
    /// That it would take too long; otherwise the first thing that does not fit, with its place in the JSON.
    pub fn check(&self, value: &Value) -> Result<(), Misfit> {
        let unreadable = |problem| Misfit::Problem(format!("the mission's requirements cannot be read: {problem}"));
        let cost = cost::of_schema(&self.0).map_err(|error| unreadable(error.problem))?;
        let work = cost.of_checking(cost::of_value(value));
        if work > WORK {
            return Err(Misfit::TooMuchWork { work, max: WORK });
        }
        let schema = compile(&self.0).map_err(unreadable)?;
        schema.validate(value).map_err(|error| Misfit::Problem(told(&error)))
    }
}

impl<'de> Deserialize<'de> for Requirements {
    /// An event of the log is a fact: what was a schema for us then need not be one now.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Requirements, D::Error> {
        Map::deserialize(deserializer).map(|schema| Requirements(Value::Object(schema)))
    }
}

impl JsonSchema for Requirements {
    fn schema_name() -> Cow<'static, str> {
        "Requirements".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "description": "A JSON Schema (draft 2020-12)."
        })
    }
}

/// Patterns run in linear time (no look-around, no back-references), formats are checked, nothing is fetched.
fn compile(schema: &Value) -> Result<Validator, String> {
    let patterns = PatternOptions::regex()
        .size_limit(PATTERN_SIZE)
        .dfa_size_limit(PATTERN_SIZE);
    jsonschema::draft202012::options()
        .with_pattern_options(patterns)
        .should_validate_formats(true)
        // A text of a creator would be compiled as a pattern, without the limit above.
        .with_format("regex", |_| true)
        .offline()
        .build(schema)
        .map_err(|error| told(&error))
}

fn told(error: &jsonschema::ValidationError<'_>) -> String {
    let path = error.instance_path().to_string();
    let path = if path.is_empty() { "/" } else { &path };
    format!("{path}: {error}").chars().take(PROBLEM_LENGTH).collect()
}

fn invalid(problem: impl Into<String>) -> Result<Requirements, InvalidRequirements> {
    let problem = problem.into();
    Err(InvalidRequirements { problem })
}
