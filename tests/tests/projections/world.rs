//! A database with its log and a projector over it.

use async_trait::async_trait;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection, PgPool};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;
use viral_commands::{NewEvent, Part, Settings, Unit, Writer};
use viral_domain::{DomainEvent, Sealed, effects};
use viral_ledger::{Asset, Command};
use viral_projections::{
    Checkpoints, ProjectionError, Projector, READ_MODELS, Report, Unseal, UnsealError, connect, diff,
};
use viral_store::{EventStore, Position, PostgresStore, StreamId};
use viral_tests::server::{Database, TestServer};

/// How long anything may take that is waited for, on a machine that is busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What is sealed here is only spelled in hexadecimal; some persons are erased, some texts are damaged.
#[derive(Debug, Default)]
pub struct MemoryUnseal {
    pub erased: Mutex<HashSet<Uuid>>,
    /// By ciphertext.
    pub damaged: Mutex<HashSet<String>>,
}

#[async_trait]
impl Unseal for MemoryUnseal {
    async fn unseal(&self, sealed: &[Sealed]) -> Result<Vec<Option<String>>, UnsealError> {
        let (erased, damaged) = (self.erased.lock().unwrap(), self.damaged.lock().unwrap());
        let open = |sealed: &Sealed| {
            if damaged.contains(&sealed.ct) {
                return Err(UnsealError::Damaged(format!("of person {}", sealed.person)));
            }
            Ok((!erased.contains(&sealed.person)).then(|| from_hex(&sealed.ct)))
        };
        sealed.iter().map(open).collect()
    }
}

/// Seals a text for the [`MemoryUnseal`].
pub fn seal(person: Uuid, text: &str) -> Sealed {
    Sealed {
        ct: text.bytes().map(|byte| format!("{byte:02x}")).collect(),
        key: person,
        nonce: "AAAAAAAAAAAAAAAA".to_owned(),
        person,
    }
}

fn from_hex(text: &str) -> String {
    let bytes = (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap());
    String::from_utf8(bytes.collect()).unwrap()
}

pub struct World {
    pub database: Database,
    pub store: Arc<PostgresStore>,
    pub writer: Writer,
    pub unseal: Arc<MemoryUnseal>,
    pub projector: Projector,
    /// As superuser, for looking and for mischief.
    pub root: PgPool,
    sequences: Mutex<HashMap<StreamId, u64>>,
}

/// Events that happen together.
#[derive(Default)]
pub struct Together {
    events: Vec<(StreamId, NewEvent)>,
    commands: Vec<Vec<Part>>,
}

impl Together {
    /// One more event, with what it does to the ledger.
    pub fn and<E: DomainEvent>(mut self, aggregate: &'static str, id: Uuid, event: E) -> Together {
        let new = NewEvent::new(event.event_type(), event.version(), &event).unwrap();
        self.events.push((StreamId::new(aggregate, id.to_string()), new));
        let ledger = event.effects().into_iter().map(|effect| Part::Ledger {
            id: effect.id,
            command: effect.command,
        });
        self.commands.push(ledger.collect());
        self
    }

    /// One more event that no program knows.
    pub fn and_raw(mut self, aggregate: &'static str, id: &str, version: &'static str, payload: &Value) -> Together {
        let event_type = payload["type"].as_str().unwrap().to_owned();
        let new = NewEvent::new(event_type, version, payload).unwrap();
        self.events.push((StreamId::new(aggregate, id.to_owned()), new));
        self.commands.push(Vec::new());
        self
    }
}

/// One event, with what it does to the ledger.
pub fn event<E: DomainEvent>(aggregate: &'static str, id: Uuid, event: E) -> Together {
    Together::default().and(aggregate, id, event)
}

impl World {
    /// A fresh database with the platform's accounts; nothing projects yet.
    pub async fn new() -> World {
        let database = TestServer::shared().await.database().await;
        let store = database.store().await;
        let (writer, _task) = Writer::start(store.clone(), Settings::default()).await.unwrap();
        for command in effects::platform_accounts(Asset::parse("USD").unwrap()) {
            writer.append(Unit::ledger(Uuid::now_v7(), command)).await.unwrap();
        }
        let unseal = Arc::<MemoryUnseal>::default();
        let projector = Projector::new(connect(&database.app_url).unwrap(), store.clone(), unseal.clone());
        World {
            root: PgPool::connect(&database.superuser_url).await.unwrap(),
            database,
            store,
            writer,
            unseal,
            projector,
            sequences: Mutex::default(),
        }
    }

