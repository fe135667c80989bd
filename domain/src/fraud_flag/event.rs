//! What happens to a suspicion of fraud.

use crate::aggregate::DomainEvent;
use crate::effects::Effect;
use crate::ids::FlagId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use viral_ledger::event_types;

/// What a suspicion is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceType {
    /// A creator or a sponsor: all payouts of theirs are held.
    User,
    /// A campaign: all payouts of what was earned there are held.
    Campaign,
    /// A creator's part in a mission: their payouts from that campaign are held.
    Assignment,
    /// One payout.
    Payout,
}

impl SourceType {
    /// The name, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            SourceType::User => "user",
            SourceType::Campaign => "campaign",
            SourceType::Assignment => "assignment",
            SourceType::Payout => "payout",
        }
    }
}

/// An event of stream `fraud_flag/<id>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type")]
pub enum FraudFlagEvent {
    /// Somebody or something suspects fraud.
    #[serde(rename = "fraud_flag.raised")]
    Raised(Raised),
    /// It is fraud: what was held stays held.
    #[serde(rename = "fraud_flag.confirmed")]
    Confirmed(Resolved),
    /// It is none: what was held is released.
    #[serde(rename = "fraud_flag.dismissed")]
    Dismissed(Resolved),
}

/// A suspicion was raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Raised {
    /// Which suspicion.
    pub flag: FlagId,
    /// Why, one reason or more.
    pub reasons: Vec<String>,
    /// How likely it is, from 0 to 100.
    #[schemars(range(max = 100))]
    pub score: u8,
    /// What it is about.
    pub source_id: Uuid,
    /// What kind of thing that is.
    pub source_type: SourceType,
}

/// Somebody looked into a suspicion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// Which suspicion.
    pub flag: FlagId,
    /// What was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who looked.
    pub reviewer: String,
}

event_types!(FraudFlagEvent {
    Raised => "fraud_flag.raised" "1",
    Confirmed => "fraud_flag.confirmed" "1",
    Dismissed => "fraud_flag.dismissed" "1",
});

impl DomainEvent for FraudFlagEvent {
    fn effects(&self) -> Vec<Effect> {
        Vec::new()
    }
}
