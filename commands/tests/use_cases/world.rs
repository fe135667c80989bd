//! A platform in memory with a clock that stands still until a test moves it, and short ways to ask it for something.

use crate::replay::Replay;
use crate::spy::Spy;
use chrono::{DateTime, Duration, Utc};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use uuid::Uuid;
use viral_commands::use_cases::{ApprovePayout, Profile, RegisterUser};
use viral_commands::{
    AppendError, Caller, Clock, CommandError, Commands, Environment, Outcome, Rejection, Request, RequestIdentity,
    Scope, Settings, UseCase, Vault, Writer, read_event,
};
use viral_domain::payout::PayoutEvent;
use viral_domain::user::Role;
use viral_domain::{AssignmentId, PayoutId, Terms, UserId, Vcoin};
use viral_ledger::{Address, Amount, Asset};
use viral_store::{EventStore as _, MemoryStore, Position, StoredEvent, StreamId};

/// What a refused call is refused for.
pub(crate) const NOT_FOUND: &str = "not_found";

/// One log, and one process that works on it.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) store: MemoryStore,
    /// The same store as this process sees it.
    pub(crate) spy: Arc<Spy>,
    pub(crate) commands: Commands,
    clock: Arc<Mutex<DateTime<Utc>>>,
    counter: Arc<AtomicU64>,
}

impl World {
    /// A platform on a developer's machine, with the usual terms.
    pub(crate) async fn new() -> World {
        World::with(Terms::default(), Environment::Development).await
    }

    /// A platform with these terms.
    pub(crate) async fn with(terms: Terms, environment: Environment) -> World {
        let store = MemoryStore::new(Uuid::from_u128(7));
        let clock = Arc::new(Mutex::new("2026-03-01T09:00:00Z".parse().unwrap()));
        let spy = Spy::on(&store);
        let commands = process(&store, &spy, &clock, terms, environment).await;
        World {
            store,
            spy,
            commands,
            clock,
            counter: Arc::default(),
        }
    }

    /// Another process on the same log and under the same clock.
    pub(crate) async fn another(&self, terms: Terms, environment: Environment) -> World {
        let spy = Spy::on(&self.store);
        World {
            commands: process(&self.store, &spy, &self.clock, terms, environment).await,
            spy,
            ..self.clone()
        }
    }

    /// The same process with another vault.
    pub(crate) fn with_vault(&self, vault: Vault) -> World {
        let clock = self.clock.clone();
        let writer = self.commands.writer().clone();
        World {
            commands: Commands::new(writer, self.commands.terms().clone(), vault)
                .with_clock(Arc::new(move || *clock.lock().unwrap())),
            ..self.clone()
        }
    }

    /// The same process, deciding by a clock that is off by so much. The log's clock is right.
    pub(crate) fn off_by(&self, duration: Duration) -> World {
        let clock = self.clock.clone();
        let commands = self.commands.clone();
        World {
            commands: commands.with_clock(Arc::new(move || *clock.lock().unwrap() + duration)),
            ..self.clone()
        }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        *self.clock.lock().unwrap()
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, duration: Duration) {
        *self.clock.lock().unwrap() += duration;
    }

    /// A text that nobody else in this world got.
    pub(crate) fn fresh(&self, what: &str) -> String {
        format!("{what}-{}", self.counter.fetch_add(1, Ordering::Relaxed))
    }

    /// A request with a key of its own.
    pub(crate) fn request(&self) -> Request {
        self.keyed(&self.fresh("key"), "{}")
    }

    /// A request with this key and body.
    pub(crate) fn keyed(&self, key: &str, body: &str) -> Request {
        Request::keyed(RequestIdentity::new("tester", key, "POST", "/", body), "request")
    }

    /// Asks for something, under a key of its own, first what would happen and then that it happens: the same. Whatever was
    /// loaded for it is checked when it is appended. Nobody else may be asking.
    pub(crate) async fn run(&self, who: &Caller, case: &impl UseCase) -> Result<Outcome, CommandError> {
        let (request, head) = (self.request(), self.head().await);
        let rehearsed = self.commands.rehearse(who, &request, case).await;
        assert_eq!(self.head().await, head, "a rehearsal does nothing");
        self.spy.forget();
        let answer = self.commands.run(who, &request, case).await;
        match (&rehearsed, &answer) {
            (Ok(rehearsed), Ok(outcome)) => {
                self.spy.assert_all_checked();
                assert!(!outcome.is_duplicate());
                let (rehearsed, events) = (rehearsed.events(), outcome.events());
                assert_eq!(rehearsed.first().unwrap().event_id, events.first().unwrap().event_id);
                let told = |events: &[StoredEvent]| events.iter().map(without_chance).collect::<Vec<_>>();
                assert_eq!(told(rehearsed), told(events));
            }
            (Err(rehearsed), Err(error)) => assert_eq!(rehearsed, error),
            (rehearsed, answer) => panic!("{rehearsed:?} was rehearsed, {answer:?} was answered"),
        }
        answer
    }

    /// Asks for something that must be carried out, and checks that debits equal credits afterwards.
    pub(crate) async fn must(&self, who: &Caller, case: &impl UseCase) -> Vec<StoredEvent> {
        let outcome = self.run(who, case).await.unwrap();
        assert!(!outcome.is_duplicate());
        let totals = self.commands.writer().read(|book, _| book.totals()).await.unwrap();
        for (asset, totals) in totals {
            assert_eq!(totals.debits, totals.credits, "{asset}");
        }
        outcome.events().to_vec()
    }

    /// As [`World::must`], for what creates something: its id is the unit's.
    pub(crate) async fn made(&self, who: &Caller, case: &impl UseCase) -> Uuid {
        self.must(who, case).await.first().unwrap().event_id
    }