    /// Another process that projects.
    pub fn another_projector(&self) -> Projector {
        let pool = connect(&self.database.app_url).unwrap();
        Projector::new(pool, self.store.clone(), self.unseal.clone())
    }

    /// The unit of events, in the order of this world.
    pub fn unit(&self, together: Together) -> Unit {
        let mut sequences = self.sequences.lock().unwrap();
        let mut parts = Vec::new();
        for ((stream, event), ledger) in together.events.into_iter().zip(together.commands) {
            let sequence = sequences.entry(stream.clone()).or_default();
            let expected = *sequence;
            *sequence += 1;
            parts.push(Part::Events {
                stream,
                expected,
                events: vec![event],
            });
            parts.extend(ledger);
        }
        Unit::new(Uuid::now_v7(), parts).with_actor("tester")
    }

    /// Appends events as one unit; answers the position of the last.
    pub async fn append(&self, together: Together) -> Position {
        let unit = self.unit(together);
        self.writer
            .append(unit)
            .await
            .unwrap()
            .events()
            .last()
            .unwrap()
            .position
    }

    /// Appends a command to the ledger.
    pub async fn ledger(&self, command: Command) -> Position {
        let unit = Unit::ledger(Uuid::now_v7(), command);
        self.writer.append(unit).await.unwrap().events()[0].position
    }

    /// The id of the event at a position.
    pub async fn store_event(&self, position: Position) -> Uuid {
        self.store.event_at(position).await.unwrap().unwrap().event_id
    }

    /// Starts the projector.
    pub fn start(&self) -> Running {
        Running::start(self.projector.clone())
    }

    pub async fn head(&self) -> Position {
        self.store.head().await.unwrap().position
    }

    /// Waits until all read models have everything.
    pub async fn caught_up(&self) {
        let head = self.head().await;
        for model in &READ_MODELS {
            self.reached(model.name, head).await;
        }
    }

    /// Waits until a read model is somewhere; it may not exist yet.
    pub async fn reached(&self, name: &str, position: Position) {
        let checkpoints = Checkpoints::new(self.store.pool().clone());
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            match checkpoints.wait_for(name, position, PATIENCE).await {
                Ok(_) => return,
                Err(ProjectionError::NotSetUp(_)) if tokio::time::Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Err(error) => panic!("{name}: {error}"),
            }
        }
    }

    /// Compares everything with the log, as the role that the platform works with.
    pub async fn diff(&self) -> Report {
        diff(self.store.pool(), self.store.as_ref(), self.unseal.as_ref())
            .await
            .unwrap()
    }

    /// The rows of a query as JSON.
    pub async fn rows(&self, query: &str) -> Vec<Value> {
        let query = format!("SELECT row_to_json(r)::text FROM ({query}) r");
        let rows: Vec<String> = sqlx::query_scalar(&query).fetch_all(self.store.pool()).await.unwrap();
        rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
    }

    /// The one row of a query as JSON.
    pub async fn row(&self, query: &str) -> Value {
        let mut rows = self.rows(query).await;
        assert_eq!(rows.len(), 1, "{query}: {rows:?}");
        rows.remove(0)
    }

    /// One value, as superuser.
    pub async fn text(&self, query: &str) -> String {
        let query = format!("SELECT ({query})::text");
        let text: Option<String> = sqlx::query_scalar(&query).fetch_one(&self.root).await.unwrap();
        text.unwrap_or_default()
    }

    /// Waits until a query, as superuser, answers this.
    pub async fn until(&self, query: &str, wanted: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let found = self.text(query).await;
            if found == wanted {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "{query}: {found}, not {wanted}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Runs a statement as superuser.
    pub async fn as_root(&self, statement: &str) -> u64 {
        sqlx::raw_sql(statement)
            .execute(&self.root)
            .await
            .unwrap()
            .rows_affected()
    }
}

/// A projector that runs.
pub struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), ProjectionError>>,
}

impl Running {
    pub fn start(projector: Projector) -> Running {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(async move { projector.run(stopped).await });
        Running { stop, task }
    }

    /// Stops it in an orderly way.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        tokio::time::timeout(PATIENCE, self.task)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
    }

    /// Stops it wherever it is.
    pub async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// The SQLSTATE with which a role is refused a statement; empty if it is allowed.
pub async fn refusal(url: &str, role: &str, statement: &str) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let statement = format!("SET ROLE {role}; {statement}");
    match sqlx::raw_sql(&statement).execute(&mut connection).await {
        Ok(_) => String::new(),
        Err(error) => error.as_database_error().unwrap().code().unwrap().into_owned(),
    }
}
