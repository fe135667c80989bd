//! That somebody wants a transaction undone. The mirrored transaction is the book's event; this one stands before it in
//! the same unit and keeps who asked and why, in a stream of its own: `reversal/<original>` has one event at most, so a
//! transaction is reversed once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An event of stream `reversal/<original>`. As JSON it is internally tagged by `type`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type")]
pub enum ReversalEvent {
    /// Somebody wants a transaction undone: its mirror image follows.
    #[serde(rename = "reversal.requested")]
    Requested(ReversalRequested),
}

/// A reversal was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReversalRequested {
    /// The transaction that is undone.
    pub original: Uuid,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The transaction that undoes it.
    pub reversal: Uuid,
}

impl ReversalEvent {
    /// The type of the aggregate that these events belong to; its id is the original's.
    pub const AGGREGATE_TYPE: &'static str = "reversal";
}

crate::event_types!(ReversalEvent {
    Requested => "reversal.requested" "1",
});
