//! A batch of which the store refuses one unit's content. It does not say whose, so the batch is written in smaller and
//! smaller parts, in its order, until what is refused stands alone: the others go on.

use super::{Answer, Task, Waiting, is_refused};
use crate::batch::Purpose;
use crate::error::AppendError;
use tokio::sync::oneshot;

/// Somebody who waits for the answers of several units, which are written each for itself.
struct Caller {
    answer: oneshot::Sender<Vec<Answer>>,
    units: Vec<oneshot::Receiver<Vec<Answer>>>,
}

impl Task {
    /// Writes what waits in parts. Answers whether the store took anything.
    pub(super) async fn write_apart(&mut self) -> bool {
        let (mut parts, callers) = each_for_itself(std::mem::take(&mut self.waiting));
        // Nobody joins: what comes meanwhile waits for the next batch.
        let max_batch = std::mem::replace(&mut self.settings.max_batch, 0);
        let mut taken = false;
        // The part at the end is the next one.
        while let Some(part) = parts.pop() {
            let several = part.len() > 1;
            self.waiting = part;
            match self.write_in_time(&mut Vec::new()).await {
                Ok(()) => taken = true,
                Err(error) if is_refused(&error) && several => {
                    let second = self.waiting.split_off(self.waiting.len() / 2);
                    parts.extend([second, std::mem::take(&mut self.waiting)]);
                }
                Err(error) if is_refused(&error) => self.fail(&error),
                // Nothing else is refused for one of them: it is so for all that are left.
                Err(error) => {
                    self.waiting.extend(parts.drain(..).rev().flatten());
                    self.fail(&error);
                }
            }
        }
        self.settings.max_batch = max_batch;
        callers.into_iter().for_each(Caller::tell);
        taken
    }
}

impl Caller {
    fn tell(self) {
        let one = |mut unit: oneshot::Receiver<Vec<Answer>>| unit.try_recv().ok().and_then(|mut answers| answers.pop());
        let answers = self.units.into_iter().map(one);
        let answers = answers
            .map(|answer| answer.unwrap_or(Err(AppendError::Stopped)))
            .collect();
        // A caller that went away does not wait for the answer.
        let _ = self.answer.send(answers);
    }
}

/// Takes units apart that came together. Those that are only rehearsed are never written, and each stands on the one before:
/// they stay together.
fn each_for_itself(waiting: Vec<Waiting>) -> (Vec<Vec<Waiting>>, Vec<Caller>) {
    let (mut apart, mut callers) = (Vec::new(), Vec::new());
    for waiting in waiting {
        if waiting.purpose == Purpose::Rehearse || waiting.units.len() == 1 {
            apart.push(waiting);
            continue;
        }
        let mut units = Vec::new();
        for unit in waiting.units {
            let (answer, answered) = oneshot::channel();
            units.push(answered);
            apart.push(Waiting {
                units: vec![unit],
                purpose: waiting.purpose,
                answer,
            });
        }
        callers.push(Caller {
            answer: waiting.answer,
            units,
        });
    }
    (vec![apart], callers)
}
