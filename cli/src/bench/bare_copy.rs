//! The ceiling: a bare COPY of the same rows into the same table, with its indexes and its trigger.

use sqlx::{Connection as _, Executor as _, PgConnection};
use std::time::Instant;
use viral_store::StoredEvent;
use viral_store::postgres::copy;

/// Copies all rows, `batch` to a transaction, and answers rows per second. The data streams are encoded beforehand.
pub(super) async fn run(url: &str, events: &[StoredEvent], batch: usize) -> Result<f64, crate::Error> {
    let other = |error: &dyn std::fmt::Display| crate::Error::Other(format!("bare COPY: {error}"));
    let streams: Vec<Vec<u8>> = events
        .chunks(batch.max(1))
        .map(copy::encode)
        .collect::<Result<_, _>>()?;
    let mut connection = PgConnection::connect(url).await.map_err(|e| other(&e))?;
    let start = Instant::now();
    for stream in streams {
        connection.execute("BEGIN").await.map_err(|e| other(&e))?;
        let mut copy = connection.copy_in_raw(copy::STATEMENT).await.map_err(|e| other(&e))?;
        copy.send(stream).await.map_err(|e| other(&e))?;
        copy.finish().await.map_err(|e| other(&e))?;
        connection.execute("COMMIT").await.map_err(|e| other(&e))?;
    }
    let seconds = start.elapsed().as_secs_f64();
    connection.close().await.map_err(|e| other(&e))?;
    Ok(events.len() as f64 / seconds)
}
