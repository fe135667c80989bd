//! What happens to the log itself.

use crate::aggregate::DomainEvent;
use crate::effects::Effect;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use viral_ledger::{event_types, timestamp};

/// The type of the event that accepts an earlier state.
pub const HISTORY_ACCEPTED: &str = "log.history_accepted";
/// The type of the event that accepts a clock.
pub const CLOCK_ACCEPTED: &str = "log.clock_accepted";

/// An event of stream `log/main`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type")]
pub enum AcceptanceEvent {
    /// Events that were read before are not in the log any more, and an operator goes on without them.
    #[serde(rename = "log.history_accepted")]
    HistoryAccepted(HistoryAccepted),
    /// The clock of the log's server was set, and an operator says that it is right.
    #[serde(rename = "log.clock_accepted")]
    ClockAccepted(ClockAccepted),
}

/// A place in a history of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The log's digest up to there, 64 hexadecimal digits, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The position, a decimal string.
    #[schemars(regex(pattern = r"^[0-9]+$"))]
    pub position: String,
}

/// An operator goes on without events that were lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HistoryAccepted {
    /// Who accepts it.
    pub by: String,
    /// Where the log ended when it was accepted.
    pub found: Place,
    /// Why.
    pub reason: String,
    /// The last event that was read before, which the log does not have.
    pub seen: Place,
}

/// An operator says that a clock is right as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockAccepted {
    /// Who accepts it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// What the clock said when it was accepted.
    #[serde(with = "timestamp")]
    #[schemars(with = "DateTime<Utc>")]
    pub time: DateTime<Utc>,
}

event_types!(AcceptanceEvent {
    HistoryAccepted => "log.history_accepted" "1",
    ClockAccepted => "log.clock_accepted" "1",
});

impl DomainEvent for AcceptanceEvent {
    fn effects(&self) -> Vec<Effect> {
        Vec::new()
    }
}
