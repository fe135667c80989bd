//! Which event has an id, in 8 bytes an event: a fingerprint of the id above the position, sorted.
//!
//! The fingerprint is a keyed hash, so nobody can make ids that share one. Of 16 million events each fingerprint has one
//! on average, of a thousand million 60: what is found is looked at, and costs a few short reads.

use std::hash::{BuildHasher as _, RandomState};
use uuid::Uuid;

/// How many bits the position has. No copy has 2^40 lines: their ends alone would take 8 TiB of memory.
const POSITION_BITS: u32 = 40;

/// The ids that were added so far, in the order of their positions.
#[derive(Debug, Default)]
pub(super) struct Unsorted {
    entries: Vec<u64>,
    hasher: RandomState,
}

/// An index of ids.
#[derive(Debug)]
pub(super) struct Ids {
    entries: Vec<u64>,
    hasher: RandomState,
}

impl Unsorted {
    pub(super) fn add(&mut self, id: Uuid, position: u64) {
        self.entries.push(fingerprint(&self.hasher, id) | position);
    }

    pub(super) fn sort(mut self) -> Ids {
        self.entries.sort_unstable();
        Ids {
            entries: self.entries,
            hasher: self.hasher,
        }
    }
}

impl Ids {
    /// The positions that may have this id, in ascending order.
    pub(super) fn candidates(&self, id: Uuid) -> impl Iterator<Item = u64> + '_ {
        let wanted = fingerprint(&self.hasher, id);
        let first = self.entries.partition_point(|entry| *entry < wanted);
        let same = move |entry: &&u64| **entry >> POSITION_BITS == wanted >> POSITION_BITS;
        let positions = self.entries.iter().skip(first).take_while(same);
        positions.map(|entry| entry & ((1 << POSITION_BITS) - 1))
    }
}

/// The hash without its lower bits, which are the position's.
fn fingerprint(hasher: &RandomState, id: Uuid) -> u64 {
    hasher.hash_one(id) >> POSITION_BITS << POSITION_BITS
}
