//! Sums of V-Coin.

use crate::money::Vcoin;
use serde::{Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use viral_ledger::{Amount, Asset};

/// A sum of amounts of V-Coin less other amounts, exactly: it neither stops at a bound nor wraps. An amount is at most
/// 10^24 minor units and an `i128` has room for more than 10^14 of those, of either sign, so no log is long enough to leave
/// it: events can be applied without an error. What is made of a sum, such as a posting, is an amount again
/// ([`VcoinSum::amount`]), and that is checked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct VcoinSum(i128);

impl VcoinSum {
    /// The sum of nothing.
    pub const ZERO: VcoinSum = VcoinSum(0);

    /// The number of minor units.
    pub fn minor(self) -> i128 {
        self.0
    }

    /// The sum as an amount that can be moved: nothing if it is below zero or beyond the bounds of an amount.
    pub fn amount(self) -> Option<Vcoin> {
        let amount = Amount::from_minor(self.0).ok()?;
        (self.0 >= 0).then_some(Vcoin(amount))
    }
}

impl From<Vcoin> for VcoinSum {
    fn from(amount: Vcoin) -> VcoinSum {
        VcoinSum(amount.0.minor())
    }
}

impl<T: Into<VcoinSum>> Add<T> for VcoinSum {
    type Output = VcoinSum;

    fn add(self, other: T) -> VcoinSum {
        VcoinSum(self.0 + other.into().0)
    }
}

impl<T: Into<VcoinSum>> Sub<T> for VcoinSum {
    type Output = VcoinSum;

    fn sub(self, other: T) -> VcoinSum {
        VcoinSum(self.0 - other.into().0)
    }
}

impl AddAssign<Vcoin> for VcoinSum {
    fn add_assign(&mut self, other: Vcoin) {
        *self = *self + other;
    }
}

impl SubAssign<Vcoin> for VcoinSum {
    fn sub_assign(&mut self, other: Vcoin) {
        *self = *self - other;
    }
}

impl std::iter::Sum<Vcoin> for VcoinSum {
    fn sum<I: Iterator<Item = Vcoin>>(amounts: I) -> VcoinSum {
        amounts.fold(VcoinSum::ZERO, |sum, amount| sum + amount)
    }
}

impl PartialEq<Vcoin> for VcoinSum {
    fn eq(&self, other: &Vcoin) -> bool {
        self.0 == other.0.minor()
    }
}

impl PartialOrd<Vcoin> for VcoinSum {
    fn partial_cmp(&self, other: &Vcoin) -> Option<Ordering> {
        self.0.partial_cmp(&other.0.minor())
    }
}

impl fmt::Display for VcoinSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = usize::from(Asset::VCOIN.scale());
        let one = 10_u128.pow(u32::from(Asset::VCOIN.scale()));
        let (sign, minor) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        write!(f, "{sign}{}.{:0scale$}", minor / one, minor % one)
    }
}

impl fmt::Debug for VcoinSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for VcoinSum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vcoin(text: &str) -> Vcoin {
        Vcoin::parse(text).unwrap()
    }

    #[test]
    fn sums_go_beyond_the_bounds_of_an_amount_and_come_back() {
        let largest = Vcoin(Amount::MAX);
        let sum: VcoinSum = [largest; 3].into_iter().sum();
        assert_eq!(sum.amount(), None);
        assert_eq!((sum - largest - largest).amount(), Some(largest));
        assert_eq!(
            (VcoinSum::ZERO - vcoin("0.0001")).amount(),
            None,
            "below zero is no amount"
        );
        assert_eq!(VcoinSum::ZERO.amount(), Some(Vcoin::ZERO));
        assert!(sum > largest && VcoinSum::ZERO - largest < Vcoin::ZERO);
    }

    #[test]
    fn sums_are_written_like_amounts() {
        for text in [
            "0.0000",
            "0.0001",
            "12.5000",
            "-0.0100",
            "-3.0000",
            "100000000000000000000.0000",
        ] {
            assert_eq!(VcoinSum::from(vcoin(text)).to_string(), text);
            assert_eq!(vcoin(text).to_string(), text);
        }
        let twice = VcoinSum::from(Vcoin(Amount::MAX)) + Vcoin(Amount::MAX);
        assert_eq!(serde_json::to_string(&twice).unwrap(), "\"200000000000000000000.0000\"");
    }
}
