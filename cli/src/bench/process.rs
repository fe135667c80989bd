//! `viral up` or `viral api` as a process of its own, so that its time on the processors can be told from the load's.

use super::cpu;
use super::server::Server;
use crate::Error;
use crate::client::Client;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// A running platform over a database of the benchmark.
pub(super) struct Process {
    child: Child,
    home: PathBuf,
    /// PostgreSQL's first process.
    postmaster: u32,
}

/// Seconds on the processors.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cpu {
    pub(super) platform: f64,
    pub(super) database: f64,
}

impl Process {
    /// Starts one over a database, in the role `up` or `api`, and waits until it is ready. The settings are environment
    /// variables for it: without them it has nothing but PostgreSQL, whatever runs on this machine.
    pub(super) async fn start(
        server: &Server,
        role: &str,
        url: &str,
        settings: &[(&str, &str)],
    ) -> Result<Process, Error> {
        let home = server.folder().join("platform");
        let program = std::env::current_exe().map_err(Error::io("finding our own program"))?;
        let child = Command::new(program)
            .arg("--home")
            .arg(&home)
            .args([role, "--dev", "--listen", "127.0.0.1:0"])
            .env("DATABASE_URL", url)
            .env("VIRAL_LOG", "warn")
            .env("KAFKA_BROKERS", "")
            .env("REDIS_URL", "")
            .env("CLICKHOUSE_URL", "")
            .env_remove("VIRAL_API_TOKEN")
            .env_remove("VIRAL_FEED")
            .env_remove("VIRAL_METRICS")
            .env_remove("EVENT_STORE")
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(Error::io("starting the platform"))?;
        let postmaster = server.postmaster()?;
        let process = Process {
            child,
            home,
            postmaster,
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Ok(client) = process.operator()
                && client
                    .get("/readyz")
                    .await
                    .is_ok_and(|answer| answer.status.is_success())
            {
                return Ok(process);
            }
            if Instant::now() > deadline {
                return Err(Error::Other(
                    "the platform of the benchmark is not ready after 60 s".to_owned(),
                ));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(super) fn operator(&self) -> Result<Client, Error> {
        Client::operator(&self.home, None)
    }

    pub(super) fn pid(&self) -> u32 {
        // It has one until it is waited for, which is done at its end only.
        self.child.id().unwrap_or(0)
    }

    /// What the platform and the database have used so far.
    pub(super) fn cpu(&self) -> Cpu {
        Cpu {
            platform: cpu::of(self.pid()),
            database: cpu::of_family(self.postmaster),
        }
    }

    /// Ends it; nothing of it is kept.
    pub(super) async fn stop(mut self) -> Result<(), Error> {
        self.child.kill().await.map_err(Error::io("stopping the platform"))?;
        std::fs::remove_dir_all(&self.home).map_err(Error::io("clearing the platform's home"))
    }
}
