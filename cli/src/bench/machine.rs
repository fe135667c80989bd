//! The machine that the figures belong to.

use serde::Serialize;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

/// What a reader must know to compare figures.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Machine {
    /// Logical processors.
    pub(super) cores: usize,
    /// What the processor calls itself.
    pub(super) processor: String,
    /// Main memory, in GiB.
    pub(super) memory_gib: f64,
    /// PostgreSQL's version.
    pub(super) postgresql: String,
    /// One write of 8 KiB and fdatasync in the folder of the data, in microseconds: the floor of every commit.
    pub(super) fdatasync_us: f64,
    /// The load average of the minute before: how quiet it was.
    pub(super) load_before: String,
}

impl Machine {
    /// Describes this machine, measuring the disk below `folder`.
    pub(super) fn describe(folder: &Path, postgresql: &str) -> std::io::Result<Machine> {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let after_colon = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            line.split(':').nth(1).unwrap_or_default().trim().to_owned()
        };
        let kib: f64 = after_colon(&read("/proc/meminfo"), "MemTotal")
            .split_whitespace()
            .next()
            .and_then(|kib| kib.parse().ok())
            .unwrap_or(0.0);
        Ok(Machine {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: after_colon(&read("/proc/cpuinfo"), "model name"),
            memory_gib: (kib / 1_048_576.0 * 10.0).round() / 10.0,
            postgresql: postgresql.to_owned(),
            fdatasync_us: fdatasync(folder)?,
            load_before: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
        })
    }
}

fn fdatasync(folder: &Path) -> std::io::Result<f64> {
    let path = folder.join("fdatasync.probe");
    let mut file = std::fs::File::create(&path)?;
    let mut times = Vec::new();
    for _ in 0..200 {
        let start = Instant::now();
        file.write_all(&[1; 8_192])?;
        file.sync_data()?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
    }
    std::fs::remove_file(&path)?;
    Ok(super::figures::median(&times).round())
}
