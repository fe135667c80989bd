//! What can be asked of a user.

use super::{Role, Verification};
use crate::ids::{FlagId, PayoutId, UserId};
use crate::sealed::Sealed;

/// A command to a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserCommand {
    /// Register.
    Register {
        /// The new user.
        user: UserId,
        /// What the user is to the platform.
        role: Role,
        /// The profile, sealed.
        profile: Sealed,
    },
    /// Say something else in the profile.
    ChangeProfile {
        /// The whole new profile, sealed.
        profile: Sealed,
    },
    /// Record how far the identity is checked.
    ChangeVerification {
        /// How far.
        verification: Verification,
    },
    /// A payout begins.
    OpenPayout {
        /// Which.
        payout: PayoutId,
    },
    /// A payout is over.
    ClosePayout {
        /// Which.
        payout: PayoutId,
    },
    /// A suspicion comes up.
    Flag {
        /// Which.
        flag: FlagId,
    },
    /// A suspicion is dismissed.
    ClearFlag {
        /// Which.
        flag: FlagId,
    },
}
