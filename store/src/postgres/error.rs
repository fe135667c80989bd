//! What a database error means to a caller of the port.

use crate::error::StoreError;

/// As [`from_sqlx`], for statements that carry what a unit says: the database may refuse that alone (a data exception, class
/// 22), which another unit's content does not share. What it says of the format of all rows (22P03, 22P04) is another matter.
pub(super) fn from_content(error: sqlx::Error) -> StoreError {
    match error.as_database_error().and_then(|database| database.code()) {
        Some(state) if state.starts_with("22") && !["22P03", "22P04"].contains(&&*state) => {
            StoreError::Refused(text(&error))
        }
        _ => from_sqlx(error),
    }
}

fn text(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(database) => format!(
            "{} [SQLSTATE {}]",
            database.message(),
            database.code().unwrap_or_default()
        ),
        None => error.to_string(),
    }
}

/// Sorts an error of the database into those that pass, and those that somebody must mend.
pub(crate) fn from_sqlx(error: sqlx::Error) -> StoreError {
    match &error {
        sqlx::Error::Database(database) => {
            let state = database.code().unwrap_or_default();
            from_sqlstate(&state, text(&error))
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::ColumnNotFound(_) => {
            StoreError::Corrupt(error.to_string())
        }
        sqlx::Error::RowNotFound => StoreError::Corrupt("the row of log_head is missing".to_owned()),
        sqlx::Error::Configuration(_) => StoreError::Setup(error.to_string()),
        // Broken connections show as I/O or protocol errors, a stopped server as a timeout of the pool.
        _ => StoreError::Unavailable(error.to_string()),
    }
}

fn from_sqlstate(state: &str, message: String) -> StoreError {
    match state {
        // disk_full; also raised while writing the write-ahead log.
        "53100" => StoreError::StorageFull(message),
        "42501" | "28000" | "28P01" => StoreError::Denied(message),
        "42P01" => StoreError::Setup(format!("{message}; run `viral migrate`")),
        "42703" => StoreError::Setup(format!(
            "the database is older than this program ({message}): run `viral migrate`"
        )),
        "42704" | "22023" if message.contains("viral_app") => {
            StoreError::Setup(format!("{message}; run `viral migrate`"))
        }
        "53300" => StoreError::Unavailable(format!(
            "{message}: the server's max_connections are in use; raise it, or end other clients"
        )),
        "25006" => StoreError::Unavailable(format!(
            "{message}: the server is read-only, as a standby is; DATABASE_URL must name the primary"
        )),
        "55P03" => StoreError::Unavailable(format!(
            "{message}: somebody else has locked what is needed, as a dump, a report or another process at work does; try again"
        )),
        "3D000" => StoreError::Setup(message),
        // Somebody wrote past the lock of the head, or a constraint of the log would be broken.
        _ if state.starts_with("23") => StoreError::Corrupt(message),
        // Data corruption, as PostgreSQL itself sees it (checksums, index entries).
        _ if state.starts_with("XX") => StoreError::Corrupt(message),
        // Connections (08), resources (53), operator intervention (57), system errors (58), lock timeouts (55P03),
        // idle timeouts (25P03), serialisation and deadlocks (40): all of them may pass.
        _ => {
            let classes = ["08", "53", "57", "58", "55", "25", "40"];
            if classes.iter().any(|class| state.starts_with(class)) {
                StoreError::Unavailable(message)
            } else {
                StoreError::Setup(message)
            }
        }
    }
}
