//! `viral demo`, the auditor's tools after it, and what an operator says of payouts.

use super::journey::Desk;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;
use viral_tests::journey::{Payout, Stage, caught_up, check_audits, minor, operator};
use viral_tests::process::{Api, Call, Platform, TOKEN, free_port, run, tool};
use viral_tests::schemas::check_line;

/// How long a story may take; the deadline in it alone is several seconds ahead.
const PATIENCE: Duration = Duration::from_secs(120);

impl Desk {
    /// A platform over the desk's database, for the commands of the desk's home.
    pub async fn platform(&self) -> Platform {
        let home = self.folder.path().join("home");
        Platform::start(&home, free_port(), Some(&self.database.superuser_url)).await
    }

    /// Runs `viral` beside the platform, as its operator.
    pub async fn as_operator(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = self.command(arguments);
        command.env("VIRAL_API_TOKEN", TOKEN);
        tokio::time::timeout(PATIENCE, run(command)).await.unwrap()
    }

    /// Tells a story; answers its name and its trail.
    pub async fn demo(&self) -> (String, String) {
        let (code, stdout, stderr) = self.as_operator(&["demo"]).await;
        assert_eq!(code, 0, "{stdout}\n{stderr}");
        let (first, _) = stdout.split_once(": ").unwrap();
        (first.strip_prefix("Story ").unwrap().to_owned(), stdout)
    }

