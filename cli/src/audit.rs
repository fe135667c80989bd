//! `viral audit`: the auditor's questions, answered as text or JSON.

use crate::args::AuditCommand;
use crate::database::{Database, Purpose};
use crate::error::Error;
use crate::progress::OnStderr;
use crate::run::print;
use crate::source::OpenSource;
use crate::unseal::VaultUnseal;
use crate::{diff, platform};
use std::path::Path;
use std::sync::Arc;
use viral_audit::Progress as _;
use viral_audit::progress::Unit;
use viral_audit::{Replay, Verification};
use viral_ledger::TrialBalance;
use viral_ledger::trial_balance::Row;
use viral_store::{EventStore, Position};

/// Runs one; answers whether the log holds.
pub(crate) async fn run(home: &Path, command: AuditCommand) -> Result<bool, Error> {
    let source = match &command {
        AuditCommand::Replay { source, .. }
        | AuditCommand::Verify { source, .. }
        | AuditCommand::TrialBalance { source, .. } => source,
        AuditCommand::Diff { clickhouse: true, json } => return compare_clickhouse(home, *json).await,
        AuditCommand::Diff { json, .. } => return compare(home, *json).await,
    };
    let source = OpenSource::open(home, source).await?;
    let result = ask(&source.log, command).await;
    source.close().await?;
    let (text, holds) = result?;
    print(&text)?;
    Ok(holds)
}

async fn ask(log: &Arc<dyn EventStore>, command: AuditCommand) -> Result<(String, bool), Error> {
    let progress = OnStderr::new();
    match command {
        AuditCommand::Replay { as_of, json, .. } => {
            let replay = viral_audit::replay(log, as_of.unwrap_or_default(), &progress).await?;
            Ok((if json { to_json(&replay)? } else { replay_text(&replay) }, true))
        }
        AuditCommand::Verify { as_of, json, .. } => {
            let verification = viral_audit::verify_up_to(log, as_of.unwrap_or_default(), &progress).await?;
            let text = if json {
                to_json(&verification)?
            } else {
                verification_text(&verification)
            };
            Ok((text, verification.holds))
        }
        AuditCommand::TrialBalance {
            as_of, effective, json, ..
        } => {
            let balance = viral_audit::trial_balance(log, as_of.unwrap_or_default(), effective, &progress).await?;
            Ok((
                if json {
                    to_json(&balance)?
                } else {
                    trial_balance_text(&balance)
                },
                true,
            ))
        }
        AuditCommand::Diff { .. } => Err(Error::Other("read models are compared in their database".to_owned())),
    }
}

/// Compares the read models with the log of the same database.
async fn compare(home: &Path, json: bool) -> Result<bool, Error> {
    let database = Database::open(home, Purpose::Read).await?;
    let report = async {
        let vault = platform::vault(home, &database, false).await?;
        let store = database.store();
        Ok::<_, Error>(viral_projections::diff(&database.pool(), store.as_ref(), &VaultUnseal(vault)).await?)
    };
    let report = report.await;
    database.close().await?;
    let report = report?;
    print(&match json {
        true => diff::to_json(&report),
        false => diff::to_text(&report),
    })?;
    Ok(report.holds())
}

/// Compares ClickHouse with the log.
async fn compare_clickhouse(home: &Path, json: bool) -> Result<bool, Error> {
    let clickhouse = platform::needed_clickhouse(home)?;
    let database = Database::open(home, Purpose::Read).await?;
    let progress = OnStderr::new();
    let report = async {
        let store = database.store();
        progress.begin("clickhouse", Unit::Events, store.head().await?.position.0);
        let mut tell = |at: Position, _| progress.advance(at.0);
        Ok::<_, Error>(clickhouse.diff(store.as_ref(), &mut tell).await?)
    };
    let report = report.await;
    database.close().await?;
    let report = report?;
    print(&match json {
        true => diff::clickhouse_to_json(&report),
        false => diff::clickhouse_to_text(&report),
    })?;
    Ok(report.holds())
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
    if let (None, Some(unknown)) = (&verification.first_bad, &verification.not_verified) {
        return format!(
            "not verified by this version: position {}: {} version {} is not known, update the program; the {events} \
             events before it hold, state hash {state_hash} ({seconds:.1} s)\n",
            unknown.position, unknown.event_type, unknown.event_version
        );
    }
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
