//! One PostgreSQL for a test binary, started as the product starts its own, with a fresh database for each test.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::OnceCell;
use viral::embedded::{Options, Postgres};
use viral_store::{Digest, EventStore as _, Position, PostgresStore};

static SERVER: OnceCell<TestServer> = OnceCell::const_new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A running server that does not outlive the test process, however that ends.
#[derive(Debug)]
pub struct TestServer {
    /// The cluster.
    pub postgres: Postgres,
    watchdog: Child,
}

/// A database of its own.
#[derive(Debug, Clone)]
pub struct Database {
    /// For the superuser.
    pub superuser_url: String,
    /// For the role that migrates.
    pub owner_url: String,
    /// For the role that the platform works with.
    pub app_url: String,
}

impl TestServer {
    /// The server that the tests of one binary share.
    pub async fn shared() -> &'static TestServer {
        SERVER.get_or_init(TestServer::start).await
    }

    /// Starts one in a folder of its own.
    pub async fn start() -> TestServer {
        let folder = tempfile::Builder::new()
            .prefix("viral-tests-")
            .tempdir()
            .unwrap()
            .keep();
        TestServer::start_in(&folder).await
    }

    /// Starts one in this folder, which is removed with it.
    pub async fn start_in(folder: &std::path::Path) -> TestServer {
        // PostgreSQL does not run as root: its own user must get through.
        open_to_all(folder);
        let postgres = Postgres::start(&Options::new(folder.join(".viral"))).await.unwrap();
        // The watchdog sees its standard input close when this process ends in any way; a signal to the whole group, as
        // Ctrl-C sends it, must not end it first. QUIT is an immediate shutdown.
        let script = "trap '' TERM INT HUP; read -r _; kill -QUIT \"$(head -n 1 \"$1/postmaster.pid\")\"; sleep 0.2; rm -rf \"$1\" \"$2\"";
        let watchdog = Command::new("sh")
            .args(["-c", script, "watchdog"])
            .arg(postgres.data_dir())
            .arg(folder)
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        TestServer { postgres, watchdog }
    }

    /// A fresh database with all migrations.
    pub async fn database(&self) -> Database {
        let database = self.empty_database().await;
        viral_store::postgres::migrate(&database.owner_url).await.unwrap();
        database
    }

    /// A fresh database with nothing in it.
    pub async fn empty_database(&self) -> Database {
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        let create = format!("CREATE DATABASE {name} OWNER viral_owner");
        self.as_superuser(&create).await;
        let of = |url: &str| {
            let (server, _) = url.rsplit_once('/').unwrap();
            format!("{server}/{name}")
        };
        Database {
            superuser_url: of(self.postgres.superuser_url()),
            owner_url: of(self.postgres.owner_url()),
            app_url: of(self.postgres.app_url()),
        }
    }

    /// Runs a statement as superuser in the server's own database.
    pub async fn as_superuser(&self, statement: &str) {
        run(self.postgres.superuser_url(), statement).await.unwrap();
    }
}

impl Database {
    /// The log in this database.
    pub async fn store(&self) -> Arc<PostgresStore> {
        Arc::new(PostgresStore::connect(&self.app_url).await.unwrap())
    }

    /// The log loses its last events, as by a restore or by a failover to a copy without them.
    pub async fn lose_events(&self, count: u64) {
        let store = self.store().await;
        let kept = store.head().await.unwrap().position.0 - count;
        let events = store.read_after(Position::START, kept as usize).await.unwrap();
        let digest = Digest::EMPTY.after_all(&events);
        let lose = format!(
            "SET session_replication_role = replica; DELETE FROM events WHERE position > {kept}; \
             UPDATE log_head SET position = {kept}, digest = decode('{digest}', 'hex'), \
             recorded_at = (SELECT recorded_at FROM events WHERE position = {kept})"
        );
        run(&self.superuser_url, &lose).await.unwrap();
    }

    /// From now on the server's clock can be set, for this database: a function of the same name stands in front of
    /// PostgreSQL's own.
    pub async fn make_clock_settable(&self) {
        let shim = "CREATE SCHEMA shim; CREATE TABLE shim.clock (ahead interval NOT NULL); \
             INSERT INTO shim.clock VALUES ('0'); \
             CREATE FUNCTION shim.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS \
             'SELECT pg_catalog.clock_timestamp() + ahead FROM shim.clock'; \
             GRANT USAGE ON SCHEMA shim TO viral_app; GRANT SELECT ON shim.clock TO viral_app; \
             DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = shim, public, pg_catalog', \
             current_database()); END $$";
        run(&self.superuser_url, shim).await.unwrap();
    }

    /// Sets the server's clock so far ahead, an interval of PostgreSQL.
    pub async fn set_clock(&self, ahead: &str) {
        let statement = format!("UPDATE shim.clock SET ahead = '{ahead}'");
        run(&self.superuser_url, &statement).await.unwrap();
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        // Closing its input is the signal; then wait, so that the folder is gone.
        if let Some(mut input) = self.watchdog.stdin.take() {
            let _ = input.write_all(b"\n");
        }
        let _ = self.watchdog.wait();
    }
}

/// Runs one statement on a connection of its own.
pub async fn run(url: &str, statement: &str) -> Result<(), sqlx::Error> {
    use sqlx::{Connection as _, Executor as _};
    let mut connection = sqlx::PgConnection::connect(url).await?;
    connection.execute(statement).await?;
    connection.close().await
}

/// Lets every user get into a folder.
pub fn open_to_all(folder: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}
