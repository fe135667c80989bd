//! Amounts as they stand in events, and the rate between V-Coin and fiat money. All arithmetic is on integers and
//! rounds down, in favour of whoever holds the backing.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use viral_ledger::amount::AmountError;
use viral_ledger::{Amount, Asset};

/// An amount of V-Coin; as JSON a decimal string with four digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Vcoin(pub Amount);

impl Vcoin {
    /// Nothing.
    pub const ZERO: Vcoin = Vcoin(Amount::ZERO);

    /// Reads a decimal string.
    pub fn parse(text: &str) -> Result<Vcoin, AmountError> {
        Amount::parse(text, Asset::VCOIN).map(Vcoin)
    }

    /// More than nothing.
    pub fn is_positive(self) -> bool {
        self.0.is_positive()
    }
}

impl fmt::Display for Vcoin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_text(Asset::VCOIN))
    }
}

impl fmt::Debug for Vcoin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Vcoin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Vcoin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Vcoin, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Vcoin::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Vcoin {
    fn schema_name() -> Cow<'static, str> {
        "Vcoin".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "An amount of V-Coin.",
            "pattern": r"^[0-9]+\.[0-9]{4}$"
        })
    }
}

/// An amount of some asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money {
    /// How much.
    pub amount: Amount,
    /// Of what.
    pub asset: Asset,
}

/// Money as JSON: the asset gives the digits their meaning.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Money")]
struct MoneyJson {
    /// A decimal string with the asset's number of fraction digits.
    #[schemars(regex(pattern = r"^[0-9]+(\.[0-9]+)?$"))]
    amount: String,
    /// `VCOIN`, or a currency of ISO 4217.
    asset: Asset,
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount.to_text(self.asset), self.asset)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (amount, asset) = (self.amount.to_text(self.asset), self.asset);
        MoneyJson { amount, asset }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
        let MoneyJson { amount, asset } = MoneyJson::deserialize(deserializer)?;
        let amount = Amount::parse(&amount, asset).map_err(serde::de::Error::custom)?;
        Ok(Money { amount, asset })
    }
}

impl JsonSchema for Money {
    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        MoneyJson::json_schema(generator)
    }
}

/// How much fiat money one V-Coin is: a decimal number with up to eight fraction digits, more than zero.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// In units of 10^-8.
    units: i128,
}

/// The text is no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a rate: write a decimal number above zero, at most 1000000, with up to 8 decimals, such as \"0.01\""
)]
pub struct InvalidRate(pub String);

impl InvalidRate {
    fn new(text: &str) -> InvalidRate {
        InvalidRate(text.chars().take(64).collect())
    }
}

impl Rate {
    const SCALE: u32 = 8;
    const ONE: i128 = 100_000_000;
    const MAX: i128 = 1_000_000 * Rate::ONE;

    /// Reads a rate that somebody gives.
    pub fn parse(text: &str) -> Result<Rate, InvalidRate> {
        match Rate::stored(text)? {
            rate if rate.units <= Rate::MAX => Ok(rate),
            _ => Err(InvalidRate::new(text)),
        }
    }

    /// Reads a rate that stands in an event: how large one may be is a rule of input.
    fn stored(text: &str) -> Result<Rate, InvalidRate> {
        let invalid = || InvalidRate::new(text);
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return Err(invalid());
        }
        let mut decimal = rust_decimal::Decimal::from_str_exact(text).map_err(|_| invalid())?;
        if decimal.scale() > Rate::SCALE {
            return Err(invalid());
        }
        decimal.rescale(Rate::SCALE);
        match decimal.mantissa() {
            units if decimal.scale() == Rate::SCALE && units > 0 => Ok(Rate { units }),
            _ => Err(invalid()),
        }
    }

    /// What so much V-Coin is worth, rounded down to the currency's minor unit; nothing if that is out of bounds.
    pub fn to_fiat(self, amount: Vcoin, fiat: Asset) -> Option<Money> {
        let minor = amount.0.minor().checked_mul(self.units)?.checked_mul(pow10(fiat))?;
        let amount = Amount::from_minor(minor / (pow10(Asset::VCOIN) * Rate::ONE)).ok()?;
        Some(Money { amount, asset: fiat })
    }

    /// How much V-Coin this buys, rounded down to its minor unit; nothing if that is out of bounds.
    pub fn to_vcoin(self, fiat: Money) -> Option<Vcoin> {
        let minor = fiat.amount.minor().checked_mul(pow10(Asset::VCOIN) * Rate::ONE)?;
        let minor = minor / self.units.checked_mul(pow10(fiat.asset))?;
        Amount::from_minor(minor).ok().map(Vcoin)
    }
}

fn pow10(asset: Asset) -> i128 {
    10_i128.pow(u32::from(asset.scale()))
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.units / Rate::ONE, format!("{:08}", self.units % Rate::ONE));
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{whole}"),
            digits => write!(f, "{whole}.{digits}"),
        }
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rate, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Rate::stored(&text).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "Fiat money for one V-Coin.",
            "pattern": r"^[0-9]+(\.[0-9]{1,8})?$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Money {
        let asset = Asset::parse("USD").unwrap();
        let amount = Amount::parse(text, asset).unwrap();
        Money { amount, asset }
    }

    #[test]
    fn rates_round_down_both_ways() {
        let rate = Rate::parse("0.01").unwrap();
        assert_eq!(rate.to_vcoin(usd("50.00")), Vcoin::parse("5000").ok());
        assert_eq!(
            rate.to_fiat(Vcoin::parse("5000").unwrap(), usd("0").asset),
            Some(usd("50.00"))
        );
        assert_eq!(
            rate.to_fiat(Vcoin::parse("1.9999").unwrap(), usd("0").asset),
            Some(usd("0.01"))
        );
        let odd = Rate::parse("0.03").unwrap();
        assert_eq!(odd.to_vcoin(usd("1.00")), Vcoin::parse("33.3333").ok());
        assert_eq!(odd.to_string(), "0.03");
        assert_eq!(Rate::parse("2").unwrap().to_string(), "2");
    }

    #[test]
    fn going_there_and_back_never_gains() {
        for (rate, cents) in [
            ("0.01", 1),
            ("0.03", 100),
            ("0.07", 12_345),
            ("1.3", 999),
            ("33.33333333", 7),
        ] {
            let rate = Rate::parse(rate).unwrap();
            let amount = Amount::from_minor(cents).unwrap();
            let fiat = Money {
                amount,
                asset: usd("0").asset,
            };
            let back = rate.to_fiat(rate.to_vcoin(fiat).unwrap(), fiat.asset).unwrap();
            assert!(back.amount <= fiat.amount, "{rate} {fiat}");
        }
    }

    #[test]
    fn other_texts_are_no_rates() {
        for text in [
            "",
            "0",
            "-1",
            "1e3",
            "0.000000001",
            ".",
            "1000001",
            "1.2.3",
            "0.00000000",
        ] {
            assert!(Rate::parse(text).is_err(), "{text}");
        }
        assert!(Rate::parse("1000000").is_ok());
        let stored: Rate = serde_json::from_str("\"1000001\"").unwrap();
        assert_eq!(stored.to_string(), "1000001", "what was agreed on is a fact");
        assert_eq!(
            Rate::parse("1000000")
                .unwrap()
                .to_fiat(Vcoin(Amount::MAX), usd("0").asset),
            None
        );
    }
}
