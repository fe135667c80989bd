//! `viral payout`: what became of a payout's last attempt, told by whoever looked at the bank.

use crate::args::PayoutCommand;
use crate::client::Client;
use crate::error::Error;
use crate::run::print;
use reqwest::Method;
use serde_json::{Value, json};
use std::path::Path;
use uuid::Uuid;

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
    outcome["attempt"] = json!(args.attempt);
    let client = Client::operator(home, args.url.as_deref())?;
    let path = format!("/v1/admin/payouts/{}/outcome", args.id);
    let key = Uuid::now_v7().to_string();
    let answer = client
        .send_once(Method::POST, &path, &key, &without_nulls(outcome))
        .await?
        .success()?;
    print(&format!("payout {} is {}\n", args.id, answer.text("status")))
}

/// Options that were not given are left out.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        other => other,
    }
}
