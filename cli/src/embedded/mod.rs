//! PostgreSQL that the platform starts by itself, so that `viral up` needs no server set up beforehand.
//!
//! One cluster belongs to one home (`.viral`). The first process that needs it starts it, others adopt it, and the last
//! one to leave stops it. A process that is killed gives its share back by itself and leaves the server running, and the
//! next one adopts that. It listens on loopback only, every login has a random password, and commits are durable as
//! PostgreSQL ships: this is a real home for a log, not a toy.
//!
//! Set `VIRAL_POSTGRES_BIN` to choose the programs, or `VIRAL_POSTGRES=fetch` to have them fetched.

mod answer;
mod cluster;
mod error;
mod fetch;
mod home;
mod identity;
mod lock;
mod logins;
mod postmaster;
mod programs;
mod start;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use error::Error;

use cluster::{Cluster, Start};
use home::Home;
use lock::Lock;
use logins::{APP, Logins, OWNER, SUPERUSER};
use postmaster::Postmaster;

/// What a start needs to know.
#[derive(Debug, Clone)]
pub struct Options {
    /// The platform's folder, usually `.viral`; made if it is not there.
    pub home: PathBuf,
    /// How long to wait for a start or a stop, ours or another process's.
    pub wait: Duration,
}

impl Options {
    /// For this home, with a timeout of 60 seconds.
    pub fn new(home: impl Into<PathBuf>) -> Self {
        Self {
            home: home.into(),
            wait: Duration::from_secs(60),
        }
    }
}

/// How to reach a running server.
#[derive(Clone)]
pub struct Running {
    /// For the superuser `postgres`, who can do anything, the log's triggers included.
    pub superuser_url: String,
    /// For `viral_owner`, who owns the database `viral` and migrates it.
    pub owner_url: String,
    /// For `viral_app`, which may do what the migrations grant it.
    pub app_url: String,
    /// The cluster's data folder.
    pub data_dir: PathBuf,
    /// The server's log file.
    pub log_file: PathBuf,
    /// The server's version, such as `16.10`.
    pub version: String,
    /// The TCP port on 127.0.0.1.
    pub port: u16,
}

impl Running {
    fn new(place: &Path, logins: &Logins, port: u16, version: String) -> Self {
        Self {
            superuser_url: logins.url(SUPERUSER, port),
            owner_url: logins.url(OWNER, port),
            app_url: logins.url(APP, port),
            data_dir: home::data(place),
            log_file: home::log(place),
            version,
            port,
        }
    }
}

impl fmt::Debug for Running {
    /// Without the URLs: passwords must not reach a log by way of `{:?}`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Running")
            .field("data_dir", &self.data_dir)
            .field("version", &self.version)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// Whether this home has a cluster, running or not.
pub fn exists(home: &Path) -> bool {
    let known = Home::existing(home).map(|home| home.memory());
    // A file that cannot be read is one that is there: whoever opens the cluster says what is wrong with it.
    known.is_some_and(|memory| memory.map_or(true, |memory| memory.is_some()))
}

/// The running server of this home, without starting it or holding a share in it.
///
/// # Errors
/// When files of the home are there but cannot be read, because they belong to another user for instance.
pub fn discover(home: &Path) -> Result<Option<Running>, Error> {
    let Some(home) = Home::existing(home) else {
        return Ok(None);
    };
    let (Some(memory), Some(logins)) = (home.memory()?, Logins::load(&home)?) else {
        return Ok(None);
    };
    let place = home.place(&memory);
    let port = Postmaster::of(&home::data(&place))?.and_then(|alive| alive.port);
    Ok(port.map(|port| Running::new(&place, &logins, port, memory.version)))
}

/// A share in the running server of a home. Give it back with [`Postgres::release`]; dropping it does the same, but
/// blocks the thread and hides errors.
#[derive(Debug)]
pub struct Postgres {
    running: Running,
    adopted: bool,
    home: Home,
    cluster: Cluster,
    wait: Duration,
    /// None once it was given back.
    share: Option<Lock>,
}

impl Postgres {
    /// Starts the cluster of this home, or adopts it if it runs, and holds a share in it.
    ///
    /// # Errors
    /// Every variant of [`Error`]; each says what to do.
    pub async fn start(options: &Options) -> Result<Self, Error> {
        start::start(options, programs::Source::from_env()?).await
    }

