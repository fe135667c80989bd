//! `viral up`: every role in one process.

use crate::args::{FeedFrom, UpArgs};
use crate::database::Database;
use crate::embedded::Postgres;
use crate::error::Error;
use crate::front::Front;
use crate::metrics::{self, Metrics};
use crate::{continuity, engagement, opening, platform, published, running};
use std::future::Future;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use viral_api::AppState;
use viral_commands::Engagement;
use viral_kafka::Cluster;
use viral_projections::Checkpoints;
use viral_projections::queries::ReadModels;
use viral_workers::Workers;

/// How often the embedded server is looked at; less often while it cannot be started.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_secs(30);

/// How long the writer may take to end after the API has.
const WRITER_GRACE: Duration = Duration::from_secs(5);

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Roles {
    /// Answers HTTP.
    api: bool,
    /// Writes the read models.
    project: bool,
    /// Does what follows by itself.
    work: bool,
    /// Publishes the log, where there is a Kafka.
    relay: bool,
}

impl Roles {
    /// Everything.
    pub(crate) const ALL: Roles = Roles {
        api: true,
        project: true,
        work: true,
        relay: true,
    };
    /// Only HTTP.
    pub(crate) const API: Roles = Roles {
        api: true,
        project: false,
        work: false,
        relay: false,
    };
    /// Only the read models.
    pub(crate) const PROJECT: Roles = Roles {
        api: false,
        project: true,
        work: false,
        relay: false,
    };
    /// Only the workers.
    pub(crate) const WORK: Roles = Roles {
        api: false,
        project: false,
        work: true,
        relay: false,
    };
    /// Only the relay.
    pub(crate) const RELAY: Roles = Roles {
        api: false,
        project: false,
        work: false,
        relay: true,
    };

    fn appends(self) -> bool {
        self.api || self.work
    }
}

/// Runs until it is told to stop (SIGINT, SIGTERM, SIGHUP); what was accepted is answered first.
pub(crate) async fn run(home: &Path, roles: Roles, args: UpArgs) -> Result<(), Error> {
    // The port first: nothing is started for a platform that cannot be reached.
    let front = match roles.api {
        true => Some(Front::open(home, &args).await?),
        false => None,
    };
    let metrics = match args.follow.watch.metrics {
        Some(address) => Some(metrics::bind(address).await?),
        None => None,
    };
    let cluster = published::cluster(home);
    if roles == Roles::RELAY {
        published::needed_cluster(home)?;
    }
    let url = front.as_ref().map(|front| front.url());
    let mut stop = Stop::new()?;
    let database = tokio::select! {
        opened = opening::open(home, &args, roles.appends()) => opened?,
        () = stop.wait() => return Ok(()),
    };
    let started = tokio::select! {
        started = start(home, roles, &args, &database, Sockets { front, metrics }, cluster) => started,
        () = stop.wait() => return database.close().await,
    };
    let ended = started?.until(&mut stop, &database).await;
    continuity::remember(home, database.store().as_ref());
    if let Some(url) = url {
        running::forget(home, &url);
    }
    database.close().await?;
    ended
}

/// The sockets, bound before anything is started.
struct Sockets {
    front: Option<Front>,
    metrics: Option<TcpListener>,
}

/// Everything that runs. Each part ends when `stop` says so, the writer when everybody who appends has ended.
struct Running {
    stop: watch::Sender<bool>,
    parts: JoinSet<Ended>,
}

