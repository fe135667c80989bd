//! Two processes on the address of a primary that has a standby, each with a home of its own, and what they amounted to.

use super::failover_load::{Acknowledged, Told};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::{Instant, timeout};
use viral_commands::{Settings, Writer};
use viral_store::{EventStore as _, Position, PostgresStore, StoredEvent};
use viral_tests::journey::minor;
use viral_tests::process::{Api, Call, Platform, TOKEN, free_port, run, viral};
use viral_tests::samples;
use viral_tests::standby::Pair;

/// How long anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(90);

const BANK: &str = "chaos:bank";
const ACCOUNTS: u64 = 8;
/// How many repeat calls at once.
const REPEATERS: usize = 16;

fn account(n: u64) -> String {
    format!("chaos:{}", n % ACCOUNTS)
}

/// A transfer with a key of its own.
pub fn transfer(n: u64) -> Call {
    let amount = (1 + n % 50).to_string();
    let posting = json!({"debit": BANK, "credit": account(n), "amount": amount, "asset": "VCOIN"});
    Call::post("/v1/ledger/transactions", json!({"postings": [posting]}))
}

/// A process with a home of its own.
pub struct Node {
    name: &'static str,
    home: TempDir,
    port: u16,
    platform: Option<Platform>,
}

impl Node {
    async fn start(name: &'static str, url: &str) -> Node {
        let mut node = Node {
            name,
            home: tempfile::tempdir().unwrap(),
            port: free_port(),
            platform: None,
        };
        node.restart(url).await;
        node
    }

    fn command(&self, url: &str) -> Command {
        Platform::command("api", self.home.path(), self.port, Some(url))
    }

    async fn restart(&mut self, url: &str) {
        self.platform = Some(Platform::started(self.command(url), self.port).await);
    }

    /// SIGTERM, if it runs.
    pub async fn stop(&mut self) {
        if let Some(platform) = self.platform.take() {
            platform.stop().await;
        }
    }

    /// kill -9.
    pub async fn kill(&mut self) {
        self.platform.take().expect("it runs").kill().await;
    }

    pub fn api(&self) -> &Api {
        &self.platform.as_ref().expect("it runs").client
    }

    /// Waits until it says that the log went back, and names the position that it had seen and the one that it found.
    pub async fn says_that_the_log_went_back(&self, seen: u64, found: u64) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.api().get("/readyz").await;
            if answer.status == 503 && names_both(&answer.text, seen, found) {
                return;
            }
            let name = self.name;
            assert!(
                Instant::now() < deadline,
                "{name} has seen {seen}, there is {found}: {answer:?}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A start that must fail. It says what to do.
    pub async fn must_not_start(&self, url: &str) {
        let Ok((code, _, stderr)) = timeout(PATIENCE, run(self.command(url))).await else {
            panic!("{} started on a log that went back", self.name);
        };
        assert_eq!(code, 1, "{}: {stderr}", self.name);
        assert!(stderr.contains("viral log accept"), "{}: {stderr}", self.name);
    }
}

/// Whether a text names a position at or after the one that was seen, and the one that was found.
fn names_both(text: &str, seen: u64, found: u64) -> bool {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let numbers: Vec<u64> = words.filter_map(|word| word.parse().ok()).collect();
    // They may be the same: the log can be another one and have the same length.
    let others = numbers.iter().position(|number| *number == found).map(|at| {
        let (before, after) = (&numbers[..at], &numbers[at + 1..]);
        before.iter().chain(after).any(|number| *number >= seen)
    });
    others.unwrap_or(false)
}

/// Everything of one test.
pub struct Scene {
    pub nodes: [Node; 2],
    pub pair: Pair,
    acknowledged: Vec<Acknowledged>,
    /// How many transfers of 1 others have made.
    others: u64,
    accepted: Vec<Accepted>,
}

impl Scene {
    pub async fn new() -> Scene {
        let pair = Pair::start().await;
        let url = pair.url();
        let nodes = [
            Node::start("the first", &url).await,
            Node::start("the second", &url).await,
        ];
        for account in (0..ACCOUNTS).map(account).chain([BANK.to_owned()]) {
            let body = json!({"account": account, "asset": "VCOIN", "may_go_negative": account == BANK});
            nodes[0].api().posted("/v1/ledger/accounts", &account, &body).await;
        }
        Scene {
            pair,
            nodes,
            acknowledged: Vec::new(),
            others: 0,
            accepted: Vec::new(),
        }
    }

