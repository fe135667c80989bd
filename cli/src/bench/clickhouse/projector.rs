//! Filling ClickHouse: the projector from the beginning of the log to its end, and a bare insert of the rows that it made,
//! in the ranges that it inserted.

use super::super::RUNS;
use super::super::meter::{Compared, Cost};
use super::report::Projector;
use super::rows::{self, Range};
use super::{Bed, caught_up, failed};
use crate::Error;
use tokio::sync::watch;
use viral_projections::{ClickHouse, ClickHouseProjector};
use viral_store::EventStore as _;

/// The databases, one for each run.
const DATABASES: [&str; RUNS] = ["log_1", "log_2", "log_3"];
/// The one that is filled at the end.
pub(super) const LAST: &str = DATABASES[RUNS - 1];

pub(super) async fn measure(bed: &Bed<'_>) -> Result<Projector, Error> {
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    let (mut row_count, mut range_count) = (0, 0);
    let events = bed.store.head().await?.position.0;
    for database in DATABASES {
        eprintln!("ClickHouse's projector and a bare insert ({database})");
        let (cost, ranges) = follow(bed, database).await?;
        ours.push(cost);
        (row_count, range_count) = (count(&ranges), ranges.len());
        bare.push(insert(bed, database, ranges).await?);
    }
    Ok(Projector {
        events,
        rows: row_count,
        ranges: range_count,
        compared: Compared::new(&ours, &bare),
    })
}

async fn follow(bed: &Bed<'_>, database: &str) -> Result<(Cost, Vec<Range>), Error> {
    bed.forget().await?;
    let clickhouse = ClickHouse::connect(&bed.engine.url(database))?;
    clickhouse.migrate().await?;
    let pool = viral_projections::connect(&bed.url)?;
    let projector = ClickHouseProjector::new(clickhouse.clone(), pool, bed.log());
    let head = bed.store.head().await?.position;
    let (stop, stopped) = watch::channel(false);
    let meter = bed.meter(std::process::id()).await?;
    let running = tokio::spawn(async move { projector.run(stopped).await });
    caught_up(&clickhouse, head).await?;
    let spent = meter.spent();
    stop.send_replace(true);
    running.await.map_err(|e| Error::Other(e.to_string()))?;
    let ranges = rows::inserted(&bed.engine.client(database)).await?;
    let found: usize = ranges.iter().map(|range| range.events.len()).sum();
    if found as u64 != head.0 {
        return Err(Error::Other(format!(
            "{found} events were found by the parts that hold them, the log has {head}: fewer --published-events may help"
        )));
    }
    Ok((spent.over(count(&ranges)), ranges))
}

async fn insert(bed: &Bed<'_>, database: &str, ranges: Vec<Range>) -> Result<Cost, Error> {
    let client = bed.engine.client(database);
    for table in ["event_rows", "ledger_entry_rows"] {
        let statement = format!("CREATE TABLE bare_{table} AS {table}");
        let made = client.query_raw(&statement).execute().await;
        made.map_err(failed("making tables of the same shape"))?;
    }
    let meter = bed.meter(std::process::id()).await?;
    for range in &ranges {
        rows::insert(&client, "bare_event_rows", &range.events).await?;
        rows::insert(&client, "bare_ledger_entry_rows", &range.entries).await?;
    }
    let spent = meter.spent();
    let statement = "SELECT count() FROM (SELECT position FROM bare_event_rows UNION ALL \
         SELECT position FROM bare_ledger_entry_rows)";
    let found = client.query(statement).fetch_one::<u64>().await;
    let found = found.map_err(failed("counting the rows of the bare insert"))?;
    let inserted = count(&ranges);
    match found == inserted {
        true => Ok(spent.over(inserted)),
        false => Err(Error::Other(format!(
            "the bare insert was of {inserted} rows, {found} of them are there"
        ))),
    }
}

fn count(ranges: &[Range]) -> u64 {
    let rows = ranges.iter().map(|range| range.events.len() + range.entries.len());
    rows.sum::<usize>() as u64
}
