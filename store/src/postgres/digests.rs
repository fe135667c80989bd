//! The digests of a log from before there were any: computed once, by reading the log.

use super::error::from_sqlx;
use super::read::{signed, unsigned};
use crate::continuity::Checkpoint;
use crate::error::StoreError;
use crate::event::Position;
use sqlx::{Connection as _, PgConnection, Row as _};

/// How many events are read at once: only their ids and times.
const PAGE: i64 = 50_000;

/// What is told while the log is read: the position reached, and the end.
pub type Progress<'a> = &'a mut (dyn FnMut(Position, Position) + Send);

/// Computes what is missing, as the role `viral_owner`. A log that has its digest is left as it is. While it is read
/// nobody can append: programs that know of digests need one to go on from, and those that do not are refused.
pub(super) async fn compute(connection: &mut PgConnection, progress: Progress<'_>) -> Result<(), StoreError> {
    let mut tx = connection.begin().await.map_err(from_sqlx)?;
    let head = sqlx::query("SELECT position, digest IS NULL FROM log_head FOR UPDATE")
        .fetch_one(&mut *tx)
        .await
        .map_err(from_sqlx)?;
    let (end, missing): (i64, bool) = (head.try_get(0).map_err(from_sqlx)?, head.try_get(1).map_err(from_sqlx)?);
    if !missing {
        return tx.rollback().await.map_err(from_sqlx);
    }
    let wanted = "SELECT position FROM projections WHERE digest IS NULL AND position > 0 UNION SELECT position FROM book_snapshots \
         WHERE digest IS NULL AND position > 0 ORDER BY position";
    let wanted: Vec<i64> = sqlx::query_scalar(wanted)
        .fetch_all(&mut *tx)
        .await
        .map_err(from_sqlx)?;
    let mut wanted = wanted.into_iter().peekable();
    let mut at = Checkpoint::START;
    while at.position.0 < unsigned(end)? {
        let page = sqlx::query(
            "SELECT position, event_id, recorded_at FROM events WHERE position > $1 ORDER BY position LIMIT $2",
        )
        .bind(signed(at.position.0)?)
        .bind(PAGE)
        .fetch_all(&mut *tx)
        .await
        .map_err(from_sqlx)?;
        if page.is_empty() {
            let next = at.position.next();
            return Err(StoreError::Corrupt(format!(
                "position {next} is missing, the head says {end}"
            )));
        }
        for row in page {
            let here: i64 = row.try_get(0).map_err(from_sqlx)?;
            let position = Position(unsigned(here)?);
            let (event_id, recorded_at) = (row.try_get(1).map_err(from_sqlx)?, row.try_get(2).map_err(from_sqlx)?);
            at = Checkpoint {
                position,
                event_id,
                recorded_at,
                digest: at.digest.map(|digest| digest.after(&event_id, &recorded_at)),
            };
            if wanted.next_if_eq(&here).is_some() {
                fill_in_tx(&mut tx, &at).await?;
            }
        }
        progress(at.position, Position(unsigned(end)?));
    }
    sqlx::query("UPDATE log_head SET digest = $1")
        .bind(at.digest.map(|digest| digest.0.to_vec()))
        .execute(&mut *tx)
        .await
        .map_err(from_sqlx)?;
    tx.commit().await.map_err(from_sqlx)
}

/// Fills in what lies beside the log at this position.
async fn fill_in_tx(tx: &mut PgConnection, at: &Checkpoint) -> Result<(), StoreError> {
    let statement = "UPDATE projections SET event_id = $2, recorded_at = $3, digest = $4 WHERE position = $1";
    sqlx::query(statement)
        .bind(signed(at.position.0)?)
        .bind(at.event_id)
        .bind(at.recorded_at)
        .bind(at.digest.map(|digest| digest.0.to_vec()))
        .execute(&mut *tx)
        .await
        .map_err(from_sqlx)?;
    sqlx::query("UPDATE book_snapshots SET digest = $2 WHERE position = $1")
        .bind(signed(at.position.0)?)
        .bind(at.digest.map(|digest| digest.0.to_vec()))
        .execute(tx)
        .await
        .map_err(from_sqlx)?;
    Ok(())
}
