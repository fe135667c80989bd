//! The alternative: a plain double-entry function in SQL under pgbench.

use crate::Error;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

/// The ledger in SQL, as `bench/` has it.
pub(super) const LEDGER: &str = include_str!("../../../bench/double_entry.sql");
/// The load on one hot account.
pub(super) const HOT: &str = include_str!("../../../bench/hot.pgbench");
/// The load on random accounts.
pub(super) const RANDOM: &str = include_str!("../../../bench/random.pgbench");

/// Where pgbench is; it comes with a full PostgreSQL.
pub(super) fn find_pgbench() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = (15..=18)
        .rev()
        .map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")));
    let folders = std::env::var_os("VIRAL_POSTGRES_BIN").map(PathBuf::from).into_iter();
    let mut folders = folders.chain(std::env::split_paths(&path)).chain(debian);
    folders.find_map(|folder| Some(folder.join("pgbench")).filter(|program| program.is_file()))
}

/// Transfers per second of 16 clients for some seconds.
pub(super) async fn run(pgbench: &Path, url: &str, folder: &Path, script: &str, seconds: u64) -> Result<f64, Error> {
    let file = folder.join("load.pgbench");
    std::fs::write(&file, script).map_err(Error::io("the pgbench script"))?;
    // Not on the command line, which everybody on the machine can read.
    let (login, server) = url.split_once('@').unwrap_or_default();
    let (scheme_and_user, password) = login.rsplit_once(':').unwrap_or_default();
    let url_without = format!("{scheme_and_user}@{server}");
    let output = Command::new(pgbench)
        .args(["--no-vacuum", "--client=16", "--jobs=2", "--protocol=prepared"])
        .arg(format!("--time={seconds}"))
        .arg(format!("--file={}", file.display()))
        .env("PGPASSWORD", password)
        .arg(url_without)
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(Error::io("pgbench"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let tps = text
        .lines()
        .find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    tps.ok_or_else(|| Error::Other(format!("pgbench failed: {}", String::from_utf8_lossy(&output.stderr))))
}
