//! What all reads of read models have in common: who asks, parameters that are read strictly, how much of the log the
//! answer must have seen (`min_position`), and whether the caller has it already (`If-None-Match`).

use crate::auth::Caller;
use crate::error;
use crate::kind;
use crate::problem::Problem;
use crate::query::Params;
use crate::state::AppState;
use async_trait::async_trait;
use axum::extract::FromRequestParts;
use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::Duration;
use utoipa::IntoParams;
use viral_projections::{Checkpoints, ProjectionError};
use viral_store::Position;

const MIN_POSITION: &str = "min_position";
const POSITION: HeaderName = HeaderName::from_static("viral-position");
/// How long a read waits for what the caller wants to see.
const PATIENCE: Duration = Duration::from_secs(2);

/// How far read models are.
#[async_trait]
pub trait Progress: fmt::Debug + Send + Sync {
    /// Waits until a read model contains an event, and says where it is then: see [`Checkpoints::wait_for`].
    async fn wait_for(&self, model: &str, wanted: Position, timeout: Duration) -> Result<Position, ProjectionError>;
}

#[async_trait]
impl Progress for Checkpoints {
    async fn wait_for(&self, model: &str, wanted: Position, timeout: Duration) -> Result<Position, ProjectionError> {
        Checkpoints::wait_for(self, model, wanted, timeout).await
    }
}

/// A read of read models that was asked for.
pub struct Read<T> {
    /// The parameters of the query.
    pub params: T,
    /// Who asks.
    pub caller: Caller,
    min_position: MinPosition,
    /// The entity tags that the caller has, as they stand in the header.
    known: Vec<String>,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Read<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Read<T>, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let min_position = MinPosition::taken_from(&mut parts.uri)?;
        let Params(params) = Params::from_request_parts(parts, state).await?;
        Ok(Read {
            params,
            caller,
            min_position,
            known: known_tags(&parts.headers),
        })
    }
}

impl<T> Read<T> {
    /// Waits until all these read models have what the caller wants to see. Gives the position that all of them have.
    pub async fn reached(&self, state: &AppState, models: &[&str]) -> Result<Position, Problem> {
        self.min_position.reached(state, models).await
    }

    /// The answer about one thing, from read models that are at `at`: 304 without a body if the caller has it already.
    pub fn one(&self, at: Position, body: &impl Serialize) -> Result<Response, Problem> {
        let text = serde_json::to_string(body).map_err(|e| error::internal(&e))?;
        let tag = etag(&text);
        let known = self.known.iter().any(|known| known == "*" || is_same(known, &tag));
        let mut response = match known {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => json(text),
        };
        let tag = HeaderValue::try_from(tag).map_err(|e| error::internal(&e))?;
        response.headers_mut().insert(ETAG, tag);
        response.headers_mut().insert(POSITION, at.0.into());
        Ok(response)
    }

    /// The answer with many things, from read models that are at `at`.
    pub fn many(&self, at: Position, body: &impl Serialize) -> Result<Response, Problem> {
        let mut response = json(serde_json::to_string(body).map_err(|e| error::internal(&e))?);
        response.headers_mut().insert(POSITION, at.0.into());
        Ok(response)
    }
}

fn json(text: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

/// How much of the log an answer must have seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MinPosition {
    /// How much of the log the answer must have seen at least: the `Viral-Position` of a write. Beyond the end of the log
    /// is 400, not reached within 2 s 503 `read_model_behind`.
    #[param(value_type = crate::openapi::schemas::Position, required = false)]
    min_position: Option<Position>,
}

impl MinPosition {
    /// Takes the parameter out of a query, so that the others can be read strictly.
    fn taken_from(uri: &mut Uri) -> Result<MinPosition, Problem> {
        let is_ours = |pair: &&str| pair.split('=').next() == Some(MIN_POSITION);
        let (ours, others): (Vec<&str>, Vec<&str>) = uri.query().unwrap_or_default().split('&').partition(is_ours);
        let min_position = match ours[..] {
            [] => return Ok(MinPosition { min_position: None }),
            [pair] => parse(pair.split_once('=').map_or("", |(_, value)| value))?,
            _ => return Err(Problem::new(kind::INVALID_QUERY, "min_position is there twice")),
        };
        let rest = format!("{}?{}", uri.path(), others.join("&"));
        let rest: PathAndQuery = rest.parse().map_err(|e| error::internal(&e))?;
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(rest);
        *uri = Uri::from_parts(parts).map_err(|e| error::internal(&e))?;
        Ok(MinPosition {
            min_position: Some(min_position),
        })
    }

    async fn reached(self, state: &AppState, models: &[&str]) -> Result<Position, Problem> {
        let wanted = self.min_position.unwrap_or(Position::START);
        if wanted > Position::START {
            let head = state.store().head().await?.position;
            if wanted > head {
                let detail = format!("position {wanted} is not there yet, the log ends at position {head}");
                return Err(Problem::new(kind::POSITION_BEYOND_HEAD, detail).with("head", head.to_string()));
            }
        }
        let progress = state.progress()?;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut all: Option<Position> = None;
        for model in models {
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            let at = progress.wait_for(model, wanted, left).await?;
            all = Some(all.map_or(at, |all| all.min(at)));
        }
        Ok(all.unwrap_or(Position::START))
    }
}

fn parse(text: &str) -> Result<Position, Problem> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits {
        let detail = "min_position: write a position such as 4711, the Viral-Position of a write";
        return Err(Problem::new(kind::INVALID_POSITION, detail).with("field", MIN_POSITION));
    }
    // A number that no position can be is beyond the head of any log.
    Ok(Position(text.parse().unwrap_or(u64::MAX)))
}

/// The tag of a body. It is made of what the caller sees and not of a position: at one path two users see different
/// things (`/v1/users/me`, or a campaign with and without its money), and a cache that both of them use must not take
/// one for the other. It is weak, since compression on the way may change the bytes.
fn etag(body: &str) -> String {
    let digest = Sha256::digest(body);
    format!("W/\"{}\"", hex::encode(&digest[..16]))
}

/// The tags of all `If-None-Match` headers. What is no tag is equal to none.
fn known_tags(headers: &HeaderMap) -> Vec<String> {
    let lines = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .map(|tag| tag.trim().to_owned())
        .collect()
}

/// The weak comparison of RFC 9110, section 8.8.3.2.
fn is_same(one: &str, other: &str) -> bool {
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    opaque(one) == opaque(other)
}

#[cfg(test)]
mod tests;
