//! A real ClickHouse engine for a test.

use crate::component::{Component, steady_port};
use clickhouse::Client;
use std::path::Path;
use tokio::sync::OnceCell;
use uuid::Uuid;

static ENGINE: OnceCell<Engine> = OnceCell::const_new();

/// An engine that does not outlive the test process, however that ends.
#[derive(Debug)]
pub struct Engine(Component);

impl Engine {
    /// The engine that the tests of one binary share: each has a database of its own, and nobody stops it.
    pub async fn shared() -> &'static Engine {
        ENGINE.get_or_init(Engine::start).await
    }

    /// Starts one with empty data, and waits until it answers.
    pub async fn start() -> Engine {
        let engine = Engine::stopped();
        engine.restart().await;
        engine
    }

    /// One that was not started yet.
    pub fn stopped() -> Engine {
        let port = steady_port();
        Engine(Component::new(
            "clickhouse",
            port,
            vec![("CLICKHOUSE_PORT", port.to_string())],
        ))
    }

    /// Where it keeps its data.
    pub fn home(&self) -> &Path {
        self.0.home()
    }

    /// Lets nothing of it go on, until [`Engine::thaw`].
    pub async fn freeze(&self) {
        self.0.signal("STOP").await;
    }

    /// Lets it go on.
    pub async fn thaw(&self) {
        self.0.signal("CONT").await;
    }

    /// The URL of a database that nobody has used.
    pub fn database(&self) -> String {
        format!("http://127.0.0.1:{}/test_{}", self.0.port(), Uuid::now_v7().simple())
    }

    /// kill -9, and waits until nobody listens any more.
    pub async fn kill(&self) {
        self.0.kill().await;
    }

    /// Starts it again on the same port and data.
    pub async fn restart(&self) {
        self.0.start().await;
    }
}

/// A client of somebody who knows nothing of us, for the URL of a database.
pub fn client(url: &str) -> Client {
    let (server, database) = url.rsplit_once('/').unwrap();
    Client::default().with_url(server).with_database(database)
}
