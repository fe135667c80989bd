//! The database that a command works on: `DATABASE_URL`, or the embedded PostgreSQL of this home; and the log, in it or
//! beside it.

use crate::embedded::{self, Options, Postgres};
use crate::environment;
use crate::error::Error;
use crate::event_store::Home;
use crate::limits::DatabaseArgs;
use sqlx::PgPool;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use viral_store::postgres::{self, Leases};
use viral_store::{EventStore, PersonKeys, PostgresStore};

/// An open log, what is beside it, and the server below if we share in one.
pub struct Database {
    log: Arc<dyn EventStore>,
    home_of_log: Home,
    postgres: Arc<PostgresStore>,
    /// The same database by way of other connections, for reads and for what goes on beside requests.
    apart: Option<Apart>,
    app_url: String,
    server: Option<Postgres>,
}

struct Apart {
    reads: Arc<PostgresStore>,
    background: Arc<PostgresStore>,
}

/// What may be set up on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To run the platform: a database is made where there is none, and brought to the newest version.
    Run,
    /// To append: as above, but a database of the user's own is taken as it is.
    Append,
    /// To read: there must be a log. A report about an empty one that was made just now would be a lie.
    Read,
}

async fn migrate(url: &str) -> Result<(), Error> {
    Ok(postgres::migrate_with(url, &viral_projections::view_names(), &mut |_, _| {}).await?)
}

/// The user's own database, if one is set.
pub fn url_from_env() -> Option<String> {
    std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty())
}

impl fmt::Debug for Database {
    /// Without the URL: passwords must not reach a log by way of `{:?}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("log", &self.log)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl Database {
    /// Opens the log, starting the embedded server where there is no `DATABASE_URL`.
    pub async fn open(home: &Path, purpose: Purpose) -> Result<Database, Error> {
        Database::open_as(home, purpose, None).await
    }

    /// Opens a database to put a lost log back into it: its log, which must be empty, is given this name.
    pub async fn open_to_restore(home: &Path, source: &str) -> Result<Database, Error> {
        Database::open_as(home, Purpose::Run, Some(source)).await
    }

    async fn open_as(home: &Path, purpose: Purpose, source: Option<&str>) -> Result<Database, Error> {
        let home_of_log = Home::from_env()?;
        let (owner_url, app_url, server) = match url_from_env() {
            Some(url) => (url.clone(), url, None),
            None if purpose == Purpose::Read && !embedded::exists(home) => {
                return Err(Error::Other(format!(
                    "there is no log in {}: go to the folder of the platform, name its .viral with --home, or set DATABASE_URL",
                    home.display()
                )));
            }
            None => {
                let server = Postgres::start(&Options::new(home)).await?;
                (server.owner_url().to_owned(), server.app_url().to_owned(), Some(server))
            }
        };
        match purpose {
            Purpose::Run => migrate(&owner_url).await?,
            _ if server.is_some() => migrate(&owner_url).await?,
            Purpose::Append => postgres::check(&owner_url).await?,
            Purpose::Read => {}
        }
        if let Some(source) = source {
            if home_of_log != Home::Postgres {
                let text = "a log is restored into PostgreSQL: unset EVENT_STORE";
                return Err(Error::Other(text.to_owned()));
            }
            postgres::adopt(&owner_url, source).await?;
        }
        let store = match purpose {
            Purpose::Run => PostgresStore::connect(&app_url).await?,
            Purpose::Append | Purpose::Read => PostgresStore::connect_briefly(&app_url).await?,
        };
        let postgres = Arc::new(store);
        Ok(Database {
            log: home_of_log.open(&postgres, purpose).await?,
            home_of_log,
            postgres,
            apart: None,
            app_url,
            server,
        })
    }

