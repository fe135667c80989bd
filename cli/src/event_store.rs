//! Where the log lives: in PostgreSQL, or where `EVENT_STORE` says. Everything beside the log (read models, checkpoints,
//! person keys) is in PostgreSQL in any case, and belongs to one log: this refuses to mix two.

use crate::database::Purpose;
use crate::error::Error;
use std::sync::Arc;
use viral_store::kurrentdb::{self, KurrentStore, Options};
use viral_store::{EventStore, PostgresStore, StoreError, without_password};

/// The home of the log.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Home {
    /// The database that has everything else, too.
    Postgres,
    /// KurrentDB, by its connection string.
    Kurrent(String),
}

impl Home {
    /// What `EVENT_STORE` says.
    pub(crate) fn from_env() -> Result<Home, Error> {
        Home::parse(&std::env::var("EVENT_STORE").unwrap_or_default())
    }

    fn parse(text: &str) -> Result<Home, Error> {
        match text {
            "" | "postgres" => Ok(Home::Postgres),
            url if kurrentdb::SCHEMES.iter().any(|scheme| url.starts_with(scheme)) => Ok(Home::Kurrent(url.to_owned())),
            // It is not repeated: there may be a password in it.
            _ => Err(Error::Other(
                "EVENT_STORE says where the log is: leave it empty or set it to `postgres` for PostgreSQL, or to \
                 kurrentdb://user:password@host:2113?tls=false for KurrentDB"
                    .to_owned(),
            )),
        }
    }

    /// For people: without a password.
    pub(crate) fn shown(&self) -> String {
        match self {
            Home::Postgres => "postgres".to_owned(),
            Home::Kurrent(url) => without_password(url),
        }
    }

    /// Opens the log that belongs to what is in a database.
    pub(crate) async fn open(
        &self,
        beside: &Arc<PostgresStore>,
        purpose: Purpose,
    ) -> Result<Arc<dyn EventStore>, Error> {
        let remembered = beside.log_elsewhere().await?;
        let Home::Kurrent(url) = self else {
            return match remembered {
                None => Ok(beside.clone()),
                Some(log) => Err(Error::Other(format!(
                    "what is in this database belongs to the log urn:viral:log:{log} in KurrentDB: set EVENT_STORE to its \
                     address"
                ))),
            };
        };
        if beside.head().await?.position.0 > 0 {
            return Err(Error::Other(
                "EVENT_STORE names KurrentDB, but this database has a log of its own: unset EVENT_STORE, or use another \
                 database beside KurrentDB"
                    .to_owned(),
            ));
        }
        let log = match purpose {
            Purpose::Run => KurrentStore::open_or_create(url, Options::default()).await?,
            Purpose::Append | Purpose::Read => KurrentStore::open(url, Options::default()).await?,
        };
        let log_id = log.log_id();
        let belongs_to = match (remembered, purpose) {
            (Some(remembered), _) => remembered,
            (None, Purpose::Run) => beside.remember_log_elsewhere(log_id).await?,
            (None, Purpose::Append | Purpose::Read) => {
                let text = "the database was not used beside this log before: `viral migrate` sets it up".to_owned();
                return Err(StoreError::Setup(text).into());
            }
        };
        if belongs_to != log_id {
            return Err(Error::Other(format!(
                "what is in the database belongs to the log urn:viral:log:{belongs_to}, and EVENT_STORE names {}: set \
                 EVENT_STORE to the other log, or use another database",
                log.source()
            )));
        }
        Ok(Arc::new(log))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_event_store_may_say() {
        assert!(Home::parse("").unwrap() == Home::Postgres);
        assert!(Home::parse("postgres").unwrap() == Home::Postgres);
        let home = Home::parse("kurrentdb://viral:secret@log.internal:2113?tls=false").unwrap();
        assert_eq!(home.shown(), "kurrentdb://viral:***@log.internal:2113?tls=false");
        for text in ["kurrent", "postgres://viral:secret@db", "http://viral:secret@log"] {
            let Err(error) = Home::parse(text) else {
                panic!("{text} was taken");
            };
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
