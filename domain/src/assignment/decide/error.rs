//! Why an assignment refuses, in the order of the checks.

use super::super::Status;
use crate::codes::refusal_codes;
use crate::text::InvalidText;
use chrono::{DateTime, Utc};
use viral_ledger::timestamp::to_text;

/// Why an assignment refuses a command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssignmentError {
    /// There is none.
    #[error("there is no such assignment")]
    Unknown,
    /// Not as the assignment is now.
    #[error("the assignment is {status}: {action} only while it is {}", names(.allowed))]
    WrongStatus {
        /// How far it is.
        status: &'static str,
        /// What was asked, such as "it can be accepted".
        action: &'static str,
        /// When this can be done.
        allowed: &'static [Status],
    },
    /// It is too late.
    #[error("the deadline passed at {}", to_text(.deadline))]
    DeadlinePassed {
        /// When.
        deadline: DateTime<Utc>,
    },
    /// It is too early.
    #[error("the deadline is {}: until then work can be submitted", to_text(.deadline))]
    DeadlineNotPassed {
        /// When.
        deadline: DateTime<Utc>,
    },
    /// A text is not valid.
    #[error(transparent)]
    InvalidText(#[from] InvalidText),
    /// What was handed in is no deliverable.
    #[error("{field} {problem}")]
    InvalidDeliverable {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// Whether it is what the mission asks for would take too long to find out.
    #[error("the deliverable is too large to be checked: {0}")]
    TooMuchWork(String),
    /// It is not what the mission asks for.
    #[error("the deliverable does not fit the mission's requirements: {problem}")]
    RequirementsNotMet {
        /// What does not fit first, with its place.
        problem: String,
    },
}

refusal_codes!(AssignmentError {
    Unknown => "unknown_assignment",
    WrongStatus { .. } => "assignment_wrong_status",
    DeadlinePassed { .. } => "deadline_passed",
    DeadlineNotPassed { .. } => "deadline_not_passed",
    InvalidText(_) => "invalid_text",
    InvalidDeliverable { .. } => "invalid_deliverable",
    TooMuchWork(_) => "deliverable_too_large",
    RequirementsNotMet { .. } => "requirements_not_met",
});

/// `accepted, submitted or rejected`. One that is missing can be made, but nobody can bring that about.
fn names(statuses: &[Status]) -> String {
    let names: Vec<&str> = statuses
        .iter()
        .filter(|status| **status != Status::Missing)
        .map(|status| status.as_str())
        .collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}
