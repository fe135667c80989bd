//! One attempt to carry out a use case: what it may ask, and what it must not forget. Whatever it loads is in its unit in
//! the end, and whatever it asks the time for narrows the window of the unit; use cases need not think of either.

use crate::aggregates::{self, Subject};
use crate::batch::Purpose;
use crate::caller::{Caller, Request};
use crate::commands::{Commands, Environment};
use crate::error::{AppendError, CommandError};
use crate::plan::Plan;
use crate::privacy::Vault;
use crate::unit::{Guard, Outcome, Part, Unit};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;
use viral_domain::{Aggregate, Present, Terms, effects};
use viral_ledger::Command;
use viral_ledger::ids::derived;
use viral_store::{EventStore, StreamId};

/// One attempt to carry out a use case.
pub struct Work<'a> {
    commands: &'a Commands,
    /// Who asks.
    pub caller: &'a Caller,
    unit_id: Uuid,
    purpose: Purpose,
    /// The present. What is decided by it holds as long as its window is open.
    pub now: Present,
    turns: Mutex<Vec<OwnedMutexGuard<()>>>,
    /// The streams that were loaded, and up to where: those to which the unit appends nothing are guarded.
    seen: Mutex<BTreeMap<StreamId, u64>>,
    /// What a rehearsal would have appended before its unit.
    before: Mutex<Vec<Unit>>,
}

impl<'a> Work<'a> {
    pub(crate) fn new(
        commands: &'a Commands,
        caller: &'a Caller,
        unit_id: Uuid,
        purpose: Purpose,
        now: DateTime<Utc>,
    ) -> Work<'a> {
        Work {
            commands,
            caller,
            unit_id,
            purpose,
            now: Present::at(now),
            turns: Mutex::default(),
            seen: Mutex::default(),
            before: Mutex::default(),
        }
    }
}

impl Work<'_> {
    /// Hands the unit of a plan to the writer.
    pub(crate) async fn submit(&self, request: &Request, plan: &Plan) -> Result<Outcome, AppendError> {
        let (writer, unit) = (self.commands.writer(), self.unit(request, plan));
        if self.purpose == Purpose::Append {
            return writer.append(unit).await;
        }
        let mut units = std::mem::take(&mut *locked(&self.before));
        units.push(unit);
        let mut last = Err(AppendError::Stopped);
        for outcome in writer.rehearse_all(units).await {
            last = Ok(outcome?);
        }
        last
    }

    /// The unit of a plan. Everything that was loaded for it is in it: as events, or as a guard.
    fn unit(&self, request: &Request, plan: &Plan) -> Unit {
        let appended: HashSet<&StreamId> = plan.parts.iter().filter_map(Part::stream).collect();
        let seen = locked(&self.seen);
        let guards = seen.iter().filter(|(stream, _)| !appended.contains(stream));
        Unit {
            id: request.unit_id,
            request_hash: request.request_hash.clone(),
            actor: Some(self.caller.name.clone()),
            correlation_id: request.correlation_id.clone(),
            causation_id: request.causation_id.clone(),
            guards: guards
                .map(|(stream, sequence)| Guard {
                    stream: stream.clone(),
                    sequence: *sequence,
                })
                .collect(),
            window: self.now.window(),
            parts: plan.parts.clone(),
        }
    }

    /// An id for something new in this unit: the same in every attempt and every repetition.
    pub(crate) fn derived(&self, what: &str) -> Uuid {
        derived(what, &[self.unit_id.as_bytes()])
    }

    /// The id of what this unit creates: the unit's own.
    pub(crate) fn unit_id(&self) -> Uuid {
        self.unit_id
    }

    pub(crate) fn terms(&self) -> &Terms {
        self.commands.terms()
    }

    pub(crate) fn vault(&self) -> &Vault {
        self.commands.vault()
    }

    pub(crate) fn environment(&self) -> Environment {
        self.commands.environment
    }

    /// Loads an aggregate, whether it exists or not.
    pub(crate) async fn load<A: Aggregate>(&self, id: Uuid) -> Result<Subject<A>, CommandError> {
        self.load_named(&id.to_string()).await
    }

    /// As [`Work::load`], by an id that is no UUID.
    pub(crate) async fn load_named<A: Aggregate>(&self, id: &str) -> Result<Subject<A>, CommandError> {
        let subject = aggregates::load(&self.commands.kept, self.store(), id).await?;
        let (stream, sequence) = subject.seen();
        locked(&self.seen).insert(stream, sequence);
        Ok(subject)
    }

    /// Whether something that was loaded has moved since, by another process.
    pub(crate) async fn is_outdated(&self) -> Result<bool, CommandError> {
        let seen = locked(&self.seen).clone();
        for (stream, sequence) in seen {
            if !self.store().read_stream(&stream, sequence, 1).await?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Waits until nobody else in this process works on an aggregate, then loads it. Campaigns come before users:
    /// whoever takes both in one order never waits in a circle.
    pub(crate) async fn take<A: Aggregate>(&self, id: Uuid) -> Result<Subject<A>, CommandError> {
        let stream = StreamId::new(A::TYPE, id.to_string());
        let turn = self.commands.locks.take(stream).await;
        locked(&self.turns).push(turn);
        self.load(id).await
    }

    /// Opens the platform's own accounts, the first time that somebody needs them.
    pub(crate) async fn platform_accounts(&self) -> Result<(), CommandError> {
        let units = || {
            let commands = effects::platform_accounts(self.terms().fiat).into_iter();
            commands.map(|command| {
                let account = match &command {
                    Command::OpenAccount { account, .. } => account.to_string(),
                    _ => String::new(),
                };
                Unit::ledger(derived("platform_account", &[account.as_bytes()]), command).with_actor("system:platform")
            })
        };
        if self.purpose == Purpose::Rehearse {
            locked(&self.before).extend(units());
            return Ok(());
        }
        let open = || async {
            for answer in self.commands.writer().append_all_briefly(units().collect()).await {
                answer?;
            }
            Ok::<(), CommandError>(())
        };
        self.commands.platform.get_or_try_init(open).await?;
        Ok(())
    }

    /// Computes what takes long on a thread that nobody else waits for, when it is its turn.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, CommandError> {
        let turn = self.commands.computing.clone().acquire_owned().await;
        let turn = turn.map_err(|_| AppendError::Stopped)?;
        // Nothing can stop the thread, also where the caller has given up: the turn goes along with the work.
        let computed = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        computed.await.map_err(|error| match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => AppendError::Stopped.into(),
        })
    }

    pub(crate) fn store(&self) -> &dyn EventStore {
        self.commands.writer().store().as_ref()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
