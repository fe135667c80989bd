//! A real Kafka broker for a test.

use crate::component::{Component, steady_port};
use std::path::Path;
use tokio::sync::OnceCell;

static BROKER: OnceCell<Broker> = OnceCell::const_new();

/// A broker that does not outlive the test process, however that ends.
#[derive(Debug)]
pub struct Broker(Component);

impl Broker {
    /// The broker that the tests of one binary share. Only who has the topics to itself ([`crate::published::Topics`]) may
    /// stop it, and must start it again.
    pub async fn shared() -> &'static Broker {
        BROKER.get_or_init(Broker::start).await
    }

    /// Starts one without topics, in a folder of its own, and waits until it answers: about 2 s, and 250 MB.
    pub async fn start() -> Broker {
        let (port, controller_port) = (steady_port(), steady_port());
        let settings = vec![
            ("KAFKA_PORT", port.to_string()),
            ("KAFKA_CONTROLLER_PORT", controller_port.to_string()),
        ];
        let component = Component::new("kafka", port, settings);
        component.start().await;
        Broker(component)
    }

    /// What `KAFKA_BROKERS` would be.
    pub fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.0.port())
    }

    /// The home it runs in: a `viral` with this `VIRAL_HOME` finds the broker.
    pub fn home(&self) -> &Path {
        self.0.home()
    }

    /// kill -9, and waits until nobody listens any more.
    pub async fn kill(&self) {
        self.0.kill().await;
    }

    /// SIGTERM, and waits until it has ended.
    pub async fn stop(&self) {
        self.0.stop().await;
    }

    /// Starts it again on the same port and data, after [`Broker::kill`] or [`Broker::stop`]. After a kill it takes some
    /// 5 s: Kafka waits until the session of the dead process has ended.
    pub async fn restart(&self) {
        self.0.start().await;
    }

    /// Runs one of Kafka's own tools, such as `org.apache.kafka.tools.TopicCommand`, against this broker; answers what it
    /// prints. It must succeed.
    pub async fn tool(&self, class: &str, arguments: &[&str]) -> String {
        let brokers = self.brokers();
        let all = [&["tool", class, "--bootstrap-server", &brokers][..], arguments].concat();
        self.0.run(&all).await
    }
}