    /// The lines of the log.
    async fn lines(&self) -> Vec<Value> {
        let lines = self.ok(&["export", "events"]).await;
        lines.lines().for_each(check_line);
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The positions and types of events that a trail lists.
fn listed(trail: &str) -> Vec<(u64, String)> {
    let events = trail.lines().take_while(|line| !line.starts_with("Wallets"));
    let items = events
        .filter(|line| line.starts_with("      "))
        .flat_map(|line| line.split(", "));
    let item = |item: &str| {
        let (rest, event_type) = item.trim().rsplit_once(' ')?;
        let position = rest.rsplit(' ').next()?.parse().ok()?;
        Some((position, event_type.to_owned()))
    };
    items.filter_map(item).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_stories_stand_side_by_side_and_every_report_agrees() {
    let desk = Desk::new().await;
    let platform = desk.platform().await;
    let (first, first_trail) = desk.demo().await;
    let (second, second_trail) = desk.demo().await;
    assert_ne!(first, second);
    let lines = desk.lines().await;
    let (first_events, second_events) = (listed(&first_trail), listed(&second_trail));
    for (trail, events, story) in [
        (&first_trail, &first_events, &first),
        (&second_trail, &second_events, &second),
    ] {
        check_trail(trail, events, story, &lines);
    }
    let last_of_first = first_events.iter().map(|(position, _)| position).max();
    assert!(last_of_first < second_events.iter().map(|(position, _)| position).min());
    // Between them they have the whole log: nothing happened that no trail tells.
    let all: BTreeSet<u64> = first_events
        .iter()
        .chain(&second_events)
        .map(|(position, _)| *position)
        .collect();
    assert_eq!(all.len(), lines.len(), "{first_trail}\n{second_trail}");

    check_reports(&desk).await;
    check_journals(&desk).await;
    platform.stop().await;
}

fn check_trail(trail: &str, events: &[(u64, String)], story: &str, lines: &[Value]) {
    for (position, event_type) in events {
        let line = &lines[*position as usize - 1];
        assert_eq!(
            (&line["position"], &line["type"]),
            (&position.to_string().into(), &event_type.as_str().into())
        );
    }
    // Every step that wrote something shows, with all its events.
    let of_story = |line: &&Value| {
        line["correlationid"]
            .as_str()
            .is_some_and(|id| id.starts_with(&format!("demo-{story}-")))
    };
    let told: BTreeSet<u64> = events.iter().map(|(position, _)| *position).collect();
    for line in lines.iter().filter(of_story) {
        assert!(
            told.contains(&line["position"].as_str().unwrap().parse().unwrap()),
            "{line}"
        );
    }
    let steps = trail.lines().filter(|line| {
        line.trim_start()
            .split_once(". ")
            .is_some_and(|(n, _)| n.parse::<u32>().is_ok())
    });
    assert!(steps.count() > 40, "{trail}");
    for event_type in [
        "campaign.closed",
        "assignment.expired",
        "payout.settled",
        "fraud_flag.dismissed",
        "payout.held",
    ] {
        assert!(
            events.iter().any(|(_, it)| it == event_type),
            "{event_type} is missing in\n{trail}"
        );
    }
    assert_eq!(
        (
            trail.matches(" balanced").count(),
            trail.matches("NOT BALANCED").count()
        ),
        (2, 0),
        "{trail}"
    );
}

async fn check_reports(desk: &Desk) {
    let home = desk.folder.path().join("home");
    check_audits(&home, &desk.database.superuser_url, &*desk.database.store().await).await;
    let replay = desk.json(&["audit", "replay", "--json"]).await;
    let balance = desk.json(&["audit", "trial-balance", "--json"]).await;
    assert_eq!(replay["accounts"], balance["accounts"]);
    let mut sums: BTreeMap<String, i128> = BTreeMap::new();
    for account in balance["accounts"].as_array().unwrap() {
        let of = |name: &str| minor(account[name].as_str().unwrap());
        *sums.entry(account["asset"].to_string()).or_default() += of("debits") - of("credits");
    }
    assert!(sums.len() == 2 && sums.values().all(|sum| *sum == 0), "{sums:?}");
}

/// Other people's programs take the journals, and hledger's balances are ours.
async fn check_journals(desk: &Desk) {
    let folder = desk.folder.path();
    for (format, file) in [("hledger", "demo.journal"), ("beancount", "demo.beancount")] {
        desk.ok(&["export", "journal", "--format", format, "-o", file]).await;
    }
    let csv = desk.ok(&["export", "journal", "--format", "csv"]).await;
    assert!(csv.lines().count() > 20 && csv.starts_with("entry_number"), "{csv}");
    let arguments = [
        "-f",
        "demo.journal",
        "balance",
        "--flat",
        "--empty",
        "--no-total",
        "-O",
        "csv",
        "--layout",
        "bare",
    ];
    match tool("hledger", &arguments, folder).await {
        Some(csv) => assert_eq!(hledger_balances(&csv), our_balances(desk).await),
        None => println!("NOT RUN: hledger is not installed"),
    }
    let venv = std::env::var_os("VIRAL_TEST_VENV")
        .map(PathBuf::from)
        .unwrap_or_default();
    let bean_check: &Path = &venv.join("bin/bean-check");
    match tool(bean_check.to_str().unwrap(), &["demo.beancount"], folder).await {
        Some(said) => assert_eq!(said, ""),
        None => println!("NOT RUN: bean-check is not installed (VIRAL_TEST_VENV)"),
    }
}

/// Balances that are not zero, in ten-thousandths, debits less credits.
fn hledger_balances(csv: &str) -> BTreeMap<(String, String), i128> {
    let rows = csv.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split(',').map(|cell| cell.trim_matches('"')).collect();
        ((cells[0].to_owned(), cells[1].to_owned()), minor_signed(cells[2]))
    });
    rows.filter(|(_, balance)| *balance != 0).collect()
}

async fn our_balances(desk: &Desk) -> BTreeMap<(String, String), i128> {
    let balance = desk.json(&["audit", "trial-balance", "--json"]).await;
    let rows = balance["accounts"].as_array().unwrap().iter().map(|account| {
        let text = |name: &str| account[name].as_str().unwrap().to_owned();
        let key = (text("address"), text("asset"));
        (key, minor(&text("debits")) - minor(&text("credits")))
    });
    rows.filter(|(_, balance)| *balance != 0).collect()
}

fn minor_signed(text: &str) -> i128 {
    text.strip_prefix('-').map_or_else(|| minor(text), |text| -minor(text))
}

/// Waits until a payout has a status. The read model may not know it yet.
async fn wait_for(api: &Api, payout: &Payout, status: &str) -> Value {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let call = Call::get(format!("/v1/payouts/{}", payout.id));
    loop {
        let found = operator().insist(api, &call).await.answer.body;
        if found["status"] == status {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "not {status}: {found}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_tells_what_became_of_payouts() {
    let desk = Desk::new().await;
    let platform = desk.platform().await;
    let api = &platform.client;
    let stage = Stage::set(api, 1, 1).await;
    let creator = &stage.creators[0];
    stage.employ(api, creator, "100").await;
    let mut payouts = Vec::new();
    for _ in 0..3 {
        let payout = stage.ask(api, creator, "30").await;
        stage.approve(api, &payout).await;
        wait_for(api, &payout, "submitted").await;
        payouts.push(payout);
    }
    let [settled, lost, failed] = &payouts[..] else {
        unreachable!("three were asked for")
    };
    let say = async |arguments: &[&str]| desk.as_operator(&[&["payout"], arguments].concat()).await;
    let attempt_1 = |payout: &Payout, what: &str| {
        let said = format!("payout {}: attempt 1 {what}\n", payout.id);
        (0, said, String::new())
    };

    assert_eq!(
        say(&["settle", &settled.id, "--reference", "bank-1"]).await,
        attempt_1(settled, "is settled")
    );
    let (code, stdout, stderr) = say(&["settle", &settled.id]).await;
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("409 payout_wrong_status"), "{stderr}");

    assert_eq!(
        say(&["unknown", &lost.id, "--reason", "the bank is silent"]).await,
        attempt_1(lost, "has an unknown outcome; nothing is sent before it is known")
    );
    // Nothing is sent before somebody knows; then the next attempt is.
    assert_eq!(wait_for(api, lost, "unknown").await["attempt"], 1);
    assert_eq!(
        say(&["fail", &lost.id, "--reason", "returned"]).await,
        attempt_1(lost, "failed; it will be sent again")
    );
    assert_eq!(wait_for(api, lost, "submitted").await["attempt"], 2);

    assert_eq!(
        say(&["fail", &failed.id, "--final"]).await,
        attempt_1(failed, "failed for good; the money is back in the wallet")
    );
    caught_up(&*desk.database.store().await).await;
    let wallet = creator.must(api, Call::get("/v1/wallets/me")).await;
    assert_eq!(
        (&wallet["balance_vcoin"], &wallet["in_payout_vcoin"]),
        (&"35.0000".into(), &"30.0000".into()),
        "{wallet}"
    );

    let nobody = uuid::Uuid::now_v7().to_string();
    let (code, _, stderr) = say(&["settle", &nobody]).await;
    assert!(code == 1 && stderr.contains("404 unknown_payout"), "{stderr}");
    assert_eq!(say(&["settle", "not-an-id"]).await.0, 2);
    check_reports(&desk).await;
    platform.stop().await;
}
