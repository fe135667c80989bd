//! A creator's part in a mission, from the invitation to the reward.

mod command;
mod decide;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::AssignmentCommand;
pub use decide::{AssignmentError, Fitting};
pub use event::{Accepted, Approved, AssignmentEvent, Deliverable, OfAssignment, Offered, Submitted, WithReason};
pub use state::{Assignment, Status};
