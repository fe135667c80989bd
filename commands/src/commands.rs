//! How every use case is carried out: load, decide, append one unit; again from the start if somebody else was faster.
//!
//! A use case only plans ([`UseCase::plan`]). Here it is made sure that a request happens once: a repeated one gets the
//! events of the first, even where deciding it again would be refused, because by then the state has moved.

use crate::aggregates::{self, Subject};
use crate::caller::{Caller, Request};
use crate::error::{AppendError, CommandError};
use crate::kept::KeptStates;
use crate::locks::Locks;
pub use crate::plan::{Plan, Rehearsal};
use crate::privacy::Vault;
use crate::unit::{Outcome, Unit};
use crate::writer::{Clock, Writer};
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OnceCell, OwnedMutexGuard};
use uuid::Uuid;
use viral_domain::{Aggregate, Terms, effects};
use viral_ledger::ids::derived;
use viral_ledger::{Command, Refusal, timestamp};
use viral_store::{EventStore, StoredEvent, StreamId};

/// How often a unit is planned anew because somebody else was faster.
const ATTEMPTS: u32 = 8;

/// Everything that use cases need. Cheap to clone.
#[derive(Clone)]
pub struct Commands {
    writer: Writer,
    terms: Arc<Terms>,
    vault: Vault,
    clock: Option<Clock>,
    environment: Environment,
    kept: Arc<KeptStates>,
    locks: Arc<Locks>,
    platform: Arc<OnceCell<()>>,
}

/// Where the platform runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// Where money is real.
    Production,
    /// On a developer's machine: whoever approves a payout needs no second factor, and sponsors issue V-Coin to
    /// themselves.
    Development,
}

/// A use case: what a caller wants, with all texts parsed.
pub trait UseCase: Sync {
    /// Whether the request has personal fields: then its hash is keyed, so that nobody can guess them from it.
    const PERSONAL: bool = false;
    /// Whether only admins and the platform itself may ask for it. The API has a table of its own; this holds for
    /// whoever calls without one.
    const ADMINS_ONLY: bool = false;

    /// Loads what it is about, decides, and says what is to be appended.
    fn plan(&self, work: &Work<'_>) -> impl Future<Output = Result<Plan, CommandError>> + Send;
}

/// One attempt to carry out a use case.
pub struct Work<'a> {
    commands: &'a Commands,
    /// Who asks.
    pub caller: &'a Caller,
    unit_id: Uuid,
    /// The present.
    pub now: DateTime<Utc>,
    turns: Mutex<Vec<OwnedMutexGuard<()>>>,
    /// The streams that were loaded, and up to where.
    seen: Mutex<HashMap<StreamId, u64>>,
}

impl Commands {
    /// Use cases that append through this writer, decide by these terms and seal with this vault.
    pub fn new(writer: Writer, terms: Terms, vault: Vault) -> Commands {
        Commands {
            writer,
            terms: Arc::new(terms),
            vault,
            clock: None,
            environment: Environment::Production,
            kept: Arc::default(),
            locks: Arc::default(),
            platform: Arc::default(),
        }
    }

