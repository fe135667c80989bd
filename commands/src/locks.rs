//! Turns: within a process, calls about the same thing wait for each other instead of colliding. Between processes the
//! expected sequences of streams decide; a lock is a courtesy, not what correctness rests on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};
use viral_store::StreamId;

/// One lock per stream that somebody works on.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    turns: Mutex<HashMap<StreamId, Weak<Turn<()>>>>,
}

impl Locks {
    /// Waits for the turn; it is over when the guard is dropped.
    pub(crate) async fn take(&self, stream: StreamId) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            if turns.len() >= 1_024 {
                turns.retain(|_, turn| turn.strong_count() > 0);
            }
            match turns.get(&stream).and_then(Weak::upgrade) {
                Some(turn) => turn,
                None => {
                    let turn = Arc::<Turn<()>>::default();
                    turns.insert(stream, Arc::downgrade(&turn));
                    turn
                }
            }
        };
        turn.lock_owned().await
    }
}
