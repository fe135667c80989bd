//! The examples of `docs/API.md`, run as a reader would: by a shell with curl, in their order, on an empty log.

use crate::support::{Api, OPERATOR};
use tokio::net::TcpListener;
use tokio::process::Command;
use viral_store::{EventStore as _, Position, line};
use viral_tests::schemas::check_line;

/// The shell blocks in their order.
fn examples() -> String {
    let docs = include_str!("../../../docs/API.md");
    let blocks = docs
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    // The first one sets what only the reader knows.
    blocks.skip(1).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_docs_work() {
    if Command::new("curl").arg("--version").output().await.is_err() {
        println!("curl is not installed: the examples are not tried");
        return;
    }
    let api = Api::for_development().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(viral_api::serve(listener, api.state.clone(), std::future::pending()));

    // Beside the body, every call says its status on standard error.
    let script = format!(
        "set -eu\ncurl() {{ command curl -w '%{{stderr}}%{{http_code}}\\n' \"$@\"; }}\n{}",
        examples()
    );
    let output = Command::new("sh")
        .args(["-c", &script])
        .env("API", format!("http://{address}"))
        .env("TOKEN", OPERATOR)
        .output()
        .await
        .unwrap();
    let (answers, statuses) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert!(output.status.success(), "{statuses}{answers}");
    let statuses: Vec<&str> = statuses.lines().collect();
    assert_eq!(statuses.len(), script.matches("curl -sS").count(), "{statuses:?}");
    for status in &statuses {
        assert!(["200", "201", "409"].contains(status), "{statuses:?}\n{answers}");
    }
    // The one that shows that a hold is resolved once.
    assert_eq!(
        statuses.iter().filter(|status| **status == "409").count(),
        1,
        "{answers}"
    );
    let alice = api.get("/v1/ledger/accounts/shop:alice").await.json();
    assert_eq!(alice["balance"], "75.00");
    check_log(&api).await;
    server.abort();
}

/// Every event that the calls wrote is one that the published log describes, a request for a reversal among them.
async fn check_log(api: &Api) {
    let log = api.store.read_after(Position::START, 10_000).await.unwrap();
    for event in &log {
        check_line(&line::to_line(event, api.store.source()).unwrap());
    }
    assert!(log.iter().any(|event| event.event_type == "reversal.requested"));
}
