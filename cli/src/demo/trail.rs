//! What the log says about the story: each step with its events, every wallet, and the trial balance.

use super::story::Cast;
use super::teller::Teller;
use crate::error::Error;
use crate::run::print;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// An event of the story.
struct Event {
    position: String,
    kind: String,
    correlation: String,
}

/// Prints the trail to standard output.
pub(super) async fn show(teller: &Teller, cast: &Cast) -> Result<(), Error> {
    let events = events(teller).await?;
    let mut text = format!("Story {}: what the log has\n", teller.story);
    for step in &teller.steps {
        let of_step = events.iter().filter(|event| event.correlation == step.correlation);
        let list: Vec<String> = of_step
            .map(|event| format!("{} {}", event.position, event.kind))
            .collect();
        let list = if list.is_empty() {
            "no event".to_owned()
        } else {
            list.join(", ")
        };
        let _ = writeln!(text, "{:>4}. {}\n      {list}", step.number, step.what);
    }
    let own = |event: &&Event| !event.correlation.starts_with(&format!("demo-{}-", teller.story));
    let by_itself: Vec<String> = events
        .iter()
        .filter(own)
        .map(|event| format!("{} {}", event.position, event.kind))
        .collect();
    let _ = writeln!(
        text,
        "      by the platform itself or others meanwhile: {}",
        by_itself.join(", ")
    );
    wallets(teller, cast, &mut text).await?;
    trial_balance(teller, &mut text).await?;
    print(&text)
}

/// Everything that came into the log since the story began.
async fn events(teller: &Teller) -> Result<Vec<Event>, Error> {
    let (mut events, mut after) = (Vec::new(), teller.start);
    loop {
        let path = format!("/v1/events?after={after}&limit=500");
        let page = teller.operator.get(&path).await?.success()?.body;
        let lines = page["events"].as_array().cloned().unwrap_or_default();
        let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        events.extend(lines.iter().map(|line| Event {
            position: text(line, "position"),
            kind: text(line, "type"),
            correlation: text(line, "correlationid"),
        }));
        match lines.last().and_then(|line| text(line, "position").parse().ok()) {
            Some(last) => after = last,
            None => return Ok(events),
        }
    }
}

async fn wallets(teller: &Teller, cast: &Cast, text: &mut String) -> Result<(), Error> {
    let _ = writeln!(text, "\nWallets (V-Coin)");
    for actor in [&cast.sponsor, &cast.first, &cast.second] {
        let wallet = teller.get(&actor.client, "/v1/wallets/me").await?;
        let of = |name: &str| wallet[name].as_str().unwrap_or("?").to_owned();
        let (balance, escrow, in_payout) = (of("balance_vcoin"), of("escrow_vcoin"), of("in_payout_vcoin"));
        let _ = writeln!(
            text,
            "  {:<15} {balance:>12}   escrow {escrow:>12}   in payout {in_payout:>12}",
            actor.name
        );
    }
    Ok(())
}

/// All accounts of the platform and of this story; the others by their number.
async fn trial_balance(teller: &Teller, text: &mut String) -> Result<(), Error> {
    let mut sums: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut accounts = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/ledger/trial-balance?limit=500{cursor}");
        let page = teller.operator.get(&path).await?.success()?.body;
        accounts.extend(page["accounts"].as_array().cloned().unwrap_or_default());
        for total in page["totals"].as_array().into_iter().flatten() {
            let of = |name: &str| total[name].as_str().unwrap_or("?").to_owned();
            sums.insert(of("asset"), (of("debits"), of("credits")));
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let _ = writeln!(
        text,
        "\nTrial balance ({} accounts; the platform's own are shown)",
        accounts.len()
    );
    let own = |account: &&Value| {
        account["address"]
            .as_str()
            .is_some_and(|a| a.starts_with("platform:") || a.starts_with("stripe:"))
    };
    for account in accounts.iter().filter(own) {
        let of = |name: &str| account[name].as_str().unwrap_or("?").to_owned();
        let (address, asset) = (of("address"), of("asset"));
        let (debits, credits, balance) = (of("debits"), of("credits"), of("balance"));
        let _ = writeln!(
            text,
            "  {address:<24} {asset:<6} {debits:>16} {credits:>16} {balance:>16}"
        );
    }
    for (asset, (debits, credits)) in sums {
        let verdict = if debits == credits { "balanced" } else { "NOT BALANCED" };
        let _ = writeln!(
            text,
            "  {:<24} {asset:<6} {debits:>16} {credits:>16} {verdict:>16}",
            "all accounts"
        );
    }
    Ok(())
}
