//! `viral up` with a server of its own, and the tools beside it.

use serde_json::json;
use viral_tests::process::{Platform, free_port, run, viral};

#[tokio::test(flavor = "multi_thread")]
async fn tools_work_beside_the_platform_and_without_it() {
    let folder = tempfile::tempdir().unwrap();
    viral_tests::server::open_to_all(folder.path());
    let home = folder.path().join(".viral");
    let port = free_port();
    let platform = Platform::start(&home, port, None).await;
    let body = json!({"account": "shop:till", "asset": "VCOIN", "may_go_negative": true});
    platform.client.posted("/v1/ledger/accounts", "k1", &body).await;
    platform
        .client
        .posted(
            "/v1/ledger/accounts",
            "k2",
            &json!({"account": "customer:1", "asset": "VCOIN"}),
        )
        .await;
    let posting = json!({"debit": "shop:till", "credit": "customer:1", "amount": "12.5", "asset": "VCOIN"});
    platform
        .client
        .posted("/v1/ledger/transactions", "k3", &json!({"postings": [posting]}))
        .await;

    let (code, doctor, _) = run(viral(&home, &["doctor", "--json"])).await;
    assert_eq!(code, 0, "{doctor}");
    assert!(doctor.contains("superuser_url"), "{doctor}");
    let (code, said, _) = run(viral(&home, &["audit", "verify"])).await;
    assert_eq!((code, said.starts_with("holds: 3 events")), (0, true), "{said}");
    // A second platform on the same port says so at once, and leaves the first alone.
    let mut second = viral(&home, &["up", "--dev", "--listen", &format!("127.0.0.1:{port}")]);
    second.env("VIRAL_API_TOKEN", viral_tests::process::TOKEN);
    let (code, _, said) = run(second).await;
    assert_eq!(code, 1);
    assert!(said.contains("--listen"), "{said}");
    let balance = platform.client.get("/v1/ledger/accounts/customer:1/balance").await;
    assert_eq!(balance.body["balance"], "12.5000");
    // Its server is killed: it is started again without a hand.
    let running = viral::embedded::discover(&home).unwrap().unwrap();
    let pid = std::fs::read_to_string(running.data_dir.join("postmaster.pid")).unwrap();
    let kill = tokio::process::Command::new("kill")
        .args(["-9", pid.lines().next().unwrap()])
        .status()
        .await;
    assert!(kill.unwrap().success());
    let again = serde_json::json!({"account": "customer:2", "asset": "VCOIN"});
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        let answer = platform.client.post("/v1/ledger/accounts", "k4", &again).await.unwrap();
        if answer.status.is_success() {
            break;
        }
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(tokio::time::Instant::now() < deadline, "the server did not come back");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    platform.stop().await;

    // Without it, a tool starts the server for itself and stops it again.
    let (code, said, _) = run(viral(&home, &["audit", "trial-balance"])).await;
    assert_eq!(code, 0);
    assert!(said.contains("customer:1"), "{said}");
    assert!(viral::embedded::discover(&home).unwrap().is_none());
    let (code, _, said) = run(viral(&home, &["up", "--listen", &format!("127.0.0.1:{port}")])).await;
    assert_eq!(code, 1);
    assert!(said.contains("VIRAL_API_TOKEN"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_needs_a_log() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join(".viral");
    for arguments in [
        &["audit", "verify"][..],
        &["audit", "trial-balance"],
        &["export", "events"],
    ] {
        let (code, stdout, stderr) = run(viral(&home, arguments)).await;
        assert_eq!((code, stdout.as_str()), (1, ""), "{arguments:?}");
        assert!(stderr.contains("there is no log"), "{stderr}");
    }
    assert!(!home.exists());
}
