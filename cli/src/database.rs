//! The database that a command works on: `DATABASE_URL`, or the embedded PostgreSQL of this home.

use crate::embedded::{Options, Postgres};
use crate::error::Error;
use std::path::Path;
use std::sync::Arc;
use viral_store::{EventStore, PostgresStore, StoreError, postgres};

/// An open log, and the server below it if we share in one.
#[derive(Debug)]
pub struct Database {
    store: Arc<PostgresStore>,
    server: Option<Postgres>,
}

/// Whether a database of the user's own may be migrated on the way. The embedded one always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrate {
    /// Bring it to the newest version first.
    Yes,
    /// Take it as it is.
    No,
}

/// The user's own database, if one is set.
pub fn url_from_env() -> Option<String> {
    std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty())
}

impl Database {
    /// Opens the log, starting the embedded server where there is no `DATABASE_URL`.
    pub async fn open(home: &Path, migrate: Migrate) -> Result<Database, Error> {
        let (owner_url, app_url, server) = match url_from_env() {
            Some(url) => (url.clone(), url, None),
            None => {
                let server = Postgres::start(&Options::new(home)).await?;
                (server.owner_url().to_owned(), server.app_url().to_owned(), Some(server))
            }
        };
        if server.is_some() || migrate == Migrate::Yes {
            postgres::migrate(&owner_url).await?;
        }
        let store = PostgresStore::connect(&app_url)
            .await
            .map_err(|error| match (&server, error) {
                (None, StoreError::Unavailable(message)) => {
                    StoreError::Unavailable(format!("{message}; is the server of DATABASE_URL running?"))
                }
                (_, error) => error,
            })?;
        Ok(Database {
            store: Arc::new(store),
            server,
        })
    }

    /// The log.
    pub fn store(&self) -> Arc<dyn EventStore> {
        self.store.clone()
    }

    /// The embedded server, unless the database is the user's own.
    pub fn server(&self) -> Option<&Postgres> {
        self.server.as_ref()
    }

    /// Closes all connections, and stops the server if nobody else uses it.
    pub async fn close(self) -> Result<(), Error> {
        self.store.close().await;
        drop(self.store);
        if let Some(server) = self.server {
            server.release().await?;
        }
        Ok(())
    }
}
