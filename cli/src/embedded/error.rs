//! What can go wrong while PostgreSQL is found, fetched, started or stopped.
//!
//! The person who reads these messages wanted `viral up` and got none of it, so each one says what was wrong, where,
//! and what to do next. Variants stand in the order in which they are checked.

use std::fmt::Write as _;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::home;

/// Why the embedded PostgreSQL could not be found, started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder of ours could not be read, written or created.
    #[error("cannot {action} {}: {source}{}", path.display(), advice(source))]
    File {
        /// What was tried, as a verb: `create`, `read`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The path has characters that PostgreSQL's own tools would give to a shell.
    #[error("PostgreSQL's data cannot be kept under {}: the path has one of \" $ ` \\ or a line break; set VIRAL_HOME to another folder", path.display())]
    UnsafePath {
        /// The home.
        path: PathBuf,
    },
    /// Another process holds the lock around start and stop for longer than the timeout.
    #[error(
        "another process has been starting or stopping PostgreSQL for {} s (lock {}); wait for it, or end it and try again",
        waited.as_secs(), path.display()
    )]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// How long we waited.
        waited: Duration,
    },
    /// A file that this module wrote cannot be understood any more.
    #[error("{} is damaged ({why}); restore it from a backup, or move the whole folder away to begin afresh", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The passwords are there, and data outside the home, but not the file that says that they belong together.
    #[error(
        "{} is gone, and the database in {} seems to be the one it told of; restore that file, or write \
         {{\"elsewhere\": {:?}, \"version\": \"\"}} into it; or remove {} to begin afresh, and that database will be set aside",
        path.display(), home::data(place).display(), place, secrets.display()
    )]
    PlaceLost {
        /// Where the file should be.
        path: PathBuf,
        /// The folder outside the home in which the data are.
        place: PathBuf,
        /// The passwords that are still there.
        secrets: PathBuf,
    },
    /// An earlier home of this path left a server running that does not stop, so its data cannot be set aside.
    #[error(
        "PostgreSQL (process {pid}), left running by an earlier VIRAL_HOME of the same path, did not stop within {} s, so its \
         database in {} was left in place; end it (`kill -INT {pid}`, then `kill -QUIT {pid}`) and try again",
        waited.as_secs(), data.display()
    )]
    OrphanRuns {
        /// The postmaster's process id.
        pid: i32,
        /// Its data folder.
        data: PathBuf,
        /// How long we waited.
        waited: Duration,
    },
    /// There is a cluster, but the file with its passwords is gone.
    #[error(
        "the database in {} is there but its passwords ({}) are not; restore that file, or move the database folder away to begin afresh",
        data.display(), path.display()
    )]
    PasswordsLost {
        /// The data folder.
        data: PathBuf,
        /// Where the passwords should be.
        path: PathBuf,
    },
    /// We run as root, which PostgreSQL refuses, and know no other user to run it as.
    #[error(
        "PostgreSQL refuses to run as root, and there is neither a user `postgres` nor a user `nobody` to run it as; \
         create one (`useradd --system postgres`), run as an ordinary user, or set DATABASE_URL"
    )]
    NoUser,
    /// The cluster belongs to another user and we are not root.
    #[error(
        "the database in {} belongs to the user with id {owner}; run as that user, choose another VIRAL_HOME, or set DATABASE_URL",
        data.display()
    )]
    Foreign {
        /// The data folder.
        data: PathBuf,
        /// The owner's user id.
        owner: u32,
    },
    /// The user that PostgreSQL runs as cannot enter the folder, and no other folder will do.
    #[error(
        "the user `{user}`, as which PostgreSQL has to run, cannot enter {}; allow it (`chmod a+x` on the folders above it), \
         choose another VIRAL_HOME, or set DATABASE_URL", folder.display()
    )]
    Unreachable {
        /// The folder.
        folder: PathBuf,
        /// The user's name.
        user: String,
    },
    /// A setting has a value that means nothing.
    #[error("{name}={value} means nothing; {expected}")]
    Setting {
        /// The environment variable.
        name: &'static str,
        /// What it says.
        value: String,
        /// What it may say.
        expected: &'static str,
    },
    /// The folder of programs that was asked for cannot be used.
    #[error("VIRAL_POSTGRES_BIN={} cannot be used: {why}; point it at a folder with initdb, pg_ctl and postgres of PostgreSQL {wanted}", folder.display())]
    Programs {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        why: String,
        /// The versions that would do.
        wanted: String,
    },
    /// No PostgreSQL is installed and none could be fetched.
    #[error(
        "no PostgreSQL {wanted} is installed ({looked}) and fetching one failed: {why}; install it \
         (`apt-get install postgresql`), set VIRAL_POSTGRES_BIN to its folder of programs, or set DATABASE_URL"
    )]
    NoPostgres {
        /// The versions that would do.
        wanted: String,
        /// Where we looked, and what was wrong there.
        looked: String,
        /// Why fetching failed.
        why: String,
    },
    /// No random numbers for passwords.
    #[error("the operating system gave no random numbers for the passwords: {0}")]
    Random(getrandom::Error),
    /// One of PostgreSQL's programs failed.
    #[error("{program} failed ({status}): {output}{}", log_lines(log))]
    Program {
        /// The program and what it was to do.
        program: String,
        /// Its exit status.
        status: String,
        /// What it printed.
        output: String,
        /// The server's log file and its last lines.
        log: Option<(PathBuf, String)>,
    },
    /// The server runs but has not answered in time.
    #[error(
        "PostgreSQL (process {pid}) has not answered within {} s: {why}; it may still be recovering, so try again, or set DATABASE_URL{}",
        waited.as_secs(), log_lines(log)
    )]
    NotAnswering {
        /// The postmaster's process id.
        pid: i32,
        /// How long we waited.
        waited: Duration,
        /// The last answer.
        why: String,
        /// The server's log file and its last lines.
        log: Option<(PathBuf, String)>,
    },
    /// The server is silent, and another process holds a share in it, so it was not killed.
    #[error(
        "PostgreSQL (process {pid}) has said nothing for {} s: {why}; another process of this VIRAL_HOME still uses it, so it \
         was left alone: try again, or end that process first, and the next start will restart PostgreSQL; or set DATABASE_URL{}",
        waited.as_secs(), log_lines(log)
    )]
    HungInUse {
        /// The postmaster's process id.
        pid: i32,
        /// How long it was silent.
        waited: Duration,
        /// What the last connection met.
        why: String,
        /// The server's log file and its last lines.
        log: Option<(PathBuf, String)>,
    },
    /// The server has to keep its port, and somebody took it.
    #[error(
        "port {port} on 127.0.0.1, which PostgreSQL has to have again, is taken; end the program that took it, or start anew"
    )]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// No free port.
    #[error("no port between 20000 and 30000 is free on 127.0.0.1; set DATABASE_URL")]
    NoPort,
    /// The server started and ended again at once.
    #[error("PostgreSQL started and ended again at once{}", log_lines(log))]
    Gone {
        /// The server's log file and its last lines.
        log: Option<(PathBuf, String)>,
    },
    /// The server answered, but not as it should.
    #[error("PostgreSQL refused to {action}: {source}")]
    Sql {
        /// What was tried, as a verb and its object.
        action: &'static str,
        /// What the server said.
        source: sqlx::Error,
    },
    /// The runtime ended while we were at work.
    #[error("the work on PostgreSQL was interrupted: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

