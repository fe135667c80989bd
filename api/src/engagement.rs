//! Measurements of engagement, under `/v1/engagement`. They become no events, so no `Idempotency-Key` is wanted: the
//! source's own id makes a measurement count once.

use crate::json;
use crate::kind::{self, Kind};
use crate::openapi::schemas;
use crate::parse::Place;
use crate::problem::{Problem, cut};
use crate::query::{NoQuery, Params};
use crate::state::AppState;
use crate::write;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Request, State};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use viral_commands::{EngagementError, SinkError, Unrecorded};
use viral_domain::{CampaignId, Measurement, UserId};

/// How many measurements a request has at most.
const MAX_ROWS: usize = 10_000;
/// The longest body, in bytes.
const MAX_BODY: usize = 8 * 1024 * 1024;
/// One JSON object on each line: <https://github.com/ndjson/ndjson-spec>.
const NDJSON: &str = "application/x-ndjson";

/// The routes; who may call them is in [`crate::auth`].
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(record))
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

/// Measurements.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EngagementMeasurements<'a> {
    /// At most 10,000 of them.
    #[serde(borrow)]
    #[schema(value_type = Vec<EngagementMeasurement>, max_items = 10_000)]
    measurements: Vec<&'a RawValue>,
}

/// What was measured for a creator's part in a campaign on a platform.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EngagementMeasurement {
    /// Where it was measured: lower-case letters, digits, `-` and `_`.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9_-]+$")]
    platform: String,
    /// The source's own id of the measurement. With the platform it says for ever which measurement this is.
    #[schema(min_length = 1, max_length = 255)]
    id: String,
    /// Which version of the measurement. A higher one replaces what was said before, a lower one changes nothing; of equal
    /// ones the last that came in counts.
    #[serde(default = "first")]
    #[schema(default = 1, maximum = 9_007_199_254_740_991_u64)]
    version: u64,
    /// For which campaign.
    #[schema(value_type = uuid::Uuid)]
    campaign_id: String,
    /// For which creator.
    #[schema(value_type = uuid::Uuid)]
    creator_id: String,
    /// The time that it counts for, from the year 2000 to tomorrow.
    #[schema(value_type = schemas::Time)]
    timestamp: String,
    /// How often something was shown.
    #[serde(default)]
    #[schema(maximum = 1_000_000_000_u64)]
    impressions: u64,
    /// How often it was clicked.
    #[serde(default)]
    #[schema(maximum = 1_000_000_000_u64)]
    clicks: u64,
    /// How long it was watched, in seconds.
    #[serde(default)]
    #[schema(maximum = 1_000_000_000_u64)]
    watch_time: u64,
    /// How often somebody did what the campaign is for.
    #[serde(default)]
    #[schema(maximum = 1_000_000_000_u64)]
    conversions: u64,
}

fn first() -> u64 {
    1
}

/// What became of measurements.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EngagementRecorded)]
pub(crate) struct Recorded {
    /// How many are kept. They stay kept.
    accepted: usize,
    /// Those that are not.
    rejected: Vec<Rejected>,
}

/// A measurement that is not kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EngagementRejected)]
struct Rejected {
    /// Which one of the request, from 0. Empty lines do not count.
    index: usize,
    /// What is wrong with it, for programs: a code of the problems.
    code: &'static str,
    /// What is wrong with it, for people.
    detail: String,
}

/// A request with measurements, its body as it came.
pub(crate) struct Posted {
    body: Bytes,
    is_ndjson: bool,
}

impl<S: Send + Sync> FromRequest<S> for Posted {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Posted, Problem> {
        let given = write::media_type(request.headers()).to_ascii_lowercase();
        let is_ndjson = match given.as_str() {
            "application/json" => false,
            NDJSON => true,
            _ => {
                let detail =
                    format!("send Content-Type: application/json, or {NDJSON} with one measurement on each line");
                return Err(Problem::new(kind::UNSUPPORTED_MEDIA_TYPE, detail));
            }
        };
        let body = write::body(request, state, MAX_BODY).await?;
        Ok(Posted { body, is_ndjson })
    }
}

