//! `viral audit`: the auditor's questions, answered as text or JSON.

use crate::args::AuditCommand;
use crate::database::{Database, Purpose};
use crate::error::Error;
use crate::progress::OnStderr;
use crate::run::print;
use crate::unseal::VaultUnseal;
use crate::{diff, platform};
use std::path::Path;
use viral_audit::{Replay, Verification};
use viral_ledger::TrialBalance;
use viral_ledger::trial_balance::Row;

/// Runs one; answers whether the log holds.
pub(crate) async fn run(home: &Path, command: AuditCommand) -> Result<bool, Error> {
    let database = Database::open(home, Purpose::Read).await?;
    let result = ask(home, &database, command).await;
    database.close().await?;
    let (text, holds) = result?;
    print(&text)?;
    Ok(holds)
}

async fn ask(home: &Path, database: &Database, command: AuditCommand) -> Result<(String, bool), Error> {
    let store = database.store();
    let progress = OnStderr::new();
    match command {
        AuditCommand::Replay { as_of, json, .. } => {
            let replay = viral_audit::replay(&store, as_of.unwrap_or_default(), &progress).await?;
            Ok((if json { to_json(&replay)? } else { replay_text(&replay) }, true))
        }
        AuditCommand::Verify { as_of, json, .. } => {
            let verification = viral_audit::verify_up_to(&store, as_of.unwrap_or_default(), &progress).await?;
            let text = if json {
                to_json(&verification)?
            } else {
                verification_text(&verification)
            };
            Ok((text, verification.holds))
        }
        AuditCommand::Diff { json } => {
            let vault = platform::vault(home, database, false).await?;
            let report = viral_projections::diff(&database.pool(), store.as_ref(), &VaultUnseal(vault)).await?;
            let text = if json {
                diff::to_json(&report)
            } else {
                diff::to_text(&report)
            };
            Ok((text, report.holds()))
        }
        AuditCommand::TrialBalance { as_of, effective, json } => {
            let balance = viral_audit::trial_balance(&store, as_of.unwrap_or_default(), effective, &progress).await?;
            Ok((
                if json {
                    to_json(&balance)?
                } else {
                    trial_balance_text(&balance)
                },
                true,
            ))
        }
    }
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    let text = serde_json::to_string(value).map_err(|e| Error::Other(e.to_string()))?;
    Ok(text + "\n")
}

fn replay_text(replay: &Replay) -> String {
    let mut text = rows_text(&replay.accounts);
    for (asset, totals) in &replay.totals {
        text.push_str(&format!(
            "total {asset}: debits {}, credits {}\n",
            totals.debits, totals.credits
        ));
    }
    text.push_str(&format!(
        "position    {}\nrecorded at {}\nevents      {}\nopen holds  {}\nstate hash  {}\n",
        replay.position,
        replay.recorded_at.as_deref().unwrap_or("-"),
        replay.events,
        replay.open_holds,
        replay.state_hash
    ));
    text
}

fn verification_text(verification: &Verification) -> String {
    let Verification {
        events,
        position,
        state_hash,
        seconds,
        ..
    } = verification;
    match &verification.first_bad {
        None => format!(
            "holds: {events} events up to position {position}, state hash {state_hash} ({seconds:.1} s)\n\
             keep the position and the hash: `viral audit replay --as-of {position}` must always give the same\n"
        ),
        Some(finding) => format!("does not hold: position {}: {}\n", finding.position, finding.problem),
    }
}

fn trial_balance_text(balance: &TrialBalance) -> String {
    let mut text = rows_text(&balance.accounts);
    for (asset, totals) in balance.totals() {
        let verdict = if totals.debits == totals.credits {
            "balanced"
        } else {
            "NOT BALANCED"
        };
        let sums = [totals.debits, totals.credits].map(|minor| asset.decimal(minor));
        text.push_str(&format!(
            "total {asset}: debits {}, credits {}: {verdict}\n",
            sums[0], sums[1]
        ));
    }
    text.push_str(&format!("position {}\n", balance.position));
    text
}

/// A table with the amounts aligned at their ends.
fn rows_text(rows: &[Row]) -> String {
    let heading = ["account", "asset", "debits", "credits", "balance"].map(str::to_owned);
    let cells: Vec<[String; 5]> = rows
        .iter()
        .map(|row| {
            let (debits, credits, balance) = (row.debits.clone(), row.credits.clone(), row.balance.clone());
            [row.address.to_string(), row.asset.to_string(), debits, credits, balance]
        })
        .collect();
    let width = |column: usize| {
        let widths = std::iter::once(&heading).chain(&cells).map(|row| row[column].len());
        widths.max().unwrap_or(0)
    };
    let widths = [0, 1, 2, 3, 4].map(width);
    let mut text = String::new();
    for [account, asset, debits, credits, balance] in std::iter::once(&heading).chain(&cells) {
        let [w0, w1, w2, w3, w4] = widths;
        text.push_str(&format!(
            "{account:<w0$}  {asset:<w1$}  {debits:>w2$}  {credits:>w3$}  {balance:>w4$}\n"
        ));
    }
    text
}
