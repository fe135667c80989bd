//! `viral payout`: what became of a payout's last attempt, told by whoever looked at the bank.

use crate::args::PayoutCommand;
use crate::client::Client;
use crate::error::Error;
use crate::run::print;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::path::Path;

/// Reports an outcome through the API of the running platform.
pub(crate) async fn run(home: &Path, command: &PayoutCommand) -> Result<(), Error> {
    let (args, mut outcome) = match command {
        PayoutCommand::Settle { args, reference } => {
            (args, json!({"outcome": "settled", "provider_reference": reference}))
        }
        PayoutCommand::Fail { args, reason, finally } => {
            (args, json!({"outcome": "failed", "reason": reason, "final": finally}))
        }
        PayoutCommand::Unknown { args, reason } => (args, json!({"outcome": "unknown", "reason": reason})),
    };
    let client = Client::operator(home, args.url.as_deref())?;
    let payout = client.get(&format!("/v1/payouts/{}", args.id)).await?.success()?;
    let last = payout.body["attempt"].as_u64();
    // The report names its attempt: one that was sent again meanwhile is another one.
    let attempt = args.attempt.map(u64::from).or(last);
    outcome["attempt"] = json!(attempt);
    let path = format!("/v1/admin/payouts/{}/outcome", args.id);
    let outcome = without_nulls(outcome);
    // The same report on the same attempt is the same call, however often it is made; another one is not.
    let key = format!(
        "viral-payout-{}-{}",
        args.id,
        hex::encode(Sha256::digest(outcome.to_string()))
    );
    let answer = client.send_once(Method::POST, &path, &key, &outcome).await?.success()?;
    let attempt = answer.body["attempt"].as_u64().or(attempt).unwrap_or(0);
    let what = match answer.text("status").as_str() {
        "settled" => "is settled",
        "unknown" => "has an unknown outcome; nothing is sent before it is known",
        "approved" => "failed; it will be sent again",
        "failed" => "failed for good; the money is back in the wallet",
        other => return print(&format!("payout {}: it is {other}\n", args.id)),
    };
    print(&format!("payout {}: attempt {attempt} {what}\n", args.id))
}

/// Options that were not given are left out.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        other => other,
    }
}
