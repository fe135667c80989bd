//! How far read models are, for readers who must see what they have just written.

use crate::error::ProjectionError;
use crate::registry::{self, Target};
use sqlx::PgPool;
use std::time::Duration;
use tokio::time::Instant;
use viral_store::Position;

/// Reads checkpoints. Any role that may read the read models will do.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    pool: PgPool,
}

/// A read model has not reached a position in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read model {name} is at position {at} and has not reached {wanted}")]
pub struct Behind {
    /// Which read model.
    pub name: String,
    /// Where it is.
    pub at: Position,
    /// Where it should be.
    pub wanted: Position,
}

/// Pauses between two looks, from the first to the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

impl Checkpoints {
    /// The checkpoints of a database.
    pub fn new(pool: PgPool) -> Checkpoints {
        Checkpoints { pool }
    }

    /// The last event that the tables of a read model contain. It never goes back.
    pub async fn position(&self, name: &str) -> Result<Position, ProjectionError> {
        let live = registry::find(&self.pool, name, Target::Live).await?;
        let live = live.ok_or_else(|| ProjectionError::NotSetUp(name.to_owned()))?;
        Ok(live.position)
    }

    /// Waits until the tables contain an event, and answers where they are then.
    ///
    /// # Errors
    /// [`ProjectionError::Behind`] if that takes longer than the timeout.
    pub async fn wait_for(&self, name: &str, wanted: Position, timeout: Duration) -> Result<Position, ProjectionError> {
        let deadline = Instant::now() + timeout;
        let mut pause = PAUSES.0;
        loop {
            let at = self.position(name).await?;
            if at >= wanted {
                return Ok(at);
            }
            let now = Instant::now();
            if now >= deadline {
                let name = name.to_owned();
                return Err(Behind { name, at, wanted }.into());
            }
            tokio::time::sleep_until((now + pause).min(deadline)).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }
}
