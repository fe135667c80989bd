//! A PostgreSQL and its asynchronous standby, behind one address. What the primary acknowledged and the standby has not
//! received is lost when the one is killed and the other takes over.
//!
//! The servers listen on Unix sockets in folders of their own, so that no port can be taken by somebody else meanwhile;
//! the address that the platform knows is a [`Proxy`], which leads to whoever is the primary.

use crate::proxy::Proxy;
use crate::server::open_to_all;
use sqlx::postgres::{PgConnectOptions, Postgres};
use sqlx::{ConnectOptions as _, Decode, Executor as _, PgConnection, Type};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::time::Instant;

/// How long a server may take for anything. One on a busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// Settings of the first primary; the others have them from its copies. Without a name for a synchronous standby there
/// is none. What a killed process has written stays with the machine, so nothing need be forced onto the disk. Shared
/// memory lies in the folder, so that a server that was killed leaves none of it behind.
const SETTINGS: &str = "
listen_addresses = ''
max_connections = 200
fsync = off
synchronous_standby_names = ''
wal_retrieve_retry_interval = '100ms'
dynamic_shared_memory_type = mmap
timezone = 'UTC'
";

/// A primary and, most of the time, a standby that follows it. Both end with this value.
#[derive(Debug)]
pub struct Pair {
    programs: Programs,
    folder: PathBuf,
    proxy: Proxy,
    primary: Server,
    standby: Option<Server>,
    /// How many servers there have been.
    made: u32,
    watchdog: Child,
}

/// PostgreSQL's programs, and who may run them.
#[derive(Debug)]
struct Programs {
    folder: PathBuf,
    /// None when that is the user we run as ourselves.
    switch: Option<(u32, u32)>,
}

/// One of the two: a folder with its data, its socket and its log.
#[derive(Debug)]
struct Server {
    folder: PathBuf,
}

impl Pair {
    /// Starts both, with a migrated database.
    pub async fn start() -> Pair {
        let programs = Programs::find().await;
        let prefix = tempfile::Builder::new().prefix("viral-pair-").tempdir();
        let folder = prefix.unwrap().keep();
        // PostgreSQL does not run as root: its own user must get through.
        open_to_all(&folder);
        let watchdog = watch_over(&folder);
        let mut pair = Pair {
            primary: Server::new(&folder, 1, &programs),
            standby: None,
            proxy: Proxy::listen().await,
            made: 1,
            programs,
            folder,
            watchdog,
        };
        let data = pair.primary.data();
        let options = "-U postgres -A trust -E UTF8 --locale=C --no-sync";
        pair.programs.run("initdb", options, &["-D", text(&data)]).await;
        let mut settings = std::fs::File::options()
            .append(true)
            .open(data.join("postgresql.conf"))
            .unwrap();
        settings.write_all(SETTINGS.as_bytes()).unwrap();
        pair.primary.start(&pair.programs).await;
        pair.primary.execute("CREATE DATABASE viral").await;
        pair.open();
        viral_store::postgres::migrate(&pair.url()).await.unwrap();
        pair.add_standby().await;
        pair
    }

