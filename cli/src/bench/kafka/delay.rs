//! From the answer of the API to a consumer, at a steady rate: HTTP, writer, relay and broker together.

use super::super::figures::Latencies;
use super::super::pace;
use super::Bed;
use super::arrivals::Arrivals;
use super::report::DelayToConsumer;
use crate::Error;

/// On empty topics, with a log of its own.
pub(super) async fn measure(bed: &Bed<'_>) -> Result<DelayToConsumer, Error> {
    eprintln!("the delay from the API's answer to a consumer");
    bed.broker.fresh_topics().await?;
    let arrivals = Arrivals::begin(bed).await?;
    let brokers = [("KAFKA_BROKERS", bed.broker.address())];
    let (platform, opened) = pace::platform(bed.server, &brokers).await?;
    arrivals.of(opened).await?;
    bed.server.settle().await?;
    let paced = pace::post(&platform.operator()?).await?;
    let mut delays = Latencies::default();
    for (position, read) in paced.answered {
        delays.add(arrivals.of(position).await?.saturating_duration_since(read));
    }
    platform.stop().await?;
    Ok(DelayToConsumer {
        events_per_second: paced.per_second,
        p50_ms: delays.percentile(0.50),
        p99_ms: delays.percentile(0.99),
        max_ms: delays.percentile(1.0),
    })
}
