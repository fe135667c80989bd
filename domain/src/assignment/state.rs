//! What has become of a creator's part in a mission.

use super::{AssignmentEvent, Deliverable, Offered};
use crate::terms::BasisPoints;
use uuid::Uuid;

/// A creator's part in a mission. The default is one that does not exist.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// How far it is.
    pub status: Status,
    /// The last offer, by invitation or by the open call; nothing before it exists.
    pub offer: Option<Offered>,
    /// The platform's share of the reward, fixed when the offer was accepted; nothing before.
    pub fee: BasisPoints,
    /// The hold on the campaign's escrow, while there is one.
    pub hold: Option<Uuid>,
    /// How often work was handed in. A new invitation counts on.
    pub submissions: u32,
    /// The work that was handed in last under the present offer.
    pub deliverable: Option<Deliverable>,
}

/// How far an assignment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Status {
    /// It does not exist.
    #[default]
    Missing,
    /// The creator is asked.
    Invited,
    /// The creator works: the reward is held.
    Accepted,
    /// The work waits for its review: the reward is held.
    Submitted,
    /// The work was taken and paid.
    Approved,
    /// The work was not taken as it is: nothing is held, it may be handed in again until the deadline.
    Rejected,
    /// The creator did not want to.
    Declined,
    /// The creator gave the place back.
    Withdrawn,
    /// The deadline passed without work.
    Expired,
    /// The invitation was taken back.
    Cancelled,
}

impl Status {
    /// All of them.
    pub const ALL: [Status; 10] = [
        Status::Missing,
        Status::Invited,
        Status::Accepted,
        Status::Submitted,
        Status::Approved,
        Status::Rejected,
        Status::Declined,
        Status::Withdrawn,
        Status::Expired,
        Status::Cancelled,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Missing => "missing",
            Status::Invited => "invited",
            Status::Accepted => "accepted",
            Status::Submitted => "submitted",
            Status::Approved => "approved",
            Status::Rejected => "rejected",
            Status::Declined => "declined",
            Status::Withdrawn => "withdrawn",
            Status::Expired => "expired",
            Status::Cancelled => "cancelled",
        }
    }
}

impl Default for Assignment {
    fn default() -> Assignment {
        Assignment {
            status: Status::Missing,
            offer: None,
            fee: BasisPoints(0),
            hold: None,
            submissions: 0,
            deliverable: None,
        }
    }
}

impl Assignment {
    /// Applies an event; see [`crate::Aggregate::evolve`].
    pub(super) fn apply(&mut self, event: &AssignmentEvent) {
        match event {
            AssignmentEvent::Invited(offer) => {
                self.begin(offer);
                self.status = Status::Invited;
            }
            AssignmentEvent::Accepted(accepted) => {
                self.begin(&accepted.offer);
                self.fee = accepted.fee_bps;
                self.hold = Some(accepted.hold);
                self.status = Status::Accepted;
            }
            AssignmentEvent::Submitted(submitted) => {
                // The hold of the acceptance goes on, unless a rejection had voided it.
                self.hold = submitted.hold.or(self.hold);
                self.submissions = submitted.submission;
                self.deliverable = Some(submitted.deliverable.clone());
                self.status = Status::Submitted;
            }
            AssignmentEvent::Approved(_) => self.end(Status::Approved),
            AssignmentEvent::Rejected(_) => self.end(Status::Rejected),
            AssignmentEvent::Declined(_) => self.end(Status::Declined),
            AssignmentEvent::Withdrawn(_) => self.end(Status::Withdrawn),
            AssignmentEvent::Expired(_) => self.end(Status::Expired),
            AssignmentEvent::Cancelled(_) => self.end(Status::Cancelled),
        }
    }

    fn begin(&mut self, offer: &Offered) {
        self.offer = Some(offer.clone());
        self.deliverable = None;
    }

    /// All of these end the hold: it is captured, voided, or was never placed.
    fn end(&mut self, status: Status) {
        self.hold = None;
        self.status = status;
    }
}
