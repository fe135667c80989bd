//! Why a question has no answer.

use viral_store::StoreError;

/// The read models cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The database cannot be reached, took too long, or the read models are not there yet: worth trying again.
    #[error("the read models cannot be reached: {0}")]
    Unavailable(String),
    /// What the database says cannot be: somebody changed a row or a table. Rebuild the read model.
    #[error("the read models are damaged: {0}")]
    Corrupt(String),
}

/// Classes of SQLSTATE that pass by themselves: connections, cut-off transactions, resources, locks, operators, system.
const PASSING: [&str; 7] = ["08", "25", "40", "53", "55", "57", "58"];
/// A table does not exist (yet).
const NO_SUCH_TABLE: &str = "42P01";

impl From<sqlx::Error> for QueryError {
    fn from(error: sqlx::Error) -> QueryError {
        let sqlx::Error::Database(database) = &error else {
            return match error {
                sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnNotFound(_) => {
                    QueryError::Corrupt(error.to_string())
                }
                // Broken connections show as I/O or protocol errors, a stopped server as a timeout of the pool.
                _ => QueryError::Unavailable(error.to_string()),
            };
        };
        let state = database.code().unwrap_or_default();
        let message = format!("{} [SQLSTATE {state}]", database.message());
        if state == NO_SUCH_TABLE {
            return QueryError::not_set_up(&message);
        }
        if PASSING.iter().any(|class| state.starts_with(class)) {
            return QueryError::Unavailable(message);
        }
        QueryError::Corrupt(message)
    }
}

impl From<StoreError> for QueryError {
    fn from(error: StoreError) -> QueryError {
        match error.is_retryable() {
            true => QueryError::Unavailable(error.to_string()),
            false => QueryError::Corrupt(error.to_string()),
        }
    }
}

impl QueryError {
    /// Rows whose sum no amount can hold: events could not have led to them.
    pub(super) fn uncountable() -> QueryError {
        QueryError::Corrupt("amounts are together beyond the bounds of an amount".to_owned())
    }

    pub(super) fn not_set_up(what: &str) -> QueryError {
        QueryError::Unavailable(format!("{what}: the projector has not set up all read models yet"))
    }
}
