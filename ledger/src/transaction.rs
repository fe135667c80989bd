//! Transactions: postings that happen together or not at all.

use crate::address::Address;
use crate::amount::Amount;
use crate::asset::Asset;
use crate::timestamp;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use uuid::Uuid;

/// One amount moved from the credit of one account to the debit of another, both of the same asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// The account that is debited.
    pub debit: Address,
    /// The account that is credited.
    pub credit: Address,
    /// How much, in minor units; more than zero.
    pub amount: Amount,
    /// Of what.
    pub asset: Asset,
}

/// A posting as JSON: the amount is a decimal string, which only the asset beside it gives a meaning.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Posting")]
struct PostingJson<'a> {
    /// How much: a decimal string with at most the asset's number of fraction digits, more than zero.
    #[serde(borrow)]
    #[schemars(regex(pattern = r"^[0-9]+(\.[0-9]+)?$"))]
    amount: Cow<'a, str>,
    asset: Asset,
    credit: Address,
    debit: Address,
}

impl Serialize for Posting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        PostingJson {
            amount: self.amount.to_text(self.asset).into(),
            asset: self.asset,
            credit: self.credit.clone(),
            debit: self.debit.clone(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Posting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = PostingJson::deserialize(deserializer)?;
        Ok(Posting {
            amount: Amount::parse(&json.amount, json.asset).map_err(serde::de::Error::custom)?,
            asset: json.asset,
            credit: json.credit,
            debit: json.debit,
        })
    }
}

impl JsonSchema for Posting {
    fn schema_name() -> Cow<'static, str> {
        "Posting".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        PostingJson::json_schema(generator)
    }
}

/// What kind of transaction it is: `on_ramp`, `fund`, `reward`, `fee`, `payout`, `refund`, `reversal`, `transfer` …
#[derive(Clone, PartialEq, Eq, Hash, Serialize, JsonSchema)]
pub struct Code(#[schemars(regex(pattern = "^[a-z][a-z0-9_]{0,31}$"))] Cow<'static, str>);

/// The text is no transaction code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a transaction code: a lower-case letter, then up to 31 lower-case letters, digits or '_'")]
pub struct InvalidCode(pub String);

impl InvalidCode {
    fn new(text: &str) -> InvalidCode {
        InvalidCode(text.chars().take(64).collect())
    }
}

impl Code {
    /// The code of reversals; no other transaction may carry it.
    pub const REVERSAL: Code = Code(Cow::Borrowed("reversal"));
    /// A plain movement between two accounts.
    pub const TRANSFER: Code = Code(Cow::Borrowed("transfer"));
    /// An entry of a foreign ledger.
    pub const JOURNAL: Code = Code(Cow::Borrowed("journal"));
    /// The capture of a hold, where the caller says no more.
    pub const CAPTURE: Code = Code(Cow::Borrowed("capture"));

    /// The longest code that a transaction can be given, in characters.
    pub const MAX_LENGTH: usize = 32;

    /// Reads a code that somebody gives.
    pub fn parse(text: &str) -> Result<Code, InvalidCode> {
        if text.len() > Code::MAX_LENGTH {
            return Err(InvalidCode::new(text));
        }
        Code::stored(text)
    }

    /// Reads a code that stands in an event, whatever its length: that is a rule of input. Exports write the characters
    /// as they are.
    pub fn stored(text: &str) -> Result<Code, InvalidCode> {
        let first = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        let rest = text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if first && rest {
            Ok(Code(text.to_owned().into()))
        } else {
            Err(InvalidCode::new(text))
        }
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Code::stored(&text).map_err(serde::de::Error::custom)
    }
}

/// What a transaction or hold is about, in the words of whoever posted it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "an object with type and id")]
pub struct Reference {
    /// Which one, for example the campaign's id.
    pub id: String,
    /// What kind of thing, for example `campaign`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// Free fields beside a transaction. Keys are printable, values are text.
pub type Metadata = BTreeMap<String, String>;

/// A transaction that someone asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTransaction {
    /// Its kind.
    pub code: Code,
    /// One line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it takes effect; the moment of the decision if absent.
    #[serde(default, with = "timestamp::option", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DateTime<Utc>>")]
    pub effective_at: Option<DateTime<Utc>>,
    /// Free fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: Metadata,
    /// The movements, at least one.
    pub postings: Vec<Posting>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
}

/// A transaction that was posted. Its id is the id of its event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transaction {
    /// The hold that it captured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captures: Option<Uuid>,
    /// Its kind.
    pub code: Code,
    /// One line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When it takes effect. Only reports look at it: what can be spent counts every posted transaction at once.
    #[serde(with = "timestamp")]
    #[schemars(with = "DateTime<Utc>")]
    pub effective_at: DateTime<Utc>,
    /// Free fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: Metadata,
    /// The movements, at least one.
    #[schemars(length(min = 1, max = 200))]
    pub postings: Vec<Posting>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// The transaction that it undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<Uuid>,
}
