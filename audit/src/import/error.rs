//! Why an import did not begin. What happens after the first row is in the report, with everything that was done.

use crate::error::AuditError;

/// Why an import did not begin. Nothing was posted.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// An option means nothing.
    #[error("{option}: {problem}")]
    Option {
        /// Which one.
        option: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The file cannot be opened or read.
    #[error("{file}: {error}")]
    File {
        /// Which file.
        file: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// The first line does not name the columns that are needed.
    #[error("{file}: {problem}")]
    Header {
        /// Which file.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The log could not be read for the balances before the import.
    #[error("{0}")]
    Log(#[from] AuditError),
}
