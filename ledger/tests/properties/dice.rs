//! The choices of one step, all drawn from its seed.

/// A small random generator (SplitMix64, Steele et al. 2014): the same seed always makes the same choices.
#[derive(Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

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

    /// Between 1 and `most`, both included.
    pub(crate) fn up_to(&mut self, most: i128) -> i128 {
        let random = u128::from(self.next()) << 64 | u128::from(self.next());
        1 + i128::try_from(random % most.unsigned_abs()).unwrap()
    }

    /// True so many times out of a hundred.
    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    /// One of these, unless there are none.
    pub(crate) fn pick<T: Clone>(&mut self, items: &[T]) -> Option<T> {
        let count = u64::try_from(items.len()).unwrap();
        let index = self.next().checked_rem(count)?;
        Some(items[usize::try_from(index).unwrap()].clone())
    }
}
