//! What the tests of whole journeys have in common: a database, the log read from its beginning, and all that must hold
//! after each race.

use std::path::Path;
use std::sync::Arc;
use viral_store::{Position, PostgresStore};
use viral_tests::journey::{Book, Done, Known, Stage, Tally, check_audits, operator, pages, settle};
use viral_tests::process::{Api, Platform};
use viral_tests::server::{Database, TestServer};

/// How many creators are in a campaign: each has several of the clients.
pub const CREATORS: usize = 10;

/// A database, and what is known about it.
pub struct Field {
    pub database: Database,
    pub store: Arc<PostgresStore>,
    pub home: tempfile::TempDir,
    pub book: Book,
    pub tally: Tally,
    known: Known,
}

impl Field {
    pub async fn new() -> Field {
        let database = TestServer::shared().await.database().await;
        Field {
            store: database.store().await,
            database,
            home: tempfile::tempdir().unwrap(),
            book: Book::default(),
            tally: Tally::default(),
            known: Known::of_docs(),
        }
    }

    /// Starts a role that answers HTTP. Many payouts need an admin, so that there is something to race for.
    pub async fn start(&self, role: &str, port: u16) -> Platform {
        let mut command = Platform::command(role, self.home(), port, Some(self.url()));
        command.env("VIRAL_ADMIN_LIMIT", "12");
        Platform::started(command, port).await
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn url(&self) -> &str {
        &self.database.superuser_url
    }

    /// Reads the log to its end.
    pub async fn read_on(&mut self) -> Position {
        self.book.read_on(&self.store).await;
        self.book.position
    }

    /// Settles what a race has left open, and checks everything that must hold then. `after` is where it began.
    pub async fn finish(&mut self, stage: &Stage, api: &Api, done: &[Done], after: Position) {
        let settled = settle(stage, api, &self.store, &mut self.book).await;
        self.tally.add(done, &self.known);
        self.book.check_acknowledged(done.iter().chain(&settled), after);
        self.book.check_escrows();
        let balances = pages(api, &operator(), "/v1/ledger/trial-balance").await;
        self.read_on().await;
        self.book.check_balances(&balances);
        check_audits(self.home.path(), &self.database.superuser_url, &self.store).await;
    }

    /// What happened, by how often.
    pub fn count(&self, event_type: &str) -> u64 {
        self.book.campaigns.count(event_type)
    }

    /// What a run amounted to, for whoever reads the test's output.
    pub fn print(&self, what: &str) {
        let counts = &self.book.campaigns.counts;
        println!("{what}: {} events; {}\n  {counts:?}", self.book.position, self.tally);
    }
}

/// How many seeds: `VIRAL_SEEDS`, or so many.
pub fn seeds(usual: u64) -> u64 {
    let given = std::env::var("VIRAL_SEEDS").ok();
    given.map_or(usual, |text| text.parse().expect("VIRAL_SEEDS is a number"))
}
