//! What a command ends with. The text says what was wrong, where, and what to do.

use crate::embedded;
use viral_audit::AuditError;
use viral_audit::import::ImportError;
use viral_audit::lines::LinesError;
use viral_audit::restore::RestoreError;
use viral_commands::AppendError;
use viral_commands::error::FollowError;
use viral_kafka::KafkaError;
use viral_projections::ProjectionError;
use viral_store::StoreError;

/// Why a command could not do its work. That something does not hold is no error but exit code 1.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The embedded PostgreSQL.
    #[error("{0}")]
    Embedded(#[from] embedded::Error),
    /// The event store.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// An auditor's tool.
    #[error("{0}")]
    Audit(#[from] AuditError),
    /// A file of lines.
    #[error("{0}")]
    Lines(#[from] LinesError),
    /// A log that was not restored.
    #[error("{0}")]
    Restore(#[from] RestoreError),
    /// An import that did not begin.
    #[error("{0}")]
    Import(#[from] ImportError),
    /// Appending.
    #[error("{0}")]
    Append(#[from] AppendError),
    /// The book could not follow the log.
    #[error("the log does not hold: {0}; run `viral audit verify`")]
    Follow(#[from] FollowError),
    /// A read model.
    #[error("{0}")]
    Projection(#[from] ProjectionError),
    /// The published log.
    #[error("{0}")]
    Kafka(#[from] KafkaError),
    /// A file or socket.
    #[error("{what}: {error}")]
    Io {
        /// What was tried, and on what.
        what: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// Arguments that do not go together.
    #[error("{0}")]
    Usage(&'static str),
    /// Anything that one sentence says.
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// An error of the system while doing `what`.
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Error {
        let what = what.into();
        move |error| Error::Io { what, error }
    }
}
