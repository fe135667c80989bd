//! Handing entries over, with patience for a log that cannot be reached for a while.

use super::posting::{Entry, PostResult, Poster};
use std::time::{Duration, Instant};
use viral_store::Position;

/// Sends entries, and again those for which the log could not be reached, for as long as `patience`. `head` is the end
/// of the log when the import began.
pub(super) async fn send(
    poster: &dyn Poster,
    entries: Vec<Entry>,
    head: Position,
    patience: Duration,
) -> Vec<PostResult> {
    let mut results = post(poster, entries.clone()).await;
    let mut pauses = Pauses::new(patience);
    loop {
        let unanswered = |result: &&mut PostResult| matches!(result, PostResult::Unavailable(_));
        let (mut open, again): (Vec<&mut PostResult>, Vec<Entry>) = results
            .iter_mut()
            .zip(&entries)
            .filter(|(result, _)| unanswered(result))
            .map(|(r, e)| (r, e.clone()))
            .unzip();
        if open.is_empty() || !pauses.next().await {
            return results;
        }
        for (result, answer) in open.iter_mut().zip(post(poster, again).await) {
            **result = match answer {
                // It was written by the try before, whose answer was lost.
                PostResult::Duplicate(position) if position > head => PostResult::Posted(position),
                answer => answer,
            };
        }
    }
}

/// As many answers as entries.
async fn post(poster: &dyn Poster, entries: Vec<Entry>) -> Vec<PostResult> {
    let count = entries.len();
    if count == 0 {
        return Vec::new();
    }
    let mut answers = poster.post(entries).await;
    answers.resize(count, PostResult::Failed("a row was not answered".to_owned()));
    answers
}

/// Growing pauses between tries.
pub(super) struct Pauses {
    deadline: Instant,
    pause: Duration,
}

impl Pauses {
    pub(super) fn new(patience: Duration) -> Pauses {
        Pauses {
            deadline: Instant::now() + patience,
            pause: Duration::from_millis(100),
        }
    }

    /// Waits before the next try; false when there is no time left for one.
    pub(super) async fn next(&mut self) -> bool {
        if Instant::now() + self.pause > self.deadline {
            return false;
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(Duration::from_secs(5));
        true
    }
}
