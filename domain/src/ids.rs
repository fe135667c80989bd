//! Ids of aggregates and their parts. Each kind is a type of its own, so that none can stand for another.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;
use viral_ledger::ids::derived;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

id!(
    /// A sponsor, a creator or somebody who runs the platform.
    UserId
);
id!(
    /// A campaign.
    CampaignId
);
id!(
    /// A mission of a campaign.
    MissionId
);
id!(
    /// A creator's part in a mission.
    AssignmentId
);
id!(
    /// A payout.
    PayoutId
);
id!(
    /// A suspicion of fraud.
    FlagId
);
id!(
    /// A purchase of V-Coin.
    OnRampId
);

impl AssignmentId {
    /// A creator has at most one part in a mission: its id derives from both.
    pub fn of(mission: MissionId, creator: UserId) -> AssignmentId {
        AssignmentId(derived("assignment", &[mission.0.as_bytes(), creator.0.as_bytes()]))
    }
}

impl OnRampId {
    /// Fiat money is turned into V-Coin once: the id derives from the entry that brought it in.
    pub fn of(fiat_entry: &str) -> OnRampId {
        OnRampId(derived("on_ramp", &[fiat_entry.as_bytes()]))
    }
}