    /// Takes the time from elsewhere than the writer does: for tests and simulations.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Commands {
        self.clock = Some(clock);
        self
    }

    /// Says where the platform runs: in production if nothing is said.
    #[must_use]
    pub fn with_environment(mut self, environment: Environment) -> Commands {
        self.environment = environment;
        self
    }

    /// The way into the log.
    pub fn writer(&self) -> &Writer {
        &self.writer
    }

    /// The present, by the clock that decisions are made by.
    pub fn now(&self) -> DateTime<Utc> {
        match &self.clock {
            Some(clock) => timestamp::truncate(clock()),
            None => self.writer.now(),
        }
    }

    /// The terms that new decisions are made by.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The vault of personal fields.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Carries out a use case, once for a request however often it is asked.
    pub async fn run<U: UseCase>(&self, caller: &Caller, request: &Request, case: &U) -> Result<Outcome, CommandError> {
        check_caller::<U>(caller)?;
        let mut request = request.clone();
        if U::PERSONAL {
            let keyed = |hash: String| self.vault.blind("viral request hash 1", &hash);
            request.request_hash = request.request_hash.map(keyed);
        }
        let mut attempt = 0;
        loop {
            attempt += 1;
            let work = self.work(caller, request.unit_id);
            let plan = match case.plan(&work).await {
                Ok(plan) => plan,
                Err(error) => {
                    if let Some(outcome) = self.earlier(&request).await? {
                        return Ok(outcome);
                    }
                    // What was loaded one after the other may never have been so at one moment.
                    let refused = matches!(error, CommandError::NotFound { .. } | CommandError::Refused { .. });
                    if refused && attempt < ATTEMPTS && work.is_outdated().await? {
                        continue;
                    }
                    return Err(error);
                }
            };
            let unit = unit(caller, &request, &plan);
            match self.writer.append(unit).await {
                Ok(outcome) => {
                    if !outcome.is_duplicate() {
                        plan.keep(&self.kept, outcome.events());
                    }
                    return Ok(outcome);
                }
                Err(AppendError::Conflict { .. }) if attempt < ATTEMPTS => {
                    drop(work);
                    tokio::time::sleep(Duration::from_millis(u64::from(attempt))).await;
                }
                Err(error) => return self.earlier(&request).await?.ok_or(error.into()),
            }
        }
    }

    /// What a use case would do, without doing it.
    pub async fn rehearse<U: UseCase>(&self, caller: &Caller, case: &U) -> Result<Rehearsal, CommandError> {
        check_caller::<U>(caller)?;
        let work = self.work(caller, Uuid::now_v7());
        let plan = case.plan(&work).await?;
        let (now, commands) = (work.now, plan.ledger_commands());
        let refused = self.writer.read(move |book, _| book.rehearse(now, &commands)).await?;
        refused.map_err(|refusal: Refusal| AppendError::from(crate::Rejection::from(refusal)))?;
        Ok(Rehearsal { plan })
    }

    fn work<'a>(&'a self, caller: &'a Caller, unit_id: Uuid) -> Work<'a> {
        Work {
            commands: self,
            caller,
            unit_id,
            now: self.now(),
            turns: Mutex::default(),
            seen: Mutex::default(),
        }
    }

    /// The outcome of the same request, if it was carried out before.
    async fn earlier(&self, request: &Request) -> Result<Option<Outcome>, CommandError> {
        let Some(first) = self.writer.store().find(request.unit_id).await? else {
            return Ok(None);
        };
        let metadata = first.parse_metadata().ok();
        let same = metadata.is_some_and(|metadata| {
            metadata.unit_id == request.unit_id && metadata.request_hash.as_deref() == request.request_hash.as_deref()
        });
        if !same {
            let position = first.position;
            return Err(AppendError::KeyReused { position }.into());
        }
        Ok(Some(Outcome::Duplicate(self.writer.unit_at(first.position).await?)))
    }
}

fn check_caller<U: UseCase>(caller: &Caller) -> Result<(), CommandError> {
    if U::ADMINS_ONLY && !caller.is_admin() {
        return Err(CommandError::refused("forbidden", "this is for admins"));
    }
    Ok(())
}

fn unit(caller: &Caller, request: &Request, plan: &Plan) -> Unit {
    Unit {
        id: request.unit_id,
        request_hash: request.request_hash.clone(),
        actor: Some(caller.name.clone()),
        correlation_id: request.correlation_id.clone(),
        causation_id: request.causation_id.clone(),
        guards: plan.guards.clone(),
        parts: plan.parts.clone(),
    }
}

impl Work<'_> {
    /// An id for something new in this unit: the same in every attempt and every repetition.
    pub(crate) fn derived(&self, what: &str) -> Uuid {
        derived(what, &[self.unit_id.as_bytes()])
    }

    /// The id of what this unit creates: the unit's own.
    pub(crate) fn unit_id(&self) -> Uuid {
        self.unit_id
    }

    pub(crate) fn terms(&self) -> &Terms {
        &self.commands.terms
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.commands.vault
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
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(stream, sequence);
        Ok(subject)
    }

    /// Whether something that was loaded has moved since, by another process.
    async fn is_outdated(&self) -> Result<bool, CommandError> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
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
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).push(turn);
        self.load(id).await
    }

    /// Opens the platform's own accounts, the first time that somebody needs them.
    pub(crate) async fn platform_accounts(&self) -> Result<(), CommandError> {
        let writer = &self.commands.writer;
        let open = || async {
            let units = effects::platform_accounts(self.terms().fiat)
                .into_iter()
                .map(|command| {
                    let account = match &command {
                        Command::OpenAccount { account, .. } => account.to_string(),
                        _ => String::new(),
                    };
                    Unit::ledger(derived("platform_account", &[account.as_bytes()]), command)
                        .with_actor("system:platform")
                });
            for answer in writer.append_all_briefly(units.collect()).await {
                answer?;
            }
            Ok::<(), CommandError>(())
        };
        self.commands.platform.get_or_try_init(open).await?;
        Ok(())
    }

    pub(crate) fn store(&self) -> &dyn EventStore {
        self.commands.writer.store().as_ref()
    }
}

/// The first event of this kind in a unit: what an answer is made of.
pub fn first_event<A: Aggregate>(events: &[StoredEvent]) -> Option<A::Event> {
    let mut of_kind = events.iter().filter(|event| event.stream.aggregate_type == A::TYPE);
    of_kind.find_map(|event| aggregates::read_event(event).ok())
}
