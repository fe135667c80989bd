//! The broker is away for a while under a whole platform: money moves as before, doctor and metrics tell that nothing is
//! published, and everything catches up by itself.

use super::bad_luck::Luck;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;
use viral_tests::journey::{Person, Stage, check_audits};
use viral_tests::process::{Call, Platform, free_port, run, viral};
use viral_tests::published::{Bed, PATIENCE};

/// A gauge of `/metrics`.
async fn gauge(port: u16, name: &str) -> Option<u64> {
    let page = reqwest::get(format!("http://127.0.0.1:{port}/metrics")).await.unwrap();
    let text = page.text().await.unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map(|value| value.parse().unwrap())
}

async fn doctor(bed: &Bed) -> (i32, Value) {
    let mut command = viral(bed.home.path(), &["doctor", "--json"]);
    command.env("DATABASE_URL", &bed.database.superuser_url);
    let (code, stdout, stderr) = run(command).await;
    let report = serde_json::from_str(&stdout);
    (code, report.unwrap_or_else(|_| panic!("{stdout}{stderr}")))
}

/// Money from the bank to a sponsor and on to a campaign. One try each: nothing may be refused or wait for Kafka.
async fn move_money(stage: &Stage, platform: &Platform, number: u64) {
    let on_ramp = json!({"fiat": {"amount": "5.00", "asset": "USD"}, "fiat_entry": format!("outage-{number}")});
    let fund = format!("/v1/campaigns/{}/fund", stage.campaign);
    for call in [
        Call::post("/v1/wallets/on-ramp", on_ramp),
        Call::post(fund, json!({"amount_vcoin": "0.5"})),
    ] {
        let done = stage.sponsor.call(&platform.client, &call).await;
        assert!(done.answer.status.is_success(), "{done:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn money_moves_while_kafka_is_away() {
    let luck = Luck::new("Kafka away");
    let away = Duration::from_secs(luck.times(4, 60));
    let bed = Bed::new().await;
    let (port, metrics) = (free_port(), free_port());
    let url = &bed.database.superuser_url;
    let mut command = Platform::command("up", bed.home.path(), port, Some(url));
    // Read models and workers follow Kafka: they stand still, too, and must go on.
    command
        .env("VIRAL_METRICS", format!("127.0.0.1:{metrics}"))
        .env("VIRAL_FEED", "kafka");
    let platform = Platform::started(command, port).await;
    let stage = Stage::set(&platform.client, 3, 10).await;
    let creators: &[Person] = &stage.creators;
    until(metrics, "viral_relay_lag_events", |lag| lag == Some(0)).await;
    let (code, report) = doctor(&bed).await;
    assert_eq!((code, &report["problems"]), (0, &json!([])), "{report}");

    bed.topics.broker.kill().await;
    let (began, mut calls, mut slowest) = (Instant::now(), 0, Duration::ZERO);
    while began.elapsed() < away || calls < 20 {
        let call = Instant::now();
        move_money(&stage, &platform, calls).await;
        slowest = slowest.max(call.elapsed());
        calls += 1;
        if calls == 10 {
            // The whole way of a mission, and a payout.
            stage.employ(&platform.client, &creators[0], "20").await;
            let payout = stage.ask(&platform.client, &creators[0], "4.75").await;
            stage.approve(&platform.client, &payout).await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    until(metrics, "viral_relay_lag_events", |lag| lag.is_some_and(|lag| lag > 0)).await;
    let lag = gauge(metrics, "viral_relay_lag_events").await;
    let (code, report) = doctor(&bed).await;
    let problems = report["problems"].to_string();
    assert!(code == 1 && problems.contains("Kafka cannot be reached"), "{report}");
    assert_eq!(report["kafka"]["state"], "unreachable", "{report}");

    bed.topics.broker.restart().await;
    let back = Instant::now();
    until(metrics, "viral_relay_lag_events", |lag| lag == Some(0)).await;
    let caught_up = back.elapsed();
    // What follows by itself followed: nothing is written any more.
    while !bed
        .events()
        .await
        .iter()
        .any(|event| event.event_type == "payout.submitted")
    {
        assert!(back.elapsed() < PATIENCE, "the payout is not sent");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    check_audits(bed.home.path(), url, &bed.store).await;
    until(metrics, "viral_relay_lag_events", |lag| lag == Some(0)).await;
    let (code, report) = doctor(&bed).await;
    assert_eq!((code, &report["kafka"]["relay"]["lag"]), (0, &json!("0")), "{report}");
    platform.stop().await;
    let again = bed.check_when_published().await;
    luck.print(format_args!(
        "away for {away:?}: {} calls succeeded, the slowest pair took {slowest:?}; lag {lag:?} was made up for {caught_up:?} \
         after the broker was back, {again} records came again",
        2 * calls
    ));
}

async fn until(port: u16, name: &str, wanted: impl Fn(Option<u64>) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let now = gauge(port, name).await;
        if wanted(now) {
            return;
        }
        assert!(Instant::now() < deadline, "{name} is {now:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
