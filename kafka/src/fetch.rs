//! Reading given ranges of offsets to their end.

use crate::cluster::{ANSWER, Quiet};
use crate::error::{KafkaError, is_missing_topic, is_out_of_range};
use crate::partition::{COUNT, Partition};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError as ClientError;
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::{Offset, TopicPartitionList};
use std::time::{Duration, Instant};

/// How long nothing may come although there is something to read.
const STALL: Duration = Duration::from_secs(15);
/// How long nothing may come before the ends that were reached count.
const SILENCE: Duration = Duration::from_secs(2);
/// How long one look takes.
const LOOK: Duration = Duration::from_millis(100);

/// Offsets of a partition: from the first up to, not including, the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) from: i64,
    pub(crate) end: i64,
}

/// The first and the end offset of each partition.
pub(crate) fn watermarks(consumer: &BaseConsumer<Quiet>) -> Result<[Range; COUNT], KafkaError> {
    watermarks_within(consumer, ANSWER)
}

/// As [`watermarks`], where each answer may take so long.
pub(crate) fn watermarks_within(
    consumer: &BaseConsumer<Quiet>,
    timeout: Duration,
) -> Result<[Range; COUNT], KafkaError> {
    let mut ranges = [Range { from: 0, end: 0 }; COUNT];
    for partition in Partition::all() {
        let asked = consumer.fetch_watermarks(partition.topic, partition.number, timeout);
        let (from, end) = asked.map_err(|error| match error.rdkafka_error_code() {
            Some(code) if is_missing_topic(code) => KafkaError::NoTopic(partition.topic.to_owned()),
            _ => KafkaError::Unavailable(format!("{error} (asking for the ends of {partition})")),
        })?;
        ranges[partition.index()] = Range { from, end };
    }
    Ok(ranges)
}

/// The first offset of each partition whose record is not stamped earlier than this, in milliseconds since 1970; its end
/// if there is none.
pub(crate) fn offsets_at(
    consumer: &BaseConsumer<Quiet>,
    millis: i64,
    marks: &[Range; COUNT],
) -> Result<[Option<i64>; COUNT], KafkaError> {
    let mut asked = TopicPartitionList::new();
    for partition in Partition::all() {
        asked.add_partition_offset(partition.topic, partition.number, Offset::Offset(millis))?;
    }
    let answered = consumer.offsets_for_times(asked, ANSWER)?;
    let mut offsets = marks.map(|mark| Some(mark.end));
    for element in answered.elements() {
        element.error()?;
        if let (Some(partition), Offset::Offset(offset)) =
            (Partition::find(element.topic(), element.partition()), element.offset())
        {
            offsets[partition.index()] = Some(offset);
        }
    }
    Ok(offsets)
}

/// Tells the consumer to read each of these partitions from its offset on.
pub(crate) fn assign(
    consumer: &BaseConsumer<Quiet>,
    from: impl IntoIterator<Item = (Partition, Offset)>,
) -> Result<(), KafkaError> {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in from {
        list.add_partition_offset(partition.topic, partition.number, offset)?;
    }
    Ok(consumer.assign(&list)?)
}

/// Ranges that are read to their ends, by a consumer that is told where those are.
pub(crate) struct Ranges<'a> {
    consumer: &'a BaseConsumer<Quiet>,
    /// The ends of those that are not finished.
    ends: [Option<i64>; COUNT],
    /// Which are read.
    assigned: [bool; COUNT],
    /// How often the end of a partition with this number was reached. The client does not say of which topic.
    reached: [usize; COUNT],
}

