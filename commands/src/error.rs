//! Why a unit was not appended. But for [`AppendError::Unavailable`] and [`AppendError::Stopped`] it is certain that
//! nothing was written.

use crate::privacy::VaultError;
use chrono::{DateTime, Utc};
use std::fmt::Display;
use viral_domain::decode::DecodeError;
use viral_ledger::{Refusal, Violation, timestamp};
use viral_store::line::LineError;
use viral_store::{Position, StoreError, StreamId};

/// A unit that was not appended.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AppendError {
    /// The id was used before, by a request that asked for something else.
    #[error("this id or idempotency key was already used for another request, see position {position}")]
    KeyReused {
        /// Where the unit of the other request begins.
        position: Position,
    },
    /// A stream is not where the caller saw it: load it again and decide again.
    #[error("{stream} is at sequence {actual}, not at {expected}")]
    Conflict {
        /// Which stream.
        stream: StreamId,
        /// The sequence that the caller saw.
        expected: u64,
        /// The sequence that it has.
        actual: u64,
    },
    /// It was decided for another time than the one that its events would be recorded at: decide again, at that time.
    #[error("a deadline lies between the time that this was decided for and now, {}: try again", timestamp::to_text(.now))]
    Outdated {
        /// When its events would have been recorded.
        now: DateTime<Utc>,
    },
    /// The unit is refused for what it says, or for what the ledger says.
    #[error("{0}")]
    Rejected(#[from] Rejection),
    /// The store cannot be reached or has no room. Whether the unit was written is not known: try again with the same
    /// id, it will not be appended twice.
    #[error("{0}; try again with the same id")]
    Unavailable(StoreError),
    /// The store is damaged or not set up: somebody must mend it.
    #[error("{0}")]
    Store(StoreError),
    /// The log has an event that a sound book could not have produced. Nothing is appended until that is mended.
    #[error("the log does not hold at position {position}: {problem}; run `viral audit verify`")]
    LogBroken {
        /// The first bad position.
        position: Position,
        /// What is wrong with it.
        problem: String,
    },
    /// The log has an event that this program does not know. Nothing is decided past it; whatever is only read goes on.
    #[error("position {position}: {what}")]
    UnknownEvent {
        /// The first one.
        position: Position,
        /// Which event it is, and what to do.
        what: String,
    },
    /// The process is going down. Whether the unit was written is not known: try again with the same id.
    #[error("the writer has stopped")]
    Stopped,
}

/// Why a unit is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// There is nothing in it.
    #[error("a unit needs at least one event")]
    Empty,
    /// The book's stream is written by ledger commands only.
    #[error("{0} takes ledger commands only")]
    ReservedStream(StreamId),
    /// A stream's name is empty, longer than 200 characters, or has control characters.
    #[error("{0:?} is not the name of a stream")]
    InvalidStream(String),
    /// An event of it has an id that an event of another unit has: the consequence happened already.
    #[error("the event {id} is already in the log, at position {position}")]
    AlreadyHappened {
        /// The id.
        id: uuid::Uuid,
        /// Where it is.
        position: Position,
    },
    /// The ledger refuses.
    #[error("{0}")]
    Ledger(#[from] Refusal),
    /// Its events are too large together for the home of the log to write them at once.
    #[error(
        "the unit is too large: its events have {bytes} bytes, {limit} can be written at once; do less in one request"
    )]
    UnitTooLarge {
        /// The bytes of its lines.
        bytes: usize,
        /// How many they may have.
        limit: usize,
    },
    /// The store refuses to keep what it says.
    #[error("this cannot be stored: {0}; change what it says")]
    NotStorable(String),
    /// An event is too large, or cannot be written as JSON.
    #[error("{0}")]
    Line(#[from] LineError),
}

impl AppendError {
    /// Whether the same unit may be appended later without anybody changing it.
    pub fn is_retryable(&self) -> bool {
        matches!(self, AppendError::Unavailable(_) | AppendError::Stopped)
    }
}

