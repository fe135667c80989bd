//! The ClickHouse of a benchmark.

use super::super::component::{Component, free_port};
use super::failed;
use crate::Error;
use clickhouse::Client;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long merges may go on.
const PATIENCE: Duration = Duration::from_secs(300);

/// An engine that does not outlive this process, however that ends.
pub(super) struct Engine {
    component: Component,
    port: u16,
}

impl Engine {
    /// Starts one without databases and waits until it answers.
    pub(super) async fn start(home: &Path) -> Result<Engine, Error> {
        let port = free_port()?;
        let settings = [
            ("CLICKHOUSE_PORT", port.to_string()),
            ("CLICKHOUSE_PASSWORD", String::new()),
        ];
        let component = Component::start("clickhouse", home, &settings).await?;
        Ok(Engine { component, port })
    }

    /// As `CLICKHOUSE_URL` wants it.
    pub(super) fn url(&self, database: &str) -> String {
        format!("http://127.0.0.1:{}/{database}", self.port)
    }

    /// A client of somebody who knows nothing of us.
    pub(super) fn client(&self, database: &str) -> Client {
        let server = format!("http://127.0.0.1:{}", self.port);
        Client::default().with_url(server).with_database(database)
    }

    pub(super) fn pid(&self) -> Result<u32, Error> {
        self.component.pid()
    }

    /// Waits until nothing is merged any more, so that one measurement does not pay for the one before.
    pub(super) async fn settle(&self) -> Result<(), Error> {
        let (client, began) = (self.client("default"), Instant::now());
        loop {
            let asked = client.query("SELECT count() FROM system.merges").fetch_one::<u64>();
            if asked.await.map_err(failed("looking at merges"))? == 0 {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                let text = format!("ClickHouse still merges after {} s", PATIENCE.as_secs());
                return Err(Error::Other(text));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Ends it, if it runs.
    pub(super) async fn stop(self) -> Result<(), Error> {
        self.component.stop().await
    }
}
