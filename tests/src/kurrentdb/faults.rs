//! What is to go wrong, and when.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

/// What happens to an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Append {
    /// Nothing.
    Fine,
    /// It is held until the test lets it go on; then it is carried out, even if its caller has given up.
    Held,
    /// It is carried out, and the connection is cut before the answer.
    AnswerLost,
    /// The connection is cut before it is carried out.
    Cut,
    /// It is refused: the server is busy with itself.
    Unavailable,
}

/// What happens to a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// Nothing.
    Fine,
    /// The connection is cut after so many records.
    CutAfter(usize),
    /// It ends with an error after so many records.
    FailsAfter(usize),
    /// No further record comes after so many.
    StallsAfter(usize),
}

#[derive(Debug)]
pub(super) struct Faults {
    appends: Mutex<VecDeque<Append>>,
    reads: Mutex<VecDeque<Read>>,
    every: Mutex<Vec<(u64, Append)>>,
    seen: AtomicU64,
    /// How many appends are held, and how often they were let go.
    held: watch::Sender<(u64, u64)>,
    /// How many appends have begun and not ended.
    under_way: watch::Sender<u64>,
    /// How many reads there were.
    reads_seen: watch::Sender<u64>,
}

/// An append that has begun. It has ended when this is dropped.
pub(super) struct UnderWay<'a>(&'a Faults);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.send_modify(|count| *count -= 1);
    }
}

impl Default for Faults {
    fn default() -> Faults {
        Faults {
            appends: Mutex::default(),
            reads: Mutex::default(),
            every: Mutex::default(),
            seen: AtomicU64::new(0),
            held: watch::channel((0, 0)).0,
            under_way: watch::channel(0).0,
            reads_seen: watch::channel(0).0,
        }
    }
}

impl Faults {
    pub(super) fn on_appends(&self, faults: impl IntoIterator<Item = Append>) {
        self.appends.lock().unwrap().extend(faults);
    }

    pub(super) fn on_every_append(&self, one_in: u64, fault: Append) {
        self.every.lock().unwrap().push((one_in, fault));
    }

    pub(super) fn on_reads(&self, faults: impl IntoIterator<Item = Read>) {
        self.reads.lock().unwrap().extend(faults);
    }

    pub(super) fn are_over(&self) -> bool {
        self.appends.lock().unwrap().is_empty() && self.reads.lock().unwrap().is_empty()
    }

    pub(super) fn of_append(&self) -> Append {
        if let Some(fault) = self.appends.lock().unwrap().pop_front() {
            return fault;
        }
        let seen = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        let every = self.every.lock().unwrap();
        let due = every.iter().find(|(one_in, _)| seen.is_multiple_of(*one_in));
        due.map_or(Append::Fine, |(_, fault)| *fault)
    }

    pub(super) fn begin_append(&self) -> UnderWay<'_> {
        self.under_way.send_modify(|count| *count += 1);
        UnderWay(self)
    }

    /// Waits until no append is under way.
    pub(super) async fn appends_have_ended(&self) {
        let mut under_way = self.under_way.subscribe();
        under_way.wait_for(|count| *count == 0).await.unwrap();
    }

    pub(super) fn reads(&self) -> watch::Receiver<u64> {
        self.reads_seen.subscribe()
    }

    pub(super) fn of_read(&self) -> Read {
        self.reads_seen.send_modify(|count| *count += 1);
        self.reads.lock().unwrap().pop_front().unwrap_or(Read::Fine)
    }

    /// Holds whoever calls until the next release.
    pub(super) async fn hold(&self) {
        let mut held = self.held.subscribe();
        let mut releases = 0;
        self.held.send_modify(|(count, released)| {
            *count += 1;
            releases = *released;
        });
        held.wait_for(|(_, released)| *released > releases).await.unwrap();
        self.held.send_modify(|(count, _)| *count -= 1);
    }

    /// Waits until so many appends are held at once.
    pub(super) async fn held(&self, wanted: u64) {
        let mut held = self.held.subscribe();
        held.wait_for(|(count, _)| *count >= wanted).await.unwrap();
    }

    pub(super) fn release(&self) {
        self.held.send_modify(|(_, released)| *released += 1);
    }
}