impl<'a> Ranges<'a> {
    /// Tells the consumer to read these.
    pub(crate) fn begin(
        consumer: &'a BaseConsumer<Quiet>,
        ranges: &[(Partition, Range)],
    ) -> Result<Ranges<'a>, KafkaError> {
        let mut ends: [Option<i64>; COUNT] = [None; COUNT];
        let wanted = ranges.iter().filter(|(_, range)| range.from < range.end);
        for (partition, range) in wanted.clone() {
            ends[partition.index()] = Some(range.end);
        }
        assign(
            consumer,
            wanted.map(|(partition, range)| (*partition, Offset::Offset(range.from))),
        )?;
        Ok(Ranges {
            consumer,
            assigned: ends.map(|end| end.is_some()),
            ends,
            reached: [0; COUNT],
        })
    }

    /// The partitions that are not read to their ends yet.
    pub(crate) fn unfinished(&self) -> impl Iterator<Item = Partition> {
        Partition::all().filter(|partition| self.ends[partition.index()].is_some())
    }

    /// The next record; those of a partition come in order. None if all are read.
    pub(crate) fn next(&mut self) -> Result<Option<(Partition, BorrowedMessage<'a>)>, KafkaError> {
        let began = Instant::now();
        while self.ends.iter().any(Option::is_some) {
            let message = match self.consumer.poll(LOOK) {
                Some(Ok(message)) => message,
                Some(Err(ClientError::PartitionEOF(number))) => {
                    self.reached_end(number);
                    continue;
                }
                Some(Err(error)) => {
                    check_error(&error)?;
                    continue;
                }
                None if began.elapsed() > STALL => return Err(self.stalled()),
                None if began.elapsed() > SILENCE => {
                    self.finish_silent();
                    continue;
                }
                None => continue,
            };
            let Some(partition) = Partition::find(message.topic(), message.partition()) else {
                continue;
            };
            let end = &mut self.ends[partition.index()];
            let wanted = end.is_some_and(|end| message.offset() < end);
            if end.is_some_and(|end| message.offset() + 1 >= end) {
                *end = None;
            }
            if wanted {
                return Ok(Some((partition, message)));
            }
        }
        self.consumer.unassign()?;
        Ok(None)
    }

    /// The last offsets of a partition may hold nothing that is given to anybody: the marks of somebody's transactions.
    fn reached_end(&mut self, number: i32) {
        let Ok(number) = usize::try_from(number) else { return };
        if let Some(reached) = self.reached.get_mut(number) {
            *reached += 1;
        }
        if self.assigned(number) == 1 {
            self.finish(number);
        }
    }

    /// Two topics have a partition with the same number. When both ends were reached, and nothing came for a while, there is
    /// nothing more.
    fn finish_silent(&mut self) {
        for number in 0..COUNT {
            if self.reached[number] >= self.assigned(number) {
                self.finish(number);
            }
        }
    }

    /// How many of the partitions that are read have this number.
    fn assigned(&self, number: usize) -> usize {
        let has = |partition: &Partition| usize::try_from(partition.number) == Ok(number);
        Partition::all()
            .filter(|partition| has(partition) && self.assigned[partition.index()])
            .count()
    }

    fn finish(&mut self, number: usize) {
        for partition in Partition::all().filter(|partition| usize::try_from(partition.number) == Ok(number)) {
            self.ends[partition.index()] = None;
        }
    }

    fn stalled(&self) -> KafkaError {
        let left: Vec<String> = self
            .unfinished()
            .map(|partition| {
                format!(
                    "{partition} up to offset {}",
                    self.ends[partition.index()].unwrap_or_default()
                )
            })
            .collect();
        let text = format!("nothing came for {} s of {}", STALL.as_secs(), left.join(", "));
        KafkaError::Unavailable(text)
    }
}

/// What is worth ending for; brokers that are away are waited for.
pub(crate) fn check_error(error: &ClientError) -> Result<(), KafkaError> {
    let code = match error {
        ClientError::MessageConsumption(code) | ClientError::MessageConsumptionFatal(code) => *code,
        _ => return Ok(()),
    };
    if is_missing_topic(code) {
        return Err(KafkaError::NoTopic("of the published log".to_owned()));
    }
    if is_out_of_range(code) {
        return Err(KafkaError::Incomplete(
            "records that were there are gone: a topic was made anew, or its records were deleted".to_owned(),
        ));
    }
    if matches!(error, ClientError::MessageConsumptionFatal(_)) {
        return Err(KafkaError::Unavailable(error.to_string()));
    }
    Ok(())
}