    /// The database, for the superuser, at whoever is the primary: the address that the platform is given.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/viral", self.proxy.port())
    }

    /// The database at the present primary, past the proxy.
    pub fn direct_url(&self) -> String {
        format!(
            "postgres://postgres@localhost/viral?host={}",
            text(&self.primary.folder)
        )
    }

    /// Waits until the standby has everything that was committed before this call.
    pub async fn caught_up(&self) {
        // A commit after all the others: once it is there, they are.
        let end: String = self
            .primary
            .ask("SELECT pg_logical_emit_message(true, 'caught up', '')::text")
            .await;
        let there = format!("SELECT coalesce(pg_last_wal_replay_lsn() >= '{end}', false)");
        self.standby().until(&there).await;
    }

    /// From here on the standby receives nothing more; the primary goes on, and knows nothing of it.
    pub async fn stop_replication(&self) {
        self.standby().execute("ALTER SYSTEM SET primary_conninfo = ''").await;
        self.standby().execute("SELECT pg_reload_conf()").await;
        self.standby()
            .until("SELECT NOT EXISTS (SELECT FROM pg_stat_wal_receiver)")
            .await;
        self.primary
            .until("SELECT NOT EXISTS (SELECT FROM pg_stat_replication)")
            .await;
    }

    /// The primary is killed and the standby takes over. Nobody gets in by the proxy before [`Pair::open`].
    pub async fn promote(&mut self) {
        self.proxy.lead_to(None);
        self.primary.kill().await;
        self.primary = self.standby.take().expect("there is a standby");
        assert!(
            self.primary.ask::<bool>("SELECT pg_promote(true, 60)").await,
            "it was not promoted in time"
        );
        self.primary.until("SELECT NOT pg_is_in_recovery()").await;
    }

    /// The proxy leads to the primary.
    pub fn open(&self) {
        self.proxy.lead_to(Some(&self.primary.socket()));
    }

    /// Both at once, as operators mean it.
    pub async fn fail_over(&mut self) {
        self.promote().await;
        self.open();
    }

    /// Makes a standby of the primary, for the next failover.
    pub async fn add_standby(&mut self) {
        assert!(self.standby.is_none(), "there is one already");
        self.made += 1;
        let server = Server::new(&self.folder, self.made, &self.programs);
        let (data, from) = (server.data(), text(&self.primary.folder));
        let options = "-U postgres -R -X stream -c fast --no-sync";
        let copy = ["-h", from, "-D", text(&data)];
        self.programs.run("pg_basebackup", options, &copy).await;
        server.start(&self.programs).await;
        server
            .until("SELECT EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')")
            .await;
        self.standby = Some(server);
    }

    fn standby(&self) -> &Server {
        self.standby.as_ref().expect("there is a standby")
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        // Closing its input is the signal; then wait, so that the folder is gone.
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

impl Server {
    fn new(parent: &Path, number: u32, programs: &Programs) -> Server {
        let folder = parent.join(number.to_string());
        std::fs::create_dir(&folder).unwrap();
        if let Some((user, group)) = programs.switch {
            std::os::unix::fs::chown(&folder, Some(user), Some(group)).unwrap();
        }
        Server { folder }
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn socket(&self) -> PathBuf {
        self.folder.join(".s.PGSQL.5432")
    }

    /// Starts it and waits until it takes connections.
    async fn start(&self, programs: &Programs) {
        let (data, log) = (self.data(), self.folder.join("log"));
        // Whatever PGPORT says.
        let options = format!("-p 5432 -k {}", text(&self.folder));
        let arguments = ["-D", text(&data), "-l", text(&log), "-o", &options];
        programs.run("pg_ctl", "start -s -w", &arguments).await;
    }

    /// kill -9 of the server and all that it has started.
    async fn kill(&self) {
        let file = self.data().join("postmaster.pid");
        let content = std::fs::read_to_string(&file).unwrap();
        let pid = content.lines().next().unwrap().trim();
        // A server that is killed leaves the segment by which it is known as running.
        let segment = content
            .lines()
            .nth(6)
            .and_then(|line| line.split_whitespace().nth(1))
            .unwrap();
        let script = "kill -9 \"$1\" $(pgrep -P \"$1\"); ipcrm -m \"$2\" || true";
        let mut command = Command::new("sh");
        command.args(["-c", script, "kill", pid, segment]).stderr(Stdio::null());
        assert!(command.status().await.unwrap().success());
        let deadline = Instant::now() + PATIENCE;
        while UnixStream::connect(self.socket()).await.is_ok() {
            assert!(Instant::now() < deadline, "process {pid} lives");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // So that nobody else is taken for it later.
        std::fs::remove_file(file).unwrap();
        // What its last moments left behind goes with the parent.
        let _ = std::fs::remove_dir_all(&self.folder);
    }

    async fn connect(&self) -> PgConnection {
        let options = PgConnectOptions::new_without_pgpass().socket(&self.folder).port(5432);
        options
            .username("postgres")
            .database("postgres")
            .connect()
            .await
            .unwrap()
    }

    async fn execute(&self, statement: &str) {
        self.connect().await.execute(statement).await.unwrap();
    }

    async fn ask<T>(&self, query: &str) -> T
    where
        T: for<'r> Decode<'r, Postgres> + Type<Postgres> + Send + Unpin,
    {
        sqlx::query_scalar(query)
            .fetch_one(&mut self.connect().await)
            .await
            .unwrap()
    }

    /// Waits until a query answers true.
    async fn until(&self, query: &str) {
        let (mut connection, deadline) = (self.connect().await, Instant::now() + PATIENCE);
        while !sqlx::query_scalar::<_, bool>(query)
            .fetch_one(&mut connection)
            .await
            .unwrap()
        {
            assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {query}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Programs {
    /// Finds an installation that can copy a running server: one that was fetched cannot.
    async fn find() -> Programs {
        let mut folders: Vec<PathBuf> = std::env::var_os("VIRAL_POSTGRES_BIN")
            .map(PathBuf::from)
            .into_iter()
            .collect();
        let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let mut installed: Vec<PathBuf> = installed.map(|entry| entry.path().join("bin")).collect();
        installed.sort();
        folders.extend(installed.into_iter().rev());
        folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        let programs = ["initdb", "pg_ctl", "postgres", "pg_basebackup"];
        let complete = |folder: &PathBuf| programs.iter().all(|program| folder.join(program).is_file());
        let folder = folders.into_iter().find(complete);
        Programs {
            folder: folder.expect(
                "no PostgreSQL with pg_basebackup was found: install one (on Debian and Ubuntu: \
                 sudo apt-get install postgresql), or name its folder of programs in VIRAL_POSTGRES_BIN",
            ),
            switch: match id("-u", None).await {
                0 => Some((id("-u", Some("postgres")).await, id("-g", Some("postgres")).await)),
                _ => None,
            },
        }
    }

    async fn run(&self, program: &str, options: &str, arguments: &[&str]) {
        let mut command = Command::new(self.folder.join(program));
        // PGDATA, PGPORT and the like are meant for some other cluster, and our own folder may be closed to its user.
        command
            .args(options.split_whitespace())
            .args(arguments)
            .env_clear()
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::null());
        if let Some((user, group)) = self.switch {
            command.uid(user).gid(group);
        }
        let output = command.output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {said}");
    }
}

/// What `id` says of a user, or of us.
async fn id(what: &str, user: Option<&str>) -> u32 {
    let output = Command::new("id").arg(what).args(user).output().await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    said.trim()
        .parse()
        .unwrap_or_else(|_| panic!("there is no user {user:?}, as whom PostgreSQL could run"))
}

/// Ends the servers in a folder and removes it when this process ends, in whatever way: then its standard input closes. A
/// signal to the whole group, as Ctrl-C sends it, must not end it first. QUIT is an immediate shutdown.
fn watch_over(folder: &Path) -> Child {
    let script = "trap '' TERM INT HUP; read -r _; \
         for it in \"$1\"/*/data/postmaster.pid; do kill -QUIT \"$(head -n 1 \"$it\")\"; done; sleep 0.2; rm -rf \"$1\"";
    let mut command = std::process::Command::new("sh");
    command.args(["-c", script, "watchdog"]).arg(folder);
    command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
