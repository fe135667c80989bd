//! Looking at the topics while a relay is at work. A topic that is deleted and made anew keeps its name, and the brokers
//! take whatever is sent to it: what was in it would be missing, and nobody would say so. An event that arrives at an
//! offset that was taken before tells; where no event comes, this does.

use super::Status;
use super::outstanding::Outstanding;
use crate::cluster::{Cluster, blocking};
use crate::error::KafkaError;
use crate::fetch::{self, Range};
use crate::partition::{COUNT, Partition};
use crate::topics;
use rdkafka::consumer::Consumer as _;
use std::time::Duration;
use tokio::sync::watch;

/// How often.
const EVERY: Duration = Duration::from_secs(5);
/// How long the brokers may take to answer. Short: a process that ends waits for the thread that asks.
const ANSWER: Duration = Duration::from_secs(2);

/// Ends when the topics are not what was published to. Brokers that are away are no reason: they are waited for.
pub(super) async fn until_changed(
    cluster: &Cluster,
    outstanding: &Outstanding,
    status: &watch::Sender<Status>,
) -> KafkaError {
    let mut away = false;
    loop {
        tokio::time::sleep(EVERY).await;
        // First what must be there, then what is.
        let expected = outstanding.ends();
        let asked = cluster.clone();
        match blocking(move || ask(&asked)).await {
            Ok(found) => {
                if let Some(error) = compare(&expected, &found) {
                    return error;
                }
                if std::mem::replace(&mut away, false) {
                    tracing::info!("Kafka can be reached again");
                    status.send_modify(|status| status.problem = None);
                }
            }
            Err(error) if error.is_retryable() => {
                if !std::mem::replace(&mut away, true) {
                    tracing::warn!(%error, "nothing is published until Kafka can be reached again");
                    status.send_modify(|status| status.problem = Some(error.to_string()));
                }
            }
            Err(error) => return error,
        }
    }
}

/// With a client of its own: one that is kept remembers topics that are gone.
fn ask(cluster: &Cluster) -> Result<[Range; COUNT], KafkaError> {
    let consumer = cluster.consumer()?;
    let metadata = consumer.fetch_metadata(None, ANSWER);
    let metadata = metadata.map_err(|error| KafkaError::Unavailable(error.to_string()))?;
    topics::all(&metadata, &topics::TOPICS)?;
    fetch::watermarks_within(&consumer, ANSWER)
}

/// What is wrong is found out, and told, at the next start, from what is in the topics then.
fn compare(expected: &[i64; COUNT], found: &[Range; COUNT]) -> Option<KafkaError> {
    Partition::all().find_map(|partition| {
        let (expected, Range { from, end }) = (expected[partition.index()], found[partition.index()]);
        let problem = match (from, end) {
            (1.., _) => format!("{partition} begins at offset {from}: records were deleted"),
            (_, end) if end < expected => format!(
                "{partition} ends at offset {end}, it was at {expected} before: it was made anew, or records were lost"
            ),
            _ => return None,
        };
        Some(KafkaError::Unavailable(problem))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_than_there_was_is_noticed() {
        let found = [Range { from: 0, end: 5 }; COUNT];
        assert_eq!(compare(&[5; COUNT], &found), None);
        for (expected, from) in [(6, 0), (5, 1)] {
            let (mut all, mut found) = ([5; COUNT], found);
            (all[8], found[8].from) = (expected, from);
            let error = compare(&all, &found).unwrap();
            assert!(
                error.is_retryable() && error.to_string().contains("partition 7"),
                "{error}"
            );
        }
    }
}
