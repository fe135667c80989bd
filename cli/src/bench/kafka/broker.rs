//! The Kafka broker of a benchmark: started by the script of the source tree, in a folder of its own.

use super::super::cpu;
use super::client_error;
use crate::Error;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;
use tokio::process::Command;
use uuid::Uuid;
use viral_kafka::{Cluster, topics};

/// From the root of the source tree, which is where `make bench` runs.
const SCRIPT: &str = "deploy/local/kafka.sh";

/// A broker that does not outlive this process, however that ends.
pub(super) struct Broker {
    home: PathBuf,
    address: String,
    watchdog: Child,
}

impl Broker {
    /// Starts one without topics and waits until it answers.
    pub(super) async fn start(home: &Path) -> Result<Broker, Error> {
        let script = Path::new(SCRIPT).canonicalize().map_err(Error::io(format!(
            "{SCRIPT}, which is looked for from the current folder"
        )))?;
        std::fs::create_dir_all(home).map_err(Error::io(format!("making {}", home.display())))?;
        let (port, controller_port) = (free_port()?, free_port()?);
        let started = Command::new(&script)
            .arg("start")
            .env("VIRAL_HOME", home)
            .env("KAFKA_PORT", port.to_string())
            .env("KAFKA_CONTROLLER_PORT", controller_port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .await
            .map_err(Error::io(format!("running {SCRIPT}")))?;
        if !started.success() {
            return Err(Error::Other(format!("{SCRIPT} says above why it could not start one")));
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
            .map_err(Error::io("starting what stops the broker at the end"))?;
        Ok(Broker {
            home: home.to_owned(),
            address: format!("127.0.0.1:{port}"),
            watchdog,
        })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    pub(super) fn cluster(&self) -> Cluster {
        Cluster::new(&self.address)
    }

    /// A client of somebody who knows nothing of us.
    pub(super) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.address);
        config
    }

    /// A consumer that is set as the feed's, so that the two can be compared.
    pub(super) fn consumer(&self) -> ClientConfig {
        let mut config = self.client();
        config
            .set("group.id", "bench")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("check.crcs", "true")
            .set("fetch.wait.max.ms", "100")
            .set("queued.max.messages.kbytes", "16384")
            .set("queued.min.messages", "20000");
        config
    }

    pub(super) fn pid(&self) -> Result<u32, Error> {
        let file = self.home.join("kafka/pid");
        let text = std::fs::read_to_string(&file).map_err(Error::io(format!("reading {}", file.display())))?;
        let pid = text.trim().parse();
        pid.map_err(|_| Error::Other(format!("{} holds no pid", file.display())))
    }

    /// Empty topics, whatever was there.
    pub(super) async fn fresh_topics(&self) -> Result<(), Error> {
        let failed = client_error("deleting the topics of the benchmark");
        let admin: AdminClient<DefaultClientContext> = self.client().create().map_err(&failed)?;
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
        let names = topics::TOPICS.map(|topic| topic.name);
        // That there are none is what is wanted; whatever else is wrong their making says.
        admin.delete_topics(&names, &options).await.map_err(&failed)?;
        topics::create(&self.cluster()).await?;
        Ok(())
    }

    /// kill -9, and waits until it is gone.
    pub(super) async fn kill(&self) -> Result<(), Error> {
        let pid = self.pid()?;
        let target = i32::try_from(pid).map_err(|_| Error::Other(format!("{pid} is no pid")))?;
        kill(Pid::from_raw(target), Signal::SIGKILL).map_err(|e| Error::Other(format!("killing the broker: {e}")))?;
        while cpu::is_there(pid) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// Ends it, if it runs; its folder goes with the benchmark's.
    pub(super) async fn stop(mut self) -> Result<(), Error> {
        drop(self.watchdog.stdin.take());
        let ended = tokio::task::spawn_blocking(move || self.watchdog.wait()).await;
        let ended = ended.map_err(|e| Error::Other(e.to_string()))?;
        ended.map(|_| ()).map_err(Error::io("stopping the broker"))
    }
}

/// A free port below those that the kernel gives to outgoing connections: a client that keeps trying to reach a broker that
/// is down would in the end take its port.
fn free_port() -> Result<u16, Error> {
    let random = || {
        let [.., high, low] = *Uuid::now_v7().as_bytes();
        20_000 + u16::from_be_bytes([high, low]) % 12_000
    };
    let free = std::iter::repeat_with(random)
        .take(100)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    free.ok_or_else(|| Error::Other("100 ports are taken".to_owned()))
}