/// A part that has ended, and how.
type Ended = (&'static str, Result<(), Error>);

const WRITER: &str = "the writer";

async fn start(
    home: &Path,
    roles: Roles,
    args: &UpArgs,
    database: &Database,
    Sockets { front, metrics }: Sockets,
    cluster: Option<Cluster>,
) -> Result<Running, Error> {
    let (stop, stopped) = watch::channel(false);
    let parts = JoinSet::new();
    let mut running = Running { stop, parts };
    let kept = continuity::keep(home.to_owned(), database.background(), stopped.clone());
    running.add("the keeper of the checkpoint", kept);
    let relay = cluster.filter(|_| roles.relay).map(|cluster| {
        let relay = published::relay(&cluster, database);
        (cluster, relay)
    });
    if let Some(listener) = metrics {
        let metrics = Metrics {
            store: database.background(),
            pool: database.pool_for_background(),
            relay: relay.as_ref().map(|(_, relay)| relay.status()),
        };
        let stopped = told_to_stop(stopped.clone());
        running.add("metrics", metrics::serve(listener, metrics, stopped));
    }
    if let Some((cluster, relay)) = relay {
        let stopped = stopped.clone();
        match roles == Roles::RELAY {
            true => running.add("the relay", published::run_alone(relay, stopped)),
            false => running.add("the relay", published::run_beside(cluster, relay, stopped)),
        }
    }
    if roles == Roles::RELAY {
        return Ok(running);
    }
    let feeds = published::feeds(home, database, args.follow.feed)?;
    let vault = platform::vault(home, database, platform::may_create_master_key(database, args)).await?;
    let pool = viral_projections::connect(database.app_url())?;
    let projector = platform::projector(database, pool, &vault).with_feeds(feeds.clone());
    // So that reads find their tables from the first moment on, whoever fills them.
    projector.prepare().await?;
    if roles.project {
        let stopped = stopped.clone();
        running.add("the projector", async move { Ok(projector.run(stopped).await?) });
    }
    if let Some(clickhouse) = platform::clickhouse(home)?.filter(|_| roles.project) {
        let pool = viral_projections::connect(database.app_url())?;
        let mut projector = platform::clickhouse_projector(database, pool, clickhouse).with_feeds(feeds.clone());
        // A role on its own finds what `viral migrate` made.
        if roles == Roles::ALL {
            projector = projector.migrating();
        }
        let stopped = stopped.clone();
        running.add("the projector of ClickHouse", async move {
            projector.run(stopped).await;
            Ok(())
        });
    }
    if roles.project
        && let Some(carrier) = engagement::carrier(home, database)?
    {
        let stopped = stopped.clone();
        running.add("the carrier of measurements", async move {
            carrier.run(stopped).await;
            Ok(())
        });
    }
    if !roles.appends() {
        return Ok(running);
    }
    let secret = args.dev.then(|| vault.secret("viral dev tokens 1"));
    let (commands, writer) = platform::commands(database, vault, args.dev).await?;
    running.add(WRITER, async move {
        writer.await.map_err(|error| Error::Other(error.to_string()))
    });
    if roles.work {
        let due = ReadModels::new(database.pool_for_background(), database.background());
        let workers = Workers::new(commands.clone(), due).with_feeds(feeds);
        let stopped = told_to_stop(stopped.clone());
        running.add("the workers", async move {
            workers.run(stopped).await;
            Ok(())
        });
    }
    if let Some(front) = front {
        running::remember(home, &front.url());
        announce(home, args, database, front.address, front.made.as_deref());
        let (front, tokens) = front.take();
        let read_models = ReadModels::new(database.pool_for_reads(), database.reads());
        let mut state = AppState::new(commands, tokens)
            .with_limits(args.limits.limits())
            .with_reads(database.reads())
            .with_read_models(read_models.with_measurements(engagement::measurements(home)?))
            .with_engagement(Engagement::new(database.reads(), engagement::sink(home, database)?))
            .with_progress(Arc::new(Checkpoints::new(database.pool_for_reads())));
        if let Some(secret) = secret {
            state = state.with_dev_tokens(secret);
        }
        running.add("the API", async move {
            viral_api::serve(front.listener().await?, state, told_to_stop(stopped)).await;
            Ok(())
        });
    }
    Ok(running)
}

async fn told_to_stop(mut stopped: watch::Receiver<bool>) {
    // An error means that nobody is there any more who could say so: a reason to stop as well.
    let _ = stopped.wait_for(|stop| *stop).await;
}

impl Running {
    fn add(&mut self, name: &'static str, part: impl Future<Output = Result<(), Error>> + Send + 'static) {
        let task = tokio::spawn(part);
        self.parts.spawn(async move {
            let ended = task.await.unwrap_or_else(|error| Err(Error::Other(error.to_string())));
            (name, ended)
        });
    }

    /// Waits for the signal to stop, or for a part that ends by itself, which none should; then ends everything.
    async fn until(mut self, stop: &mut Stop, database: &Database) -> Result<(), Error> {
        let unexpected = tokio::select! {
            () = stop.wait() => None,
            () = keep_alive(database.server()) => None,
            ended = self.parts.join_next() => ended.and_then(Result::ok),
        };
        let mut result = match unexpected {
            None => Ok(()),
            Some((part, ended)) => {
                // Whoever started us starts us anew: half a platform is worse than none.
                let how = ended.map_or_else(|error| error.to_string(), |()| "without an error".to_owned());
                tracing::error!(part, how, "ended by itself, stopping");
                let text = format!("{part} ended unexpectedly ({how}): see the log, then start again");
                Err(Error::Other(text))
            }
        };
        // An error means that nobody listens any more.
        let _ = self.stop.send(true);
        while let Some(ended) = self.next_to_end().await {
            if let (_, Err(error)) = ended
                && result.is_ok()
            {
                result = Err(error);
            }
        }
        result
    }

    /// The next part that ends. The writer is the last, with its last handle: a connection that is cut off in the middle
    /// of a request may keep one.
    async fn next_to_end(&mut self) -> Option<Ended> {
        let last = self.parts.len() == 1;
        let ended = match last {
            true => tokio::time::timeout(WRITER_GRACE, self.parts.join_next()).await,
            false => Ok(self.parts.join_next().await),
        };
        let Ok(ended) = ended else {
            tracing::warn!("a connection is still open; what it was told is in the log");
            return None;
        };
        ended.and_then(Result::ok)
    }
}

/// Starts the embedded server again when it has died, for as long as the platform runs.
async fn keep_alive(server: Option<&Postgres>) {
    let mut pause = LOOK_EVERY;
    loop {
        tokio::time::sleep(pause).await;
        let Some(server) = server else { continue };
        match server.is_running() {
            Ok(true) => {
                pause = LOOK_EVERY;
                continue;
            }
            Ok(false) => {}
            Err(error) => {
                tracing::error!(%error, "whether PostgreSQL runs cannot be seen");
                pause = (pause * 2).min(LOOK_AT_LEAST_EVERY);
                continue;
            }
        }
        tracing::error!(
            "PostgreSQL has ended: {} says why; it is started again",
            server.log_file().display()
        );
        match server.restart().await {
            Ok(()) => tracing::info!("PostgreSQL is up again"),
            Err(error) => {
                tracing::error!(%error, "PostgreSQL does not start");
                pause = (pause * 2).min(LOOK_AT_LEAST_EVERY);
            }
        }
    }
}

/// Says where everything is and what to try next. This is for people: programs read `viral doctor --json`.
fn announce(home: &Path, args: &UpArgs, database: &Database, address: SocketAddr, made: Option<&str>) {
    let mut text = format!("Viral Engine is up: http://{address}\n");
    match database.server() {
        Some(server) => text.push_str(&format!(
            "  PostgreSQL {} {} in {}\n",
            server.version(),
            if server.adopted() { "was running" } else { "started" },
            server.data_dir().display()
        )),
        None => text.push_str("  PostgreSQL of DATABASE_URL\n"),
    }
    if let Some(log) = database.log_elsewhere() {
        text.push_str(&format!("  log in {log}\n"));
    }
    if let Some(cluster) = published::cluster(home) {
        text.push_str(&format!("  published to Kafka at {}\n", cluster.brokers()));
        if args.follow.feed == FeedFrom::Kafka {
            text.push_str("  read models and workers follow Kafka\n");
        }
    }
    if let Ok(Some(clickhouse)) = platform::clickhouse(home) {
        text.push_str(&format!("  analytics in ClickHouse at {clickhouse}\n"));
    }
    if args.dev {
        let (told, token) = match made {
            Some(token) => (token, token),
            None => ("of VIRAL_API_TOKEN", "$VIRAL_API_TOKEN"),
        };
        text.push_str(&format!(
            "  token {told}\n\nTry next:\n  \
             export TOKEN={token}\n  \
             curl http://{address}/readyz\n  \
             viral demo                         (in another terminal; the binary is {0})\n  \
             http://{address}/docs              (every call, in a browser)\n  \
             curl -H \"Authorization: Bearer $TOKEN\" http://{address}/v1/ledger/trial-balance\n  \
             viral import journal FILE.csv\n  \
             viral audit verify\n  \
             docs/API.md has the calls with curl. Stop with Ctrl-C.\n",
            std::env::current_exe().map_or_else(|_| "viral".to_owned(), |path| path.display().to_string())
        ));
        if home != Path::new(".viral") {
            text.push_str(&format!("  (with VIRAL_HOME={})\n", home.display()));
        }
    }
    // A closed standard output is no reason to stop serving.
    let _ = std::io::stdout().write_all(text.as_bytes());
    let _ = std::io::stdout().flush();
}

/// The signals that ask us to stop.
struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// The terminal was closed.
    hangup: tokio::signal::unix::Signal,
}

impl Stop {
    fn new() -> Result<Stop, Error> {
        let listen = |kind| signal(kind).map_err(Error::io("listening for signals"));
        Ok(Stop {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}
