//! What is known of a suspicion.

use super::{FraudFlagEvent, Raised};

/// How far a suspicion is looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Status {
    /// It was never raised.
    #[default]
    Missing,
    /// Nobody has decided.
    Open,
    /// It is fraud.
    Confirmed,
    /// It is none.
    Dismissed,
}

impl Status {
    /// The status's name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Missing => "missing",
            Status::Open => "open",
            Status::Confirmed => "confirmed",
            Status::Dismissed => "dismissed",
        }
    }
}

/// A suspicion, as its stream says; the default is one that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FraudFlag {
    /// What it says.
    pub raised: Option<Raised>,
    /// How far it is looked into.
    pub status: Status,
}

impl FraudFlag {
    /// Applies an event.
    pub(super) fn apply(&mut self, event: &FraudFlagEvent) {
        match event {
            FraudFlagEvent::Raised(raised) => {
                self.raised = Some(raised.clone());
                self.status = Status::Open;
            }
            FraudFlagEvent::Confirmed(_) => self.status = Status::Confirmed,
            FraudFlagEvent::Dismissed(_) => self.status = Status::Dismissed,
        }
    }
}
