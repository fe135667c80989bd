//! A component of the stack for a test, started by the script that users have, on data of its own.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::Instant;
use uuid::Uuid;

/// A component that does not outlive the test process, however that ends.
#[derive(Debug)]
pub struct Component {
    name: &'static str,
    home: TempDir,
    port: u16,
    settings: Vec<(&'static str, String)>,
    watchdog: Child,
}

/// A script of `deploy/local`.
pub fn script(name: &str) -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap())
        .join("../deploy/local")
        .join(name)
        .canonicalize()
        .unwrap()
}

impl Component {
    /// The component of `<name>.sh`, not started yet. The settings are environment variables for it; it listens on `port`.
    pub fn new(name: &'static str, port: u16, settings: Vec<(&'static str, String)>) -> Component {
        let home = tempfile::Builder::new()
            .prefix(&format!("viral-{name}-"))
            .tempdir()
            .unwrap();
        // The watchdog sees its standard input close when this process ends in any way; a signal to the whole group, as
        // Ctrl-C sends it, must not end it first. The pid may be another program's by then: ours works in its folder.
        let script = "trap '' TERM INT HUP; read -r _; read -r pid <\"$1/pid\" && \
             [ \"$(readlink \"/proc/$pid/cwd\")\" = \"$1\" ] && kill -KILL \"$pid\"; sleep 0.1; rm -rf \"${1%/*}\"";
        let watchdog = std::process::Command::new("sh")
            .args(["-c", script, "watchdog"])
            .arg(home.path().canonicalize().unwrap().join(name))
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Component {
            name,
            home,
            port,
            settings,
            watchdog,
        }
    }

    /// The home it runs in: a `viral` with this `VIRAL_HOME` finds it.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends a signal to it, such as `STOP`.
    pub async fn signal(&self, name: &str) {
        let folder = self.home().canonicalize().unwrap().join(self.name);
        let pid = std::fs::read_to_string(folder.join("pid")).unwrap();
        let works_in = std::fs::read_link(format!("/proc/{}/cwd", pid.trim()));
        assert_eq!(works_in.ok(), Some(folder), "{} does not run", self.name);
        let sent = Command::new("kill")
            .args([&format!("-{name}"), pid.trim()])
            .status()
            .await;
        assert!(sent.unwrap().success());
    }

    /// kill -9, and waits until nobody listens any more.
    pub async fn kill(&self) {
        self.signal("KILL").await;
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.is_ok() {
            assert!(Instant::now() < deadline, "{} outlives kill -9", self.name);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Starts it, also after [`Component::kill`] or [`Component::stop`], and waits until it answers.
    pub async fn start(&self) {
        self.run(&["start"]).await;
    }

    /// SIGTERM, and waits until it has ended.
    pub async fn stop(&self) {
        self.run(&["stop"]).await;
    }

    /// Runs its script, which must succeed; answers what that prints.
    pub async fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(script(&format!("{}.sh", self.name)));
        command
            .args(arguments)
            .env("VIRAL_HOME", self.home())
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        let output = command.output().await.unwrap();
        let problem = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}.sh {arguments:?}: {problem}", self.name);
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Component {
    fn drop(&mut self) {
        // Closing its input is the signal; then wait, so that the folder is gone.
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

/// A free port that stays free while nobody listens there, also beside other tests, here and in other processes. The kernel
/// gives ports from 32768 on to outgoing connections: a client that keeps trying to reach a server that is down would in
/// the end take its port, or be connected to itself.
pub fn steady_port() -> u16 {
    /// Who has the UDP port of a number has claimed its TCP port, for as long as this process lives.
    static CLAIMS: Mutex<Vec<UdpSocket>> = Mutex::new(Vec::new());
    let random = || {
        let [.., high, low] = *Uuid::now_v7().as_bytes();
        20_000 + u16::from_be_bytes([high, low]) % 12_000
    };
    let claim = |port: u16| {
        let claim = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        CLAIMS.lock().unwrap().push(claim);
        Some(port)
    };
    std::iter::repeat_with(random)
        .take(100)
        .find_map(claim)
        .expect("100 ports are taken")
}