    /// Asks for something that must be refused for this reason, and must leave no event.
    pub(crate) async fn refused(&self, who: &Caller, case: &impl UseCase, code: &str) {
        let before = self.head().await;
        let error = self.run(who, case).await.expect_err(code);
        assert_eq!(code_of(&error), code, "{error}");
        assert!(!error.to_string().is_empty());
        assert_eq!(self.head().await, before, "refused as {code}, yet the log has grown");
    }

    /// Somebody new.
    pub(crate) async fn user(&self, role: Role) -> Caller {
        let name = self.fresh("user");
        let profile = Profile {
            bio: String::new(),
            email: Some(format!("{name}@example.com")),
            display_name: name,
            links: Vec::new(),
        };
        let operator = Caller::system("registrar");
        let id = self.made(&operator, &RegisterUser { role, profile }).await;
        caller(id, role)
    }

    pub(crate) async fn head(&self) -> Position {
        self.store.head().await.unwrap().position
    }

    /// The whole log.
    pub(crate) async fn log(&self) -> Vec<StoredEvent> {
        self.store.read_after(Position::START, usize::MAX).await.unwrap()
    }

    /// What the log says, after all its invariants were checked; and that the process's own book says the same.
    pub(crate) async fn audit(&self) -> Replay {
        let replay = Replay::of(&self.log().await);
        replay.check();
        let book = self.commands.writer().read(|book, _| book.clone()).await.unwrap();
        assert_eq!(replay.book(), &book);
        replay
    }

    /// Whether there is such an assignment.
    pub(crate) async fn exists(&self, assignment: AssignmentId) -> bool {
        let stream = StreamId::new("assignment", assignment.to_string());
        !self.store.read_stream(&stream, 0, 1).await.unwrap().is_empty()
    }

    /// The approval of a payout, by somebody who read it.
    pub(crate) async fn approval_of(&self, payout: PayoutId) -> ApprovePayout {
        let requested = self.store.find(payout.0).await.unwrap().unwrap();
        match read_event(&requested).unwrap() {
            PayoutEvent::Requested(requested) => ApprovePayout {
                payout,
                digest: requested.digest,
                totp: None,
            },
            other => panic!("{other:?}"),
        }
    }

    /// The balance of an account, as a decimal.
    pub(crate) async fn balance(&self, address: Address) -> String {
        let text = move |book: &viral_ledger::Book, _| match book.account(&address) {
            Some(account) => Amount::from_minor(account.balance()).unwrap().to_text(account.asset),
            None => "no account".to_owned(),
        };
        self.commands.writer().read(text).await.unwrap()
    }

    /// The balances of accounts of V-Coin, as decimals; whole ones without digits.
    pub(crate) async fn balances<const N: usize>(&self, addresses: [Address; N]) -> [String; N] {
        let mut texts = std::array::from_fn(|_| String::new());
        for (text, address) in texts.iter_mut().zip(addresses) {
            let balance = self.balance(address).await;
            *text = balance.strip_suffix(".0000").unwrap_or(&balance).to_owned();
        }
        texts
    }
}

/// An event without what is another one every time: the ids of events that derive from nothing, and sealed fields.
fn without_chance(event: &StoredEvent) -> StoredEvent {
    StoredEvent {
        event_id: Uuid::nil(),
        payload: match event.payload.contains("\"ct\":") {
            true => String::new(),
            false => event.payload.clone(),
        },
        ..event.clone()
    }
}

async fn process(
    store: &MemoryStore,
    spy: &Arc<Spy>,
    clock: &Arc<Mutex<DateTime<Utc>>>,
    terms: Terms,
    environment: Environment,
) -> Commands {
    let clock = clock.clone();
    let clock: Clock = Arc::new(move || *clock.lock().unwrap());
    let settings = Settings {
        clock: Some(clock.clone()),
        ..Settings::default()
    };
    let (writer, _) = Writer::start(spy.clone(), settings).await.unwrap();
    let vault = Vault::new(Arc::new(store.clone()), &[42; 32]);
    Commands::new(writer, terms, vault)
        .with_clock(clock)
        .with_environment(environment)
}

/// A user who asks in a role. Admins may touch everything, everybody else their own.
pub(crate) fn caller(id: Uuid, role: Role) -> Caller {
    Caller {
        name: id.to_string(),
        user: Some(UserId(id)),
        role,
        scope: match role {
            Role::Admin => Scope::Any,
            _ => Scope::Own,
        },
    }
}

/// Which user a caller is.
pub(crate) fn id(caller: &Caller) -> UserId {
    caller.user.unwrap()
}

pub(crate) fn vcoin(text: &str) -> Vcoin {
    Vcoin::parse(text).unwrap()
}

pub(crate) fn usd(text: &str) -> viral_domain::Money {
    let asset = Asset::parse("USD").unwrap();
    let amount = Amount::parse(text, asset).unwrap();
    viral_domain::Money { amount, asset }
}

/// The stable name of why something was refused. Whatever else went wrong has a name that no test expects.
pub(crate) fn code_of(error: &CommandError) -> &'static str {
    match error {
        CommandError::NotFound { .. } => NOT_FOUND,
        CommandError::Refused { code, .. } => code,
        CommandError::Append(AppendError::Rejected(Rejection::Ledger(refusal))) => refusal.code(),
        CommandError::Append(AppendError::Rejected(Rejection::AlreadyHappened { .. })) => "already_happened",
        CommandError::Append(AppendError::KeyReused { .. }) => "key_reused",
        CommandError::Append(AppendError::Conflict { .. }) => "conflict",
        CommandError::Append(AppendError::Outdated { .. }) => "outdated",
        CommandError::Append(_) => "append_error",
        CommandError::Vault(_) => "vault_error",
    }
}
