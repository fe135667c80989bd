//! The whole platform with its log in KurrentDB, Kafka and ClickHouse beside it: the demo's journey, the auditor's tools
//! after it, and what is refused.

use super::journey::Desk;
use serde_json::Value;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::Instant;
use viral_tests::clickhouse::Engine;
use viral_tests::files::{rows, small_journal};
use viral_tests::kurrentdb::{Fake, apart, server};
use viral_tests::process::{Background, Platform, TOKEN, free_port, run};
use viral_tests::published::Topics;

/// How long a story, or catching up with it, may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// A desk whose log is in KurrentDB.
struct Office {
    desk: Desk,
    event_store: String,
    /// Empty where nothing is beside it.
    brokers: String,
    clickhouse: String,
}

impl Office {
    async fn new(event_store: &str) -> Office {
        Office {
            desk: Desk::new().await,
            event_store: event_store.to_owned(),
            brokers: String::new(),
            clickhouse: String::new(),
        }
    }

    fn on_this_log(&self, mut command: Command) -> Command {
        command
            .env("EVENT_STORE", &self.event_store)
            .env("KAFKA_BROKERS", &self.brokers)
            .env("CLICKHOUSE_URL", &self.clickhouse);
        command
    }

    async fn viral(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = self.on_this_log(self.desk.command(arguments));
        command.env("VIRAL_API_TOKEN", TOKEN);
        let said = tokio::time::timeout(PATIENCE, run(command)).await.unwrap();
        for text in [&said.1, &said.2] {
            assert!(!text.contains(":secret@"), "{arguments:?} tells the password: {text}");
        }
        said
    }

    async fn ok(&self, arguments: &[&str]) -> String {
        let (code, stdout, stderr) = self.viral(arguments).await;
        assert_eq!(code, 0, "{arguments:?}\n{stdout}\n{stderr}");
        stdout
    }

