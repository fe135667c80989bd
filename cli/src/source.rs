//! Where the events come from that a tool reads: the store, or a copy of the log that needs no database.

use crate::args::{Source, SourceArgs};
use crate::database::{Database, Purpose};
use crate::error::Error;
use crate::progress::OnStderr;
use crate::published;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use viral_audit::lines;
use viral_kafka::Archive;
use viral_store::{EventStore, SpoolWriter, SpooledLog, line};

/// An open log.
pub(crate) struct OpenSource {
    pub(crate) log: Arc<dyn EventStore>,
    database: Option<Database>,
}

/// What the arguments name.
enum Place<'a> {
    Store,
    File(&'a Path),
    Kafka,
}

fn place(args: &SourceArgs) -> Result<Place<'_>, Error> {
    match (args.source, args.file.as_deref()) {
        (Some(Source::File) | None, Some(file)) => Ok(Place::File(file)),
        (Some(Source::Store) | None, None) => Ok(Place::Store),
        (Some(Source::File), None) => Err(Error::Usage("--source file needs a --file")),
        (Some(Source::Kafka), None) => Ok(Place::Kafka),
        (Some(Source::Store | Source::Kafka), Some(_)) => Err(Error::Usage("--file goes with --source file")),
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
            log: Arc::new(spool(home, args).await?),
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
pub(crate) async fn spool(home: &Path, args: &SourceArgs) -> Result<SpooledLog, Error> {
    match place(args)? {
        Place::Store => Err(Error::Usage(
            "name the copy: --source kafka, or --source file --file FILE; the store itself is what it is restored to",
        )),
        Place::File(file) => Ok(lines::spool(file, &OnStderr::new()).await?),
        Place::Kafka => from_kafka(home, args.log.clone()).await,
    }
}

/// Everything that was published, once and in order. What else is in the topics is told; a position that is missing ends
/// the log, with an event that cannot be read.
async fn from_kafka(home: &Path, log: Option<String>) -> Result<SpooledLog, Error> {
    let cluster = published::needed_cluster(home)?;
    let spool = Arc::new(Mutex::new(SpoolWriter::new(None).map_err(spool_error)?));
    let filled = spool.clone();
    let chosen = log.is_some();
    let archive = viral_kafka::read_all(&cluster, log, move |source, event| {
        let line = line::to_line(event, source).map_err(|error| error.to_string())?;
        let mut spool = filled.lock().unwrap_or_else(PoisonError::into_inner);
        spool.push(&line).map_err(|error| error.to_string())
    });
    let archive = archive.await?;
    // The thread that filled it has ended, and dropped its handle.
    let spool = Arc::into_inner(spool).ok_or_else(|| Error::Other("the copy is still being filled".to_owned()))?;
    let spool = spool.into_inner().unwrap_or_else(PoisonError::into_inner);
    if !chosen && !archive.others.is_empty() {
        return Err(several_logs(&archive));
    }
    tell(&archive);
    if let Some((missing, next)) = archive.gap {
        let mut problem = format!("Kafka has position {next}, but not {missing}");
        if let Some((first, last)) = archive.incomplete_unit {
            problem.push_str(&format!(
                "; positions {first} to {last} are there, but their unit is not complete"
            ));
        }
        return spool.finish_damaged(problem).map_err(spool_error);
    }
    if archive.position.0 == 0 {
        let brokers = cluster.brokers();
        return Err(Error::Other(format!("no event was published to Kafka at {brokers}")));
    }
    spool.finish().map_err(spool_error)
}

fn spool_error(error: viral_store::SpoolError) -> Error {
    Error::Other(error.to_string())
}

/// Which of them is meant nobody but the caller can know.
fn several_logs(archive: &Archive) -> Error {
    let logs = std::iter::once(&archive.source).chain(archive.others.keys());
    let logs: Vec<&str> = logs.map(String::as_str).collect();
    Error::Other(format!(
        "the topics have events of several logs, choose one with --log: {}",
        logs.join(", ")
    ))
}

/// What an auditor should know of the topics beside the log.
fn tell(archive: &Archive) {
    let Archive {
        source,
        records,
        duplicates,
        unreadable,
        ..
    } = archive;
    eprintln!("read {records} records from Kafka, {duplicates} of them repeated, of {source}");
    if let Some((first, last)) = archive.incomplete_unit {
        eprintln!("left out: positions {first} to {last}, of a unit whose end is not published (yet)");
    }
    for record in &archive.listed {
        let (topic, partition, offset, problem) = (&record.topic, record.partition, record.offset, &record.problem);
        eprintln!("left out: {topic} partition {partition} offset {offset}: {problem}");
    }
    let more = unreadable.saturating_sub(archive.listed.len() as u64);
    if more > 0 {
        eprintln!("left out: {more} more records that are no events of this log");
    }
}
