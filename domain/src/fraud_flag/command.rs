//! What can be asked of a suspicion.

use super::Raised;

/// A command to a suspicion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FraudFlagCommand {
    /// Raise it.
    Raise(Raised),
    /// It is fraud.
    Confirm {
        /// What was found.
        note: Option<String>,
        /// Who looked.
        reviewer: String,
    },
    /// It is none.
    Dismiss {
        /// What was found.
        note: Option<String>,
        /// Who looked.
        reviewer: String,
    },
}
