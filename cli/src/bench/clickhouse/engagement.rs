//! Measurements of engagement through the API, and a bare insert of the same rows, both by as many connections and in as
//! large pieces.

use super::super::RUNS;
use super::super::meter::{Compared, Cost};
use super::super::process::Process;
use super::super::projections::MASTER_KEY;
use super::{Bed, failed, rows};
use crate::Error;
use crate::client::Client as Api;
use chrono::{DateTime, Utc};
use clickhouse::{Client, Row};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;
use viral_store::event::time_text;

const ROWS: usize = 500_000;
/// The most that the API takes in one request.
const LINES: usize = 10_000;
const CONNECTIONS: usize = 4;
const PLATFORMS: [&str; 4] = ["instagram", "tiktok", "twitch", "youtube"];
const MONTH_SECONDS: usize = 30 * 24 * 60 * 60;
const BARE: &str = "bare_engagement_rows";

/// A row of `engagement_rows`.
#[derive(Debug, Row, Serialize)]
struct EngagementRow {
    platform: String,
    id: String,
    version: u64,
    #[serde(with = "clickhouse::serde::uuid")]
    campaign_id: Uuid,
    #[serde(with = "clickhouse::serde::uuid")]
    creator_id: Uuid,
    #[serde(with = "clickhouse::serde::chrono::datetime64::micros")]
    timestamp: DateTime<Utc>,
    impressions: u64,
    clicks: u64,
    watch_time: u64,
    conversions: u64,
}

#[derive(Debug, Row, Deserialize)]
struct Id {
    #[serde(with = "clickhouse::serde::uuid")]
    id: Uuid,
}

/// Whom measurements can be about.
struct Known {
    campaigns: Vec<Uuid>,
    creators: Vec<Uuid>,
}

/// In a database that has the log.
pub(super) async fn measure(bed: &Bed<'_>, database: &str) -> Result<Compared, Error> {
    let client = bed.engine.client(database);
    let known = Known::of(&client).await?;
    let made = client
        .query_raw(&format!("CREATE TABLE {BARE} AS engagement_rows"))
        .execute();
    made.await.map_err(failed("making a table of the same shape"))?;
    let (url, key) = (bed.engine.url(database), hex::encode(MASTER_KEY));
    let settings = [("CLICKHOUSE_URL", url.as_str()), ("VIRAL_MASTER_KEY", key.as_str())];
    let platform = Process::start(bed.server, "api", &bed.url, &settings).await?;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for run in 1..=RUNS {
        eprintln!("bare insert and API, {ROWS} measurements, {run} of {RUNS}");
        let pieces: Vec<_> = (0..ROWS)
            .step_by(LINES)
            .map(|first| known.rows(run, first..ROWS.min(first + LINES)))
            .collect();
        ours.push(post(bed, &platform, &pieces).await?);
        bare.push(insert(bed, &client, pieces).await?);
    }
    platform.stop().await?;
    Ok(Compared::new(&ours, &bare))
}

impl Known {
    async fn of(client: &Client) -> Result<Known, Error> {
        let ids = async |statement: &str| {
            let found = client.query(statement).fetch_all::<Id>().await;
            let found = found.map_err(failed("the ids of the benchmark"))?;
            Ok::<Vec<Uuid>, Error>(found.into_iter().map(|row| row.id).collect())
        };
        let known = Known {
            campaigns: ids("SELECT campaign_id AS id FROM campaigns ORDER BY id LIMIT 200").await?,
            creators: ids("SELECT creator_id AS id FROM creators ORDER BY id LIMIT 5000").await?,
        };
        match known.campaigns.is_empty() || known.creators.is_empty() {
            true => Err(Error::Other(
                "the log of the benchmark has no campaigns or no creators: more --published-events are needed"
                    .to_owned(),
            )),
            false => Ok(known),
        }
    }

    /// Rows that no other run has.
    fn rows(&self, run: usize, numbers: std::ops::Range<usize>) -> Vec<EngagementRow> {
        let now = Utc::now();
        let row = |number: usize| {
            // Spread, but the same every time.
            let spread = number.wrapping_mul(0x9e37_79b1);
            let ago = i64::try_from(spread % MONTH_SECONDS).unwrap_or_default();
            EngagementRow {
                platform: PLATFORMS[number % PLATFORMS.len()].to_owned(),
                id: format!("bench-{run}/{number}"),
                version: 1,
                campaign_id: self.campaigns[spread % self.campaigns.len()],
                creator_id: self.creators[spread % self.creators.len()],
                timestamp: now - chrono::Duration::seconds(ago),
                impressions: spread as u64 % 100_000,
                clicks: spread as u64 % 1_000,
                watch_time: spread as u64 % 500_000,
                conversions: spread as u64 % 100,
            }
        };
        numbers.map(row).collect()
    }
}

async fn post(bed: &Bed<'_>, platform: &Process, pieces: &[Vec<EngagementRow>]) -> Result<Cost, Error> {
    let operator = platform.operator()?;
    let bodies: Vec<(usize, String)> = pieces.iter().map(|rows| (rows.len(), lines(rows))).collect();
    let meter = bed.meter(platform.pid()).await?;
    let work = move |(count, body): (usize, String)| send(operator.clone(), count, body);
    each(bodies, work).await?;
    Ok(meter.cost(ROWS as u64))
}

async fn send(operator: Api, count: usize, body: String) -> Result<(), Error> {
    let answer = operator.send_lines("/v1/engagement", body).await?.success()?;
    let accepted = answer.body["accepted"].as_u64();
    let rejected = answer.body["rejected"].as_array();
    match accepted == Some(count as u64) && rejected.is_none_or(Vec::is_empty) {
        true => Ok(()),
        false => {
            let first = rejected.and_then(|rejected| rejected.first());
            Err(Error::Other(format!(
                "of {count} measurements {accepted:?} were accepted; the first one that was not: {first:?}"
            )))
        }
    }
}

fn lines(rows: &[EngagementRow]) -> String {
    let line = |row: &EngagementRow| {
        let line = json!({
            "campaign_id": row.campaign_id, "creator_id": row.creator_id, "platform": row.platform, "id": row.id,
            "version": row.version, "timestamp": time_text(&row.timestamp), "impressions": row.impressions,
            "clicks": row.clicks, "watch_time": row.watch_time, "conversions": row.conversions,
        });
        line.to_string() + "\n"
    };
    rows.iter().map(line).collect()
}

async fn insert(bed: &Bed<'_>, client: &Client, pieces: Vec<Vec<EngagementRow>>) -> Result<Cost, Error> {
    let client = client.clone();
    let meter = bed.meter(std::process::id()).await?;
    let work = move |rows: Vec<EngagementRow>| {
        let client = client.clone();
        async move { rows::insert(&client, BARE, &rows).await }
    };
    each(pieces, work).await?;
    Ok(meter.cost(ROWS as u64))
}

/// Hands pieces to a few tasks, each as soon as one has done its last one.
async fn each<T, F, W>(pieces: Vec<T>, work: W) -> Result<(), Error>
where
    T: Send + 'static,
    F: Future<Output = Result<(), Error>> + Send + 'static,
    W: Fn(T) -> F + Clone + Send + 'static,
{
    let pieces = Arc::new(Mutex::new(pieces.into_iter()));
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (pieces, work) = (pieces.clone(), work.clone());
            tokio::spawn(async move {
                loop {
                    let next = pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(piece) = next else {
                        return Ok::<_, Error>(());
                    };
                    let working = work(piece);
                    working.await?;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.map_err(|e| Error::Other(e.to_string()))??;
    }
    Ok(())
}
