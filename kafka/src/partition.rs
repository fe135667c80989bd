//! Which partition an event belongs to: where it is published, and where it is looked for.

use crate::topics::{EVENTS, EVENTS_PARTITIONS, LEDGER, TOPICS};
use std::fmt;
use viral_ledger::BookEvent;
use viral_store::StreamId;

/// How many partitions the published log has in all topics.
pub const COUNT: usize = 9;

/// A partition of one of the topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Partition {
    /// In which topic.
    pub topic: &'static str,
    /// Its number there.
    pub number: i32,
}

impl Partition {
    /// All partitions, in the order of their index.
    pub fn all() -> impl Iterator<Item = Partition> {
        TOPICS.iter().flat_map(|topic| {
            (0..topic.partitions).map(|number| Partition {
                topic: topic.name,
                number,
            })
        })
    }

    /// The partition of a topic and number, if it is one of the published log.
    pub fn find(topic: &str, number: i32) -> Option<Partition> {
        Partition::all().find(|partition| partition.topic == topic && partition.number == number)
    }

    /// Where the events of a stream are. Those of an aggregate share a partition and so keep their order.
    pub fn of(stream: &StreamId) -> Partition {
        if stream.aggregate_type == BookEvent::AGGREGATE_TYPE {
            return Partition {
                topic: LEDGER,
                number: 0,
            };
        }
        // As Kafka's own clients do it by default: whoever has the key finds the partition.
        let hash = murmur2(key(stream).as_bytes()) & 0x7fff_ffff;
        let number = i32::try_from(hash % EVENTS_PARTITIONS.unsigned_abs()).unwrap_or_default();
        Partition { topic: EVENTS, number }
    }

    /// Its place among all, from 0.
    pub(crate) fn index(self) -> usize {
        match self.topic == LEDGER {
            true => 0,
            false => usize::try_from(self.number).unwrap_or_default() + 1,
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} partition {}", self.topic, self.number)
    }
}

/// The key of a stream's records, `<aggregate type>/<aggregate id>`.
pub fn key(stream: &StreamId) -> String {
    stream.to_string()
}

/// MurmurHash2 (32 bits, little-endian) with the seed of Kafka's default partitioner.
/// <https://kafka.apache.org/documentation/#producerconfigs_partitioner.class>
fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let mut hash = 0x9747_b28c ^ length;
    let (words, rest) = data.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !rest.is_empty() {
        for (place, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * place);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_kafkas() {
        // From the tests of Kafka's own clients.
        for (text, hash) in [
            ("21", -973_932_308_i32),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(text.as_bytes()), hash.cast_unsigned(), "{text}");
        }
    }

    #[test]
    fn every_partition_has_its_index() {
        let all: Vec<Partition> = Partition::all().collect();
        assert_eq!(all.len(), COUNT);
        for (index, partition) in all.iter().enumerate() {
            assert_eq!(partition.index(), index);
            assert_eq!(Partition::find(partition.topic, partition.number), Some(*partition));
        }
        assert_eq!(Partition::find(EVENTS, EVENTS_PARTITIONS), None);
        assert_eq!(Partition::find("other", 0), None);
    }

    #[test]
    fn the_ledger_has_its_topic_and_aggregates_are_spread() {
        assert_eq!(Partition::of(&StreamId::new("book", "main")).index(), 0);
        let used: std::collections::BTreeSet<Partition> = (0..200)
            .map(|n| Partition::of(&StreamId::new("campaign", n.to_string())))
            .collect();
        assert_eq!(used.len(), 8);
        assert!(used.iter().all(|partition| partition.topic == EVENTS));
    }
}
