//! How every use case is carried out: load, decide, append one unit; again from the start if somebody else was faster.
//!
//! A use case only plans ([`UseCase::plan`]). Here it is made sure that a request happens once: a repeated one gets the
//! events of the first, even where deciding it again would be refused, because by then the state has moved.

use crate::aggregates;
use crate::batch::Purpose;
use crate::caller::{Caller, Request};
use crate::error::{AppendError, CommandError};
use crate::kept::KeptStates;
use crate::locks::Locks;
pub use crate::plan::Plan;
use crate::privacy::Vault;
use crate::unit::Outcome;
pub use crate::work::Work;
use crate::writer::{Clock, Writer};
use chrono::{DateTime, TimeDelta, Utc};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OnceCell, Semaphore};
use viral_domain::{Aggregate, Terms};
use viral_ledger::timestamp;
use viral_store::{StoreError, StoredEvent};

/// How often a unit is planned anew because somebody else was faster.
const ATTEMPTS: u32 = 8;

/// How many computations that take long run at once in a process.
const COMPUTED_AT_ONCE: usize = 2;

/// Everything that use cases need. Cheap to clone.
#[derive(Clone)]
pub struct Commands {
    writer: Writer,
    terms: Arc<Terms>,
    vault: Vault,
    clock: Option<Clock>,
    pub(crate) environment: Environment,
    pub(crate) kept: Arc<KeptStates>,
    pub(crate) locks: Arc<Locks>,
    /// Turns for what takes long.
    pub(crate) computing: Arc<Semaphore>,
    /// Whether the platform's own accounts are open.
    pub(crate) platform: Arc<OnceCell<()>>,
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
            computing: Arc::new(Semaphore::new(COMPUTED_AT_ONCE)),
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
        self.carry_out(caller, request, case, Purpose::Append).await
    }

    /// What [`Commands::run`] would answer: the events that would be appended, or the refusal. It takes the same way up to
    /// where events are written. Only the key that a person's fields are sealed under is made and kept.
    pub async fn rehearse<U: UseCase>(
        &self,
        caller: &Caller,
        request: &Request,
        case: &U,
    ) -> Result<Outcome, CommandError> {
        self.carry_out(caller, request, case, Purpose::Rehearse).await
    }

    async fn carry_out<U: UseCase>(
        &self,
        caller: &Caller,
        request: &Request,
        case: &U,
        purpose: Purpose,
    ) -> Result<Outcome, CommandError> {
        check_caller::<U>(caller)?;
        // Not even a refusal may rest on a log in doubt.
        if let Some(went_back) = self.writer.store().continuity().went_back() {
            return Err(StoreError::from(went_back).into());
        }
        let mut request = request.clone();
        if U::PERSONAL {
            let keyed = |hash: String| self.vault.blind("viral request hash 1", &hash);
            request.request_hash = request.request_hash.map(keyed);
        }
        let mut attempt = 0;
        // How far the log's clock is ahead of ours, once it has refused something for it.
        let mut ahead = TimeDelta::zero();
        loop {
            attempt += 1;
            let work = Work::new(self, caller, request.unit_id, purpose, self.now() + ahead);
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
            match work.submit(&request, &plan).await {
                Ok(outcome) => {
                    if purpose == Purpose::Append && !outcome.is_duplicate() {
                        plan.keep(&self.kept, outcome.events());
                    }
                    return Ok(outcome);
                }
                Err(AppendError::Conflict { .. }) if attempt < ATTEMPTS => {
                    drop(work);
                    tokio::time::sleep(Duration::from_millis(u64::from(attempt))).await;
                }
                Err(AppendError::Outdated { now }) if attempt < ATTEMPTS => ahead = now - self.now(),
                Err(error) => return self.earlier(&request).await?.ok_or(error.into()),
            }
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

/// The first event of this kind in a unit: what an answer is made of.
pub fn first_event<A: Aggregate>(events: &[StoredEvent]) -> Option<A::Event> {
    let mut of_kind = events.iter().filter(|event| event.stream.aggregate_type == A::TYPE);
    of_kind.find_map(|event| aggregates::read_event(event).ok())
}
