//! What an assignment answers to a command. The checks come in one order: does it exist, is it in the right status, is
//! there time, are the fields valid.

mod deliverable;
mod error;

pub use deliverable::Fitting;
pub use error::AssignmentError;

use super::{
    Accepted, Approved, Assignment, AssignmentCommand, AssignmentEvent, OfAssignment, Offered, Status, Submitted,
    WithReason,
};
use crate::aggregate::Aggregate;
use crate::present::Present;
use crate::terms::BasisPoints;
use crate::text;
use uuid::Uuid;
use viral_ledger::timestamp;

type Decision = Result<Vec<AssignmentEvent>, AssignmentError>;

/// Where nobody is asked and nobody works: the creator can be asked, for the first time or again.
const FREE: &[Status] = &[
    Status::Missing,
    Status::Declined,
    Status::Withdrawn,
    Status::Expired,
    Status::Cancelled,
];

/// An open call takes whoever is free, and whoever is invited to it as well.
const MAY_JOIN: &[Status] = &[
    Status::Missing,
    Status::Invited,
    Status::Declined,
    Status::Withdrawn,
    Status::Expired,
    Status::Cancelled,
];

impl Aggregate for Assignment {
    const TYPE: &'static str = "assignment";
    type Command = AssignmentCommand;
    type Event = AssignmentEvent;
    type Error = AssignmentError;

    fn decide(&self, command: &AssignmentCommand) -> Decision {
        match (&self.offer, command) {
            (Some(offer), command) => self.decide_existing(offer, command),
            (None, AssignmentCommand::Invite { offer, now }) => self.invite(offer, now),
            (None, AssignmentCommand::Join { offer, fee, hold, now }) => self.join(offer, *fee, *hold, now),
            (None, _) => Err(AssignmentError::Unknown),
        }
    }

    fn evolve(&mut self, event: &AssignmentEvent) {
        self.apply(event);
    }

    fn exists(&self) -> bool {
        self.offer.is_some()
    }
}

impl Assignment {
    fn decide_existing(&self, offer: &Offered, command: &AssignmentCommand) -> Decision {
        match command {
            AssignmentCommand::Invite { offer, now } => self.invite(offer, now),
            AssignmentCommand::Join { offer, fee, hold, now } => self.join(offer, *fee, *hold, now),
            AssignmentCommand::Accept { fee, hold, now } => {
                self.check_status("it can be accepted", &[Status::Invited])?;
                accepted(offer, *fee, *hold, now)
            }
            AssignmentCommand::Decline { reason } => {
                self.check_status("it can be declined", &[Status::Invited])?;
                with_reason(offer, reason.as_deref()).map(one(AssignmentEvent::Declined))
            }
            AssignmentCommand::Withdraw { reason } => {
                self.check_status(
                    "it can be withdrawn",
                    &[Status::Accepted, Status::Submitted, Status::Rejected],
                )?;
                with_reason(offer, reason.as_deref()).map(one(AssignmentEvent::Withdrawn))
            }
            AssignmentCommand::Submit { work, hold, now } => self.submit(offer, work, *hold, now),
            AssignmentCommand::Approve { net, fee, transaction } => {
                self.check_status("it can be approved", &[Status::Submitted])?;
                Ok(vec![AssignmentEvent::Approved(Approved {
                    assignment: offer.assignment,
                    fee_vcoin: *fee,
                    net_vcoin: *net,
                    transaction: *transaction,
                })])
            }
            AssignmentCommand::Reject { reason } => {
                self.check_status("it can be rejected", &[Status::Submitted])?;
                with_reason(offer, Some(reason)).map(one(AssignmentEvent::Rejected))
            }
            AssignmentCommand::Expire { now } => self.expire(offer, now),
            AssignmentCommand::Cancel { reason } => {
                self.check_status("it can be cancelled", &[Status::Invited])?;
                with_reason(offer, reason.as_deref()).map(one(AssignmentEvent::Cancelled))
            }
        }
    }

    /// Is it in one of these statuses?
    fn check_status(&self, action: &'static str, allowed: &'static [Status]) -> Result<(), AssignmentError> {
        if allowed.contains(&self.status) {
            return Ok(());
        }
        Err(AssignmentError::WrongStatus {
            status: self.status.as_str(),
            action,
            allowed,
        })
    }

    fn invite(&self, offer: &Offered, now: &Present) -> Decision {
        self.check_status("creators can be invited", FREE)?;
        let offer = in_microseconds(offer);
        check_time(&offer, now)?;
        Ok(vec![AssignmentEvent::Invited(offer)])
    }

    fn join(&self, offer: &Offered, fee: BasisPoints, hold: Uuid, now: &Present) -> Decision {
        self.check_status("it can be accepted", MAY_JOIN)?;
        accepted(offer, fee, hold, now)
    }

    /// Whether work can be submitted now, whatever it is.
    ///
    /// # Errors
    /// What [`Aggregate::decide`] would say to any.
    pub fn may_submit(&self, now: &Present) -> Result<(), AssignmentError> {
        let offer = self.offer.as_ref().ok_or(AssignmentError::Unknown)?;
        self.check_status("work can be submitted", &[Status::Accepted, Status::Rejected])?;
        check_time(offer, now)
    }

    fn submit(&self, offer: &Offered, work: &Fitting, hold: Uuid, now: &Present) -> Decision {
        self.may_submit(now)?;
        Ok(vec![AssignmentEvent::Submitted(Submitted {
            assignment: offer.assignment,
            deliverable: work.deliverable().clone(),
            hold: (self.status == Status::Rejected).then_some(hold),
            submission: self.submissions.saturating_add(1),
        })])
    }

    /// Work that was submitted in time does not expire: it waits for its review.
    fn expire(&self, offer: &Offered, now: &Present) -> Decision {
        self.check_status("it can expire", &[Status::Invited, Status::Accepted, Status::Rejected])?;
        let deadline = offer.deadline;
        if !now.has_reached(deadline) {
            return Err(AssignmentError::DeadlineNotPassed { deadline });
        }
        let assignment = offer.assignment;
        Ok(vec![AssignmentEvent::Expired(OfAssignment { assignment })])
    }
}

fn accepted(offer: &Offered, fee_bps: BasisPoints, hold: Uuid, now: &Present) -> Decision {
    let offer = in_microseconds(offer);
    check_time(&offer, now)?;
    Ok(vec![AssignmentEvent::Accepted(Accepted { fee_bps, hold, offer })])
}

/// Times are cut to what the log keeps, so that a decision is the same when it is replayed.
fn in_microseconds(offer: &Offered) -> Offered {
    Offered {
        deadline: timestamp::truncate(offer.deadline),
        ..offer.clone()
    }
}

fn check_time(offer: &Offered, now: &Present) -> Result<(), AssignmentError> {
    if !now.has_reached(offer.deadline) {
        return Ok(());
    }
    Err(AssignmentError::DeadlinePassed {
        deadline: offer.deadline,
    })
}

fn with_reason(offer: &Offered, reason: Option<&str>) -> Result<WithReason, AssignmentError> {
    if let Some(reason) = reason {
        text::check_line("reason", reason, text::REASON)?;
    }
    Ok(WithReason {
        assignment: offer.assignment,
        reason: reason.map(str::to_owned),
    })
}

fn one<T>(event: fn(T) -> AssignmentEvent) -> impl FnOnce(T) -> Vec<AssignmentEvent> {
    move |data| vec![event(data)]
}
