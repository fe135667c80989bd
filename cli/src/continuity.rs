//! What a home remembers of a log, outside of its database: a log that went back while nobody ran is noticed at the next
//! start, and a clock that was set as well.
//!
//! One file for each log, `logs/<id>.json`, rewritten once a second while there are new events. A start that finds the log
//! without the event in it stops until an operator has looked and accepts that (`viral log accept`).

use crate::args::AcceptArgs;
use crate::database::Database;
use crate::error::Error;
use crate::run::print;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;
use viral_commands::writer::{Uptime, leap, read_clock, uptime};
use viral_commands::{Settings, Writer, acceptance};
use viral_store::continuity::{ClockReading, WentBack};
use viral_store::{Checkpoint, EventStore, Position, StoreError};

/// How often the file is rewritten and the head compared: a start finds what was there a second ago.
const EVERY: Duration = Duration::from_secs(1);
/// Whether the file could not be written the last time.
static FAILS: AtomicBool = AtomicBool::new(false);

/// The file's content.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Remembered {
    log: String,
    #[serde(with = "decimal")]
    position: u64,
    event_id: Uuid,
    recorded_at: DateTime<Utc>,
    digest: Option<String>,
    clock: Option<RememberedClock>,
}

/// What the clock of the log's server said, and this machine's uptime then. It means nothing after the machine was
/// started again.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct RememberedClock {
    time: DateTime<Utc>,
    asked_micros: u64,
    answered_micros: u64,
    boot: String,
    #[serde(with = "decimal")]
    position: u64,
}

mod decimal {
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Remembered {
    fn of(log: &str, at: &Checkpoint, clock: Option<ClockReading>) -> Remembered {
        let micros = |uptime: Duration| u64::try_from(uptime.as_micros()).unwrap_or(u64::MAX);
        Remembered {
            log: log.to_owned(),
            position: at.position.0,
            event_id: at.event_id,
            recorded_at: at.recorded_at,
            digest: at.digest.map(|digest| digest.to_string()),
            clock: clock.zip(boot()).map(|(reading, boot)| RememberedClock {
                time: reading.time,
                asked_micros: micros(reading.asked),
                answered_micros: micros(reading.answered),
                boot,
                position: reading.position.0,
            }),
        }
    }

    fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            position: Position(self.position),
            event_id: self.event_id,
            recorded_at: self.recorded_at,
            digest: self.digest.as_deref().and_then(|digest| digest.parse().ok()),
        }
    }

    fn clock(&self) -> Option<ClockReading> {
        let clock = self
            .clock
            .as_ref()
            .filter(|clock| Some(&clock.boot) == boot().as_ref())?;
        Some(ClockReading {
            time: clock.time,
            asked: Duration::from_micros(clock.asked_micros),
            answered: Duration::from_micros(clock.answered_micros),
            position: Position(clock.position),
        })
    }
}

/// Tells one life of this machine from another.
fn boot() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

fn path(home: &Path, source: &str) -> PathBuf {
    let id = source.rsplit(':').next().unwrap_or_default();
    home.join("logs").join(format!("{id}.json"))
}

fn read(path: &Path) -> Result<Option<Remembered>, Error> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io(format!("{} cannot be read", path.display()))(error)),
    };
    serde_json::from_str(&text).map(Some).map_err(|error| {
        Error::Other(format!(
            "{} cannot be read ({error}): it says which events this home has seen. Compare the log with a copy that you \
             trust, then remove the file",
            path.display()
        ))
    })
}

fn write(path: &Path, remembered: &Remembered) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(path);
    let written = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        // Written beside and renamed: a kill leaves the old one or the new one.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(serde_json::to_string_pretty(remembered)?.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        std::fs::File::open(folder)?.sync_all()
    };
    written().map_err(Error::io(format!("{} cannot be written", path.display())))
}

/// What was seen before and is not in the log.
struct Missing {
    seen: Checkpoint,
    head: Position,
}

/// Whether the log lost what this home has seen, or what its read models contain, and nobody accepted that.
pub(crate) async fn went_back(home: &Path, store: &dyn EventStore, pool: &PgPool) -> Result<Option<WentBack>, Error> {
    let missing = missing(home, store, pool).await?;
    Ok(missing.map(|missing| WentBack::new(missing.seen.position, missing.head)))
}

async fn missing(home: &Path, store: &dyn EventStore, pool: &PgPool) -> Result<Option<Missing>, Error> {
    let remembered = read(&path(home, store.source()))?;
    let of_read_models = viral_projections::furthest(pool).await?;
    for seen in remembered.iter().map(Remembered::checkpoint).chain(of_read_models) {
        let head = store.head().await?.position;
        // Of an old read model only the position is known.
        let there = match seen.event_id.is_nil() {
            true => seen.position <= head,
            false => store.has(&seen).await?,
        };
        if !there && !acceptance::is_history_accepted(store, &seen).await? {
            return Ok(Some(Missing { seen, head }));
        }
    }
    Ok(None)
}

/// Stops a process that would decide by a log which lost what was seen of it before.
pub(crate) async fn check(home: &Path, database: &Database, dev: bool) -> Result<(), Error> {
    let store = database.store();
    if let Some(went_back) = went_back(home, &*store, &database.pool()).await? {
        return Err(match dev {
            true => Error::Other(format!(
                "{went_back}\n\n  viral --home {} log accept --reason 'what happened'\n",
                home.display()
            )),
            false => Error::Store(StoreError::WentBack(went_back)),
        });
    }
    let path = path(home, store.source());
    if let Some(remembered) = read(&path)? {
        if let Some(clock) = remembered.clock() {
            store.continuity().set_clock(clock);
        }
        // What was lost and accepted is not to be looked for again.
        let at = remembered.checkpoint();
        if store.has(&at).await? {
            store.continuity().saw(at);
        }
    }
    Ok(())
}

