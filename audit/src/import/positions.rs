//! Which positions of the log were met.

use viral_store::Position;

/// A set of positions: one bit for each position of the log, so that a large file does not fill the memory.
#[derive(Default)]
pub(super) struct Positions {
    bits: Vec<u64>,
}

impl Positions {
    /// Whether it was not there before.
    pub(super) fn insert(&mut self, position: Position) -> bool {
        let Ok(word) = usize::try_from(position.0 / 64) else {
            return true;
        };
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        let bit = 1 << (position.0 % 64);
        match self.bits.get_mut(word) {
            Some(bits) if *bits & bit == 0 => {
                *bits |= bit;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_remembered() {
        let mut positions = Positions::default();
        for position in [1, 64, 63, 100_000] {
            assert!(positions.insert(Position(position)));
            assert!(!positions.insert(Position(position)));
        }
    }
}
