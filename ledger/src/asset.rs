//! Assets: what an amount is an amount of. Each has one fixed scale, so that amounts are plain integers.

use iso_currency::Currency;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// An asset: V-Coin, or a currency of ISO 4217, with its number of fraction digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Asset {
    code: &'static str,
    scale: u8,
}

/// The code names no asset of this ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown asset {0:?}: use VCOIN or an ISO 4217 currency code such as USD")]
pub struct UnknownAsset(pub String);

impl Asset {
    /// The platform's own coin, four fraction digits.
    pub const VCOIN: Asset = Asset {
        code: "VCOIN",
        scale: 4,
    };

    /// Finds an asset by its code, in upper case.
    pub fn parse(code: &str) -> Result<Asset, UnknownAsset> {
        if code == Asset::VCOIN.code {
            return Ok(Asset::VCOIN);
        }
        let unknown = || UnknownAsset(code.chars().take(32).collect());
        let currency = Currency::from_code(code).ok_or_else(unknown)?;
        // Metals and test codes have no minor unit in ISO 4217: they cannot be counted in integers.
        let scale = currency
            .exponent()
            .and_then(|digits| u8::try_from(digits).ok())
            .ok_or_else(unknown)?;
        Ok(Asset {
            code: currency.code(),
            scale,
        })
    }

    /// The code, for example `VCOIN` or `USD`.
    pub fn code(self) -> &'static str {
        self.code
    }

    /// How many digits follow the decimal point.
    pub fn scale(self) -> u8 {
        self.scale
    }
}

impl fmt::Display for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

impl fmt::Debug for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

impl Serialize for Asset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code)
    }
}

impl<'de> Deserialize<'de> for Asset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Asset::parse(&code).map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Asset {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Asset".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "VCOIN or an ISO 4217 currency code.",
            "pattern": "^[A-Z]{3,5}$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_follow_iso_4217() {
        for (code, scale) in [("VCOIN", 4), ("USD", 2), ("CZK", 2), ("JPY", 0), ("KWD", 3)] {
            assert_eq!(Asset::parse(code).unwrap().scale(), scale, "{code}");
        }
    }

    #[test]
    fn what_is_no_currency_is_refused() {
        for code in ["", "usd", "XXX", "XAU", "ABC", "VCOIN ", "US"] {
            assert!(Asset::parse(code).is_err(), "{code}");
        }
    }
}