    /// The log at whoever is the primary, past the proxy.
    async fn store(&self) -> Arc<PostgresStore> {
        Arc::new(PostgresStore::connect(&self.pair.direct_url()).await.unwrap())
    }

    /// Where the log ends.
    pub async fn head(&self) -> u64 {
        let store = self.store().await;
        let head = store.head().await.unwrap();
        store.close().await;
        head.position.0
    }

    /// Somebody who knows only this log goes on with it, up to a position at least. Answers where it ends.
    pub async fn go_on_without_the_others(&mut self, up_to: u64) -> u64 {
        let store = self.store().await;
        let head = store.head().await.unwrap().position.0;
        let count = up_to.saturating_sub(head).max(1);
        let (writer, task) = Writer::start(store.clone(), Settings::default()).await.unwrap();
        let units = (0..count).map(|_| samples::transfer(BANK, &account(0), "1")).collect();
        for outcome in writer.append_all(units).await {
            outcome.unwrap();
        }
        drop(writer);
        task.await.unwrap();
        store.close().await;
        self.others += count;
        head + count
    }

    /// Each of the processes makes a transfer, as soon as it reaches the log again.
    pub async fn go_on_by_themselves(&mut self) {
        for node in &self.nodes {
            let (call, deadline) = (transfer(0), Instant::now() + PATIENCE);
            loop {
                let answer = node.api().send(TOKEN, &call).await.unwrap();
                if answer.status == 201 {
                    self.acknowledged.push(Acknowledged::new(call, answer));
                    break;
                }
                assert_eq!(answer.body["code"], "store_unavailable", "{}: {answer:?}", node.name);
                assert!(Instant::now() < deadline, "{} does not go on", node.name);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// In the home of the first somebody accepts that the log went back, which is all: then both are started again. Both
    /// have seen this position at least.
    pub async fn accept(&mut self, what: &str, seen: u64) {
        let url = self.pair.url();
        let found = self.head().await;
        let reason = format!("{what}, accepted");
        let accept = ["log", "accept", "--reason", &reason];
        for (node, answer) in self.nodes.iter().zip(["accepted at position", "nothing to accept"]) {
            let said = ok(node.home.path(), &accept, &url).await;
            assert!(said.starts_with(answer), "{}: {said}", node.name);
        }
        for node in &mut self.nodes {
            node.restart(&url).await;
        }
        self.accepted.push(Accepted { reason, seen, found });
    }

    /// What callers were told until the log ended at this position, which is all that is left of it. What is lost, and what
    /// was not done, is asked for again, twice, with the same keys.
    pub async fn repeat(&mut self, told: impl IntoIterator<Item = Told>, kept: u64) -> usize {
        let (mut again, mut lost) = (Vec::new(), 0);
        for Told { acknowledged, open } in told {
            again.extend(open);
            for acknowledged in acknowledged {
                if acknowledged.position() <= kept {
                    self.acknowledged.push(acknowledged);
                } else {
                    lost += 1;
                    again.push(acknowledged.call);
                }
            }
        }
        let again = Arc::new(again);
        let repeaters: Vec<_> = (0..REPEATERS)
            .map(|n| {
                let (again, api) = (again.clone(), self.nodes[n % self.nodes.len()].api().clone());
                tokio::spawn(async move {
                    let mut acknowledged = Vec::new();
                    for call in again.iter().skip(n).step_by(REPEATERS) {
                        acknowledged.push(twice(&api, call).await);
                    }
                    acknowledged
                })
            })
            .collect();
        for repeater in repeaters {
            self.acknowledged.extend(repeater.await.unwrap());
        }
        lost
    }

    /// Checks what must hold in the end: the log has what was acknowledged, once, and who accepted what; nothing else.
    pub async fn finish(mut self) -> String {
        let store = self.store().await;
        let events = store.read_after(Position::START, usize::MAX).await.unwrap();
        let posted = |event: &&StoredEvent| event.event_type == "book.transaction_posted";
        let transactions: Vec<&StoredEvent> = events.iter().filter(posted).collect();
        for acknowledged in &self.acknowledged {
            let event = &events[acknowledged.position() as usize - 1];
            let Acknowledged { call, answer, .. } = acknowledged;
            assert_eq!(
                answer.body["id"],
                event.event_id.to_string(),
                "{call:?} is not where it was: {event:?}"
            );
        }
        assert_eq!(transactions.len(), self.acknowledged.len() + self.others as usize);
        for accepted in &self.accepted {
            let of = |event: &&StoredEvent| event.payload.contains(&accepted.reason);
            let found: Vec<&StoredEvent> = events.iter().filter(of).collect();
            assert_eq!(found.len(), 1, "{accepted:?}: {found:?}");
            let payload = found[0].payload.replace(&accepted.reason, "");
            assert!(
                names_both(&payload, accepted.seen, accepted.found),
                "{accepted:?}: {payload}"
            );
        }
        let mut sums: BTreeMap<String, i128> = BTreeMap::new();
        for event in transactions {
            let payload: Value = serde_json::from_str(&event.payload).unwrap();
            let posting = &payload["postings"][0];
            let credit = posting["credit"].as_str().unwrap().to_owned();
            *sums.entry(credit).or_default() += minor(posting["amount"].as_str().unwrap());
        }
        let expected: i128 = self.acknowledged.iter().map(|it| amount(&it.call)).sum();
        assert_eq!(sums.values().sum::<i128>(), expected + 10_000 * i128::from(self.others));
        for node in &mut self.nodes {
            for (account, sum) in &sums {
                let answer = node.api().get(&format!("/v1/ledger/accounts/{account}/balance")).await;
                let balance = answer.body["balance"].as_str().map(minor);
                assert_eq!(balance, Some(*sum), "{account} of {}: {answer:?}", node.name);
            }
            assert!(node.api().is_ready().await, "{}", node.name);
            node.stop().await;
        }
        store.close().await;
        let home = tempfile::tempdir().unwrap();
        ok(home.path(), &["audit", "verify"], &self.pair.url()).await;
        format!(
            "{} transfers acknowledged in the end, all of them once",
            self.acknowledged.len()
        )
    }
}

/// What somebody accepted: why, a position that was seen at least, and where the log ended.
#[derive(Debug)]
struct Accepted {
    reason: String,
    seen: u64,
    found: u64,
}

/// Makes a call that is not in the log, and makes it again.
async fn twice(api: &Api, call: &Call) -> Acknowledged {
    let first = api.send(TOKEN, call).await.unwrap();
    assert!(first.status == 201 && !first.replayed, "{call:?}: {first:?}");
    let second = api.send(TOKEN, call).await.unwrap();
    assert!(
        second.replayed && second.text == first.text,
        "{call:?}: {first:?}, {second:?}"
    );
    Acknowledged::new(call.clone(), first)
}

fn amount(call: &Call) -> i128 {
    minor(call.body["postings"][0]["amount"].as_str().unwrap())
}

/// Runs `viral` over the log, which must end well.
async fn ok(home: &Path, arguments: &[&str], url: &str) -> String {
    let mut command = viral(home, arguments);
    command.env("DATABASE_URL", url);
    let (code, stdout, stderr) = run(command).await;
    assert_eq!(code, 0, "{arguments:?}: {stdout}{stderr}");
    stdout
}
