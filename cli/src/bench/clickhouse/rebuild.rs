//! `viral projections rebuild clickhouse`, from nothing: how long it takes, and how much memory.

use super::super::meter::Cost;
use super::super::rebuild_process;
use super::report::Rebuild;
use super::{Bed, failed};
use crate::Error;
use viral_store::EventStore as _;

const DATABASE: &str = "rebuilt";

pub(super) async fn measure(bed: &Bed<'_>) -> Result<Rebuild, Error> {
    eprintln!("rebuilding ClickHouse");
    bed.forget().await?;
    let events = bed.store.head().await?.position.0;
    let url = bed.engine.url(DATABASE);
    let meter = bed.meter(std::process::id()).await?;
    let settings = [("CLICKHOUSE_URL", url.as_str())];
    let engine = Some(bed.engine.pid()?);
    let rebuilt = rebuild_process::run(bed.server, &bed.url, "clickhouse", &settings, engine).await?;
    let cost = Cost {
        own_cpu_us: rebuilt.cpu_seconds / events as f64 * 1e6,
        ..meter.cost(events)
    };
    let counted = bed.engine.client(DATABASE);
    let counted = counted.query("SELECT count() FROM event_rows FINAL").fetch_one::<u64>();
    match counted.await.map_err(failed("counting what was rebuilt"))? {
        found if found == events => Ok(Rebuild {
            events,
            seconds: rebuilt.seconds,
            cost,
            peak_mib: rebuilt.peak_mib,
            engine_peak_mib: rebuilt.beside_peak_mib,
        }),
        found => Err(Error::Other(format!(
            "the rebuild of the benchmark made {found} events, the log has {events}"
        ))),
    }
}
