//! A real Kafka broker for a test, started by the script that users have, on data of its own.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use uuid::Uuid;

static BROKER: OnceCell<Broker> = OnceCell::const_new();

/// A broker that does not outlive the test process, however that ends.
#[derive(Debug)]
pub struct Broker {
    home: TempDir,
    port: u16,
    controller_port: u16,
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

impl Broker {
    /// The broker that the tests of one binary share. Only who has the topics to itself ([`crate::published::Bed`]) may
    /// stop it, and must start it again.
    pub async fn shared() -> &'static Broker {
        BROKER.get_or_init(Broker::start).await
    }

    /// Starts one without topics, in a folder of its own, and waits until it answers: about 2 s, and 250 MB.
    pub async fn start() -> Broker {
        let home = tempfile::Builder::new().prefix("viral-kafka-").tempdir().unwrap();
        // The watchdog sees its standard input close when this process ends in any way; a signal to the whole group, as
        // Ctrl-C sends it, must not end it first. The pid may be another program's by then.
        let script = "trap '' TERM INT HUP; read -r _; read -r pid <\"$1/kafka/pid\" && \
             grep -q kafka.Kafka \"/proc/$pid/cmdline\" && kill -KILL \"$pid\"; sleep 0.1; rm -rf \"$1\"";
        let watchdog = std::process::Command::new("sh")
            .args(["-c", script, "watchdog"])
            .arg(home.path())
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let broker = Broker {
            home,
            port: steady_port(),
            controller_port: steady_port(),
            watchdog,
        };
        broker.restart().await;
        broker
    }

    /// What `KAFKA_BROKERS` would be.
    pub fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The home it runs in: a `viral` with this `VIRAL_HOME` finds the broker.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// kill -9, and waits until nobody listens any more.
    pub async fn kill(&self) {
        let pid = std::fs::read_to_string(self.home().join("kafka/pid")).unwrap();
        let command = std::fs::read_to_string(format!("/proc/{}/cmdline", pid.trim()));
        assert!(
            command.is_ok_and(|text| text.contains("kafka.Kafka")),
            "the broker does not run"
        );
        let killed = Command::new("kill").args(["-KILL", pid.trim()]).status().await;
        assert!(killed.unwrap().success());
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.is_ok() {
            assert!(Instant::now() < deadline, "the broker outlives kill -9");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// SIGTERM, and waits until it has ended.
    pub async fn stop(&self) {
        self.run(&["stop"]).await;
    }

    /// Starts it again on the same port and data, after [`Broker::kill`] or [`Broker::stop`]. After a kill it takes some
    /// 5 s: Kafka waits until the session of the dead process has ended.
    pub async fn restart(&self) {
        self.run(&["start"]).await;
    }

    /// Runs one of Kafka's own tools, such as `org.apache.kafka.tools.TopicCommand`, against this broker; answers what it
    /// prints. It must succeed.
    pub async fn tool(&self, class: &str, arguments: &[&str]) -> String {
        let brokers = self.brokers();
        let all = [&["tool", class, "--bootstrap-server", &brokers][..], arguments].concat();
        self.run(&all).await
    }

    async fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(script("kafka.sh"));
        command
            .args(arguments)
            .env("VIRAL_HOME", self.home())
            .env("KAFKA_PORT", self.port.to_string())
            .env("KAFKA_CONTROLLER_PORT", self.controller_port.to_string())
            .stdin(Stdio::null());
        let output = command.output().await.unwrap();
        let problem = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "kafka.sh {arguments:?}: {problem}");
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // Closing its input is the signal; then wait, so that the folder is gone.
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

/// A free port that stays free while nobody listens there. The kernel gives ports from 32768 on to outgoing connections: a
/// client that keeps trying to reach a broker that is down would in the end take its port, or be connected to itself.
pub fn steady_port() -> u16 {
    let random = || {
        let [.., high, low] = *Uuid::now_v7().as_bytes();
        20_000 + u16::from_be_bytes([high, low]) % 12_000
    };
    std::iter::repeat_with(random)
        .take(100)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("100 ports are taken")
}
