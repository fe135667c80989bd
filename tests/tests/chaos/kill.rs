//! kill -9 of `viral up` with 32 calls in flight, 50 times.

use reqwest::StatusCode;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use tokio::time::timeout;
use uuid::Uuid;
use viral_store::{EventStore as _, Position, StoredEvent};
use viral_tests::hold::PATIENCE;
use viral_tests::process::{Api, Platform, free_port};
use viral_tests::server::{Database, TestServer};

const KILLS: u64 = 50;
const CALLERS: usize = 32;

/// A call, and what it was answered.
#[derive(Debug, Clone)]
struct Call {
    path: String,
    key: String,
    body: Value,
}

/// What one caller did.
#[derive(Debug, Default)]
struct Caller {
    acknowledged: Vec<(Call, Value)>,
    unanswered: Option<Call>,
    /// A transfer that may still be reversed.
    last_transfer: Option<String>,
}

impl Caller {
    fn next(&mut self, number: usize, n: u64) -> Call {
        let key = Uuid::now_v7().to_string();
        if let Some(transfer) = self.last_transfer.take_if(|_| n % 4 == 3) {
            let path = format!("/v1/ledger/transactions/{transfer}/reverse");
            let body = json!({"reason": "chaos"});
            return Call { path, key, body };
        }
        let account = format!("chaos:{}", number % 8);
        let posting = json!({"debit": "chaos:bank", "credit": account, "amount": "1.25", "asset": "VCOIN"});
        Call {
            path: "/v1/ledger/transactions".to_owned(),
            key,
            body: json!({"postings": [posting]}),
        }
    }

