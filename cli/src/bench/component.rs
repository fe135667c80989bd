//! A component of the stack for a benchmark: started by the script of the source tree, in a folder of its own.

use crate::Error;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use tokio::process::Command;
use uuid::Uuid;

/// A server that does not outlive this process, however that ends.
pub(super) struct Component {
    name: &'static str,
    home: PathBuf,
    watchdog: Child,
}

impl Component {
    /// Starts the one of `deploy/local/<name>.sh` and waits until it answers. The settings are environment variables for it.
    pub(super) async fn start(
        name: &'static str,
        home: &Path,
        settings: &[(&str, String)],
    ) -> Result<Component, Error> {
        // From the root of the source tree, which is where `make bench` runs.
        let file = format!("deploy/local/{name}.sh");
        let script = Path::new(&file).canonicalize().map_err(Error::io(format!(
            "{file}, which is looked for from the current folder"
        )))?;
        std::fs::create_dir_all(home).map_err(Error::io(format!("making {}", home.display())))?;
        let started = Command::new(&script)
            .arg("start")
            .env("VIRAL_HOME", home)
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .await
            .map_err(Error::io(format!("running {file}")))?;
        if !started.success() {
            return Err(Error::Other(format!("{file} says above why it could not start one")));
        }
        // It sees its standard input close when this process ends in any way; Ctrl-C, which goes to the whole group, must
        // not end it first.
        let watchdog = std::process::Command::new("sh")
            .args(["-c", "trap '' TERM INT HUP; read -r _; exec \"$1\" stop", "watchdog"])
            .arg(&script)
            .env("VIRAL_HOME", home)
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(Error::io(format!("starting what stops {name} at the end")))?;
        Ok(Component {
            name,
            home: home.to_owned(),
            watchdog,
        })
    }

    pub(super) fn pid(&self) -> Result<u32, Error> {
        let file = self.home.join(self.name).join("pid");
        let text = std::fs::read_to_string(&file).map_err(Error::io(format!("reading {}", file.display())))?;
        let pid = text.trim().parse();
        pid.map_err(|_| Error::Other(format!("{} holds no pid", file.display())))
    }

    /// Ends it, if it runs; its folder goes with the benchmark's.
    pub(super) async fn stop(mut self) -> Result<(), Error> {
        drop(self.watchdog.stdin.take());
        let ended = tokio::task::spawn_blocking(move || self.watchdog.wait()).await;
        let ended = ended.map_err(|e| Error::Other(e.to_string()))?;
        ended.map(|_| ()).map_err(Error::io("stopping a component"))
    }
}

/// A free port below those that the kernel gives to outgoing connections: a client that keeps trying to reach a server that
/// is down would in the end take its port.
pub(super) fn free_port() -> Result<u16, Error> {
    let random = || {
        let [.., high, low] = *Uuid::now_v7().as_bytes();
        20_000 + u16::from_be_bytes([high, low]) % 12_000
    };
    let free = std::iter::repeat_with(random)
        .take(100)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    free.ok_or_else(|| Error::Other("100 ports are taken".to_owned()))
}
