//! The broker is gone and the log is long: how much memory a relay takes.

use super::super::memory;
use super::Bed;
use super::arrivals::Arrivals;
use super::relay_process::RelayProcess;
use super::report::Outage;
use crate::Error;
use std::time::Duration;
use viral_store::EventStore as _;

/// How long a relay is watched.
const WATCHED: Duration = Duration::from_secs(10);

pub(super) async fn measure(bed: &Bed<'_>) -> Result<Outage, Error> {
    eprintln!("the memory of a relay whose broker is gone");
    bed.broker.fresh_topics().await?;
    let arrivals = Arrivals::begin(bed).await?;
    let relay = RelayProcess::start(bed, bed.broker.address())?;
    // Killed while it publishes as fast as it can: its queue fills up.
    while arrivals.count() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    bed.broker.kill().await?;
    tokio::time::sleep(WATCHED).await;
    let peak_mib = memory::peak_mib(relay.pid());
    relay.kill().await?;
    let waiting = bed.store.head().await?.position.0 - arrivals.count();

    let relay = RelayProcess::start(bed, bed.broker.address())?;
    tokio::time::sleep(WATCHED / 2).await;
    let without_broker_mib = memory::now_mib(relay.pid());
    relay.kill().await?;
    Ok(Outage {
        waiting,
        without_broker_mib,
        peak_mib,
    })
}
