//! What every handler can reach.

use crate::auth::Principal;
use crate::gate::Gates;
use crate::health::Readiness;
use crate::history::History;
use crate::kind;
use crate::limits::Limits;
use crate::problem::Problem;
use crate::read::Progress;
use crate::tokens::{DevTokens, Tokens};
use chrono::{DateTime, Utc};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use viral_commands::{Clock, Commands, Engagement, Writer};
use viral_ledger::Book;
use viral_projections::queries::ReadModels;
use viral_store::{EventStore, Position};

/// The state of the API. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// Absent once the API has stopped: a connection that lingers must not keep the writer running.
    commands: Arc<Mutex<Option<Commands>>>,
    store: Arc<dyn EventStore>,
    tokens: Arc<Tokens>,
    dev_tokens: Option<DevTokens>,
    progress: Option<Arc<dyn Progress>>,
    read_models: Option<ReadModels>,
    engagement: Option<Engagement>,
    history: Arc<History>,
    readiness: Readiness,
    clock: Option<Clock>,
    limits: Limits,
    gates: Arc<Gates>,
    started: Instant,
    request_timeout: Duration,
}

impl AppState {
    /// An API over these use cases and the log that they append to, which starts now.
    pub fn new(commands: Commands, tokens: Tokens) -> AppState {
        let store = commands.writer().store().clone();
        AppState {
            history: History::new(store.clone()),
            readiness: Readiness::default(),
            commands: Arc::new(Mutex::new(Some(commands))),
            store,
            tokens: Arc::new(tokens),
            dev_tokens: None,
            progress: None,
            read_models: None,
            engagement: None,
            clock: None,
            limits: Limits::default(),
            gates: Arc::new(Gates::new(&Limits::default())),
            started: Instant::now(),
            request_timeout: Duration::from_secs(30),
        }
    }

    /// Takes the time from elsewhere: the same clock as the writer's.
    pub fn with_clock(mut self, clock: Clock) -> AppState {
        self.clock = Some(clock);
        self
    }

    /// Issues and accepts tokens for any user and role, for trying the platform out. Without this they are refused.
    pub fn with_dev_tokens(mut self, secret: [u8; 32]) -> AppState {
        self.dev_tokens = Some(DevTokens::new(secret));
        self
    }

    /// Answers from read models that are as far as this says. Without it such requests are 503 `not_ready`.
    pub fn with_progress(mut self, progress: Arc<dyn Progress>) -> AppState {
        self.progress = Some(progress);
        self
    }

    /// Answers from these read models. Without them such requests are 503 `not_ready`.
    pub fn with_read_models(mut self, read_models: ReadModels) -> AppState {
        self.read_models = Some(read_models);
        self
    }

    /// Records measurements of engagement. Without it such requests are 503 `not_ready`.
    pub fn with_engagement(mut self, engagement: Engagement) -> AppState {
        self.engagement = Some(engagement);
        self
    }

    /// Takes on no more than this.
    pub fn with_limits(mut self, limits: Limits) -> AppState {
        self.gates = Arc::new(Gates::new(&limits));
        self.limits = limits;
        self
    }

    /// Reads the log by way of this one, so that reads do not keep the writer from its own connections.
    pub fn with_reads(mut self, store: Arc<dyn EventStore>) -> AppState {
        self.history = History::new(store.clone());
        self.store = store;
        self
    }

    /// Answers 503 to a request that takes longer than this; 30 s if nothing is said.
    pub fn with_request_timeout(mut self, timeout: Duration) -> AppState {
        self.request_timeout = timeout;
        self
    }

    /// The use cases, unless the API has stopped.
    pub(crate) fn commands(&self) -> Result<Commands, Problem> {
        let commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner).clone();
        commands.ok_or_else(|| Problem::new(kind::STOPPING, "the platform is going down, try again soon"))
    }

    /// The way into the log, unless the API has stopped.
    pub(crate) fn writer(&self) -> Result<Writer, Problem> {
        Ok(self.commands()?.writer().clone())
    }

    /// Reads from the book as of the end of the log.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Book, Position) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        Ok(self.writer()?.read(read).await?)
    }

    /// Lets go of the writer, so that its task can end.
    pub(crate) fn close(&self) {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// The log, to be read.
    pub(crate) fn store(&self) -> &Arc<dyn EventStore> {
        &self.store
    }

    /// Whose token it is, if it is accepted here.
    pub(crate) fn principal(&self, token: &str) -> Option<Principal> {
        let user = || self.dev_tokens.as_ref()?.find(token);
        self.tokens.find(token).cloned().or_else(user)
    }

    /// How far the read models are.
    pub(crate) fn progress(&self) -> Result<&dyn Progress, Problem> {
        self.progress.as_deref().ok_or_else(no_read_models)
    }

    /// The read models, to be asked.
    pub(crate) fn read_models(&self) -> Result<&ReadModels, Problem> {
        self.read_models.as_ref().ok_or_else(no_read_models)
    }

    /// What records measurements of engagement.
    pub(crate) fn engagement(&self) -> Result<&Engagement, Problem> {
        let nothing = || Problem::new(kind::NOT_READY, "this process takes no measurements of engagement");
        self.engagement.as_ref().ok_or_else(nothing)
    }

    /// What issues tokens for any user and role; nothing unless the platform is only tried out.
    pub fn dev_tokens(&self) -> Option<&DevTokens> {
        self.dev_tokens.as_ref()
    }

    pub(crate) fn history(&self) -> &Arc<History> {
        &self.history
    }

    pub(crate) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        match (&self.clock, self.writer()) {
            (Some(clock), _) => clock(),
            (None, Ok(writer)) => writer.now(),
            // The platform is going down: nobody decides by this any more.
            (None, Err(_)) => Utc::now(),
        }
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn gates(&self) -> &Gates {
        &self.gates
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        self.request_timeout
    }
}

fn no_read_models() -> Problem {
    Problem::new(kind::NOT_READY, "this process answers nothing from read models")
}

impl std::fmt::Debug for AppState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppState")
            .field("tokens", &self.tokens)
            .field("dev_tokens", &self.dev_tokens)
            .field("request_timeout", &self.request_timeout)
            .finish_non_exhaustive()
    }
}
