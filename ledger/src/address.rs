//! Addresses of accounts: `user:42:wallet`, `platform:fees`, `customer:576`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// Where an account is found: segments of `[A-Za-z0-9_-]+` joined by `:`. Cheap to clone.
///
/// The characters are what the state text, SQL, CSV, Beancount and hledger take as they are: everything that is read must
/// keep to them. The length is a rule of input: an address that is stored is read whatever its length.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(Arc<str>);

/// The text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not an account address: segments of letters, digits, '_' and '-' joined by ':', at most 200 characters"
)]
pub struct InvalidAddress(pub String);

impl InvalidAddress {
    fn new(text: &str) -> InvalidAddress {
        InvalidAddress(text.chars().take(64).collect())
    }
}

/// First segments whose accounts move only through the domain's own use cases.
const RESERVED: [&str; 5] = ["user", "campaign", "payout", "platform", "stripe"];

impl Address {
    /// The longest address that an account can be opened at, in characters.
    pub const MAX_LENGTH: usize = 200;

    /// Reads an address that somebody gives.
    pub fn parse(text: &str) -> Result<Address, InvalidAddress> {
        if text.len() > Address::MAX_LENGTH {
            return Err(InvalidAddress::new(text));
        }
        Address::stored(text)
    }

    /// Reads an address that stands in an event or a snapshot.
    pub fn stored(text: &str) -> Result<Address, InvalidAddress> {
        let segment = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if text.split(':').all(segment) {
            Ok(Address(text.into()))
        } else {
            Err(InvalidAddress::new(text))
        }
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether generic posting and imports must leave this account alone.
    pub fn is_reserved(&self) -> bool {
        let first = self.0.split(':').next().unwrap_or_default();
        RESERVED.contains(&first)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for Address {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Address::stored(&text).map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Address {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Address".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "The address of an account.",
            "maxLength": 200,
            "pattern": "^[A-Za-z0-9_-]+(:[A-Za-z0-9_-]+)*$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_checked() {
        for good in ["a", "user:42:wallet", "bank:interest_paid", "A-b:9"] {
            assert_eq!(Address::parse(good).unwrap().as_str(), good);
        }
        let long = "a".repeat(201);
        for bad in ["", ":", "a:", ":a", "a::b", "a b", "é", "a:b\n", "a|b", &long] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_stored_may_be_longer_than_what_is_given() {
        let long = "a".repeat(Address::MAX_LENGTH + 1);
        let read: Address = serde_json::from_str(&format!("{long:?}")).unwrap();
        assert_eq!(read.as_str(), long);
        // What the state text could not hold is refused wherever it stands.
        for bad in ["", "a:", "a|b", "a\nb", "a b"] {
            assert!(Address::stored(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn reserved_is_decided_by_the_whole_first_segment() {
        assert!(Address::parse("user:1:wallet").unwrap().is_reserved());
        assert!(Address::parse("platform").unwrap().is_reserved());
        assert!(!Address::parse("users:1").unwrap().is_reserved());
        assert!(!Address::parse("bank:user").unwrap().is_reserved());
    }
}
