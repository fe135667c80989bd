//! What happened in the book. Events are facts: they are stored for ever and only ever added to.

use crate::account::NormalSide;
use crate::address::Address;
use crate::amount::Amount;
use crate::asset::Asset;
use crate::timestamp;
use crate::transaction::{Reference, Transaction};
use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One event of the book. As JSON it is internally tagged by `type`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type")]
pub enum BookEvent {
    /// An account exists from now on.
    #[serde(rename = "book.account_opened")]
    AccountOpened(AccountOpened),
    /// Nothing is posted to the account until it is unfrozen.
    #[serde(rename = "book.account_frozen")]
    AccountFrozen(AccountChanged),
    /// The account takes postings again.
    #[serde(rename = "book.account_unfrozen")]
    AccountUnfrozen(AccountChanged),
    /// The account is empty and stays so.
    #[serde(rename = "book.account_closed")]
    AccountClosed(AccountChanged),
    /// Money moved.
    #[serde(rename = "book.transaction_posted")]
    TransactionPosted(Transaction),
    /// Money was set aside.
    #[serde(rename = "book.hold_placed")]
    HoldPlaced(HoldPlaced),
    /// Money that was set aside is free again.
    #[serde(rename = "book.hold_voided")]
    HoldVoided(HoldReleased),
    /// Money that was set aside is free again, because its time was over.
    #[serde(rename = "book.hold_expired")]
    HoldExpired(HoldReleased),
    /// Nothing effective on or before the date is accepted any more.
    #[serde(rename = "book.period_closed")]
    PeriodClosed(PeriodClosed),
    /// The state of the whole book was hashed and saved.
    #[serde(rename = "book.snapshot_taken")]
    SnapshotTaken(SnapshotTaken),
}

/// An account was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountOpened {
    /// Its address.
    pub account: Address,
    /// What it counts.
    pub asset: Asset,
    /// Whether its balance may go below zero.
    pub may_go_negative: bool,
    /// The side it grows on.
    pub normal_side: NormalSide,
}

/// An account was frozen, unfrozen or closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountChanged {
    /// Its address.
    pub account: Address,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A hold was placed on an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldPlaced {
    /// The hold's id: the id of this event.
    pub hold: Uuid,
    /// The account whose money is set aside.
    pub account: Address,
    /// How much.
    pub amount: Amount,
    /// Of what: the account's asset.
    pub asset: Asset,
    /// From when on it can no longer be captured.
    pub expires_at: Option<DateTime<Utc>>,
    /// What it is about.
    pub reference: Option<Reference>,
}

/// A hold as JSON, with the amount as a decimal string.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "HoldPlaced")]
struct HoldPlacedJson {
    /// The account whose money is set aside.
    account: Address,
    /// How much: a decimal string with at most the asset's number of fraction digits, more than zero.
    #[schemars(regex(pattern = r"^[0-9]+(\.[0-9]+)?$"))]
    amount: String,
    /// Of what: the account's asset.
    asset: Asset,
    /// From when on it can no longer be captured.
    #[serde(default, with = "timestamp::option", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    expires_at: Option<DateTime<Utc>>,
    /// The hold's id: the id of this event.
    hold: Uuid,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<Reference>,
}

impl Serialize for HoldPlaced {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        HoldPlacedJson {
            account: self.account.clone(),
            amount: self.amount.to_text(self.asset),
            asset: self.asset,
            expires_at: self.expires_at,
            hold: self.hold,
            reference: self.reference.clone(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for HoldPlaced {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = HoldPlacedJson::deserialize(deserializer)?;
        Ok(HoldPlaced {
            amount: Amount::parse(&json.amount, json.asset).map_err(serde::de::Error::custom)?,
            account: json.account,
            asset: json.asset,
            expires_at: json.expires_at,
            hold: json.hold,
            reference: json.reference,
        })
    }
}

impl JsonSchema for HoldPlaced {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HoldPlaced".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        HoldPlacedJson::json_schema(generator)
    }
}

/// A hold was voided or has expired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldReleased {
    /// The hold.
    pub hold: Uuid,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A period was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodClosed {
    /// The last day (UTC) of the closed period.
    #[schemars(with = "String", regex(pattern = r"^\d{4}-\d{2}-\d{2}$"))]
    pub through: NaiveDate,
}

/// The state of the book after the event before this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SnapshotTaken {
    /// The last position of the log that is part of the state, a decimal string like every position in JSON.
    #[serde(with = "decimal_string")]
    #[schemars(with = "String", regex(pattern = "^(0|[1-9][0-9]*)$"))]
    pub position: u64,
    /// SHA-256 of the state text, 64 hexadecimal digits.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    pub state_hash: String,
}

/// Integers as decimal strings: JSON numbers lose digits beyond 2^53.
mod decimal_string {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl BookEvent {
    /// The type of the aggregate that these events belong to.
    pub const AGGREGATE_TYPE: &'static str = "book";
    /// The id of the one book.
    pub const AGGREGATE_ID: &'static str = "main";
}

crate::event_types!(BookEvent {
    AccountOpened => "book.account_opened" "1",
    AccountFrozen => "book.account_frozen" "1",
    AccountUnfrozen => "book.account_unfrozen" "1",
    AccountClosed => "book.account_closed" "1",
    TransactionPosted => "book.transaction_posted" "1",
    HoldPlaced => "book.hold_placed" "1",
    HoldVoided => "book.hold_voided" "1",
    HoldExpired => "book.hold_expired" "1",
    PeriodClosed => "book.period_closed" "1",
    SnapshotTaken => "book.snapshot_taken" "1",
});
