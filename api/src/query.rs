//! Query strings: unknown and repeated parameters are refused.

use crate::kind;
use crate::parse::Place;
use crate::problem::Problem;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// How many entries a page has if nothing is said.
const DEFAULT_LIMIT: usize = 100;
/// The most entries that a page can have.
const MAX_LIMIT: usize = 500;

/// The parameters of a query.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

/// A query without parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoQuery {}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Params<T>, Problem> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(params)) => Ok(Params(params)),
            Err(rejection) => Err(Problem::new(kind::INVALID_QUERY, rejection.body_text())),
        }
    }
}

/// A span of time: from, and until just before.
pub(crate) type Span = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// Reads the parameters `from` and `to`. A span without any time in it is a mistake: its answer would always be empty.
pub(crate) fn span(from: Option<&str>, to: Option<&str>) -> Result<Span, Problem> {
    let time = |field, text: Option<&str>| text.map(|text| Place::field(field).time(text)).transpose();
    match (time("from", from)?, time("to", to)?) {
        (Some(from), Some(to)) if from >= to => Err(Problem::new(
            kind::INVALID_QUERY,
            "from must be before to: there is no time between them",
        )),
        span => Ok(span),
    }
}

/// Reads the parameter `limit`.
pub(crate) fn limit(text: Option<&str>) -> Result<usize, Problem> {
    let Some(text) = text else { return Ok(DEFAULT_LIMIT) };
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(limit) if digits && (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
        _ => {
            let detail = format!("limit must be a number from 1 to {MAX_LIMIT}");
            Err(Problem::new(kind::INVALID_LIMIT, detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_some_time_in_it() {
        let (early, late) = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00+01:00");
        assert!(span(Some(early), Some(late)).is_ok());
        assert!(span(Some(early), None).is_ok() && span(None, None).is_ok());
        for (from, to) in [(late, early), (early, early)] {
            assert_eq!(span(Some(from), Some(to)).unwrap_err().kind(), kind::INVALID_QUERY);
        }
    }
}
