//! ClickHouse: whether it answers, has the tables that it should have, and how far they are.

use super::Log;
use super::services::Service;
use serde::Serialize;
use viral_projections::ClickHouse;

/// What is known of it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Analytics {
    #[serde(flatten)]
    service: Service,
    /// Its views have everything up to this position.
    watermark: Option<String>,
    /// How many events that is behind the head of the log.
    lag: Option<String>,
}

impl Analytics {
    /// One line for people.
    pub(super) fn text(&self) -> String {
        let text = self.service.text();
        match (&self.watermark, &self.lag) {
            (Some(watermark), Some(lag)) => format!("{text}, watermark at position {watermark}, {lag} behind"),
            (Some(watermark), None) => format!("{text}, watermark at position {watermark}"),
            _ => text,
        }
    }
}

/// Asks it, if there is one.
pub(super) async fn look(url: Option<&str>, log: Option<&Log>, problems: &mut Vec<String>) -> Analytics {
    let Some(url) = url else {
        return Analytics::default();
    };
    let clickhouse = match ClickHouse::connect(url) {
        Ok(clickhouse) => clickhouse,
        Err(error) => {
            let service = Service::asked(None, Err(error.to_string()), problems);
            return Analytics {
                service,
                ..Analytics::default()
            };
        }
    };
    let version = clickhouse.version().await.map_err(|error| error.to_string());
    let answers = version.is_ok();
    let mut found = Analytics {
        service: Service::asked(Some(clickhouse.to_string()), version, problems),
        ..Analytics::default()
    };
    if answers && let Err(error) = found.look_into(&clickhouse, log, problems).await {
        problems.push(error.to_string());
    }
    found
}

impl Analytics {
    async fn look_into(
        &mut self,
        clickhouse: &ClickHouse,
        log: Option<&Log>,
        problems: &mut Vec<String>,
    ) -> Result<(), viral_projections::ProjectionError> {
        clickhouse.check_tables().await?;
        let watermark = clickhouse.watermark().await?;
        let position = watermark.as_ref().map_or(0, |(_, position)| position.0);
        self.watermark = Some(position.to_string());
        let Some(log) = log else { return Ok(()) };
        match watermark {
            Some((source, _)) if source != log.source => {
                problems.push(format!(
                    "{clickhouse} holds the log {source}, this one is {}",
                    log.source
                ));
            }
            _ => {
                // What was appended since the log was looked at may be there already.
                let head: u64 = log.position.parse().unwrap_or_default();
                self.lag = Some(head.saturating_sub(position).to_string());
            }
        }
        Ok(())
    }
}
