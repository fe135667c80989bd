//! The Kafka broker of a benchmark.

use super::super::component::{Component, free_port};
use super::super::cpu;
use super::client_error;
use crate::Error;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use std::path::Path;
use std::time::Duration;
use viral_kafka::{Cluster, topics};

/// A broker that does not outlive this process, however that ends.
pub(super) struct Broker {
    component: Component,
    address: String,
}

impl Broker {
    /// Starts one without topics and waits until it answers.
    pub(super) async fn start(home: &Path) -> Result<Broker, Error> {
        let (port, controller_port) = (free_port()?, free_port()?);
        let settings = [
            ("KAFKA_PORT", port.to_string()),
            ("KAFKA_CONTROLLER_PORT", controller_port.to_string()),
        ];
        Ok(Broker {
            component: Component::start("kafka", home, &settings).await?,
            address: format!("127.0.0.1:{port}"),
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
        self.component.pid()
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

    /// Ends it, if it runs.
    pub(super) async fn stop(self) -> Result<(), Error> {
        self.component.stop().await
    }
}
