//! Assets: what an amount is an amount of. Each has one scale, fixed for ever, so that amounts are plain integers and an old
//! one still means what it meant.

mod currencies;

use currencies::CURRENCIES;
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
        // Metals and test codes have no minor unit in ISO 4217: they cannot be counted in integers.
        match CURRENCIES
            .binary_search_by_key(&code, |(code, _)| code)
            .map(|index| CURRENCIES.get(index))
        {
            Ok(Some(&(code, scale))) => Ok(Asset { code, scale }),
            _ => Err(UnknownAsset(code.chars().take(32).collect())),
        }
    }

    /// The code, for example `VCOIN` or `USD`.
    pub fn code(self) -> &'static str {
        self.code
    }

    /// Any number of minor units as a decimal with all fraction digits; sums of many accounts may be beyond an
    /// [`Amount`](crate::Amount)'s bounds.
    pub fn decimal(self, minor: i128) -> String {
        let (sign, digits) = (if minor < 0 { "-" } else { "" }, minor.unsigned_abs().to_string());
        let scale = usize::from(self.scale);
        if scale == 0 {
            return format!("{sign}{digits}");
        }
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        format!("{sign}{whole}.{fraction}")
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

    /// `asset/released.txt` has the scales that amounts in logs were written with. Lines are added to it, nothing else.
    #[test]
    fn a_scale_that_amounts_were_written_with_stays() {
        let mut released = 0;
        for line in include_str!("asset/released.txt").lines() {
            let (scale, codes) = line.split_once(' ').unwrap();
            for code in codes.split(' ') {
                assert_eq!(Asset::parse(code).unwrap().scale().to_string(), scale, "{code}");
                released += 1;
            }
        }
        assert_eq!(released, CURRENCIES.len(), "a new currency goes into released.txt, too");
        assert!(CURRENCIES.is_sorted(), "found by halving");
        assert_eq!(Asset::VCOIN.scale(), 4);
    }

    #[test]
    fn decimals_are_those_of_amounts_and_go_beyond_them() {
        use crate::Amount;
        for asset in ["VCOIN", "USD", "JPY", "KWD"].map(|code| Asset::parse(code).unwrap()) {
            let most = Amount::MAX.minor();
            for minor in [0, 1, -1, 10, -999, 10_000, 123_456_789, most, -most] {
                let amount = Amount::from_minor(minor).unwrap();
                assert_eq!(asset.decimal(minor), amount.to_text(asset), "{minor} {asset}");
            }
        }
        let least = "-17014118346046923173168730371588410.5728";
        assert_eq!(Asset::VCOIN.decimal(i128::MIN), least);
    }

    #[test]
    fn what_is_no_currency_is_refused() {
        for code in ["", "usd", "XXX", "XAU", "ABC", "VCOIN ", "US"] {
            assert!(Asset::parse(code).is_err(), "{code}");
        }
    }
}