/// Record measurements of engagement
///
/// Up to 10,000 of them, as `{"measurements": […]}`, or one on each line as `application/x-ndjson`. Those that cannot be used
/// are told by their index, the others are kept. Which measurement it is says its platform with the source's own `id`, for
/// ever: the same one sent again counts once, and with a higher `version` it replaces what was said before. So a request can
/// be sent again whatever became of it.
#[utoipa::path(
    post, path = "/v1/engagement", operation_id = "recordEngagement", tag = "engagement",
    request_body(content(
        (EngagementMeasurements<'_> = "application/json", example = json!({"measurements": [{"platform": "youtube", "id": "video-7/2026-03-01T12",
            "version": 1, "campaign_id": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11",
            "creator_id": "7a0f6d52-1c5e-8d3b-9b0a-4f1d2c3b4a59", "timestamp": "2026-03-01T12:00:00Z",
            "impressions": 1000, "clicks": 50, "watch_time": 3600, "conversions": 2}]})),
        (String = "application/x-ndjson", example = "{\"platform\":\"youtube\",\"id\":\"video-7/2026-03-01T12\",\"campaign_id\":\"5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11\",\"creator_id\":\"7a0f6d52-1c5e-8d3b-9b0a-4f1d2c3b4a59\",\"timestamp\":\"2026-03-01T12:00:00Z\",\"impressions\":1000}\n"),
    )),
    responses((status = 200, description = "What became of each of them", body = Recorded,
        example = json!({"accepted": 1, "rejected": [{"index": 1, "code": "invalid_time",
            "detail": "timestamp: write a time as in RFC 3339, such as 2026-01-31T12:00:00Z"}]}))),
)]
pub(crate) async fn record(
    State(state): State<AppState>,
    Params(NoQuery {}): Params<NoQuery>,
    posted: Posted,
) -> Result<Json<Recorded>, Problem> {
    let rows = rows(&posted)?;
    if rows.len() > MAX_ROWS {
        let detail = format!(
            "a request has at most {MAX_ROWS} measurements, this one has {}",
            rows.len()
        );
        return Err(Problem::new(kind::PAYLOAD_TOO_LARGE, detail));
    }
    let sent = rows.len();
    let (mut good, mut rejected) = (Vec::with_capacity(sent), Vec::new());
    for (index, row) in rows.into_iter().enumerate() {
        match measurement(row) {
            Ok(measurement) => good.push((index, measurement)),
            Err(problem) => rejected.push(Rejected {
                index,
                code: problem.kind().code,
                detail: cut(problem.detail()),
            }),
        }
    }
    for (index, why) in state.engagement()?.record(good, state.now()).await? {
        rejected.push(Rejected {
            index,
            code: kind_of(&why).code,
            detail: why.to_string(),
        });
    }
    rejected.sort_by_key(|rejected| rejected.index);
    Ok(Json(Recorded {
        accepted: sent - rejected.len(),
        rejected,
    }))
}

/// The text of each measurement of a request.
fn rows(posted: &Posted) -> Result<Vec<&[u8]>, Problem> {
    if posted.is_ndjson {
        let lines = posted.body.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
        return Ok(lines.filter(|line| !line.is_empty()).collect());
    }
    // Fields in the order of their names would do for the parser, too.
    if posted.body.trim_ascii_start().starts_with(b"[") {
        let detail = "the body must be a JSON object: {\"measurements\": [\u{2026}]}";
        return Err(Problem::new(kind::INVALID_BODY, detail));
    }
    let body: EngagementMeasurements<'_> = json::parse(&posted.body)?;
    Ok(body.measurements.iter().map(|row| row.get().as_bytes()).collect())
}

fn measurement(text: &[u8]) -> Result<Measurement, Problem> {
    let row: EngagementMeasurement = json::parse_one(text)?;
    Ok(Measurement {
        campaign_id: CampaignId(Place::field("campaign_id").id(&row.campaign_id)?),
        creator_id: UserId(Place::field("creator_id").id(&row.creator_id)?),
        timestamp: Place::field("timestamp").time(&row.timestamp)?,
        platform: row.platform,
        id: row.id,
        version: row.version,
        impressions: row.impressions,
        clicks: row.clicks,
        watch_time: row.watch_time,
        conversions: row.conversions,
    })
}

fn kind_of(why: &Unrecorded) -> Kind {
    match why {
        Unrecorded::Invalid(_) => kind::INVALID_MEASUREMENT,
        Unrecorded::UnknownCampaign(_) => kind::UNKNOWN_CAMPAIGN_IN_BODY,
        Unrecorded::UnknownCreator(_) => kind::UNKNOWN_CREATOR,
    }
}

/// What the sink said is for our log only.
impl From<EngagementError> for Problem {
    fn from(error: EngagementError) -> Problem {
        match error {
            EngagementError::Sink(SinkError::Unavailable(why) | SinkError::Refused(why)) => {
                tracing::warn!(why, "measurements are not taken");
                let detail = "measurements cannot be taken just now: send the same request again";
                Problem::new(kind::ENGAGEMENT_UNAVAILABLE, detail)
            }
            EngagementError::Store(error) => error.into(),
        }
    }
}
