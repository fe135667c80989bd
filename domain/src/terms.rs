//! What the platform takes and allows. Terms are configuration; whatever is decided by them is recorded in the events
//! that used them, so that a later change does not rewrite the past.

use crate::money::{Rate, Vcoin};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use viral_ledger::{Amount, Asset};

/// A share in hundredths of a percent: 500 is 5 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct BasisPoints(#[schemars(range(max = 10000))] pub u16);

impl BasisPoints {
    /// The whole.
    pub const ALL: BasisPoints = BasisPoints(10_000);

    /// This share of an amount, rounded down to a minor unit.
    pub fn of(self, amount: Vcoin) -> Vcoin {
        let share = amount.0.minor() * i128::from(self.0.min(BasisPoints::ALL.0)) / i128::from(BasisPoints::ALL.0);
        // A share of an amount is within the bounds of one.
        Vcoin(Amount::from_minor(share).unwrap_or(Amount::ZERO))
    }

    /// What is left of an amount without this share.
    pub fn rest_of(self, amount: Vcoin) -> Vcoin {
        // The share is between nothing and the amount, so this is, too.
        Vcoin(Amount::from_minor(amount.0.minor() - self.of(amount).0.minor()).unwrap_or(Amount::ZERO))
    }
}

/// The terms that new decisions are made by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The platform's share of a reward, fixed for an assignment when it is accepted.
    pub fee: BasisPoints,
    /// What one V-Coin is in fiat money, at purchases and payouts.
    pub rate: Rate,
    /// The fiat money.
    pub fiat: Asset,
    /// A payout above this needs an admin's approval beside the sponsor's.
    pub admin_limit: Vcoin,
    /// How often a payout is sent before it has failed for good.
    pub payout_attempts: u32,
}

impl Default for Terms {
    /// A fee of 5 %, 0.01 USD for one V-Coin, an admin's approval above 1,000 V-Coin, three attempts to pay.
    // These texts are fixed, and a test reads them.
    #[allow(clippy::expect_used)]
    fn default() -> Terms {
        Terms {
            fee: BasisPoints(500),
            rate: Rate::parse("0.01").expect("a decimal above zero"),
            fiat: Asset::parse("USD").expect("a currency of ISO 4217"),
            admin_limit: Vcoin::parse("1000").expect("a decimal"),
            payout_attempts: 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vcoin(text: &str) -> Vcoin {
        Vcoin::parse(text).unwrap()
    }

    #[test]
    fn the_terms_are_these_unless_configured() {
        let terms = Terms::default();
        assert_eq!(terms.fee, BasisPoints(500));
        assert_eq!((terms.rate.to_string(), terms.fiat.code()), ("0.01".to_owned(), "USD"));
        assert_eq!(terms.admin_limit, vcoin("1000"));
        assert_eq!(terms.payout_attempts, 3);
    }

    #[test]
    fn a_share_is_rounded_down_and_never_above_the_whole() {
        let table = [
            (500, "100", "5.0000"),
            (500, "0.0019", "0.0000"),
            (500, "0.0020", "0.0001"),
            (333, "0.0999", "0.0033"),
            (0, "100", "0.0000"),
            (10_000, "7.7777", "7.7777"),
            (10_001, "7.7777", "7.7777"),
            (u16::MAX, "1", "1.0000"),
        ];
        for (share, amount, expected) in table {
            assert_eq!(
                BasisPoints(share).of(vcoin(amount)).to_string(),
                expected,
                "{share} of {amount}"
            );
            let (part, rest) = (
                BasisPoints(share).of(vcoin(amount)),
                BasisPoints(share).rest_of(vcoin(amount)),
            );
            assert_eq!(part.checked_add(rest), Some(vcoin(amount)));
        }
        assert_eq!(BasisPoints::ALL.of(Vcoin(Amount::MAX)), Vcoin(Amount::MAX));
    }
}