    /// Makes a call until it is acknowledged or the process is gone.
    async fn make(&mut self, api: &Api, call: Call) {
        self.unanswered = Some(call.clone());
        loop {
            match api.post(&call.path, &call.key, &call.body).await {
                Ok(answer) if answer.status == StatusCode::CREATED => {
                    self.unanswered = None;
                    let id = answer.body["id"].as_str().unwrap().to_owned();
                    self.last_transfer = (!call.path.ends_with("reverse")).then_some(id);
                    self.acknowledged.push((call, answer.body));
                    return;
                }
                // Going down or not up yet.
                Ok(answer) if answer.status == StatusCode::SERVICE_UNAVAILABLE => {}
                Ok(answer) => panic!("{call:?}: {answer:?}"),
                Err(_) => return,
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_unit_is_in_the_log_exactly_once() {
    let database = TestServer::shared().await.database().await;
    let home = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut callers: Vec<Caller> = (0..CALLERS).map(|_| Caller::default()).collect();
    let mut retried = 0;
    for round in 0..=KILLS {
        let platform = Platform::start(home.path(), port, Some(&database.superuser_url)).await;
        if round == 0 {
            open_accounts(&platform.client).await;
        }
        // First of all whatever was not answered, by the same key.
        for caller in &mut callers {
            if let Some(call) = caller.unanswered.clone() {
                retried += 1;
                caller.make(&platform.client, call).await;
                assert!(caller.unanswered.is_none());
            }
        }
        if round == KILLS {
            platform.stop().await;
            break;
        }
        let (stop, made) = (Arc::new(AtomicBool::new(false)), watch::Sender::new(0));
        let tasks: Vec<_> = callers
            .into_iter()
            .enumerate()
            .map(|(number, mut caller)| {
                let (api, stop, made) = (platform.client.clone(), stop.clone(), made.clone());
                tokio::spawn(async move {
                    let mut n = 0;
                    while !stop.load(Ordering::Relaxed) && caller.unanswered.is_none() {
                        let call = caller.next(number, n);
                        caller.make(&api, call).await;
                        made.send_modify(|count| *count += 1);
                        n += 1;
                    }
                    caller
                })
            })
            .collect();
        // In the middle of the calls, after a number of them that differs from round to round.
        let enough = round * 7_919 % 180;
        let mut made = made.subscribe();
        timeout(PATIENCE, made.wait_for(|made| *made >= enough))
            .await
            .unwrap()
            .unwrap();
        platform.kill().await;
        stop.store(true, Ordering::Relaxed);
        callers = Vec::new();
        for task in tasks {
            callers.push(task.await.unwrap());
        }
    }
    let acknowledged: Vec<(Call, Value)> = callers.into_iter().flat_map(|caller| caller.acknowledged).collect();
    println!(
        "{KILLS} kills: {} calls acknowledged, {retried} retried by key",
        acknowledged.len()
    );
    assert!(retried > KILLS, "hardly a call was in flight when the process died");
    check(&database, &acknowledged).await;
}

async fn open_accounts(api: &Api) {
    for account in (0..8).map(|n| format!("chaos:{n}")).chain(["chaos:bank".to_owned()]) {
        let body = json!({"account": account, "asset": "VCOIN", "may_go_negative": account == "chaos:bank"});
        api.posted("/v1/ledger/accounts", &format!("open-{account}"), &body)
            .await;
    }
}

/// The log has what was acknowledged, once, and nothing else.
async fn check(database: &Database, acknowledged: &[(Call, Value)]) {
    let store = database.store().await;
    let events = store.read_after(Position::START, usize::MAX).await.unwrap();
    let transactions: HashMap<String, &StoredEvent> = events
        .iter()
        .filter(|event| event.event_type == "book.transaction_posted")
        .map(|event| (event.event_id.to_string(), event))
        .collect();
    let mut balances: HashMap<String, i128> = HashMap::new();
    for (call, answer) in acknowledged {
        let event = transactions
            .get(answer["id"].as_str().unwrap())
            .unwrap_or_else(|| panic!("lost: {call:?}"));
        assert_eq!(answer["position"], event.position.to_string(), "{call:?}");
        let sign = if call.path.ends_with("reverse") { -1 } else { 1 };
        let payload: Value = serde_json::from_str(&event.payload).unwrap();
        let posting = &payload["postings"][0];
        let account = posting[if sign == 1 { "credit" } else { "debit" }].as_str().unwrap();
        *balances.entry(account.to_owned()).or_default() += sign * 12_500;
    }
    assert_eq!(
        transactions.len(),
        acknowledged.len(),
        "something is in the log that nobody was told of"
    );
    let requested = events
        .iter()
        .filter(|event| event.event_type == "reversal.requested")
        .count();
    let reversed = acknowledged
        .iter()
        .filter(|(call, _)| call.path.ends_with("reverse"))
        .count();
    assert_eq!(requested, reversed, "half a unit");

    let (writer, _task) = viral_commands::Writer::start(store.clone(), Default::default())
        .await
        .unwrap();
    for (account, expected) in balances {
        let address = viral_tests::samples::address(&account);
        let balance = writer
            .read(move |book, _| book.account(&address).map(|a| a.balance()))
            .await
            .unwrap();
        assert_eq!(balance, Some(expected), "{account}");
    }
    let report = viral_audit::verify(&(store as Arc<dyn viral_store::EventStore>), &viral_audit::Silent)
        .await
        .unwrap();
    assert!(report.holds, "{:?}", report.first_bad);
}

/// The embedded server outlives the kill, and the next start adopts it.
#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_server_is_adopted_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    viral_tests::server::open_to_all(folder.path());
    let home = folder.path().join(".viral");
    let port = free_port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    for round in 0..3 {
        let platform = Platform::start(&home, port, None).await;
        let pid = viral::embedded::discover(&home).unwrap().map(|running| running.port);
        seen.lock().unwrap().push(pid);
        let account = format!("adopted:{round}");
        let body = json!({"account": account, "asset": "VCOIN"});
        platform.client.posted("/v1/ledger/accounts", &account, &body).await;
        let accounts = platform.client.get("/v1/ledger/accounts").await;
        assert_eq!(
            accounts.body["accounts"].as_array().map(Vec::len),
            Some(round + 1),
            "{accounts:?}"
        );
        if round < 2 {
            platform.kill().await;
        } else {
            platform.stop().await;
        }
    }
    let seen = seen.lock().unwrap();
    assert!(seen.iter().all(|port| port.is_some() && *port == seen[0]), "{seen:?}");
    assert!(
        viral::embedded::discover(&home).unwrap().is_none(),
        "the last one out stops the server"
    );
}
