//! What was sent and is not acknowledged yet. Nothing counts as published before.

use crate::cluster::Quiet;
use crate::error::{KafkaError, is_missing_topic};
use crate::partition::{COUNT, Partition};
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode as Code};
use rdkafka::message::Message as _;
use rdkafka::producer::{DeliveryResult, ProducerContext};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use viral_store::Position;

/// Shared by whoever sends and the thread that hears of deliveries.
#[derive(Debug, Clone, Default)]
pub(super) struct Outstanding {
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    /// The positions under way in each partition, in order.
    sent: [VecDeque<u64>; COUNT],
    /// The last position that was sent or needed no sending.
    last: Position,
    /// The offset behind the last record of each partition that is known to be there.
    ends: [i64; COUNT],
    /// Why nothing more can be published by this producer.
    failed: Option<KafkaError>,
}

impl Outstanding {
    /// Nothing is under way, and the partitions end at these offsets.
    pub(super) fn beginning_at(ends: [i64; COUNT]) -> Outstanding {
        let outstanding = Outstanding::default();
        outstanding.state().ends = ends;
        outstanding
    }

    /// The offset behind the last record of each partition that is known to be there.
    pub(super) fn ends(&self) -> [i64; COUNT] {
        self.state().ends
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is one step that cannot panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an event before it is sent.
    pub(super) fn sending(&self, partition: Partition, position: Position) {
        let mut state = self.state();
        state.sent[partition.index()].push_back(position.0);
        state.last = position;
    }

    /// Takes that back: the client did not take the record.
    pub(super) fn not_sent(&self, partition: Partition) {
        self.state().sent[partition.index()].pop_back();
    }

    /// Notes that everything up to here was sent, now or by somebody before us.
    pub(super) fn seen(&self, position: Position) {
        let mut state = self.state();
        state.last = state.last.max(position);
    }

    /// Everything up to this position is acknowledged.
    pub(super) fn published(&self) -> Position {
        let state = self.state();
        let first = state.sent.iter().filter_map(|sent| sent.front()).min();
        first.map_or(state.last, |first| Position(first - 1))
    }

    /// Why nothing more can be published.
    pub(super) fn failed(&self) -> Option<KafkaError> {
        self.state().failed.clone()
    }

    /// Wakes whoever waits for a change.
    pub(super) fn look(&self) {
        self.changed.notify_one();
    }

    /// Waits until something is acknowledged, or fails.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn delivered(&self, partition: Partition, position: u64, offset: i64) {
        let mut state = self.state();
        let expected = state.sent[partition.index()].pop_front();
        let end = state.ends[partition.index()];
        state.ends[partition.index()] = end.max(offset + 1);
        if expected != Some(position) && state.failed.is_none() {
            let text = format!("position {position} of {partition} was acknowledged out of order");
            state.failed = Some(KafkaError::Unavailable(text));
        }
        // A record that the broker had already may be acknowledged without its offset.
        if (0..end).contains(&offset) && state.failed.is_none() {
            // Found out at the next start, from what is in the topic now.
            let text = format!("{partition} goes back from offset {end} to {offset}: it was made anew");
            state.failed = Some(KafkaError::Unavailable(text));
        }
    }

    fn refused(&self, position: u64, error: &ClientError) {
        let code = error.rdkafka_error_code();
        if code == Some(Code::PurgeQueue) || code == Some(Code::PurgeInflight) {
            // We ended it ourselves.
            return;
        }
        let failed = match code {
            Some(Code::MessageSizeTooLarge | Code::InvalidMessage | Code::InvalidRecord) => KafkaError::Refused {
                position: Position(position),
                problem: error.to_string(),
            },
            // What is wrong with the topic is said by the check at the next start.
            Some(code) if is_missing_topic(code) => KafkaError::Unavailable(format!("position {position}: {error}")),
            _ => KafkaError::Unavailable(format!("position {position} was not taken: {error}")),
        };
        self.state().failed.get_or_insert(failed);
    }
}

impl ClientContext for Outstanding {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        crate::cluster::log(level, facility, message);
    }

    fn error(&self, error: ClientError, reason: &str) {
        Quiet.error(error, reason);
    }
}

impl ProducerContext for Outstanding {
    /// The position.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, position: usize) {
        let position = position as u64;
        match result {
            Ok(message) => {
                if let Some(partition) = Partition::find(message.topic(), message.partition()) {
                    self.delivered(partition, position, message.offset());
                }
            }
            Err((error, _)) => self.refused(position, error),
        }
        self.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(index: usize) -> Partition {
        Partition::all().nth(index).unwrap()
    }

    #[test]
    fn nothing_counts_before_it_is_acknowledged() {
        let outstanding = Outstanding::default();
        outstanding.seen(Position(3));
        assert_eq!(outstanding.published(), Position(3));
        for (index, position) in [(0, 4), (1, 5), (0, 6)] {
            outstanding.sending(partition(index), Position(position));
        }
        assert_eq!(outstanding.published(), Position(3));
        outstanding.delivered(partition(1), 5, 0);
        assert_eq!(outstanding.published(), Position(3));
        outstanding.delivered(partition(0), 4, 0);
        assert_eq!(outstanding.published(), Position(5));
        outstanding.seen(Position(8));
        outstanding.delivered(partition(0), 6, 1);
        assert_eq!((outstanding.published(), outstanding.failed()), (Position(8), None));
        outstanding.sending(partition(2), Position(9));
        outstanding.not_sent(partition(2));
        assert_eq!(outstanding.published(), Position(9));
    }

    #[test]
    fn what_cannot_be_is_noticed() {
        for (position, offset) in [(2, 6), (1, 5)] {
            let outstanding = Outstanding::beginning_at([6; COUNT]);
            outstanding.sending(partition(0), Position(1));
            outstanding.delivered(partition(0), position, offset);
            assert!(outstanding.failed().is_some(), "{position} at {offset}");
        }
    }

    #[test]
    fn refusals_say_which_event() {
        let outstanding = Outstanding::default();
        outstanding.refused(7, &ClientError::MessageProduction(Code::PurgeQueue));
        assert_eq!(outstanding.failed(), None);
        outstanding.refused(8, &ClientError::MessageProduction(Code::MessageSizeTooLarge));
        outstanding.refused(9, &ClientError::MessageProduction(Code::UnknownTopicOrPartition));
        let failed = outstanding.failed().unwrap();
        assert!(failed.to_string().starts_with("position 8 was refused"), "{failed}");
        assert!(!failed.is_retryable());
    }
}
