//! Callers that move money by way of one process, each call with a key of its own, and what they were told.

use super::failover_scene::transfer;
use reqwest::StatusCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use viral_tests::process::{Answer, Api, Call, TOKEN};

/// How many call at once, and how long each waits before the next call.
const CALLERS: u64 = 4;
const PAUSE: Duration = Duration::from_millis(10);

/// A call, and what it was answered.
pub struct Acknowledged {
    pub call: Call,
    pub answer: Answer,
    at: Instant,
}

impl Acknowledged {
    pub fn new(call: Call, answer: Answer) -> Acknowledged {
        let at = Instant::now();
        Acknowledged { call, answer, at }
    }

    pub fn position(&self) -> u64 {
        let position = self.answer.body["position"].as_str();
        position.unwrap().parse().unwrap()
    }
}

/// What the callers were told.
#[derive(Default)]
pub struct Told {
    pub acknowledged: Vec<Acknowledged>,
    /// Calls that were refused for now, or not answered.
    pub open: Vec<Call>,
}

/// Callers that go on until they are told to stop.
pub struct Load {
    shared: Arc<Shared>,
    callers: Vec<JoinHandle<()>>,
}

struct Shared {
    api: Api,
    told: Mutex<Told>,
    /// How many answers said that the log went back.
    went_back: AtomicU64,
    /// Whether what was seen of the log is lost: nothing that is asked for from now on may be acknowledged.
    lost: AtomicBool,
    over: AtomicBool,
}

impl Load {
    pub fn on(api: &Api) -> Load {
        let shared = Arc::new(Shared {
            api: api.clone(),
            told: Mutex::default(),
            went_back: AtomicU64::new(0),
            lost: AtomicBool::new(false),
            over: AtomicBool::new(false),
        });
        let callers = (0..CALLERS).map(|caller| tokio::spawn(shared.clone().call(caller)));
        Load {
            callers: callers.collect(),
            shared,
        }
    }

    /// Waits until so many transfers were acknowledged since some time, the last of them so long after the first.
    pub async fn acknowledges(&self, count: usize, during: Duration, since: Instant, patience: Duration) {
        let deadline = Instant::now() + patience;
        while !self.shared.has_acknowledged(count, during, since) {
            assert!(
                Instant::now() < deadline,
                "no {count} transfers were acknowledged in {patience:?}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until so many calls were told that the log went back.
    pub async fn is_told_that_the_log_went_back(&self, count: u64, patience: Duration) {
        let deadline = Instant::now() + patience;
        while self.shared.went_back.load(Ordering::Relaxed) < count {
            assert!(Instant::now() < deadline, "nobody was told of it in {patience:?}");
            self.is_well();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What was seen of the log is lost, and the log that has it is gone.
    pub fn is_lost(&self) {
        self.shared.lost.store(true, Ordering::SeqCst);
    }

    /// The last position that was acknowledged.
    pub fn last(&self) -> u64 {
        let told = self.shared.told();
        told.acknowledged.iter().map(Acknowledged::position).max().unwrap()
    }

    /// Ends it; what it was told.
    pub async fn end(self) -> Told {
        self.shared.over.store(true, Ordering::SeqCst);
        for caller in self.callers {
            caller.await.unwrap();
        }
        std::mem::take(&mut *self.shared.told())
    }

    /// A caller that was told something else than it may be told has panicked.
    fn is_well(&self) {
        let ended = |caller: &JoinHandle<()>| caller.is_finished();
        assert!(!self.callers.iter().any(ended), "a caller has ended, see above");
    }
}

impl Shared {
    async fn call(self: Arc<Self>, caller: u64) {
        let mut n = caller;
        while !self.over.load(Ordering::SeqCst) {
            n += CALLERS;
            let (call, lost) = (transfer(n), self.lost.load(Ordering::SeqCst));
            match self.api.send(TOKEN, &call).await {
                Ok(answer) if answer.status == StatusCode::CREATED => {
                    assert!(!lost, "acknowledged on a log that went back: {call:?}: {answer:?}");
                    self.told().acknowledged.push(Acknowledged::new(call, answer));
                }
                Ok(answer) => {
                    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{call:?}: {answer:?}");
                    if answer.body["code"] == "log_went_back" {
                        self.went_back.fetch_add(1, Ordering::Relaxed);
                    }
                    self.told().open.push(call);
                }
                // The process was killed.
                Err(_) => return self.told().open.push(call),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn has_acknowledged(&self, count: usize, during: Duration, since: Instant) -> bool {
        let told = self.told();
        let mut later = told.acknowledged.iter().filter(|it| it.at > since);
        let Some(first) = later.next() else {
            return false;
        };
        later.clone().count() + 1 >= count && later.next_back().is_some_and(|last| last.at - first.at >= during)
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap()
    }
}
