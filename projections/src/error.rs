//! What can go wrong on the read side.

use crate::checkpoints::Behind;
use crate::unseal::UnsealError;
use viral_store::feed::FeedError;
use viral_store::{Position, StoreError};

/// An error of the read side. The log is never touched by it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ProjectionError {
    /// No read model has this name.
    #[error("there is no read model {0:?}: they are {names}", names = crate::model::names())]
    UnknownName(String),
    /// The tables were never made.
    #[error("read model {0} was not set up yet: start the projector once (`viral up` or `viral project`)")]
    NotSetUp(String),
    /// Another process rebuilds the same read model.
    #[error("read model {0} is being rebuilt by another process: wait until that is done")]
    RebuildInProgress(String),
    /// The tables in use were made by another version of this program.
    #[error(
        "read model {name} has schema {found}, this program has {own}: run the same version everywhere, then rebuild it"
    )]
    OtherSchema {
        /// Which read model.
        name: String,
        /// The schema of its tables.
        found: i32,
        /// The schema that this program knows.
        own: i32,
    },
    /// A ledger read model met an event that it cannot take in.
    #[error("read model {name} stops at position {position}: {problem}")]
    Halted {
        /// Which read model.
        name: String,
        /// The event.
        position: Position,
        /// What is wrong with it.
        problem: String,
    },
    /// The tables do not have as much of the log as was asked for.
    #[error(transparent)]
    Behind(#[from] Behind),
    /// A row of a read model cannot be read: somebody changed it.
    #[error("a row of {table} cannot be read ({problem}): rebuild the read model")]
    DamagedRow {
        /// Which table.
        table: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The feed cannot be followed.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// Personal fields cannot be opened.
    #[error(transparent)]
    Unseal(#[from] UnsealError),
    /// The database cannot be reached, or took too long: worth trying again.
    #[error("the database of the read models cannot be reached: {0}")]
    Unavailable(String),
    /// The database refused what should be allowed: the set-up is wrong.
    #[error("the database of the read models refused: {0}")]
    Database(String),
    /// ClickHouse cannot be reached, took too long, or has no room for now: worth trying again.
    #[error("{0}")]
    ClickHouseAway(String),
    /// ClickHouse refused what should be allowed, or holds something else: the set-up is wrong.
    #[error("{0}")]
    ClickHouse(String),
    /// A task of the projector ended by a panic.
    #[error("the projector failed: {0}")]
    Failed(String),
}

impl ProjectionError {
    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        match self {
            ProjectionError::Store(error) => error.is_retryable(),
            ProjectionError::Feed(error) => error.is_retryable(),
            ProjectionError::Unseal(UnsealError::Unavailable(_))
            | ProjectionError::Unavailable(_)
            | ProjectionError::ClickHouseAway(_) => true,
            _ => false,
        }
    }
}

impl From<sqlx::Error> for ProjectionError {
    fn from(error: sqlx::Error) -> ProjectionError {
        let sqlx::Error::Database(database) = &error else {
            return match error {
                sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::Configuration(_) => {
                    ProjectionError::Database(error.to_string())
                }
                // Broken connections show as I/O or protocol errors, a stopped server as a timeout of the pool.
                _ => ProjectionError::Unavailable(error.to_string()),
            };
        };
        let state = database.code().unwrap_or_default();
        let message = format!("{} [SQLSTATE {state}]", database.message());
        match &*state {
            "42703" => ProjectionError::Database(format!(
                "the database is older than this program ({message}): run `viral migrate`"
            )),
            "42P01" if message.contains("projections") => {
                ProjectionError::Database(format!("{message}; run `viral migrate`"))
            }
            "22023" | "42501" if message.contains("viral_projector") => ProjectionError::Database(format!(
                "{message}; as a superuser run: GRANT viral_projector TO <the user of the database URL>"
            )),
            // Connections, transactions that were cut off, resources, locks, operators and system errors may pass.
            _ if ["08", "25", "40", "53", "55", "57", "58"]
                .iter()
                .any(|class| state.starts_with(class)) =>
            {
                ProjectionError::Unavailable(message)
            }
            _ => ProjectionError::Database(message),
        }
    }
}

/// Whether the database refused a value, which only another value can change: data exceptions and integrity violations.
pub(crate) fn is_refused_value(error: &sqlx::Error) -> bool {
    let state = error
        .as_database_error()
        .and_then(|error| error.code())
        .unwrap_or_default();
    state.starts_with("22") || state.starts_with("23")
}