/// Keeps the file up to date and looks at the head, until `stop` says true.
pub(crate) async fn keep(
    home: PathBuf,
    store: Arc<dyn EventStore>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), Error> {
    loop {
        let look = async {
            tokio::time::sleep(EVERY).await;
            // An idle process notices it as well. What else goes wrong with the store is told by whoever needs it.
            let _ = store.head_on().await;
        };
        tokio::select! {
            () = look => {}
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
        }
        remember(&home, store.as_ref());
    }
}

/// Writes down how far this process has seen the log, unless another one of this home has seen more.
pub(crate) fn remember(home: &Path, store: &dyn EventStore) {
    let (path, continuity) = (path(home, store.source()), store.continuity());
    let at = continuity.furthest();
    if at.position == Position::START || continuity.went_back().is_some() {
        return;
    }
    let before = read(&path).ok().flatten();
    if before
        .as_ref()
        .is_some_and(|before| before.position > at.position.0 && before.recorded_at > at.recorded_at)
    {
        return;
    }
    // A process that never looks at the clock knows less of it than another one of this home.
    let of_file = before.as_ref().and_then(Remembered::clock);
    let clock = continuity
        .clock()
        .into_iter()
        .chain(of_file)
        .max_by_key(|clock| clock.answered);
    let remembered = Remembered::of(store.source(), &at, clock);
    if before.as_ref() == Some(&remembered) {
        return;
    }
    let written = write(&path, &remembered);
    // Told once: this is done again every second.
    let told = FAILS.swap(written.is_err(), Ordering::Relaxed);
    if let (Err(error), false) = (written, told) {
        tracing::warn!(%error, "a restart would not notice a log that went back");
    }
}

/// `viral log accept`.
pub(crate) async fn accept(home: &Path, database: &Database, args: &AcceptArgs) -> Result<bool, Error> {
    let store = database.store();
    let path = path(home, store.source());
    let remembered = read(&path)?;
    let clock = remembered.as_ref().and_then(Remembered::clock);
    let missing = missing(home, &*store, &database.pool()).await?;
    let nothing = match (args.clock, &missing) {
        (false, None) => {
            Some("no events are missing, or that was accepted already. For a clock that was set add --clock")
        }
        (true, _) => match (clock, read_clock(&*store, &(Arc::new(uptime) as Uptime)).await?) {
            (Some(last), Some(now)) if leap(last, now).is_none() => Some("the clock of the log's server was not set"),
            _ => None,
        },
        (false, Some(_)) => None,
    };
    if let Some(nothing) = nothing {
        print(&format!("nothing to accept for {}: {nothing}\n", home.display()))?;
        return Ok(true);
    }
    if let Some(clock) = clock.filter(|_| !args.clock) {
        // A clock that was set as well is accepted for itself, before this event is stamped with it.
        store.continuity().set_clock(clock);
    }
    let (writer, _task) = Writer::start(store.clone(), Settings::default()).await?;
    let accepted = match &missing {
        Some(missing) if !args.clock => {
            acceptance::accept_history(&writer, &args.by, &args.reason, &missing.seen).await
        }
        _ => acceptance::accept_clock(&writer, &args.by, &args.reason).await,
    };
    let outcome = accepted.map_err(|error| Error::Other(error.to_string()))?;
    let at = store.continuity().furthest();
    let position = outcome.events().first().map_or(at.position, |event| event.position);
    let clock = store
        .continuity()
        .clock()
        .map(|clock| ClockReading { position, ..clock });
    // What is missing is still to be accepted where only the clock was.
    let seen = match (&remembered, args.clock) {
        (Some(remembered), true) => remembered.checkpoint(),
        _ => at,
    };
    write(&path, &Remembered::of(store.source(), &seen, clock))?;
    print(&match missing.filter(|_| !args.clock) {
        Some(Missing { seen, head }) => format!(
            "accepted at position {position}: the log goes on from position {head}, without what was seen up to {}. Run \
             `viral projections list`, rebuild the read models that are ahead (`viral projections rebuild NAME`), and start \
             every process of the platform again\n",
            seen.position
        ),
        None => format!(
            "accepted at position {position}: the clock of the log's server is right. Running processes go on by themselves\n"
        ),
    })?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let home = tempfile::tempdir().unwrap();
        let path = path(home.path(), "urn:viral:log:8f0c2a31-5d4e-4b6f-9a7c-1e2d3c4b5a69");
        assert!(path.ends_with("logs/8f0c2a31-5d4e-4b6f-9a7c-1e2d3c4b5a69.json"));
        assert_eq!(read(&path).unwrap(), None);
        let at = Checkpoint {
            position: Position(7),
            event_id: Uuid::from_u128(7),
            ..Checkpoint::START
        };
        let clock = ClockReading {
            time: "2026-03-02T09:00:00Z".parse().unwrap(),
            asked: Duration::from_micros(5),
            answered: Duration::from_micros(6),
            position: Position(7),
        };
        let remembered = Remembered::of("urn:viral:log:x", &at, Some(clock));
        write(&path, &remembered).unwrap();
        let again = read(&path).unwrap().unwrap();
        assert_eq!(again, remembered);
        assert_eq!((again.checkpoint(), again.clock()), (at, Some(clock)));
        let rebooted = Remembered {
            clock: again.clock.map(|clock| RememberedClock {
                boot: "another life".to_owned(),
                ..clock
            }),
            ..remembered
        };
        assert_eq!(rebooted.clock(), None);
        std::fs::write(&path, "{").unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("remove the file"), "{error}");
    }
}
