//! From the writer's answer to a consumer, at a steady rate.

use super::super::figures::Latencies;
use super::super::load::{self, Accounts, Random};
use super::Bed;
use super::arrivals::Arrivals;
use super::relay_process::{self, RelayProcess};
use super::report::DelayToConsumer;
use crate::Error;
use std::time::{Duration, Instant};
use tokio::time::MissedTickBehavior;
use viral_commands::{AppendError, Settings, Writer};
use viral_store::{EventStore as _, Position};

const PER_SECOND: u32 = 1_000;
const SECONDS: u32 = 10;

pub(super) async fn measure(bed: &Bed<'_>) -> Result<DelayToConsumer, Error> {
    eprintln!("the delay from the answer to a consumer");
    let (writer, task) = Writer::start(bed.log(), Settings::default()).await?;
    let relay = RelayProcess::start(bed, bed.broker.address())?;
    let arrivals = Arrivals::begin(bed).await?;
    load::open_accounts(&writer).await?;
    arrivals.of(bed.store.head().await?.position).await?;
    bed.server.settle().await?;

    let began = Instant::now();
    let answered = append(&writer).await?;
    let events_per_second = f64::from(PER_SECOND * SECONDS) / began.elapsed().as_secs_f64();
    let mut delays = Latencies::default();
    for (position, answered) in answered {
        delays.add(arrivals.of(position).await?.saturating_duration_since(answered));
    }
    relay.kill().await?;
    relay_process::wait_for_leases(bed, 0).await?;
    drop(writer);
    // It ends with its last handle; a panic in it would have failed the load.
    let _ = task.await;
    Ok(DelayToConsumer {
        events_per_second,
        p50_ms: delays.percentile(0.50),
        p99_ms: delays.percentile(0.99),
        max_ms: delays.percentile(1.0),
    })
}

/// Transfers at their times, whether those before are answered or not; when each was answered.
async fn append(writer: &Writer) -> Result<Vec<(Position, Instant)>, Error> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / PER_SECOND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut calls = Vec::new();
    for _ in 0..PER_SECOND * SECONDS {
        ticks.tick().await;
        let (writer, unit) = (writer.clone(), load::transfer(Accounts::Random, &mut random));
        calls.push(tokio::spawn(async move {
            let outcome = writer.append(unit).await?;
            let last = outcome.events().last().map(|event| event.position);
            Ok::<_, AppendError>((last.unwrap_or_default(), Instant::now()))
        }));
    }
    let mut answered = Vec::new();
    for call in calls {
        answered.push(call.await.map_err(|e| Error::Other(e.to_string()))??);
    }
    Ok(answered)
}
