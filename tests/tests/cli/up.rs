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
