//! What stops an auditor's tool. That something does not hold is no error: it is in the results.

use viral_domain::decode::DecodeError;
use viral_store::{Position, StoreError};

/// Why a replay, a verification or an export came to no result.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The text of an `--as-of` or a cut-off means nothing.
    #[error("{0}")]
    Moment(#[from] crate::as_of::InvalidMoment),
    /// The position is not there yet.
    #[error("position {asked} is beyond the end of the log, which is at position {head}")]
    BeyondHead {
        /// What was asked for.
        asked: Position,
        /// The last position there is.
        head: Position,
    },
    /// The store did not answer.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// An event is missing, cannot be read, or is one that a sound book could not have produced.
    #[error("the log does not hold at position {position}: {problem}; `viral audit verify` examines it")]
    Broken {
        /// The first position that does not hold.
        position: Position,
        /// What is wrong with it.
        problem: String,
    },
    /// A later program wrote an event that this one does not know. What it did to the money nobody here can say.
    #[error("position {position}: {what}")]
    Unknown {
        /// Which event.
        position: Position,
        /// Its type and version, and what to do.
        what: String,
    },
    /// The format cannot say what the event says.
    #[error("position {position} cannot be exported: {problem}")]
    NotExportable {
        /// Which event.
        position: Position,
        /// What the format cannot say.
        problem: String,
    },
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(#[source] std::io::Error),
    /// Temporary files cannot be written or read.
    #[error("temporary files in {folder} cannot be used: {error}; set TMPDIR to a folder with more room")]
    Temporary {
        /// Where they are.
        folder: String,
        /// What the system says.
        error: std::io::Error,
    },
}

impl AuditError {
    pub(crate) fn unread(position: Position, error: DecodeError) -> AuditError {
        match error {
            DecodeError::Malformed(problem) => AuditError::Broken { position, problem },
            unknown => AuditError::Unknown {
                position,
                what: unknown.to_string(),
            },
        }
    }

    pub(crate) fn broken(position: Position, problem: impl std::fmt::Display) -> AuditError {
        AuditError::Broken {
            position,
            problem: problem.to_string(),
        }
    }
}
