//! Where a feed goes on, as text beside a checkpoint: the offset of each partition.

use crate::partition::{COUNT, Partition};
use std::collections::BTreeMap;

/// The offsets as a JSON object, partitions as `<topic>/<number>`.
pub(super) fn text(offsets: &[Option<i64>; COUNT]) -> String {
    let known: BTreeMap<String, i64> = Partition::all()
        .zip(offsets)
        .filter_map(|(partition, offset)| Some((name(partition), (*offset)?)))
        .collect();
    // A map of strings and integers can always be written.
    serde_json::to_string(&known).unwrap_or_default()
}

/// Reads them back. What cannot be read is not known: that partition is read from its beginning.
pub(super) fn parse(text: &str) -> [Option<i64>; COUNT] {
    let known: BTreeMap<String, i64> = serde_json::from_str(text).unwrap_or_default();
    let mut offsets = [None; COUNT];
    for (partition, offset) in Partition::all().zip(&mut offsets) {
        *offset = known.get(&name(partition)).copied().filter(|offset| *offset >= 0);
    }
    offsets
}

fn name(partition: Partition) -> String {
    format!("{}/{}", partition.topic, partition.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back() {
        let mut offsets = [None; COUNT];
        (offsets[0], offsets[8]) = (Some(12), Some(0));
        let written = text(&offsets);
        assert_eq!(written, r#"{"viral.events.v1/7":0,"viral.ledger.v1/0":12}"#);
        assert_eq!(parse(&written), offsets);
        for nonsense in ["", "?", r#"{"viral.ledger.v1/0":-1,"other/3":5}"#] {
            assert_eq!(parse(nonsense), [None; COUNT]);
        }
    }
}
