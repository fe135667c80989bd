//! `viral projections` beside a platform that is busy, and `viral audit diff` when somebody has changed a table.

use super::journey::Desk;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use viral_tests::journey::{Book, Crowd, Stage, Until, caught_up, check_audits, settle};
use viral_tests::server;

const READ_MODELS: [&str; 5] = ["users", "campaigns", "wallets", "payouts", "fraud_flags"];
const REBUILDS: usize = 3;

async fn versions(desk: &Desk) -> Vec<(String, u64)> {
    let list = desk.json(&["projections", "list", "--json"]).await;
    let of = |row: &Value| {
        assert_eq!(
            (&row["state"], &row["problem"], &row["parked"]),
            (&"live".into(), &Value::Null, &0.into()),
            "{row}"
        );
        (
            row["name"].as_str().unwrap().to_owned(),
            row["version"].as_u64().unwrap(),
        )
    };
    list["projections"].as_array().unwrap().iter().map(of).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_rebuilt_while_the_race_goes_on() {
    let desk = Desk::new().await;
    let platform = desk.platform().await;
    let (api, store) = (&platform.client, desk.database.store().await);
    let stage = Arc::new(Stage::set(api, 5, 1_000).await);
    let before = versions(&desk).await;
    for name in READ_MODELS {
        assert!(before.iter().any(|(it, _)| it == name), "{name} is not in {before:?}");
    }
    let told = Arc::new(AtomicBool::new(false));
    let crowd = Crowd {
        apis: vec![api.clone()],
        seed: 7,
        insist: false,
        until: Until::Told(told.clone(), 5_000),
    };
    let race = tokio::spawn({
        let stage = stage.clone();
        async move { crowd.race(&stage).await }
    });
    let mut heads = Vec::new();
    for _ in 0..REBUILDS {
        let said = desk.ok(&["projections", "rebuild", "all"]).await;
        for (name, _) in &before {
            assert!(said.contains(&format!("{name} is rebuilt")), "{said}");
        }
        heads.push(desk.json(&["projections", "list", "--json"]).await["projections"][0]["head"].to_string());
    }
    told.store(true, Ordering::Relaxed);
    // No call may have failed while the tables were replaced: the crowd wants an answer to each, and none is a 5xx.
    let done = race.await.unwrap();
    let failed = done.iter().find(|done| done.answer.status.is_server_error());
    assert!(failed.is_none(), "{failed:?}");
    heads.dedup();
    assert_eq!(heads.len(), REBUILDS, "nothing was written meanwhile");

    settle(&stage, api, &store, &mut Book::default()).await;
    check_audits(&desk.folder.path().join("home"), &desk.database.superuser_url, &store).await;
    for ((name, before), (_, after)) in before.iter().zip(versions(&desk).await) {
        assert_eq!(after, before + REBUILDS as u64, "{name}");
    }
    println!(
        "{} calls were answered during {REBUILDS} rebuilds of everything",
        done.len()
    );
    let (code, _, stderr) = desk.viral(&["projections", "rebuild", "nothing"]).await;
    assert!(code == 1 && stderr.contains("fraud_flags"), "{stderr}");
    let said = desk.ok(&["projections", "resume", "users"]).await;
    assert_eq!(said, "users: 0 parked events were applied, 0 are still parked\n");
    platform.stop().await;
}

/// A cell that somebody changed.
struct Tampered {
    statement: String,
    table: &'static str,
    column: &'static str,
    /// What the log says, and what the table.
    values: [&'static str; 2],
    event_type: &'static str,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_cell_is_named_with_both_values_and_its_last_event() {
    let desk = Desk::new().await;
    let platform = desk.platform().await;
    let stage = Stage::set(&platform.client, 1, 1).await;
    let creator = &stage.creators[0];
    stage.employ(&platform.client, creator, "100").await;
    stage.ask(&platform.client, creator, "30").await;
    let store = desk.database.store().await;
    caught_up(&store).await;
    assert!(desk.ok(&["audit", "diff"]).await.contains("\nholds"));
    let (user, campaign) = (&creator.id, &stage.campaign);
    let cells = [
        Tampered {
            statement: format!(
                "UPDATE wallet_accounts SET balance_vcoin = 9065.0001 WHERE user_id = '{user}' AND kind = 'wallet'"
            ),
            table: "wallet_accounts",
            column: "balance_vcoin",
            values: ["65.0000", "9065.0001"],
            event_type: "book.transaction_posted",
        },
        Tampered {
            statement: format!("UPDATE campaigns SET title = 'Another race' WHERE id = '{campaign}'"),
            table: "campaigns",
            column: "title",
            values: ["A race", "Another race"],
            event_type: "campaign.",
        },
        Tampered {
            statement: format!("UPDATE payouts SET status = 'settled' WHERE creator_id = '{user}'"),
            table: "payouts",
            column: "status",
            values: ["requested", "settled"],
            event_type: "payout.requested",
        },
    ];
    for cell in &cells {
        tamper(&desk, cell).await;
    }
    let statement = format!("DELETE FROM users WHERE id = '{user}'");
    server::run(&desk.database.superuser_url, &statement).await.unwrap();
    let (code, stdout, _) = desk.viral(&["audit", "diff", "--json"]).await;
    let report: Value = serde_json::from_str(&stdout).unwrap();
    let differences = report["differences"].as_array().unwrap();
    let missing = differences.iter().find(|it| it["table"] == "users").unwrap();
    assert_eq!(
        (code, &missing["key"], &missing["actual"]),
        (1, &json!(user), &Value::Null),
        "{missing}"
    );

    desk.ok(&["projections", "rebuild", "all"]).await;
    caught_up(&store).await;
    assert!(desk.ok(&["audit", "diff"]).await.contains("\nholds"));
    platform.stop().await;
}

async fn tamper(desk: &Desk, cell: &Tampered) {
    server::run(&desk.database.superuser_url, &cell.statement)
        .await
        .unwrap();
    let (code, stdout, _) = desk.viral(&["audit", "diff", "--json"]).await;
    let report: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &report["holds"]), (1, &json!(false)), "{stdout}");
    let found = report["differences"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["table"] == cell.table);
    let found = found.unwrap_or_else(|| panic!("{} is not in {stdout}", cell.table));
    let text = |name: &str| found[name].as_str().unwrap_or_default().trim_matches('"').to_owned();
    let values = [text("expected"), text("actual")];
    assert_eq!(
        (text("column").as_str(), values.each_ref().map(String::as_str)),
        (cell.column, cell.values),
        "{found}"
    );
    assert!(text("event_type").starts_with(cell.event_type), "{found}");
    // The event is one of the log, and it is of that type.
    let position = text("position");
    let after = (position.parse::<u64>().unwrap() - 1).to_string();
    let line = desk
        .ok(&["export", "events", "--after", &after, "--as-of", &position])
        .await;
    let line: Value = serde_json::from_str(line.trim()).unwrap();
    assert_eq!(line["type"], found["event_type"], "{found}");
    // For people it is one line.
    let (code, said, _) = desk.viral(&["audit", "diff"]).await;
    let parts = [
        cell.table,
        &text("key"),
        cell.column,
        cell.values[0],
        cell.values[1],
        &position,
        &text("event_type"),
    ];
    let named = said.lines().any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(code == 1 && named, "{said}");
}
