//! A platform for the time of the demo, where none runs.

use crate::client::Client;
use crate::error::Error;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// How long a platform may take to start: it may have to fetch PostgreSQL first.
const START: Duration = Duration::from_secs(300);
/// How long it may take to stop.
const STOP: Duration = Duration::from_secs(30);

/// A platform that was started for the demo.
pub(super) struct Stage(Child);

impl Stage {
    /// Starts one in this home, unless one answers there.
    pub(super) async fn set_up(home: &Path) -> Result<Option<Stage>, Error> {
        if is_ready(home).await {
            return Ok(None);
        }
        eprintln!("No platform runs in {}: one is started for the demo.", home.display());
        let program = std::env::current_exe().map_err(Error::io("finding our own program"))?;
        let mut child = Command::new(program)
            .arg("--home")
            .arg(home)
            .args(["up", "--dev", "--listen", "127.0.0.1:0"])
            .env("VIRAL_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(Error::io("starting the platform"))?;
        let deadline = Instant::now() + START;
        while !is_ready(home).await {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(Error::Other(format!("the platform did not start: {status}")));
            }
            if Instant::now() > deadline {
                return Err(Error::Other(format!(
                    "the platform is not ready after {} s",
                    START.as_secs()
                )));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(Some(Stage(child)))
    }

    /// Stops it as Ctrl-C would.
    pub(super) async fn clear(mut self) -> Result<(), Error> {
        let pid = self.0.id().and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid {
            // If it has ended by itself there is nothing to stop.
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM);
        }
        match tokio::time::timeout(STOP, self.0.wait()).await {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::Other("the platform of the demo did not stop".to_owned())),
        }
    }
}

async fn is_ready(home: &Path) -> bool {
    match Client::operator(home, None) {
        Ok(client) => client
            .get("/readyz")
            .await
            .is_ok_and(|answer| answer.status.is_success()),
        Err(_) => false,
    }
}