impl Error {
    /// For `map_err` on file operations.
    pub(super) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }

    /// For `map_err` on queries.
    pub(super) fn sql(action: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Sql { action, source }
    }
}

fn advice(source: &std::io::Error) -> &'static str {
    match source.kind() {
        std::io::ErrorKind::PermissionDenied => {
            "; run as the user it belongs to, choose another VIRAL_HOME, or set DATABASE_URL"
        }
        std::io::ErrorKind::StorageFull => "; make room on that disk",
        _ => "",
    }
}

fn log_lines(log: &Option<(PathBuf, String)>) -> String {
    let mut text = String::new();
    if let Some((path, lines)) = log {
        // Writing to a String cannot fail.
        let _ = write!(text, "\nlast lines of {}:\n{lines}", path.display());
    }
    text
}

/// The last lines of a log file that were written after byte `since`, for an error message.
pub(super) fn log_tail(path: &Path, since: u64) -> Option<(PathBuf, String)> {
    const BYTES: u64 = 4096;
    const LINES: usize = 15;
    let mut file = std::fs::File::open(path).ok()?;
    let size = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(since.max(size.saturating_sub(BYTES)))).ok()?;
    let mut bytes = Vec::new();
    file.take(BYTES).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines[lines.len().saturating_sub(LINES)..].join("\n");
    (!tail.is_empty()).then(|| (path.to_owned(), tail))
}
