//! Where the events come from that a tool reads: the store, or a copy of the log that needs no database.

use crate::args::{Source, SourceArgs};
use crate::database::{Database, Purpose};
use crate::error::Error;
use crate::progress::OnStderr;
use std::path::Path;
use std::sync::Arc;
use viral_audit::lines;
use viral_store::{EventStore, SpooledLog};

/// An open log.
pub(crate) struct OpenSource {
    pub(crate) log: Arc<dyn EventStore>,
    database: Option<Database>,
}

/// What the arguments name.
enum Place<'a> {
    Store,
    File(&'a Path),
}

fn place(args: &SourceArgs) -> Result<Place<'_>, Error> {
    match (args.source, args.file.as_deref()) {
        (Some(Source::File) | None, Some(file)) => Ok(Place::File(file)),
        (Some(Source::Store) | None, None) => Ok(Place::Store),
        (Some(Source::File), None) => Err(Error::Usage("--source file needs a --file")),
        (Some(Source::Store), Some(_)) => Err(Error::Usage("--file goes with --source file")),
    }
}

impl OpenSource {
    /// Opens what the arguments name. Only the store needs a database; nothing is made or started for a copy.
    pub(crate) async fn open(home: &Path, args: &SourceArgs) -> Result<OpenSource, Error> {
        if let Place::Store = place(args)? {
            let database = Database::open(home, Purpose::Read).await?;
            return Ok(OpenSource {
                log: database.store(),
                database: Some(database),
            });
        }
        Ok(OpenSource {
            log: Arc::new(spool(args).await?),
            database: None,
        })
    }

    pub(crate) async fn close(self) -> Result<(), Error> {
        drop(self.log);
        match self.database {
            Some(database) => database.close().await,
            None => Ok(()),
        }
    }
}

/// The copy of the log that the arguments name, read to its end.
pub(crate) async fn spool(args: &SourceArgs) -> Result<SpooledLog, Error> {
    match place(args)? {
        Place::Store => Err(Error::Usage(
            "name the copy: --source file --file FILE; the store itself is what it is restored to",
        )),
        Place::File(file) => Ok(lines::spool(file, &OnStderr::new()).await?),
    }
}
