//! What is known of a user.

use super::{Role, UserEvent, Verification};
use crate::ids::{FlagId, PayoutId, UserId};
use crate::sealed::Sealed;
use std::collections::BTreeSet;
use uuid::Uuid;

/// A user, as its stream says; the default is one that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Which user; nil as long as there is none.
    pub id: UserId,
    /// What the user is to the platform; nothing as long as there is none.
    pub role: Option<Role>,
    /// The profile, sealed.
    pub profile: Option<Sealed>,
    /// How far the identity was checked.
    pub verification: Verification,
    /// The payouts of this creator that are under way.
    pub open_payouts: BTreeSet<PayoutId>,
    /// The suspicions against the user that were not dismissed.
    pub flags: BTreeSet<FlagId>,
}

impl Default for User {
    fn default() -> User {
        User {
            id: UserId(Uuid::nil()),
            role: None,
            profile: None,
            verification: Verification::default(),
            open_payouts: BTreeSet::new(),
            flags: BTreeSet::new(),
        }
    }
}

impl User {
    /// Applies an event.
    pub(super) fn apply(&mut self, event: &UserEvent) {
        match event {
            UserEvent::Registered(registered) => {
                self.id = registered.user;
                self.role = Some(registered.role);
                self.profile = Some(registered.profile.clone());
            }
            UserEvent::ProfileChanged(changed) => self.profile = Some(changed.profile.clone()),
            UserEvent::VerificationChanged(changed) => self.verification = changed.verification,
            UserEvent::PayoutOpened(opened) => {
                self.open_payouts.insert(opened.payout);
            }
            UserEvent::PayoutClosed(closed) => {
                self.open_payouts.remove(&closed.payout);
            }
            UserEvent::Flagged(flagged) => {
                self.flags.insert(flagged.flag);
            }
            UserEvent::FlagCleared(cleared) => {
                self.flags.remove(&cleared.flag);
            }
        }
    }
}
