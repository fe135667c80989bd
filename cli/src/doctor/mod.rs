//! `viral doctor`: what is in use, and whether it can be reached. It starts nothing.

mod clickhouse;
pub(crate) mod clock;
mod kafka;
mod read_models;
mod redis;
mod services;

use crate::database::{Purpose, url_from_env};
use crate::embedded;
use crate::error::Error;
use crate::event_store::Home;
use crate::services::{clickhouse_url, redis_url};
use crate::{continuity, published};
use chrono::Utc;
use kafka::Kafka;
use read_models::ReadModel;
use serde::Serialize;
use services::Services;
use std::path::Path;
use std::sync::Arc;
use viral_projections::{EngagementTable, ProjectionError};
use viral_store::postgres::encoding_problem;
use viral_store::{PostgresStore, without_password};

/// How many measurements are counted at most.
const COUNTED: u32 = 1_000_000;

#[derive(Debug, Serialize)]
struct Report {
    home: String,
    database: Database,
    /// Where the log is, without a password.
    event_store: String,
    log: Option<Log>,
    /// Nothing where the log cannot be read.
    read_models: Option<Vec<ReadModel>>,
    /// How many measurements of engagement are in PostgreSQL, counted up to a million. Where there is Kafka or ClickHouse
    /// they are moved on.
    measurements: Option<u64>,
    services: Services,
    kafka: Kafka,
    /// What is wrong, in words.
    problems: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Database {
    kind: &'static str,
    version: Option<String>,
    data_dir: Option<String>,
    app_url: Option<String>,
    owner_url: Option<String>,
    superuser_url: Option<String>,
}

impl Database {
    /// Leaves the passwords out.
    fn mask(&mut self) {
        for url in [&mut self.app_url, &mut self.owner_url, &mut self.superuser_url] {
            *url = url.as_deref().map(without_password);
        }
    }
}

#[derive(Debug, Serialize)]
struct Log {
    source: String,
    position: String,
    recorded_at: String,
    /// The log's digest up to there.
    digest: String,
    /// By how much the clock of the log's server is ahead of this machine's.
    clock_offset_seconds: Option<f64>,
}

/// Prints the report. Answers whether everything is well.
pub(crate) async fn run(home: &Path, json: bool, show_secrets: bool) -> Result<(String, bool), Error> {
    let mut problems = Vec::new();
    let mut database = match url_from_env() {
        Some(url) => Database {
            kind: "DATABASE_URL",
            version: None,
            data_dir: None,
            app_url: Some(url),
            owner_url: None,
            superuser_url: None,
        },
        None => embedded_database(home, &mut problems)?,
    };
    let home_of_log = Home::from_env()?;
    let (mut log, mut read_models, mut measurements) = (None, None, None);
    let clickhouse = clickhouse_url(home);
    if let Some(url) = &database.app_url {
        match look_into(home, &home_of_log, url, clickhouse.is_some(), &mut problems).await {
            Ok(found) => {
                database.version.get_or_insert(found.version);
                (log, read_models) = (Some(found.log), found.read_models);
            }
            Err(error) => problems.push(error.to_string()),
        }
    }
    if let (Some(_), Some(url)) = (&log, &database.app_url) {
        match measurements_in_postgres(url).await {
            Ok(count) => measurements = Some(count),
            Err(error) => problems.push(format!("measurements cannot be counted: {error}")),
        }
    }
    let published = kafka::Log::of(log.as_ref(), database.app_url.as_deref()).await;
    let kafka = kafka::look(
        published::cluster(home),
        clickhouse.as_deref(),
        published,
        &mut problems,
    )
    .await;
    if let (Some(found), Some(url), Some(position)) = (&log, &database.app_url, kafka.position()) {
        problems.extend(beyond(home, &home_of_log, url, found, position).await);
    }
    let services = Services {
        redis: services::redis(redis_url(home).as_deref(), &mut problems).await,
        clickhouse: clickhouse::look(clickhouse.as_deref(), log.as_ref(), &mut problems).await,
    };
    if !show_secrets {
        database.mask();
    }
    let report = Report {
        home: home.display().to_string(),
        database,
        event_store: home_of_log.shown(),
        log,
        read_models,
        measurements,
        services,
        kafka,
        problems,
    };
    let well = report.problems.is_empty();
    let text = if json {
        serde_json::to_string_pretty(&report).map_err(|e| Error::Other(e.to_string()))? + "\n"
    } else {
        for_people(&report)
    };
    Ok((text, well))
}

fn embedded_database(home: &Path, problems: &mut Vec<String>) -> Result<Database, Error> {
    let running = embedded::discover(home)?;
    if running.is_none() {
        problems.push(format!(
            "no PostgreSQL runs for {}: `viral up --dev` starts one",
            home.display()
        ));
    }
    let of = |url: fn(&embedded::Running) -> String| running.as_ref().map(url);
    Ok(Database {
        kind: "embedded",
        version: of(|running| running.version.clone()),
        data_dir: of(|running| running.data_dir.display().to_string()),
        app_url: of(|running| running.app_url.clone()),
        owner_url: of(|running| running.owner_url.clone()),
        superuser_url: of(|running| running.superuser_url.clone()),
    })
}

async fn measurements_in_postgres(url: &str) -> Result<u64, ProjectionError> {
    let pool = viral_projections::connect_briefly(url).await?;
    let counted = EngagementTable::new(pool.clone()).count(COUNTED).await;
    pool.close().await;
    counted
}

/// Kafka cannot have more than the log. What was appended since the log was looked at may be published already, so the log
/// is asked once more before that is said.
async fn beyond(home: &Path, home_of_log: &Home, url: &str, log: &Log, published: u64) -> Option<String> {
    let is_within = |head: &str| head.parse().is_ok_and(|head: u64| published <= head);
    if is_within(&log.position) {
        return None;
    }
    let now = look_into(home, home_of_log, url, false, &mut Vec::new())
        .await
        .ok()?
        .log
        .position;
    (!is_within(&now))
        .then(|| format!("Kafka has position {published}, the log ends at {now}: it was restored to an earlier moment"))
}

/// What the database tells.
struct Found {
    version: String,
    log: Log,
    read_models: Option<Vec<ReadModel>>,
}

async fn look_into(
    home: &Path,
    home_of_log: &Home,
    url: &str,
    has_clickhouse: bool,
    problems: &mut Vec<String>,
) -> Result<Found, Error> {
    let postgres = Arc::new(PostgresStore::connect_briefly(url).await?);
    let store = home_of_log.open(&postgres, Purpose::Read).await?;
    let head = store.head().await?;
    let offset = clock::offset(store.as_ref()).await?;
    problems.extend(clock::problems(offset, Utc::now(), &head));
    if let Some(went_back) = continuity::went_back(home, store.as_ref(), postgres.pool()).await? {
        problems.push(went_back.to_string());
    }
    let version = sqlx::query_scalar("SHOW server_version")
        .fetch_one(postgres.pool())
        .await;
    let encoding: Result<String, _> = sqlx::query_scalar("SHOW server_encoding")
        .fetch_one(postgres.pool())
        .await;
    problems.extend(encoding.ok().as_deref().and_then(encoding_problem));
    let read_models = match viral_projections::list(postgres.pool(), store.as_ref()).await {
        Ok(list) => {
            let models = list.into_iter().map(|status| ReadModel::new(status, has_clickhouse));
            Some(models.collect::<Vec<_>>())
        }
        Err(error) => {
            problems.push(format!("the read models cannot be listed: {error}"));
            None
        }
    };
    problems.extend(read_models.iter().flatten().filter_map(ReadModel::problem));
    postgres.close().await;
    Ok(Found {
        version: version.map_err(|error| Error::Other(format!("the version of PostgreSQL: {error}")))?,
        log: Log {
            source: store.source().to_owned(),
            position: head.position.to_string(),
            recorded_at: viral_store::event::time_text(&head.recorded_at),
            digest: head.digest.to_string(),
            clock_offset_seconds: offset.map(|offset| offset.as_seconds_f64()),
        },
        read_models,
    })
}

fn for_people(report: &Report) -> String {
    let database = &report.database;
    let mut lines = vec![("home", report.home.clone()), ("database", database.kind.to_owned())];
    let optional = [
        ("version", &database.version),
        ("data", &database.data_dir),
        ("app url", &database.app_url),
        ("owner url", &database.owner_url),
        ("superuser url", &database.superuser_url),
    ];
    lines.extend(
        optional
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.clone()?))),
    );
    lines.push(("event store", report.event_store.clone()));
    if let Some(log) = &report.log {
        lines.push(("log", log.source.clone()));
        lines.push((
            "head",
            match log.position.as_str() {
                "0" => "empty".to_owned(),
                position => format!("position {position}, recorded at {}", log.recorded_at),
            },
        ));
    }
    for model in report.read_models.iter().flatten() {
        lines.push(("read model", model.text()));
    }
    if let Some(count @ 1..) = report.measurements {
        let told = if count < u64::from(COUNTED) { "" } else { "at least " };
        lines.push(("measurements", format!("{told}{count} in PostgreSQL")));
    }
    lines.extend(report.kafka.lines());
    lines.push(("clickhouse", report.services.clickhouse.text()));
    lines.push(("redis", report.services.redis.text()));
    let mut text: String = lines
        .iter()
        .map(|(name, value)| format!("{name:<14} {value}\n"))
        .collect();
    for problem in &report.problems {
        text.push_str(&format!("problem        {problem}\n"));
    }
    if report.problems.is_empty() {
        text.push_str("everything can be reached\n");
    }
    text
}
