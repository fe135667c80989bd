//! `viral import`: a foreign ledger into this one.

use crate::args::ImportJournalArgs;
use crate::continuity;
use crate::database::{Database, Purpose};
use crate::error::Error;
use crate::poster::WriterPoster;
use crate::progress::OnStderr;
use crate::run::print;
use std::fmt::Write as _;
use std::path::Path;
use viral_audit::import::{self, Difference, Options, Report};
use viral_commands::{Settings, Writer};

/// Imports a file; answers whether all of it is in the log and agrees with what it prints.
pub(crate) async fn run(home: &Path, args: ImportJournalArgs) -> Result<bool, Error> {
    let database = Database::open(home, Purpose::Append).await?;
    continuity::check(home, &database, false).await?;
    let result = import(&database, &args).await;
    continuity::remember(home, database.store().as_ref());
    if let Some(why) = database.why_down() {
        eprintln!("viral: {why}");
    }
    database.close().await?;
    let report = result?;
    let text = match args.json {
        true => serde_json::to_string(&report).map_err(|e| Error::Other(e.to_string()))? + "\n",
        false => for_people(&report),
    };
    print(&text)?;
    Ok(report.holds())
}

async fn import(database: &Database, args: &ImportJournalArgs) -> Result<Report, Error> {
    let options = Options {
        source: args.source.clone(),
        overdraft: args.overdraft.clone(),
        debit_normal: args.debit_normal.clone(),
        check_balance: args.check_balance.clone(),
        tolerance: args.tolerance.clone(),
        balance_of: args.balance_of.clone(),
        strict: args.strict,
        rejects: args.rejects.clone(),
        ..Options::default()
    };
    let store = database.store();
    let (writer, task) = Writer::start(store.clone(), Settings::default()).await?;
    let poster = WriterPoster::new(writer);
    let progress = OnStderr::new();
    let report = import::journal(&args.file, &options, &store, &poster, &progress).await;
    drop(progress);
    drop(poster);
    // It ends with its last handle, when everything that it took on is answered.
    task.await
        .map_err(|e| Error::Other(format!("the writer ended badly: {e}")))?;
    Ok(report?)
}

fn for_people(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_report(&mut text, report);
    text
}

fn write_report(text: &mut String, report: &Report) -> std::fmt::Result {
    writeln!(
        text,
        "{}: {} rows, {} posted, {} there already, {} refused, {} accounts opened ({:.1} s)",
        report.source,
        report.rows,
        report.posted,
        report.duplicates,
        report.refused,
        report.accounts_opened,
        report.seconds
    )?;
    for refused in &report.first_refused {
        writeln!(text, "  line {}: {}", refused.line, refused.reason)?;
    }
    if let Some(path) = &report.rejects {
        writeln!(text, "  every refused row is in {}", path.display())?;
    }
    if let Some(balances) = &report.balances {
        writeln!(
            text,
            "balances: {} compared, {} do not agree",
            balances.checked, balances.mismatches
        )?;
        if let Some(worst) = &balances.worst {
            let Difference {
                line,
                account,
                printed,
                exact,
                difference,
            } = worst;
            writeln!(
                text,
                "  the farthest: line {line}, {account}: {printed} printed, {exact} exact, {difference} apart"
            )?;
        }
        for mismatch in &balances.first_mismatches {
            writeln!(text, "  line {}: {}", mismatch.line, mismatch.problem)?;
        }
    }
    if let Some(stopped) = &report.stopped {
        writeln!(text, "stopped: {stopped}")?;
    }
    Ok(())
}