    async fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(arguments).await).unwrap()
    }

    /// What a command says that must fail.
    async fn refused(&self, arguments: &[&str]) -> String {
        let (code, stdout, stderr) = self.viral(arguments).await;
        assert_eq!(code, 1, "{arguments:?}\n{stdout}\n{stderr}");
        stderr + &stdout
    }

    async fn role(&self, role: &str) -> Platform {
        let (home, port) = (self.desk.folder.path().join("home"), free_port());
        let command = Platform::command(role, &home, port, Some(&self.desk.database.superuser_url));
        Platform::started(self.on_this_log(command), port).await
    }

    fn background(&self, arguments: &[&str]) -> Background {
        let mut command = self.on_this_log(self.desk.command(arguments));
        command.stdout(std::process::Stdio::null());
        Background::started(command)
    }

    /// The end of the log, once all read models have come to it.
    async fn caught_up(&self) -> u64 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let list = self.json(&["projections", "list", "--json"]).await;
            let models = list["projections"].as_array().unwrap();
            let head = &models[0]["head"];
            if models.iter().all(|model| &model["position"] == head) {
                assert!(models.len() >= 5, "{list}");
                let analytics = models.iter().filter(|model| model["name"] == "clickhouse");
                assert_eq!(analytics.count(), usize::from(!self.clickhouse.is_empty()), "{list}");
                return head.as_str().unwrap().parse().unwrap();
            }
            assert!(Instant::now() < deadline, "{list}");
        }
    }

    /// Every report agrees, about this many events.
    async fn check_reports(&self, events: u64) {
        let verified = self.json(&["audit", "verify", "--json"]).await;
        assert_eq!(verified["holds"], true, "{verified}");
        let compared = self.json(&["audit", "diff", "--json"]).await;
        assert_eq!(compared["holds"], true, "{compared}");
        for model in compared["compared"].as_array().unwrap() {
            assert_eq!(model["position"], events.to_string(), "{model}");
        }
        let replayed = self.json(&["audit", "replay", "--json"]).await;
        let balance = self.json(&["audit", "trial-balance", "--json"]).await;
        assert_eq!(balance["position"], events.to_string(), "{balance}");
        assert_eq!(replayed["position"], balance["position"], "{replayed}");
        let lines = self.ok(&["export", "events"]).await;
        assert_eq!(lines.lines().count() as u64, events);
        let journal = self.ok(&["export", "journal", "--format", "csv"]).await;
        assert!(journal.lines().count() > 20, "{journal}");

        let analytics = self.json(&["audit", "diff", "--clickhouse", "--json"]).await;
        assert_eq!(analytics["holds"], true, "{analytics}");
        assert_eq!(analytics["position"], events.to_string(), "{analytics}");
        // The published log is the same one, to its end.
        let deadline = Instant::now() + PATIENCE;
        let published = loop {
            let verify = ["audit", "verify", "--source", "kafka", "--json"];
            let (code, stdout, stderr) = self.viral(&verify).await;
            let published: Value = serde_json::from_str(&stdout).unwrap_or_default();
            if code == 0 && published["position"] == verified["position"] {
                break published;
            }
            assert!(Instant::now() < deadline, "{stdout}{stderr}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        assert_eq!(published["state_hash"], verified["state_hash"], "{published}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_runs_on_kurrentdb() {
    let fake = Fake::with_password().await;
    the_journey(&fake.url()).await;
    // One for each batch; how many those are depends on how fast everything is.
    assert!(fake.len("viral-log") > 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_runs_on_a_server_of_kurrentdb() {
    match server() {
        Some(url) => the_journey(&apart(&url)).await,
        None => println!("NOT RUN: KURRENTDB_URL names no server"),
    }
}

async fn the_journey(event_store: &str) {
    let topics = Topics::empty().await;
    let mut office = Office::new(event_store).await;
    office.brokers = topics.broker.brokers();
    office.clickhouse = Engine::shared().await.database();
    let text = office.refused(&["audit", "verify"]).await;
    assert!(text.contains("viral migrate"), "{text}");
    office.ok(&["migrate"]).await;
    let doctor = office.json(&["doctor", "--json"]).await;
    assert_eq!(doctor["log"]["position"], "0", "{doctor}");
    assert!(
        doctor["event_store"].as_str().unwrap().starts_with("kurrentdb://"),
        "{doctor}"
    );

    // Everything in one process.
    let platform = office.role("up").await;
    office.ok(&["demo"]).await;
    let after_first = office.caught_up().await;
    office.check_reports(after_first).await;
    platform.stop().await;

    // Each role in its own, read models and workers behind Kafka: two of them append.
    let api = office.role("api").await;
    let others = [
        office.background(&["relay"]),
        office.background(&["project", "--feed", "kafka"]),
        office.background(&["work", "--dev", "--feed", "kafka"]),
    ];
    office.ok(&["demo"]).await;
    let journal = small_journal();
    let import = [
        "import",
        "journal",
        journal.to_str().unwrap(),
        "--overdraft",
        "*",
        "--json",
    ];
    let imported = office.json(&import).await;
    let expected = rows(&std::fs::read_to_string(&journal).unwrap()).len();
    assert_eq!(imported["posted"], expected, "{imported}");
    assert_eq!(office.json(&import).await["duplicates"], expected);
    let after_second = office.caught_up().await;
    assert!(
        after_second > 2 * after_first - 20 + expected as u64,
        "{after_first}, {after_second}"
    );
    let rebuilt = office.ok(&["projections", "rebuild", "all"]).await;
    assert!(rebuilt.contains("wallets is rebuilt"), "{rebuilt}");
    office.check_reports(after_second).await;
    for other in others {
        other.stop().await;
    }
    api.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_logs_are_never_mixed() {
    let (fake, other) = (Fake::with_password().await, Fake::with_password().await);
    let mut office = Office::new(&fake.url()).await;
    for (event_store, problem) in [
        ("redis://viral:secret@host", "EVENT_STORE says where the log is"),
        ("kurrentdb://viral:secret@host:port", "EVENT_STORE cannot be read"),
        (&fake.url().replace(":secret@", ":wrong@"), "EVENT_STORE"),
    ] {
        office.event_store = event_store.to_owned();
        let text = office.refused(&["migrate"]).await;
        assert!(text.contains(problem), "{text}");
    }

    // A database beside one log is not used beside another, nor for its own.
    office.event_store = fake.url();
    let platform = office.role("up").await;
    let journal = small_journal();
    let import = ["import", "journal", journal.to_str().unwrap(), "--overdraft", "*"];
    office.ok(&import).await;
    office.caught_up().await;
    platform.stop().await;
    office.event_store = String::new();
    let text = office.refused(&["audit", "verify"]).await;
    assert!(text.contains("in KurrentDB: set EVENT_STORE"), "{text}");
    office.event_store = other.url();
    let text = office.refused(&["api", "--dev", "--listen", "127.0.0.1:0"]).await;
    assert!(text.contains("belongs to the log"), "{text}");

    // Events are missing at the end of the log.
    office.event_store = fake.url();
    let records = fake.records("viral-log");
    fake.change("viral-log", |records| records.truncate(2));
    office.ok(&["audit", "verify"]).await;
    for arguments in [
        ["api", "--dev", "--listen", "127.0.0.1:0"].as_slice(),
        &["import", "journal", journal.to_str().unwrap(), "--overdraft", "*"],
    ] {
        let text = office.refused(arguments).await;
        assert!(
            text.contains("the log went back") && text.contains("log accept"),
            "{text}"
        );
    }
    fake.change("viral-log", |now| *now = records.clone());
    // One byte was changed in the middle.
    fake.change("viral-log", |records| {
        let record = &mut records[3];
        let text = String::from_utf8(record.data.clone()).unwrap();
        record.data = text.replacen("\"position\":", "\"position\" :", 1).into_bytes();
    });
    let text = office.refused(&["audit", "verify"]).await;
    assert!(text.contains("record 3") && text.contains("canonical"), "{text}");
    fake.change("viral-log", |now| *now = records);
    office.ok(&["audit", "verify"]).await;

    // The server is down.
    fake.shut().await;
    let text = office.refused(&["audit", "verify"]).await;
    assert!(text.contains("is the server of EVENT_STORE running?"), "{text}");

    // A database with a log of its own stays with it.
    let mut own = Office::new("").await;
    own.ok(&["migrate"]).await;
    own.ok(&import).await;
    own.event_store = other.url();
    let text = own.refused(&["migrate"]).await;
    assert!(text.contains("a log of its own"), "{text}");
    own.event_store = "postgres".to_owned();
    own.ok(&["audit", "verify"]).await;
}
