//! Amounts of money: integers of minor units, never floating point.

use crate::asset::Asset;
use rust_decimal::Decimal;
use std::fmt;

/// An amount in minor units of its asset (1 USD is 100, 1 VCOIN is 10,000), between −[`Amount::MAX`] and
/// [`Amount::MAX`].
///
/// The asset is not part of the value: an account or a posting says what it counts. Text is a plain decimal string
/// with the asset's number of fraction digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Amount(i128);

/// Why a text is no amount; in the order the checks are made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not of the form `-?digits[.digits]`.
    #[error("{0:?} is not an amount: write a plain decimal number such as \"12.50\"")]
    Syntax(String),
    /// More fraction digits than the asset has.
    #[error("{text:?} has too many decimals: {asset} has {}", .asset.scale())]
    TooManyDigits {
        /// What was written.
        text: String,
        /// The asset whose scale was exceeded.
        asset: Asset,
    },
    /// Beyond ±10^24 minor units.
    #[error("the amount is beyond ±10^24 minor units")]
    OutOfRange,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);
    /// The largest amount: 10^24 minor units. `rust_decimal` and `numeric(38,4)` hold it exactly.
    pub const MAX: Amount = Amount(1_000_000_000_000_000_000_000_000);

    /// An amount of so many minor units, if it is within the bounds.
    pub fn from_minor(minor: i128) -> Result<Amount, AmountError> {
        if minor.unsigned_abs() <= Amount::MAX.0.unsigned_abs() {
            Ok(Amount(minor))
        } else {
            Err(AmountError::OutOfRange)
        }
    }

    /// The number of minor units.
    pub fn minor(self) -> i128 {
        self.0
    }

    /// Reads a decimal string such as `12.5` or `-0.0001`; fewer digits than the scale are filled with zeros.
    pub fn parse(text: &str, asset: Asset) -> Result<Amount, AmountError> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || (digits.contains('.') && !is_number(fraction)) {
            return Err(AmountError::Syntax(text.chars().take(64).collect()));
        }
        if fraction.len() > usize::from(asset.scale()) {
            return Err(AmountError::TooManyDigits {
                text: text.chars().take(64).collect(),
                asset,
            });
        }
        let mut decimal = Decimal::from_str_exact(text).map_err(|_| AmountError::OutOfRange)?;
        decimal.rescale(u32::from(asset.scale()));
        // Rescaling stops short where the mantissa has no room for more digits: such a number is beyond the bounds.
        if decimal.scale() != u32::from(asset.scale()) {
            return Err(AmountError::OutOfRange);
        }
        Amount::from_minor(decimal.mantissa())
    }

    /// The decimal string with all of the asset's fraction digits, `12.5000`.
    pub fn to_text(self, asset: Asset) -> String {
        // In bounds, so 96 bits hold the mantissa.
        Decimal::try_from_i128_with_scale(self.0, u32::from(asset.scale()))
            .map_or_else(|_| self.0.to_string(), |decimal| decimal.to_string())
    }

    /// The sum, unless it leaves the bounds.
    pub fn checked_add(self, other: Amount) -> Option<Amount> {
        Amount::from_minor(self.0 + other.0).ok()
    }

    /// The difference, unless it leaves the bounds.
    pub fn checked_sub(self, other: Amount) -> Option<Amount> {
        Amount::from_minor(self.0 - other.0).ok()
    }

    /// More than nothing.
    pub fn is_positive(self) -> bool {
        self.0 > 0
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} minor", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_at_the_scale_of_the_asset() {
        let usd = Asset::parse("USD").unwrap();
        for (text, minor) in [("12.5", 1250), ("0", 0), ("-0.01", -1), ("007.10", 710)] {
            assert_eq!(Amount::parse(text, usd).unwrap().minor(), minor, "{text}");
        }
        assert_eq!(
            Amount::parse("12.5", Asset::VCOIN).unwrap().to_text(Asset::VCOIN),
            "12.5000"
        );
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "", "-", ".", "1.", ".5", "+1", "1e3", "1_000", "1,000", " 1", "١", "NaN", "0x10", "--1", "1.2.3",
        ] {
            let error = Amount::parse(text, Asset::VCOIN).unwrap_err();
            assert!(matches!(error, AmountError::Syntax(_)), "{text}: {error}");
        }
        assert!(matches!(
            Amount::parse("1.00001", Asset::VCOIN),
            Err(AmountError::TooManyDigits { .. })
        ));
    }

    #[test]
    fn the_bounds_are_exact() {
        let max = "100000000000000000000";
        assert_eq!(Amount::parse(max, Asset::VCOIN).unwrap(), Amount::MAX);
        assert_eq!(Amount::MAX.to_text(Asset::VCOIN), format!("{max}.0000"));
        for text in [
            "100000000000000000000.0001",
            "99999999999999999999999999999",
            &"9".repeat(1_000),
        ] {
            assert_eq!(
                Amount::parse(text, Asset::VCOIN),
                Err(AmountError::OutOfRange),
                "{text}"
            );
        }
        assert_eq!(Amount::MAX.checked_add(Amount(1)), None);
    }
}