impl AppendError {
    /// The same error where it is not certain that nothing was written, as after a commit that was not answered.
    pub(crate) fn unknown(self) -> AppendError {
        match self {
            AppendError::Store(error) => AppendError::Unavailable(StoreError::Unavailable(error.to_string())),
            AppendError::LogBroken { .. } | AppendError::UnknownEvent { .. } => {
                AppendError::Unavailable(StoreError::Unavailable(self.to_string()))
            }
            other => other,
        }
    }
}

impl From<StoreError> for AppendError {
    fn from(error: StoreError) -> AppendError {
        match error {
            StoreError::Refused(why) => Rejection::NotStorable(why).into(),
            error if error.is_retryable() => AppendError::Unavailable(error),
            error => AppendError::Store(error),
        }
    }
}

/// What stops a book from following the log.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FollowError {
    /// The store did not answer.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// An event cannot be read, or a sound book could not have produced it.
    #[error("position {position}: {problem}")]
    Broken {
        /// Which event.
        position: Position,
        /// What is wrong with it.
        problem: String,
    },
    /// A later program wrote an event that this one does not know.
    #[error("position {position}: {what}")]
    Unknown {
        /// Which event.
        position: Position,
        /// Its type and version, and what to do.
        what: String,
    },
}

impl FollowError {
    /// An event that cannot be read.
    pub fn unread(position: Position, error: DecodeError) -> FollowError {
        match error {
            DecodeError::Malformed(problem) => FollowError::Broken { position, problem },
            unknown => FollowError::Unknown {
                position,
                what: unknown.to_string(),
            },
        }
    }

    pub(crate) fn broken(position: Position, problem: impl std::fmt::Display) -> FollowError {
        FollowError::Broken {
            position,
            problem: problem.to_string(),
        }
    }

    pub(crate) fn violation(position: Position, violation: &Violation) -> FollowError {
        FollowError::broken(position, violation)
    }
}

impl From<FollowError> for AppendError {
    fn from(error: FollowError) -> AppendError {
        match error {
            FollowError::Store(error) => error.into(),
            FollowError::Broken { position, problem } => AppendError::LogBroken { position, problem },
            FollowError::Unknown { position, what } => AppendError::UnknownEvent { position, what },
        }
    }
}

/// A use case that was not carried out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CommandError {
    /// What the request addresses is not there, or is somebody else's.
    #[error("there is no {what} {id}")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// Which one.
        id: String,
    },
    /// An aggregate, or a rule between several, refuses.
    #[error("{message}")]
    Refused {
        /// A stable name for programs, in snake case.
        code: &'static str,
        /// What is wrong and what to do.
        message: String,
    },
    /// The unit was not appended.
    #[error("{0}")]
    Append(#[from] AppendError),
    /// Personal fields cannot be sealed.
    #[error("{0}")]
    Vault(#[from] VaultError),
}

impl CommandError {
    /// The codes of rules that are not one aggregate's.
    pub const CODES: &[&str] = &[
        "forbidden",
        "invalid_invitations",
        "invalid_profile",
        "not_a_creator",
        "not_a_sponsor",
        "on_ramp_by_admin_only",
        "second_factor_not_enrolled",
        "second_factor_required",
        "unknown_campaign",
        "unknown_creator",
        "unknown_source",
        "unknown_user",
    ];

    /// Something that is not there, or is somebody else's.
    pub(crate) fn not_found(what: &'static str, id: impl Display) -> CommandError {
        CommandError::NotFound {
            what,
            id: id.to_string(),
        }
    }

    /// What an aggregate says no to.
    pub(crate) fn refusal(refusal: &impl viral_domain::Refusal) -> CommandError {
        CommandError::refused(refusal.code(), refusal.to_string())
    }

    pub(crate) fn refused(code: &'static str, message: impl Into<String>) -> CommandError {
        CommandError::Refused {
            code,
            message: message.into(),
        }
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> CommandError {
        CommandError::Append(error.into())
    }
}

impl From<FollowError> for CommandError {
    fn from(error: FollowError) -> CommandError {
        CommandError::Append(error.into())
    }
}

impl From<LineError> for CommandError {
    fn from(error: LineError) -> CommandError {
        CommandError::Append(Rejection::from(error).into())
    }
}
