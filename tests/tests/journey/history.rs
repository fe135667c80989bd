//! A campaign's history and the statement of its escrow.

use crate::people::Person;
use crate::stage::{Stage, id};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use viral_store::{EventStore, Position, line};

const HOUR: Duration = Duration::from_secs(3_600);

/// A campaign with one approval, one withdrawal and another campaign beside it, closed at the end.
async fn story(stage: &Stage) -> (String, String) {
    let (campaign, mission) = stage.published(2).await;
    stage.api.advance(HOUR);
    let (_, elsewhere) = stage.published(1).await;
    stage.accepted(&elsewhere, &stage.second).await;
    stage.api.advance(HOUR);
    let paid = stage.submitted(&mission, &stage.first).await;
    stage.does("review", &paid, json!({"verdict": "approve"}), 200).await;
    stage.api.advance(HOUR);
    let given_back = stage.accepted(&mission, &stage.second).await;
    let withdrawn = stage
        .api
        .post_as(&stage.second, &format!("{given_back}/withdraw"), json!({}))
        .await;
    assert_eq!(withdrawn.status, 200, "{withdrawn:?}");
    stage.api.advance(HOUR);
    stage.does("close", &campaign, json!({}), 200).await;
    (campaign, mission)
}

#[tokio::test]
async fn the_history_is_what_the_log_says_about_a_campaign() {
    let stage = Stage::new().await;
    let (campaign, _) = story(&stage).await;
    let path = format!("{campaign}/events");
    let told = stage.api.read_as(&stage.sponsor, &path).await["events"]
        .as_array()
        .unwrap()
        .clone();
    let types: Vec<&str> = told.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let expected = [
        "campaign.created",
        "campaign.mission_added",
        "campaign.funded",
        "book.transaction_posted",
        "campaign.published",
        "assignment.invited",
        "assignment.accepted",
        "campaign.place_taken",
        "book.hold_placed",
        "assignment.submitted",
        "assignment.approved",
        "campaign.reward_paid",
        "book.transaction_posted",
        "assignment.invited",
        "assignment.accepted",
        "campaign.place_taken",
        "book.hold_placed",
        "assignment.withdrawn",
        "campaign.place_freed",
        "book.hold_voided",
        "campaign.mission_closed",
        "campaign.closed",
        "book.transaction_posted",
    ];
    assert_eq!(types, expected);
    // Each is the line of the log, in its order.
    let log = stage.api.store.read_after(Position::START, 1_000).await.unwrap();
    let lines: BTreeMap<String, Value> = log
        .iter()
        .map(|event| {
            let line = line::to_line(event, stage.api.store.source()).unwrap();
            (event.position.to_string(), serde_json::from_str(&line).unwrap())
        })
        .collect();
    let positions: Vec<u64> = told
        .iter()
        .map(|event| event["position"].as_str().unwrap().parse().unwrap())
        .collect();
    assert!(positions.is_sorted());
    for event in &told {
        assert_eq!(*event, lines[event["position"].as_str().unwrap()]);
    }
    // Page by page it is the same, for everybody who may look.
    for who in [&stage.sponsor, &stage.admin].into_iter().chain(&stage.lookers()[..2]) {
        assert_eq!(stage.api.pages_as(who, &path, "events", 5).await, told);
    }
}

/// A field of every entry of a statement.
fn column<'a>(statement: &'a Value, field: &str) -> Vec<&'a str> {
    statement["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry[field].as_str().unwrap_or("none"))
        .collect()
}

#[tokio::test]
async fn a_statement_adds_up() {
    let stage = Stage::new().await;
    let start = stage.api.now();
    let (campaign, _) = story(&stage).await;
    let path = format!("{campaign}/statement");
    let whole = stage.api.read_as(&stage.sponsor, &path).await;
    let address = format!("campaign:{}:escrow", id(&campaign));
    assert_eq!(
        (&whole["campaign_id"], &whole["account"]),
        (&json!(id(&campaign)), &json!(address))
    );
    assert_eq!(
        (&whole["asset"], &whole["held_vcoin"]),
        (&json!("VCOIN"), &json!("0.0000"))
    );
    assert_eq!(
        (&whole["opening_balance"], &whole["closing_balance"]),
        (&json!("0.0000"), &json!("0.0000"))
    );
    assert!(whole.get("next_cursor").is_none());
    assert_eq!(column(&whole, "type"), ["fund", "reward", "reward", "refund"]);
    assert_eq!(
        column(&whole, "amount_vcoin"),
        ["5000.0000", "-475.0000", "-25.0000", "-4500.0000"]
    );
    assert_eq!(
        column(&whole, "balance"),
        ["5000.0000", "4525.0000", "4500.0000", "0.0000"]
    );
    assert_eq!(
        column(&whole, "reference_type"),
        ["campaign", "assignment", "assignment", "campaign"]
    );
    assert_eq!(column(&whole, "reference_id")[0], id(&campaign));
    assert_eq!(column(&whole, "effective_at")[0], start);
    // Each is in the ledger.
    for entry in whole["entries"].as_array().unwrap() {
        let transaction = format!("/v1/ledger/transactions/{}", entry["transaction_id"].as_str().unwrap());
        let posted = stage.api.get_as(&stage.admin, &transaction).await.json();
        for field in ["position", "effective_at"] {
            assert_eq!(posted[field], entry[field]);
        }
        assert_eq!(
            (&posted["code"], &posted["reference"]["id"]),
            (&entry["type"], &entry["reference_id"])
        );
    }
    // Page by page the balances stay those of the whole.
    for who in [&stage.sponsor, &stage.admin].into_iter().chain(&stage.lookers()[..2]) {
        assert_eq!(
            json!(stage.api.pages_as(who, &path, "entries", 1).await),
            whole["entries"]
        );
    }
    check_range(&stage, &stage.sponsor, &path, &whole).await;
}

/// What is before `from` is in the opening balance, what is at or after `to` is not in the closing one.
async fn check_range(stage: &Stage, who: &Person, path: &str, whole: &Value) {
    let times = column(whole, "effective_at");
    let (reward, refund) = (times[1], times[3]);
    let range = |from: &str, to: &str| format!("{path}?from={from}&to={to}");
    let part = stage.api.read_as(who, &range(reward, refund)).await;
    assert_eq!(part["entries"], json!(whole["entries"].as_array().unwrap()[1..3]));
    assert_eq!(
        (&part["opening_balance"], &part["closing_balance"]),
        (&json!("5000.0000"), &json!("4500.0000"))
    );
    let first = stage
        .api
        .read_as(who, &format!("{}&limit=1", range(reward, refund)))
        .await;
    assert_eq!(
        (&first["opening_balance"], &first["closing_balance"]),
        (&json!("5000.0000"), &json!("4500.0000"))
    );
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = stage
        .api
        .read_as(who, &format!("{}&limit=1&cursor={cursor}", range(reward, refund)))
        .await;
    assert_eq!(column(&second, "balance"), ["4500.0000"]);
    let nothing = stage
        .api
        .read_as(who, &format!("{path}?from=2030-01-01T00:00:00Z"))
        .await;
    assert_eq!(
        (&nothing["entries"], &nothing["opening_balance"]),
        (&json!([]), &json!("0.0000"))
    );
}
