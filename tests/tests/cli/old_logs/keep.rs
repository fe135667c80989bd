//! Keeps a log of this version for all later ones, beside those of earlier versions:
//!
//! ```sh
//! VIRAL_KEEP_LOG=<name of the new folder> cargo test --workspace --test cli keep_a_log -- --ignored
//! ```
//!
//! The story is told to the running product, through its API and its command line. Only the snapshots are asked for by
//! hand, of the same writer: the platform takes one each 100,000 events. `pg_dump` must be installed.

use super::fixture::{Consequence, DATABASE, Fixture, JOURNAL, KeptSnapshot, LINES, MASTER_KEY, REQUESTS, SECRETS};
use super::fixture::{SNAPSHOTS, STATES, SUMS, State, root};
use super::records;
use super::story::Story;
use crate::cli::journey::Desk;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write as _;
use uuid::Uuid;
use viral_commands::{Settings, Writer};
use viral_store::EventStore as _;
use viral_tests::files::generated;
use viral_tests::journey::caught_up;
use viral_tests::process::{Platform, TOKEN, free_port, run, tool};

/// How the journal is imported.
pub const IMPORT: [&str; 5] = ["--source", "a bank – účet 1", "--overdraft", "bank:*", "--json"];
/// What the workers ask for, by the name that goes into the ids.
const PURPOSES: [&str; 4] = ["expire_assignment", "cancel_invitation", "submit_payout", "expire_hold"];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes a new folder of fixtures"]
async fn keep_a_log_of_this_version() {
    let name = std::env::var("VIRAL_KEEP_LOG").expect("VIRAL_KEEP_LOG is the name of the new folder");
    let fixture = Fixture {
        folder: root().join(name),
    };
    std::fs::create_dir(&fixture.folder).expect("what was kept is never changed");
    let key = "0123456789abcdef".repeat(4);
    let secrets = format!(
        "# Of this fixture alone: nothing that is real was ever sealed or signed with these.\n\
         {MASTER_KEY}={key}\nVIRAL_API_TOKEN={TOKEN}\n"
    );
    std::fs::write(fixture.path(SECRETS), secrets).unwrap();
    records::keep(&fixture).await;
    Keeper::new(fixture.clone()).await.keep().await;
    std::fs::write(fixture.path(SUMS), fixture.sums()).unwrap();
}

struct Keeper {
    fixture: Fixture,
    desk: Desk,
    /// Where the state is kept.
    positions: BTreeSet<u64>,
}

impl Keeper {
    async fn new(fixture: Fixture) -> Keeper {
        Keeper {
            fixture,
            desk: Desk::new().await,
            positions: BTreeSet::from([1]),
        }
    }

    async fn keep(mut self) {
        let (port, home) = (free_port(), self.desk.folder.path().join("home"));
        let mut command = Platform::command("up", &home, port, Some(&self.desk.database.superuser_url));
        command.envs(self.fixture.secrets());
        let platform = Platform::started(command, port).await;
        let mut story = Story::begin(&platform.client, &home).await;
        self.note(true).await;
        story.campaigns().await;
        self.note(false).await;
        story.payouts().await;
        self.note(true).await;
        story.fraud().await;
        story.ends().await;
        self.note(false).await;
        story.books().await;
        self.note(true).await;
        let journal = generated(30).replace("deposit", "\"vklad, „hotově“\"");
        std::fs::write(self.fixture.path(JOURNAL), journal).unwrap();
        let journal = self.fixture.path(JOURNAL);
        self.viral(&[&["import", "journal", &journal], &IMPORT[..]].concat())
            .await;
        self.note(false).await;
        self.note(true).await;
        let store = self.desk.database.store().await;
        caught_up(&store).await;
        store.close().await;
        platform.stop().await;

        let lines = self.viral(&["export", "events"]).await;
        self.write_zipped(LINES, &lines);
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        check_types(&lines);
        self.keep_states().await;
        self.keep_snapshots(&lines).await;
        self.keep_requests(story, &lines);
        self.keep_database().await;
        println!("{} events are kept in {}", lines.len(), self.fixture.folder.display());
    }

    /// Remembers where the log is, and lets the writer take a snapshot there.
    async fn note(&mut self, snapshot: bool) {
        let store = self.desk.database.store().await;
        if snapshot {
            let (writer, task) = Writer::start(store.clone(), Settings::default()).await.unwrap();
            writer.snapshot().await.unwrap();
            drop(writer);
            task.await.unwrap();
        }
        self.positions.insert(store.head().await.unwrap().position.0);
        store.close().await;
    }

