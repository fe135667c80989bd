//! `viral up`: every role in one process.

use crate::args::UpArgs;
use crate::database::{Database, Purpose};
use crate::embedded::Postgres;
use crate::error::Error;
use crate::token;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use viral_api::{AppState, Role, Tokens};
use viral_commands::{Settings, Writer};

/// How often the embedded server is looked at; less often while it cannot be started.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_secs(30);

/// How long the writer may take to end after the API has.
const WRITER_GRACE: Duration = Duration::from_secs(5);

/// Runs until it is told to stop (SIGINT, SIGTERM, SIGHUP); what was accepted is answered first.
pub(crate) async fn run(home: &Path, args: &UpArgs) -> Result<(), Error> {
    // The port first: nothing is started for a platform that cannot be reached.
    let listener = TcpListener::bind(args.listen).await.map_err(Error::io(format!(
        "cannot listen on {}: is `viral up` running already? choose another address with --listen",
        args.listen
    )))?;
    let token = operator_token(home, args)?;
    let mut tokens = Tokens::new();
    tokens
        .add(&token, "operator", Role::Admin)
        .map_err(|e| Error::Other(format!("VIRAL_API_TOKEN: {e}")))?;
    let mut stop = Stop::new()?;

    let database = tokio::select! {
        opened = Database::open(home, Purpose::Run) => opened?,
        () = stop.wait() => return Ok(()),
    };
    let started = tokio::select! {
        started = Writer::start(database.store(), Settings::default()) => started,
        () = stop.wait() => return database.close().await,
    };
    let (writer, mut task) = started?;
    let address = listener.local_addr().map_err(Error::io("the listening socket"))?;
    announce(home, args, &database, address, &token);

    let state = AppState::new(writer, tokens);
    let (stop_serving, serving_stops) = oneshot::channel::<()>();
    let serve = viral_api::serve(listener, state, async move {
        // An error means that the other end is gone, which is a reason to stop as well.
        let _ = serving_stops.await;
    });
    let mut serve = std::pin::pin!(serve);
    let mut writer_died = false;
    let served = tokio::select! {
        served = &mut serve => served,
        ended = &mut task => {
            // It lives as long as the API has a handle: to end before is to have panicked. Without it nothing can be
            // appended, so the process ends, for whoever started it to start it anew.
            tracing::error!(?ended, "the writer ended, stopping");
            writer_died = true;
            drop(stop_serving);
            serve.await
        }
        () = stop.wait() => {
            drop(stop_serving);
            serve.await
        }
        () = keep_alive(database.server()) => Ok(()),
    };
    // The writer ends with its last handle. A connection that is cut off in the middle of a request may keep one.
    if !writer_died && tokio::time::timeout(WRITER_GRACE, task).await.is_err() {
        tracing::warn!("a connection is still open; what it was told is in the log");
    }
    database.close().await?;
    served.map_err(Error::io("serving HTTP"))?;
    match writer_died {
        true => Err(Error::Other(
            "the writer ended unexpectedly: see the log, then start again".to_owned(),
        )),
        false => Ok(()),
    }
}

/// Starts the embedded server again when it has died, for as long as the platform runs.
async fn keep_alive(server: Option<&Postgres>) {
    let mut pause = LOOK_EVERY;
    loop {
        tokio::time::sleep(pause).await;
        let Some(server) = server.filter(|server| server.pid().is_none()) else {
            pause = LOOK_EVERY;
            continue;
        };
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

fn operator_token(home: &Path, args: &UpArgs) -> Result<String, Error> {
    // From the environment only: a command line can be read by everybody on the machine.
    match std::env::var("VIRAL_API_TOKEN").ok().filter(|token| !token.is_empty()) {
        Some(token) => Ok(token),
        None if args.dev => token::kept(home),
        None => Err(Error::Other(
            "set VIRAL_API_TOKEN to the operator's bearer token, or run `viral up --dev`, which makes one".to_owned(),
        )),
    }
}

/// Says where everything is and what to try next. This is for people: programs read `viral doctor --json`.
fn announce(home: &Path, args: &UpArgs, database: &Database, address: std::net::SocketAddr, token: &str) {
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
    if args.dev {
        text.push_str(&format!(
            "  token {token}\n\nTry next:\n  \
             export TOKEN={token}\n  \
             curl http://{address}/readyz\n  \
             curl -H \"Authorization: Bearer $TOKEN\" http://{address}/v1/ledger/trial-balance\n  \
             viral import journal FILE.csv      (in another terminal; the binary is {})\n  \
             viral audit verify\n  \
             docs/API.md has every call with curl. Stop with Ctrl-C.\n",
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
