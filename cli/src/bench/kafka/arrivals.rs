//! Somebody else's consumer at the end of the topics, which notes when each position arrives.

use super::{Bed, client_error};
use crate::Error;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Headers as _, Message};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use viral_store::{EventStore as _, Position};

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

type Seen = Arc<Mutex<HashMap<Position, Instant>>>;

/// What arrived, and when. The consumer ends with this.
pub(super) struct Arrivals {
    seen: Seen,
    stop: Arc<AtomicBool>,
}

impl Drop for Arrivals {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Arrivals {
    /// From the ends of the topics as they are now.
    pub(super) async fn begin(bed: &Bed<'_>) -> Result<Arrivals, Error> {
        let tails = viral_kafka::tails(&bed.broker.cluster(), bed.store.source()).await?;
        let failed = client_error("a consumer of the benchmark");
        let mut list = TopicPartitionList::new();
        for tail in tails {
            let (partition, end) = (tail.partition, Offset::Offset(tail.end));
            list.add_partition_offset(partition.topic, partition.number, end)
                .map_err(&failed)?;
        }
        let consumer: BaseConsumer = bed.broker.consumer().create().map_err(&failed)?;
        consumer.assign(&list).map_err(&failed)?;
        let (seen, stop) = (Seen::default(), Arc::new(AtomicBool::new(false)));
        let (noted, told) = (seen.clone(), stop.clone());
        std::thread::spawn(move || {
            while !told.load(Ordering::Relaxed) {
                // What is wrong shows in that nothing arrives.
                if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100))
                    && let Some(position) = position(&message)
                {
                    let mut seen = noted.lock().unwrap_or_else(PoisonError::into_inner);
                    seen.entry(position).or_insert_with(Instant::now);
                }
            }
        });
        Ok(Arrivals { seen, stop })
    }

    /// When a position arrived, which is waited for.
    pub(super) async fn of(&self, position: Position) -> Result<Instant, Error> {
        let began = Instant::now();
        loop {
            let seen = self
                .seen
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(&position)
                .copied();
            if let Some(arrived) = seen {
                return Ok(arrived);
            }
            if began.elapsed() > PATIENCE {
                let text = format!("position {position} was not published within {} s", PATIENCE.as_secs());
                return Err(Error::Other(text));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// How many different positions have arrived.
    pub(super) fn count(&self) -> u64 {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }
}

fn position(message: &impl Message) -> Option<Position> {
    let header = message.headers()?.iter().find(|header| header.key == "ce_position")?;
    let text = std::str::from_utf8(header.value?).ok()?;
    text.parse().ok().map(Position)
}
