//! Opening the database of a process that is to run for long: one that cannot be reached yet is waited for, because who
//! starts a container does not know in which order the others come up.

use crate::args::UpArgs;
use crate::continuity;
use crate::database::{self, Database, Purpose};
use crate::error::Error;
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;
use viral_store::StoreError;

/// Pauses between two attempts, from the first to the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// How often it is told that the same is still wrong.
const TELL_EVERY: Duration = Duration::from_secs(30);

/// Opens the log and looks whether it still has what this home has seen of it.
pub(crate) async fn open(home: &Path, args: &UpArgs, appends: bool) -> Result<Database, Error> {
    let mut pause = PAUSES.0;
    let mut told: Option<(String, Instant)> = None;
    loop {
        let error = match attempt(home, args, appends).await {
            Err(error) if is_away(&error) => error.to_string(),
            ended => return ended,
        };
        let known = told
            .as_ref()
            .is_some_and(|(text, at)| *text == error && at.elapsed() < TELL_EVERY);
        if !known {
            tracing::warn!(error, "not ready: waiting for the database");
            told = Some((error, Instant::now()));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

async fn attempt(home: &Path, args: &UpArgs, appends: bool) -> Result<Database, Error> {
    let database = Database::open(home, Purpose::Run).await?.share_out(&args.database);
    match check(home, args, appends, &database).await {
        Ok(()) => Ok(database),
        Err(error) => {
            database.close().await?;
            Err(error)
        }
    }
}

/// The database is the one that is meant: of this log, and used for this.
async fn check(home: &Path, args: &UpArgs, appends: bool, database: &Database) -> Result<(), Error> {
    if appends {
        database.check_environment(args.dev).await?;
    }
    continuity::check(home, database, args.dev).await
}

/// Whether somebody else's server may be there in a moment. Ours says itself why it does not start.
fn is_away(error: &Error) -> bool {
    database::url_from_env().is_some() && matches!(error, Error::Store(StoreError::Unavailable(_)))
}
