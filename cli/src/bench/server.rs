//! The PostgreSQL of a benchmark: its own cluster in the home, gone when it is over.

use crate::Error;
use crate::embedded::{Options, Postgres};
use sqlx::{Connection as _, Executor as _, PgConnection};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use viral_store::PostgresStore;

/// A cluster with any number of databases.
#[derive(Debug)]
pub(super) struct Server {
    postgres: Postgres,
    folder: PathBuf,
    databases: AtomicU32,
}

impl Server {
    pub(super) async fn start(home: &Path) -> Result<Server, Error> {
        let folder = home.join("bench");
        // What a killed run has left.
        if crate::embedded::discover(&folder)?.is_none() && folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(Error::io(format!("clearing {}", folder.display())))?;
        }
        let postgres = Postgres::start(&Options::new(&folder)).await?;
        let databases = AtomicU32::new(std::process::id());
        Ok(Server {
            postgres,
            folder,
            databases,
        })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn version(&self) -> &str {
        self.postgres.version()
    }

    /// The first process of the server, whose children serve its connections.
    pub(super) fn postmaster(&self) -> Result<u32, Error> {
        let pid = self.postgres.pid().and_then(|pid| u32::try_from(pid).ok());
        pid.ok_or_else(|| Error::Other("the PostgreSQL of the benchmark has ended".to_owned()))
    }

    /// The superuser's URL of a new, empty database.
    pub(super) async fn empty_database(&self) -> Result<String, Error> {
        let name = format!("bench_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.execute(self.postgres.superuser_url(), &format!("CREATE DATABASE {name}"))
            .await?;
        let (server, _) = self.postgres.superuser_url().rsplit_once('/').unwrap_or_default();
        Ok(format!("{server}/{name}"))
    }

    /// A new log, and the superuser's URL of its database.
    pub(super) async fn log(&self) -> Result<(Arc<PostgresStore>, String), Error> {
        let url = self.empty_database().await?;
        viral_store::postgres::migrate(&url).await?;
        Ok((Arc::new(PostgresStore::connect(&url).await?), url))
    }

    pub(super) async fn execute(&self, url: &str, sql: &str) -> Result<(), Error> {
        let run = async {
            let mut connection = PgConnection::connect(url).await?;
            connection.execute(sql).await?;
            connection.close().await
        };
        run.await
            .map_err(|e: sqlx::Error| Error::Other(format!("{sql:.60}: {e}")))
    }

    /// A checkpoint, so that one measurement does not pay for the one before.
    pub(super) async fn settle(&self) -> Result<(), Error> {
        self.execute(self.postgres.superuser_url(), "CHECKPOINT").await
    }

    pub(super) async fn stop(self) -> Result<(), Error> {
        let data = self.postgres.data_dir().to_owned();
        self.postgres.release().await?;
        for folder in [data, self.folder] {
            if folder.exists() {
                std::fs::remove_dir_all(&folder).map_err(Error::io(format!("clearing {}", folder.display())))?;
            }
        }
        Ok(())
    }
}
