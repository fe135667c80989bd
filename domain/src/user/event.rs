//! What happens to a user.

use crate::aggregate::DomainEvent;
use crate::effects::{self, Effect};
use crate::ids::{FlagId, PayoutId, UserId};
use crate::sealed::Sealed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use viral_ledger::event_types;

/// What a user is to the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Funds campaigns.
    Sponsor,
    /// Completes missions.
    Creator,
    /// Runs the platform.
    Admin,
    /// Reads the ledger and every report about it.
    Auditor,
    /// Exports history and answers privacy requests.
    Compliance,
    /// Reads analytics.
    Analyst,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 6] = [
        Role::Sponsor,
        Role::Creator,
        Role::Admin,
        Role::Auditor,
        Role::Compliance,
        Role::Analyst,
    ];

    /// The role's name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Sponsor => "sponsor",
            Role::Creator => "creator",
            Role::Admin => "admin",
            Role::Auditor => "auditor",
            Role::Compliance => "compliance",
            Role::Analyst => "analyst",
        }
    }

    /// Sponsors and creators have wallets.
    pub fn has_wallet(self) -> bool {
        matches!(self, Role::Sponsor | Role::Creator)
    }
}

/// How far somebody's identity was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// Nothing was checked.
    #[default]
    Unverified,
    /// Documents are being checked.
    Pending,
    /// It is who it says.
    Verified,
    /// The check failed.
    Rejected,
}

impl Verification {
    /// The state's name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Verification::Unverified => "unverified",
            Verification::Pending => "pending",
            Verification::Verified => "verified",
            Verification::Rejected => "rejected",
        }
    }
}

/// An event of stream `user/<id>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type")]
pub enum UserEvent {
    /// The user exists from now on; sponsors and creators get a wallet.
    #[serde(rename = "user.registered")]
    Registered(Registered),
    /// The profile says something else.
    #[serde(rename = "user.profile_changed")]
    ProfileChanged(ProfileChanged),
    /// Somebody checked the user's identity.
    #[serde(rename = "user.verification_changed")]
    VerificationChanged(VerificationChanged),
    /// A payout of this creator is under way.
    #[serde(rename = "user.payout_opened")]
    PayoutOpened(PayoutOfUser),
    /// A payout of this creator is over.
    #[serde(rename = "user.payout_closed")]
    PayoutClosed(PayoutOfUser),
    /// The user is under suspicion.
    #[serde(rename = "user.flagged")]
    Flagged(FlagOfUser),
    /// A suspicion was dismissed.
    #[serde(rename = "user.flag_cleared")]
    FlagCleared(FlagOfUser),
}

/// A user was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Registered {
    /// The name and everything else that is personal, sealed: a JSON object.
    pub profile: Sealed,
    /// What the user is to the platform.
    pub role: Role,
    /// Which user.
    pub user: UserId,
}

/// A profile was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileChanged {
    /// The whole new profile, sealed.
    pub profile: Sealed,
    /// Which user.
    pub user: UserId,
}

/// An identity was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerificationChanged {
    /// How far it is checked now.
    pub verification: Verification,
    /// Which user.
    pub user: UserId,
}

/// A payout of a user began or ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PayoutOfUser {
    /// Which payout.
    pub payout: PayoutId,
    /// Whose.
    pub user: UserId,
}

/// A suspicion against a user came up or went away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlagOfUser {
    /// Which suspicion.
    pub flag: FlagId,
    /// Against whom.
    pub user: UserId,
}

event_types!(UserEvent {
    Registered => "user.registered" "1",
    ProfileChanged => "user.profile_changed" "1",
    VerificationChanged => "user.verification_changed" "1",
    PayoutOpened => "user.payout_opened" "1",
    PayoutClosed => "user.payout_closed" "1",
    Flagged => "user.flagged" "1",
    FlagCleared => "user.flag_cleared" "1",
});

impl DomainEvent for UserEvent {
    fn effects(&self) -> Vec<Effect> {
        match self {
            UserEvent::Registered(registered) if registered.role.has_wallet() => {
                vec![effects::open(effects::wallet(registered.user))]
            }
            _ => Vec::new(),
        }
    }
}
