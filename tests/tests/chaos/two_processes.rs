//! Two processes, 5,000 transfers each over the same three accounts; one is killed and restarted on the way.

use reqwest::StatusCode;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use viral_store::{EventStore as _, Position};
use viral_tests::hold::PATIENCE;
use viral_tests::process::{Api, Platform, free_port};
use viral_tests::server::TestServer;

const TRANSFERS: u64 = 5_000;
const CALLERS: u64 = 32;
const ACCOUNTS: [&str; 3] = ["three:a", "three:b", "three:c"];

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_agree_to_the_last_digit() {
    let database = TestServer::shared().await.database().await;
    let home = tempfile::tempdir().unwrap();
    let (first_port, second_port) = (free_port(), free_port());
    let url = Some(database.superuser_url.as_str());
    let first = Platform::start(home.path(), first_port, url).await;
    let second = Platform::start(home.path(), second_port, url).await;
    for account in ACCOUNTS {
        let body = json!({"account": account, "asset": "VCOIN", "may_go_negative": true});
        first.client.posted("/v1/ledger/accounts", account, &body).await;
    }
    let done = [(); 2].map(|()| Arc::new(AtomicU64::new(0)));
    let loads = [(first_port, "first", &done[0]), (second_port, "second", &done[1])]
        .map(|(port, name, done)| tokio::spawn(load(Api::new(port), name, done.clone())));
    let reach = async |load: usize, count: u64| {
        let deadline = Instant::now() + PATIENCE;
        while done[load].load(Ordering::Relaxed) < count {
            assert!(Instant::now() < deadline, "load {load} does not go on");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    // All callers of the second are at it when it dies.
    reach(1, TRANSFERS / 4).await;
    second.kill().await;
    assert!(done[1].load(Ordering::Relaxed) < TRANSFERS);
    // The other one goes on alone.
    let at_death = done[0].load(Ordering::Relaxed);
    reach(0, (at_death + TRANSFERS / 20).min(TRANSFERS)).await;
    let second = Platform::start(home.path(), second_port, url).await;
    let mut moved = [0_i128; 3];
    for load in loads {
        for (sum, of_load) in moved.iter_mut().zip(load.await.unwrap()) {
            *sum += of_load;
        }
    }
    assert_eq!(moved.iter().sum::<i128>(), 0);
    for platform in [&first, &second] {
        for (account, expected) in ACCOUNTS.iter().zip(moved) {
            let answer = platform
                .client
                .get(&format!("/v1/ledger/accounts/{account}/balance"))
                .await;
            let expected = format!("{expected}.0000");
            assert_eq!(answer.body["balance"], expected, "{answer:?}");
        }
    }
    let store = database.store().await;
    // Three accounts, and every transfer once.
    assert_eq!(store.head().await.unwrap().position, Position(3 + 2 * TRANSFERS));
    first.stop().await;
    second.stop().await;
}

/// Makes all transfers of one process, each until it is acknowledged; answers what they move on each account.
async fn load(api: Api, name: &'static str, done: Arc<AtomicU64>) -> [i128; 3] {
    let tasks: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let (api, done) = (api.clone(), done.clone());
            tokio::spawn(async move {
                let mut moved = [0_i128; 3];
                for n in (caller..TRANSFERS).step_by(CALLERS as usize) {
                    let (debit, credit, amount) = (n as usize % 3, (n as usize / 3 + 1 + n as usize) % 3, 1 + n % 50);
                    let credit = if credit == debit { (debit + 1) % 3 } else { credit };
                    transfer(&api, &format!("{name}-{n}"), debit, credit, amount).await;
                    moved[debit] -= i128::from(amount);
                    moved[credit] += i128::from(amount);
                    done.fetch_add(1, Ordering::Relaxed);
                }
                moved
            })
        })
        .collect();
    let mut sums = [0; 3];
    for task in tasks {
        for (sum, moved) in sums.iter_mut().zip(task.await.unwrap()) {
            *sum += moved;
        }
    }
    sums
}

async fn transfer(api: &Api, key: &str, debit: usize, credit: usize, amount: u64) {
    let posting = json!({
        "debit": ACCOUNTS[debit], "credit": ACCOUNTS[credit], "amount": amount.to_string(), "asset": "VCOIN"
    });
    let body = json!({"postings": [posting]});
    loop {
        match api.post("/v1/ledger/transactions", key, &body).await {
            Ok(answer) if answer.status == StatusCode::CREATED => return,
            Ok(answer) if answer.status == StatusCode::SERVICE_UNAVAILABLE => {}
            Ok(answer) => panic!("{key}: {answer:?}"),
            Err(_) => {}
        }
        // The process is down: a client that waits a little.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
