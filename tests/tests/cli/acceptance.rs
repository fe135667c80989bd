//! What a home remembers of a log, and `viral log accept`: with real processes, over a log that lost its end and a server
//! whose clock was set.

use super::journey::Desk;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;
use viral_store::EventStore as _;
use viral_tests::journey::caught_up;
use viral_tests::process::{Answer, Api, Platform, free_port};
use viral_tests::server::TestServer;

const PATIENCE: Duration = Duration::from_secs(60);

async fn desk() -> Desk {
    let database = TestServer::shared().await.database().await;
    database.make_clock_settable().await;
    Desk::over(database)
}

async fn platform(desk: &Desk) -> Platform {
    let home = desk.folder.path().join("home");
    Platform::start(&home, free_port(), Some(&desk.database.superuser_url)).await
}

async fn open(api: &Api, account: &str) -> Answer {
    let body = json!({"account": account, "asset": "VCOIN"});
    api.post("/v1/ledger/accounts", account, &body).await.unwrap()
}

async fn head(desk: &Desk) -> u64 {
    desk.database.store().await.head().await.unwrap().position.0
}

/// The position that the home remembers.
fn remembered(desk: &Desk) -> u64 {
    let mut files = std::fs::read_dir(desk.folder.path().join("home/logs")).unwrap();
    let text = std::fs::read_to_string(files.next().unwrap().unwrap().path()).unwrap();
    let remembered: Value = serde_json::from_str(&text).unwrap();
    remembered["position"].as_str().unwrap().parse().unwrap()
}

/// Asks until the platform is ready, or says why it is not.
async fn readiness_becomes(api: &Api, status: u16) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = api.get("/readyz").await;
        if answer.status == status {
            return answer.body;
        }
        assert!(Instant::now() < deadline, "{answer:?} instead of {status}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_ends_remembers_its_last_event_and_there_is_nothing_to_accept() {
    let desk = desk().await;
    let running = platform(&desk).await;
    for n in 0..20 {
        assert_eq!(open(&running.client, &format!("shop:{n}")).await.status, 201);
    }
    running.stop().await;
    let head_then = head(&desk).await;
    assert_eq!(remembered(&desk), head_then);
    for (arguments, why) in [
        (vec!["log", "accept", "--reason", "x"], "no events are missing"),
        (vec!["log", "accept", "--clock", "--reason", "x"], "was not set"),
    ] {
        let said = desk.ok(&arguments).await;
        assert!(said.starts_with("nothing to accept") && said.contains(why), "{said}");
    }
    assert_eq!(head(&desk).await, head_then);
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_notices_a_clock_that_is_set_where_nobody_writes() {
    let desk = desk().await;
    let running = platform(&desk).await;
    assert_eq!(open(&running.client, "shop:1").await.status, 201);
    desk.database.set_clock("1 day").await;
    let problem = readiness_becomes(&running.client, 503).await;
    assert_eq!(problem["code"], "clock_leapt", "{problem}");
    desk.database.set_clock("0").await;
    readiness_becomes(&running.client, 200).await;
    assert_eq!(open(&running.client, "shop:2").await.status, 201);

    // Set once more, and accepted by a process that looks for the first time: one for all.
    desk.database.set_clock("2 hours").await;
    let accept = ["log", "accept", "--clock", "--reason", "it was two hours slow"];
    let said = desk.ok(&accept).await;
    assert!(said.starts_with("accepted at position"), "{said}");
    assert_eq!(open(&running.client, "shop:3").await.status, 201);
    readiness_becomes(&running.client, 200).await;
    running.stop().await;
    let running = platform(&desk).await;
    assert_eq!(open(&running.client, "shop:4").await.status, 201);
    running.stop().await;
    desk.ok(&["audit", "verify"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_events_and_a_clock_are_accepted_each_for_itself_and_read_models_ahead_wait_for_a_rebuild() {
    let desk = desk().await;
    let running = platform(&desk).await;
    for n in 0..5 {
        assert_eq!(open(&running.client, &format!("shop:{n}")).await.status, 201);
    }
    let store = desk.database.store().await;
    caught_up(&store).await;
    running.stop().await;
    let seen = head(&desk).await;
    desk.database.lose_events(3).await;
    desk.database.set_clock("2 hours").await;
    let home = desk.folder.path().join("home");
    let start = async || {
        let command = Platform::command("api", &home, free_port(), Some(&desk.database.superuser_url));
        viral_tests::process::run(command).await
    };
    let refused = async || {
        let (code, _, stderr) = start().await;
        assert!(code == 1 && stderr.contains("log accept --reason"), "{code} {stderr}");
    };
    refused().await;
    // An event that says so would have the wrong time.
    let history = ["log", "accept", "--reason", "restored from last night"];
    let (code, _, stderr) = desk.viral(&history).await;
    assert!(code == 1 && stderr.contains("log accept --clock"), "{code} {stderr}");
    assert_eq!(head(&desk).await, seen - 3);
    let said = desk
        .ok(&["log", "accept", "--clock", "--reason", "it was two hours slow"])
        .await;
    assert!(said.contains("the clock"), "{said}");
    refused().await;
    let said = desk.ok(&history).await;
    let expected = format!("from position {}, without what was seen up to {seen}", seen - 2);
    assert!(said.contains(&expected), "{said}");

    // Read models that have the lost events stop, and nothing else does.
    let running = platform(&desk).await;
    assert_eq!(open(&running.client, "shop:3").await.status, 201);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (code, listed, _) = desk.viral(&["projections", "list", "--json"]).await;
        let listed: Value = serde_json::from_str(&listed).unwrap();
        let problems = listed["projections"].as_array().unwrap().iter();
        let lost = problems.filter(|row| {
            row["problem"]
                .as_str()
                .is_some_and(|text| text.contains("the log lost"))
        });
        if lost.count() == 5 {
            assert_eq!(code, 1);
            break;
        }
        assert!(Instant::now() < deadline, "{listed}");
    }
    readiness_becomes(&running.client, 200).await;
    desk.ok(&["projections", "rebuild", "all"]).await;
    caught_up(&store).await;
    desk.ok(&["projections", "list"]).await;
    assert_eq!(open(&running.client, "shop:4").await.status, 201);
    running.stop().await;
    desk.ok(&["audit", "verify"]).await;
    desk.ok(&["audit", "diff"]).await;
}
