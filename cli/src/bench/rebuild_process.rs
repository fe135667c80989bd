//! `viral projections rebuild` as a process of its own, so that its memory can be told.

use super::projections::MASTER_KEY;
use super::server::Server;
use super::{cpu, memory};
use crate::Error;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// What a rebuild took.
pub(super) struct Rebuilt {
    pub(super) seconds: f64,
    /// Seconds on the processors.
    pub(super) cpu_seconds: f64,
    pub(super) peak_mib: f64,
    /// The most that the process beside it had meanwhile.
    pub(super) beside_peak_mib: f64,
}

/// Rebuilds a read model, or all, of a database. The settings are environment variables.
pub(super) async fn run(
    server: &Server,
    url: &str,
    name: &str,
    settings: &[(&str, &str)],
    beside: Option<u32>,
) -> Result<Rebuilt, Error> {
    let program = std::env::current_exe().map_err(Error::io("finding our own program"))?;
    let began = Instant::now();
    let mut child = tokio::process::Command::new(program)
        .arg("--home")
        .arg(server.folder().join("rebuild"))
        .args(["projections", "rebuild", name])
        .env("DATABASE_URL", url)
        .env("VIRAL_MASTER_KEY", hex::encode(MASTER_KEY))
        .env_remove("EVENT_STORE")
        .envs(settings.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(Error::io("starting the rebuild"))?;
    let pid = child.id();
    let (mut cpu_seconds, mut peak_mib, mut beside_peak_mib) = (0.0_f64, 0.0_f64, 0.0_f64);
    let status = loop {
        if let Some(status) = child.try_wait().map_err(Error::io("the rebuild"))? {
            break status;
        }
        cpu_seconds = cpu_seconds.max(pid.map_or(0.0, cpu::of));
        peak_mib = peak_mib.max(pid.map_or(0.0, memory::peak_mib));
        beside_peak_mib = beside_peak_mib.max(beside.map_or(0.0, memory::now_mib));
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    match status.success() {
        true => Ok(Rebuilt {
            seconds: began.elapsed().as_secs_f64(),
            cpu_seconds,
            peak_mib,
            beside_peak_mib,
        }),
        false => Err(Error::Other(format!("the rebuild of the benchmark failed: {status}"))),
    }
}
