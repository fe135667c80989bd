//! `viral relay` as a process of its own, which can be killed.

use super::Bed;
use crate::Error;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// How long a relay may take to connect.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct RelayProcess(Child);

impl RelayProcess {
    /// Starts one for the log of the bed.
    pub(super) fn start(bed: &Bed<'_>, brokers: &str) -> Result<RelayProcess, Error> {
        let program = std::env::current_exe().map_err(Error::io("finding our own program"))?;
        let child = Command::new(program)
            .arg("--home")
            .arg(bed.server.folder().join("relay"))
            .arg("relay")
            .env("DATABASE_URL", &bed.url)
            .env("KAFKA_BROKERS", brokers)
            .env("VIRAL_LOG", "error")
            .env_remove("VIRAL_METRICS")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(Error::io("starting a relay"))?;
        Ok(RelayProcess(child))
    }

    pub(super) fn pid(&self) -> u32 {
        // It has one until it is waited for, which is done at its end only.
        self.0.id().unwrap_or(0)
    }

    /// kill -9.
    pub(super) async fn kill(mut self) -> Result<(), Error> {
        self.0.kill().await.map_err(Error::io("killing a relay"))
    }
}

/// Waits until this many relays have their session for the lease: each but one of them stands by.
pub(super) async fn wait_for_leases(bed: &Bed<'_>, relays: i64) -> Result<(), Error> {
    let statement = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'viral lease'";
    let began = Instant::now();
    loop {
        let count = sqlx::query_scalar::<_, i64>(statement)
            .fetch_one(bed.store.pool())
            .await;
        if count.map_err(|e| Error::Other(format!("counting relays: {e}")))? == relays {
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            let text = format!("there are no {relays} relays after {} s", PATIENCE.as_secs());
            return Err(Error::Other(text));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
