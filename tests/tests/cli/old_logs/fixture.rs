//! A log that an earlier version wrote, as it lies in `tests/fixtures/logs/<version>/`. What each file is stands in the
//! README.md there.

use flate2::read::GzDecoder;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use uuid::Uuid;

pub const LINES: &str = "lines.jsonl.gz";
pub const DATABASE: &str = "database.sql.gz";
pub const REQUESTS: &str = "requests.json";
pub const STATES: &str = "states.json";
pub const SNAPSHOTS: &str = "snapshots.json";
pub const RECORDS: &str = "records.json";
pub const JOURNAL: &str = "journal.csv";
pub const SECRETS: &str = "secrets.env";
pub const SUMS: &str = "SHA256SUMS";

/// The variable with the key that personal fields, their requests and the tokens of `--dev` hang on.
pub const MASTER_KEY: &str = "VIRAL_MASTER_KEY";

/// The folder with all of them.
pub fn root() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("fixtures/logs")
}

/// What was asked of that version, and what came of it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Requests {
    /// The bearer token of each principal.
    pub tokens: BTreeMap<String, String>,
    /// Calls of the API, in their order.
    pub requests: Vec<Asked>,
    /// Units that the workers appended by themselves.
    pub consequences: Vec<Consequence>,
    /// Commands of the command line that reported something through the API.
    pub commands: Vec<Vec<String>>,
}

/// A call that changed something.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Asked {
    pub principal: String,
    /// The name of the operation, as it goes into the hash.
    pub operation: String,
    pub method: String,
    pub path: String,
    pub key: String,
    pub body: Value,
    pub status: u16,
    /// The body of the answer, byte for byte.
    pub answer: String,
    pub unit_id: Uuid,
    pub request_hash: String,
}

/// A unit whose id derives from what made it due.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Consequence {
    pub purpose: String,
    /// Of what it happened to.
    pub id: Uuid,
    /// Of the event that made it due, where that counts.
    pub position: Option<u64>,
    pub unit_id: Uuid,
}

/// The book after an event.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub position: String,
    pub state_hash: String,
    pub open_holds: u64,
    pub totals: Value,
    /// The trial balance: every account's sums.
    pub accounts: Value,
}

/// A row of `book_snapshots`.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptSnapshot {
    pub position: u64,
    pub state: String,
    /// What the event at the next position says.
    pub state_hash: String,
}

/// One folder.
#[derive(Debug, Clone)]
pub struct Fixture {
    pub folder: PathBuf,
}

impl Fixture {
    /// Every version's, by name.
    pub fn all() -> Vec<Fixture> {
        let entries = std::fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
        let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
        folders.sort();
        assert!(!folders.is_empty(), "there is no log of an earlier version");
        folders.into_iter().map(|folder| Fixture { folder }).collect()
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    /// A line for each file but this one, as `sha256sum` writes it.
    pub fn sums(&self) -> String {
        let entries = std::fs::read_dir(&self.folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name != SUMS).collect();
        names.sort();
        let sum = |name: String| {
            let sum = Sha256::digest(std::fs::read(self.path(&name)).unwrap());
            let digits: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{digits}  {name}\n")
        };
        names.into_iter().map(sum).collect()
    }

    pub fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{}: {e}", self.path(name)))
    }

    pub fn unzipped(&self, name: &str) -> String {
        let file = std::fs::File::open(self.path(name)).unwrap();
        let mut text = String::new();
        GzDecoder::new(file).read_to_string(&mut text).unwrap();
        text
    }

    pub fn json<T: for<'de> Deserialize<'de>>(&self, name: &str) -> T {
        serde_json::from_str(&self.text(name)).unwrap_or_else(|e| panic!("{}: {e}", self.path(name)))
    }

    /// Writes a new file.
    pub fn write(&self, name: &str, value: &impl Serialize) {
        let text = serde_json::to_string_pretty(value).unwrap() + "\n";
        std::fs::write(self.path(name), text).unwrap();
    }

    pub fn lines(&self) -> Vec<Value> {
        let text = self.unzipped(LINES);
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The value of a variable in `secrets.env`.
    pub fn secret(&self, name: &str) -> String {
        let text = self.text(SECRETS);
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.unwrap_or_else(|| panic!("{SECRETS} has no {name}")).to_owned()
    }

    /// `secrets.env` as the environment of a process.
    pub fn secrets(&self) -> Vec<(String, String)> {
        let text = self.text(SECRETS);
        let pairs = text.lines().filter(|line| !line.starts_with('#'));
        let pairs = pairs.filter_map(|line| line.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}
