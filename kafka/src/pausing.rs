//! Partitions that run ahead of the others wait, so that memory stays bounded.

use crate::cluster::Quiet;
use crate::error::KafkaError;
use crate::merge::Merge;
use crate::partition::{COUNT, Partition};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

/// A partition whose events behind a gap take more memory than this, in bytes, is paused, and goes on below half of it.
const AHEAD: usize = 8 * 1_024 * 1_024;

/// Which partitions are paused.
#[derive(Debug, Default)]
pub(crate) struct Pausing([bool; COUNT]);

impl Pausing {
    /// Pauses partitions that ran ahead, and lets them go on when that is used up. The partition that has the missing
    /// position is never one of them: its records behind that one are not read yet.
    pub(crate) fn apply(&mut self, consumer: &BaseConsumer<Quiet>, merge: &Merge) -> Result<(), KafkaError> {
        let wanted = |index: usize, paused: bool| match paused {
            true => merge.ahead_bytes(index) >= AHEAD / 2,
            false => merge.ahead_bytes(index) > AHEAD,
        };
        if (0..COUNT).all(|index| wanted(index, self.0[index]) == self.0[index]) {
            return Ok(());
        }
        let (mut pause, mut resume) = (TopicPartitionList::new(), TopicPartitionList::new());
        for partition in Partition::all() {
            let paused = &mut self.0[partition.index()];
            let wanted = wanted(partition.index(), *paused);
            if wanted != std::mem::replace(paused, wanted) {
                let list = if wanted { &mut pause } else { &mut resume };
                list.add_partition(partition.topic, partition.number);
            }
        }
        if pause.count() > 0 {
            consumer.pause(&pause)?;
        }
        if resume.count() > 0 {
            consumer.resume(&resume)?;
        }
        Ok(())
    }

    pub(crate) fn is_paused(&self, partition: Partition) -> bool {
        self.0[partition.index()]
    }
}