    /// The URL for the superuser `postgres`.
    pub fn superuser_url(&self) -> &str {
        &self.running.superuser_url
    }

    /// The URL for `viral_owner`, who owns the database `viral` and migrates it.
    pub fn owner_url(&self) -> &str {
        &self.running.owner_url
    }

    /// The URL for `viral_app`, which may do what the migrations grant it.
    pub fn app_url(&self) -> &str {
        &self.running.app_url
    }

    /// The cluster's data folder. It is outside the home when the server's user cannot enter that.
    pub fn data_dir(&self) -> &Path {
        &self.running.data_dir
    }

    /// The server's log file.
    pub fn log_file(&self) -> &Path {
        &self.running.log_file
    }

    /// The server's version, such as `16.10`.
    pub fn version(&self) -> &str {
        &self.running.version
    }

    /// The TCP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.running.port
    }

    /// Whether the server ran already when we came.
    pub fn adopted(&self) -> bool {
        self.adopted
    }

    /// The postmaster's process id; none while it does not run, or where that cannot be seen.
    pub fn pid(&self) -> Option<i32> {
        let alive = Postmaster::of(self.data_dir()).ok().flatten();
        alive.map(|postmaster| postmaster.pid)
    }

    /// Whether the server runs.
    ///
    /// # Errors
    /// When that cannot be seen, for want of files that this process may open for instance: it may run then.
    pub fn is_running(&self) -> Result<bool, Error> {
        Ok(Postmaster::of(self.data_dir())?.is_some())
    }

    /// Gives the share back. The last holder stops the server (a fast shutdown). Returns whether it was stopped.
    ///
    /// # Errors
    /// When the lock cannot be had in time, or the server does not stop.
    pub async fn release(mut self) -> Result<bool, Error> {
        start::blocking(move || self.give_back()).await
    }

    /// Stops the server as a crash would, whoever else uses it. For tests and benchmarks; [`Postgres::restart`] follows.
    ///
    /// # Errors
    /// When the lock cannot be had in time, or the server does not stop.
    pub async fn stop_immediate(&self) -> Result<(), Error> {
        let (home, cluster, wait) = (self.home.clone(), self.cluster.clone(), self.wait);
        start::blocking(move || {
            let _door = Lock::exclusive(&home.lock(), wait)?;
            cluster.stop("immediate", wait)
        })
        .await
    }

    /// Starts the server again on the same port, so that all URLs stay good; nothing happens if it runs.
    ///
    /// # Errors
    /// When the lock cannot be had in time, the server does not start, or somebody took its port.
    pub async fn restart(&self) -> Result<(), Error> {
        let (home, cluster, wait) = (self.home.clone(), self.cluster.clone(), self.wait);
        let port = self.running.port;
        start::blocking(move || {
            let _door = Lock::exclusive(&home.lock(), wait)?;
            if Postmaster::of(&cluster.data())?.is_some() {
                return Ok(());
            }
            match cluster.start(port, wait)? {
                Start::Done => Ok(()),
                Start::PortTaken => Err(Error::PortTaken { port }),
            }
        })
        .await
    }

    fn give_back(&mut self) -> Result<bool, Error> {
        let Some(share) = self.share.take() else {
            return Ok(false);
        };
        let _door = Lock::exclusive(&self.home.lock(), self.wait)?;
        match share.last(&self.home.holders())? {
            Some(_nobody_else) => self.cluster.stop("fast", self.wait).map(|()| true),
            None => Ok(false),
        }
    }
}

impl Drop for Postgres {
    /// Whoever leaves by `?` must not leave a server behind.
    fn drop(&mut self) {
        if let Err(error) = self.give_back() {
            tracing::warn!("PostgreSQL was left running: {error}");
        }
    }
}
