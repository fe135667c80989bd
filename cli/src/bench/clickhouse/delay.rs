//! From the answer of the API to the moment from which the event is in the views of ClickHouse.

use super::super::figures::Latencies;
use super::super::meter::Cost;
use super::super::pace;
use super::report::DelayToView;
use super::{Bed, PATIENCE, caught_up, failed, stuck};
use crate::Error;
use clickhouse::Client;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use viral_projections::ClickHouse;
use viral_store::Position;

/// How often the watermark is looked at: each look takes the engine about two milliseconds of a core.
const EACH: Duration = Duration::from_millis(20);

/// In a database and with a log of its own.
pub(super) async fn measure(bed: &Bed<'_>) -> Result<DelayToView, Error> {
    eprintln!("the delay from the API's answer to a row of ClickHouse");
    let url = bed.engine.url("delay");
    let clickhouse = ClickHouse::connect(&url)?;
    clickhouse.migrate().await?;
    let (platform, opened) = pace::platform(bed.server, &[("CLICKHOUSE_URL", url.as_str())]).await?;
    caught_up(&clickhouse, opened).await?;

    let (operator, client) = (platform.operator()?, bed.engine.client("delay"));
    let (end, told) = watch::channel(Position(u64::MAX));
    let meter = bed.meter(platform.pid()).await?;
    let posting = async {
        let paced = pace::post(&operator).await?;
        let last = paced.answered.iter().map(|(position, _)| *position).max();
        end.send_replace(last.unwrap_or_default());
        Ok::<_, Error>(paced)
    };
    let (paced, steps) = tokio::try_join!(posting, steps(&client, opened, told))?;
    let events = paced.answered.len() as u64;
    let cost = Cost {
        per_second: paced.per_second,
        ..meter.cost(events)
    };
    let mut delays = Latencies::default();
    for (position, read) in paced.answered {
        // The first step that covers it; the last step covers all of them.
        let step = steps.partition_point(|(reached, _)| *reached < position);
        if let Some((_, seen)) = steps.get(step) {
            delays.add(seen.saturating_duration_since(read));
        }
    }
    platform.stop().await?;
    Ok(DelayToView {
        p50_ms: delays.percentile(0.50),
        p99_ms: delays.percentile(0.99),
        max_ms: delays.percentile(1.0),
        cost,
    })
}

/// The watermarks behind a position, and when each was seen, up to the end, which is told meanwhile. All views end at the
/// watermark.
async fn steps(
    client: &Client,
    from: Position,
    end: watch::Receiver<Position>,
) -> Result<Vec<(Position, Instant)>, Error> {
    let (mut steps, mut at, mut moved) = (Vec::new(), from, Instant::now());
    while at < *end.borrow() {
        let asked = client
            .query("SELECT max(position) FROM watermark_rows")
            .fetch_one::<u64>();
        let found = Position(asked.await.map_err(failed("looking at the watermark"))?);
        let seen = Instant::now();
        if found > at {
            (at, moved) = (found, seen);
            steps.push((at, seen));
        }
        if moved.elapsed() > PATIENCE {
            return Err(stuck(at));
        }
        tokio::time::sleep(EACH).await;
    }
    Ok(steps)
}