    async fn viral(&self, arguments: &[&str]) -> String {
        let mut command = self.desk.command(arguments);
        command.envs(self.fixture.secrets());
        let (code, stdout, stderr) = run(command).await;
        assert_eq!(code, 0, "{arguments:?}\n{stdout}\n{stderr}");
        stdout
    }

    async fn keep_states(&self) {
        let mut states: Vec<State> = Vec::new();
        for position in &self.positions {
            let replayed = self
                .viral(&["audit", "replay", "--as-of", &position.to_string(), "--json"])
                .await;
            states.push(serde_json::from_str(&replayed).unwrap());
        }
        self.fixture.write(STATES, &states);
    }

    async fn keep_snapshots(&self, lines: &[Value]) {
        let store = self.desk.database.store().await;
        let query = "SELECT position, state FROM book_snapshots ORDER BY position";
        let rows: Vec<(i64, String)> = sqlx::query_as(query).fetch_all(store.pool()).await.unwrap();
        let snapshots = rows.into_iter().map(|(position, state)| {
            let taken = &lines[position as usize];
            assert_eq!(taken["type"], "book.snapshot_taken");
            KeptSnapshot {
                position: position as u64,
                state,
                state_hash: taken["data"]["state_hash"].as_str().unwrap().to_owned(),
            }
        });
        self.fixture.write(SNAPSHOTS, &snapshots.collect::<Vec<_>>());
        store.close().await;
    }

    /// The requests with what the log says of them.
    fn keep_requests(&self, story: Story, lines: &[Value]) {
        let mut requests = story.requests;
        for asked in &mut requests.requests {
            (asked.unit_id, asked.request_hash) = super::identity(asked, &self.fixture);
            let line = lines
                .iter()
                .find(|line| line["id"] == asked.unit_id.to_string())
                .unwrap();
            assert_eq!(line["requesthash"], asked.request_hash, "{asked:?}");
        }
        let first_of_units = lines.iter().filter(|line| line["id"] == line["unitid"]);
        let by_workers = first_of_units.filter(|line| line["actor"] == "system:workers");
        requests.consequences = by_workers.map(|line| consequence(line, lines)).collect();
        let purposes: BTreeSet<&str> = requests.consequences.iter().map(|it| it.purpose.as_str()).collect();
        assert_eq!(purposes, PURPOSES.into());
        self.fixture.write(REQUESTS, &requests);
    }

    /// As SQL that any client can carry out, and any version of PostgreSQL from 15 on.
    async fn keep_database(&self) {
        let url = &self.desk.database.superuser_url;
        let arguments = ["--inserts", "--rows-per-insert=100", "--dbname", url];
        let dump = tool("pg_dump", &arguments, self.desk.folder.path()).await;
        let dump = dump.expect("pg_dump is not installed");
        // Newer ones fence it with commands of psql.
        let sql = dump.split_inclusive('\n').filter(|line| !line.starts_with('\\'));
        self.write_zipped(DATABASE, &sql.collect::<String>());
    }

    fn write_zipped(&self, name: &str, text: &str) {
        let file = std::fs::File::create(self.fixture.path(name)).unwrap();
        let mut zipped = GzEncoder::new(file, Compression::best());
        zipped.write_all(text.as_bytes()).unwrap();
        zipped.finish().unwrap();
    }
}

/// Every type of event that the product can write is there.
fn check_types(lines: &[Value]) {
    let types: BTreeSet<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
    let all = viral_kafka::catalogue::all();
    let missing: Vec<&str> = all
        .iter()
        .map(|it| it.name.as_str())
        .filter(|name| !types.contains(name))
        .collect();
    assert!(missing.is_empty(), "not in the log: {missing:?}");
}

/// What a unit of the workers followed from: found by trying, so that it is not taken from the code that made it.
fn consequence(first: &Value, lines: &[Value]) -> Consequence {
    let unit_id = first["unitid"].as_str().unwrap().parse().unwrap();
    let unit = lines.iter().filter(|line| line["unitid"] == first["unitid"]);
    let ids = unit.flat_map(|line| [&line["subject"], &line["data"]["hold"]]);
    let ids: BTreeSet<Uuid> = ids.filter_map(|id| id.as_str()?.parse().ok()).collect();
    let position: u64 = first["position"].as_str().unwrap().parse().unwrap();
    for purpose in PURPOSES {
        for &id in &ids {
            for position in std::iter::once(None).chain((1..position).map(Some)) {
                let purpose = purpose.to_owned();
                let due = Consequence {
                    purpose,
                    id,
                    position,
                    unit_id,
                };
                if super::consequence(&due) == unit_id {
                    return due;
                }
            }
        }
    }
    panic!("nothing leads to {first}");
}