    /// Gives appends, reads and what goes on beside requests connections of their own, so that none of them keeps the
    /// others waiting.
    #[must_use]
    pub(crate) fn share_out(mut self, budget: &DatabaseArgs) -> Database {
        let apart = |name: &str, connections| Arc::new(self.postgres.apart(name, connections));
        let postgres = apart("viral", budget.database_appends);
        self.apart = Some(Apart {
            reads: apart("viral reads", budget.database_reads),
            background: apart("viral background", budget.database_background),
        });
        if self.home_of_log == Home::Postgres {
            self.log = postgres.clone();
        }
        self.postgres = postgres;
        self
    }

    /// The log.
    pub fn store(&self) -> Arc<dyn EventStore> {
        self.log.clone()
    }

    /// The log, for requests that read.
    pub(crate) fn reads(&self) -> Arc<dyn EventStore> {
        self.log_by(|apart| &apart.reads)
    }

    /// The log, for what goes on beside requests.
    pub(crate) fn background(&self) -> Arc<dyn EventStore> {
        self.log_by(|apart| &apart.background)
    }

    fn log_by(&self, which: impl FnOnce(&Apart) -> &Arc<PostgresStore>) -> Arc<dyn EventStore> {
        match (&self.home_of_log, &self.apart) {
            (Home::Postgres, Some(apart)) => which(apart).clone(),
            // One elsewhere has connections of its own kind.
            _ => self.log.clone(),
        }
    }

    /// Where the log is if it is not in this database, without a password.
    pub fn log_elsewhere(&self) -> Option<String> {
        match &self.home_of_log {
            Home::Postgres => None,
            elsewhere => Some(elsewhere.shown()),
        }
    }

    /// The keys of persons, beside the log.
    pub fn person_keys(&self) -> Arc<dyn PersonKeys> {
        self.postgres.clone()
    }

    /// Refuses a database that was used with `--dev` without it, and the other way round.
    pub(crate) async fn check_environment(&self, dev: bool) -> Result<(), Error> {
        environment::check(&self.postgres, dev).await
    }

    /// Leases for what only one process at a time may do.
    pub fn leases(&self) -> Leases {
        self.postgres.leases()
    }

    /// The connections of the role `viral_app`, for other tables than the log's.
    pub fn pool(&self) -> PgPool {
        self.postgres.pool().clone()
    }

    /// As [`Database::pool`], for requests that read.
    pub(crate) fn pool_for_reads(&self) -> PgPool {
        let apart = self.apart.as_ref().map(|apart| &apart.reads);
        apart.unwrap_or(&self.postgres).pool().clone()
    }

    /// As [`Database::pool`], for what goes on beside requests.
    pub(crate) fn pool_for_background(&self) -> PgPool {
        let apart = self.apart.as_ref().map(|apart| &apart.background);
        apart.unwrap_or(&self.postgres).pool().clone()
    }

    /// Where the platform's own role connects.
    pub fn app_url(&self) -> &str {
        &self.app_url
    }

    /// The embedded server, unless the database is the user's own.
    pub fn server(&self) -> Option<&Postgres> {
        self.server.as_ref()
    }

    /// Where to read why the embedded server is down, if it is.
    pub fn why_down(&self) -> Option<String> {
        let server = self
            .server
            .as_ref()
            .filter(|server| matches!(server.is_running(), Ok(false)))?;
        let log = std::fs::read_to_string(server.log_file()).unwrap_or_default();
        let last: Vec<&str> = log
            .lines()
            .rev()
            .filter(|line| line.contains("FATAL") || line.contains("PANIC"))
            .take(1)
            .collect();
        Some(format!(
            "PostgreSQL has ended: {} ({})",
            last.join(""),
            server.log_file().display()
        ))
    }

    /// Closes all connections, and stops the server if nobody else uses it.
    pub async fn close(self) -> Result<(), Error> {
        self.postgres.close().await;
        if let Some(apart) = self.apart {
            apart.reads.pool().close().await;
            apart.background.pool().close().await;
        }
        drop((self.log, self.postgres));
        if let Some(server) = self.server {
            server.release().await?;
        }
        Ok(())
    }
}
