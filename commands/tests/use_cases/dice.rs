//! The choices of a test, all drawn from its seed.

/// A small random generator (SplitMix64, Steele et al. 2014): the same seed always makes the same choices.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not zero.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// The index of one of so many, unless there are none.
    pub(crate) fn index(&mut self, count: usize) -> Option<usize> {
        let count = u64::try_from(count).unwrap();
        usize::try_from(self.next().checked_rem(count)?).ok()
    }

    /// As [`Dice::index`], one of the last six as a rule.
    pub(crate) fn recent(&mut self, count: usize) -> Option<usize> {
        let skipped = if self.percent(80) { count.saturating_sub(6) } else { 0 };
        Some(skipped + self.index(count - skipped)?)
    }

    /// True so many times out of a hundred.
    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    /// An amount in minor units below `end`; sometimes nothing, sometimes round.
    pub(crate) fn amount(&mut self, end: u64) -> i128 {
        let amount = i128::from(self.below(end));
        match self.below(20) {
            0 => 0,
            1..10 => amount - amount % 10_000,
            _ => amount,
        }
    }
}
