//! Logs that earlier versions wrote: this one replays and verifies them, takes their databases over, and answers their
//! requests as they were answered then. Each test goes through every folder of `tests/fixtures/logs/`.

mod fixture;
mod keep;
mod records;
mod story;

use super::journey::Desk;
use fixture::{Asked, Consequence, DATABASE, Fixture, JOURNAL, KeptSnapshot, LINES, MASTER_KEY, REQUESTS, Requests};
use fixture::{SNAPSHOTS, STATES, SUMS, State};
use reqwest::Method;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;
use viral_commands::{BookAt, Request, RequestIdentity, Vault};
use viral_ledger::Book;
use viral_store::{EventStore as _, MemoryStore, Position, canonical};
use viral_tests::journey::caught_up;
use viral_tests::process::{Call, Platform, free_port, run, viral};
use viral_tests::server::{TestServer, run as run_sql};

/// Operations with personal fields, whose hashes are keyed.
const PERSONAL: [&str; 2] = ["dev.user.register", "user.profile.change"];

#[test]
fn what_is_kept_is_never_edited() {
    for fixture in Fixture::all() {
        assert_eq!(fixture.sums(), fixture.text(SUMS), "{fixture:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn their_lines_replay_to_the_same_states() {
    let home = tempfile::tempdir().unwrap();
    let ask = async |arguments: &[&str]| -> Value {
        let (code, stdout, stderr) = run(viral(home.path(), arguments)).await;
        assert_eq!(code, 0, "{arguments:?}\n{stdout}\n{stderr}");
        serde_json::from_str(&stdout).unwrap()
    };
    for fixture in Fixture::all() {
        let (lines, states) = (fixture.path(LINES), fixture.json::<Vec<State>>(STATES));
        let verified = ask(&["audit", "verify", "--file", &lines, "--json"]).await;
        assert_eq!(verified["holds"], true, "{verified}");
        assert_eq!(verified["events"], fixture.lines().len(), "{verified}");
        assert_eq!(verified["state_hash"], states.last().unwrap().state_hash, "{verified}");
        for state in states {
            let as_of = &state.position;
            let replayed = ask(&["audit", "replay", "--file", &lines, "--as-of", as_of, "--json"]).await;
            assert_eq!(serde_json::from_value::<State>(replayed).unwrap(), state, "{fixture:?}");
        }
    }
}

#[test]
fn their_requests_have_the_same_ids_and_hashes() {
    for fixture in Fixture::all() {
        let mut units: BTreeMap<Uuid, Option<String>> = BTreeMap::new();
        for line in fixture.lines() {
            let unit = line["unitid"].as_str().unwrap().parse().unwrap();
            units.insert(unit, line["requesthash"].as_str().map(str::to_owned));
        }
        let Requests {
            requests, consequences, ..
        } = fixture.json(REQUESTS);
        assert!(!requests.is_empty() && !consequences.is_empty(), "{fixture:?}");
        for asked in requests {
            assert_eq!(identity(&asked, &fixture), (asked.unit_id, asked.request_hash.clone()));
            assert_eq!(units[&asked.unit_id].as_ref(), Some(&asked.request_hash), "{asked:?}");
        }
        for due in consequences {
            assert_eq!(consequence(&due), due.unit_id, "{due:?}");
            assert_eq!(units[&due.unit_id], None, "{due:?}");
        }
    }
}

/// The id of a call's unit and the hash of what it asks.
fn identity(asked: &Asked, fixture: &Fixture) -> (Uuid, String) {
    let body = canonical::to_text(&asked.body).unwrap();
    let identity = RequestIdentity::new(&asked.principal, &asked.key, &asked.operation, &asked.path, &body);
    let hash = match PERSONAL.contains(&asked.operation.as_str()) {
        true => vault(fixture).blind("viral request hash 1", &identity.request_hash),
        false => identity.request_hash,
    };
    (identity.unit_id, hash)
}

fn vault(fixture: &Fixture) -> Vault {
    let key: Vec<u8> = fixture.secret(MASTER_KEY).as_bytes().chunks(2).map(digits).collect();
    Vault::new(Arc::new(MemoryStore::new(Uuid::nil())), &key.try_into().unwrap())
}

fn digits(two: &[u8]) -> u8 {
    u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()
}

fn consequence(due: &Consequence) -> Uuid {
    let position = due.position.map(u64::to_be_bytes);
    let mut parts: Vec<&[u8]> = vec![due.id.as_bytes()];
    parts.extend(position.iter().map(|bytes| bytes.as_slice()));
    Request::consequence(&due.purpose, &parts, None).unit_id
}

/// The database of a fixture, restored and brought to this version.
struct Old {
    fixture: Fixture,
    desk: Desk,
}

#[tokio::test(flavor = "multi_thread")]
async fn their_databases_are_taken_over_and_their_requests_answered() {
    for fixture in Fixture::all() {
        let old = Old::restored(fixture).await;
        old.holds().await;
        old.loads_its_snapshots().await;
        old.answers_what_was_asked().await;
        old.imports_nothing_twice().await;
        old.holds().await;
        // Last, because a version with other read models builds its own when it runs.
        let compared = old.json(&["audit", "diff", "--json"]).await;
        assert_eq!(compared["holds"], true, "{compared}");
    }
}

impl Old {
    async fn restored(fixture: Fixture) -> Old {
        let database = TestServer::shared().await.empty_database().await;
        run_sql(&database.superuser_url, &fixture.unzipped(DATABASE))
            .await
            .unwrap();
        let desk = Desk::over(database);
        let old = Old { fixture, desk };
        old.ok(&["migrate"]).await;
        old
    }

    async fn viral(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = self.desk.command(arguments);
        command.envs(self.fixture.secrets());
        run(command).await
    }

    async fn ok(&self, arguments: &[&str]) -> String {
        let (code, stdout, stderr) = self.viral(arguments).await;
        assert_eq!(code, 0, "{:?}: {arguments:?}\n{stdout}\n{stderr}", self.fixture);
        stdout
    }

    async fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(arguments).await).unwrap()
    }

    /// The log is what it was, byte for byte: nothing was appended.
    async fn holds(&self) {
        let lines = self.fixture.unzipped(LINES);
        assert!(
            self.ok(&["export", "events"]).await == lines,
            "other lines: {:?}",
            self.fixture
        );
        let verified = self.json(&["audit", "verify", "--json"]).await;
        assert_eq!(verified["holds"], true, "{verified}");
        assert_eq!(verified["events"], lines.lines().count(), "{verified}");
        let states: Vec<State> = self.fixture.json(STATES);
        assert_eq!(verified["state_hash"], states.last().unwrap().state_hash, "{verified}");
    }

    /// The book is loaded from each snapshot, not from the beginning.
    async fn loads_its_snapshots(&self) {
        let store = self.desk.database.store().await;
        let kept: Vec<KeptSnapshot> = self.fixture.json(SNAPSHOTS);
        assert!(kept.len() > 1, "{:?}", self.fixture);
        for snapshot in kept {
            let position = Position(snapshot.position);
            let found = store.snapshot_at(position).await.unwrap().unwrap();
            assert_eq!((found.position, &found.state), (position, &snapshot.state));
            assert_eq!(Book::hash_of_text(&found.state), snapshot.state_hash);
            let loaded = BookAt::load(store.as_ref(), position).await.unwrap();
            assert_eq!(
                (loaded.position(), loaded.book.state_text()),
                (position, snapshot.state)
            );
        }
        store.close().await;
    }

    /// Each key gets the answer of then, and none is taken for another request.
    async fn answers_what_was_asked(&self) {
        let port = free_port();
        let home = self.desk.folder.path().join("home");
        let mut command = Platform::command("up", &home, port, Some(&self.desk.database.superuser_url));
        command.envs(self.fixture.secrets());
        let platform = Platform::started(command, port).await;
        let Requests {
            tokens,
            requests,
            commands,
            ..
        } = self.fixture.json(REQUESTS);
        for (index, asked) in requests.iter().enumerate() {
            let token = &tokens[&asked.principal];
            let again = platform.client.send(token, &call(asked, asked)).await.unwrap();
            assert!(again.replayed, "{asked:?}: {again:?}");
            assert_eq!((again.status.as_u16(), &again.text), (asked.status, &asked.answer));
            let Some(other) = another(&requests, index) else {
                continue;
            };
            let reused = platform.client.send(token, &call(other, asked)).await.unwrap();
            let told = (reused.status.as_u16(), &reused.body["code"]);
            assert_eq!(
                told,
                (409, &Value::from("idempotency_key_reused")),
                "{asked:?}: {reused:?}"
            );
        }
        for command in commands {
            self.ok(&command.iter().map(String::as_str).collect::<Vec<_>>()).await;
        }
        let store = self.desk.database.store().await;
        caught_up(&store).await;
        store.close().await;
        platform.stop().await;
    }

    async fn imports_nothing_twice(&self) {
        let journal = self.fixture.text(JOURNAL);
        let entries = journal.lines().count() - 1;
        let report = self.import(&journal).await.1;
        assert_eq!(
            (&report["posted"], &report["duplicates"]),
            (&0.into(), &entries.into()),
            "{report}"
        );
        let (code, report) = self.import(&journal.replacen(".25,", ".26,", 1)).await;
        assert_eq!(
            (code, &report["posted"], &report["duplicates"]),
            (1, &0.into(), &(entries - 1).into()),
            "{report}"
        );
    }

    async fn import(&self, journal: &str) -> (i32, Value) {
        let file = self.desk.file(JOURNAL, journal);
        let mut arguments = vec!["import", "journal", file.to_str().unwrap()];
        arguments.extend(keep::IMPORT);
        let (code, stdout, stderr) = self.viral(&arguments).await;
        (
            code,
            serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("{e}: {stdout}{stderr}")),
        )
    }
}

/// What one request says, under the key of another.
fn call(says: &Asked, key_of: &Asked) -> Call {
    Call {
        method: Method::from_bytes(says.method.as_bytes()).unwrap(),
        path: says.path.clone(),
        key: key_of.key.clone(),
        body: says.body.clone(),
    }
}

/// Another request of the same principal: one that differs in its body alone, if there is one.
fn another(requests: &[Asked], index: usize) -> Option<&Asked> {
    let asked = &requests[index];
    let others = requests[index + 1..].iter().chain(&requests[..index]);
    let others = others.filter(|other| other.principal == asked.principal && other.request_hash != asked.request_hash);
    others.max_by_key(|other| (other.path == asked.path, other.operation == asked.operation))
}
