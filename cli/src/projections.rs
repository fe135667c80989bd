//! `viral projections`: the read models from the operator's side.

use crate::args::ProjectionsCommand;
use crate::database::{Database, Purpose};
use crate::error::Error;
use crate::platform;
use crate::progress::OnStderr;
use crate::run::print;
use crate::services;
use serde_json::json;
use std::path::Path;
use viral_audit::Progress as _;
use viral_audit::progress::Unit;
use viral_projections::{READ_MODELS, ReadModel, Status};

/// Beside the read models in PostgreSQL.
const CLICKHOUSE: &str = "clickhouse";

/// Runs one; answers whether all read models are as they should be.
pub(crate) async fn run(home: &Path, command: &ProjectionsCommand) -> Result<bool, Error> {
    let database = Database::open(home, Purpose::Read).await?;
    let result = carry_out(home, &database, command).await;
    database.close().await?;
    let (text, well) = result?;
    print(&text)?;
    Ok(well)
}

async fn carry_out(home: &Path, database: &Database, command: &ProjectionsCommand) -> Result<(String, bool), Error> {
    let projector = match command {
        ProjectionsCommand::List { json } => return list(home, database, *json).await,
        ProjectionsCommand::Rebuild { name } if name == CLICKHOUSE => return rebuild_clickhouse(home, database).await,
        ProjectionsCommand::Resume { name } if name == CLICKHOUSE => return resume_clickhouse(home, database).await,
        ProjectionsCommand::Rebuild { .. } | ProjectionsCommand::Resume { .. } => {
            let vault = platform::vault(home, database, false).await?;
            let pool = viral_projections::connect_briefly(database.app_url()).await?;
            platform::projector(database, pool, &vault)
        }
    };
    match command {
        ProjectionsCommand::Rebuild { name } => {
            let mut text = String::new();
            for model in named(name)? {
                let progress = OnStderr::new();
                progress.begin(model.name, Unit::Events, database.store().head().await?.position.0);
                projector
                    .rebuild(model.name, &mut |at, _| progress.advance(at.0))
                    .await?;
                text.push_str(&format!("{} is rebuilt\n", model.name));
            }
            Ok((text, true))
        }
        ProjectionsCommand::Resume { name } => {
            let (mut text, mut well) = (String::new(), true);
            for model in named(name)? {
                let resumed = projector.resume(model.name).await?;
                let was = match resumed.was_halted {
                    true => "it had stopped and goes on; ",
                    false => "",
                };
                let (applied, parked) = (resumed.applied, resumed.still_parked);
                let line = format!("{was}{applied} parked events were applied, {parked} are still parked");
                text.push_str(&format!("{}: {line}\n", model.name));
                well &= parked == 0;
            }
            Ok((text, well))
        }
        ProjectionsCommand::List { json } => list(home, database, *json).await,
    }
}

async fn rebuild_clickhouse(home: &Path, database: &Database) -> Result<(String, bool), Error> {
    let pool = viral_projections::connect_briefly(database.app_url()).await?;
    let projector = platform::clickhouse_projector(database, pool, platform::needed_clickhouse(home)?);
    let progress = OnStderr::new();
    progress.begin(CLICKHOUSE, Unit::Events, database.store().head().await?.position.0);
    projector.rebuild(&mut |at, _| progress.advance(at.0)).await?;
    Ok((format!("{CLICKHOUSE} is rebuilt\n"), true))
}

async fn resume_clickhouse(home: &Path, database: &Database) -> Result<(String, bool), Error> {
    let pool = viral_projections::connect_briefly(database.app_url()).await?;
    let projector = platform::clickhouse_projector(database, pool, platform::needed_clickhouse(home)?);
    let text = match projector.resume().await? {
        true => "it had stopped and goes on",
        false => "it had not stopped",
    };
    Ok((format!("{CLICKHOUSE}: {text}\n"), true))
}

/// The read models of this name; all of them for `all`.
fn named(name: &str) -> Result<Vec<&'static ReadModel>, Error> {
    let found: Vec<_> = READ_MODELS
        .iter()
        .filter(|model| name == "all" || model.name == name)
        .collect();
    if found.is_empty() {
        let names: Vec<&str> = READ_MODELS.iter().map(|model| model.name).collect();
        let names = names.join(", ");
        return Err(Error::Other(format!(
            "there is no read model {name:?}: name one of {names}, {CLICKHOUSE}, or all (of those in PostgreSQL)"
        )));
    }
    Ok(found)
}

/// Whether there is what a read model is filled in. ClickHouse is filled only where it is configured, and its row stays where
/// it was once.
pub(crate) fn is_configured(status: &Status, has_clickhouse: bool) -> bool {
    has_clickhouse || status.name != CLICKHOUSE
}

async fn list(home: &Path, database: &Database, as_json: bool) -> Result<(String, bool), Error> {
    let list = viral_projections::list(&database.pool(), database.store().as_ref()).await?;
    let has_clickhouse = services::clickhouse_url(home).is_some();
    let is_configured = |status: &Status| is_configured(status, has_clickhouse);
    let is_well = |status: &Status| status.problem.is_none() && status.refusal.is_none() && status.parked == 0;
    let well = list.iter().all(|status| !is_configured(status) || is_well(status));
    if as_json {
        let rows: Vec<_> = list
            .iter()
            .map(|status| to_json(status, is_configured(status)))
            .collect();
        return Ok((json!({"projections": rows}).to_string() + "\n", well));
    }
    let mut text = format!(
        "{:<14} {:>7} {:<9} {:>12} {:>10} {:>7}\n",
        "NAME", "VERSION", "STATE", "POSITION", "BEHIND", "PARKED"
    );
    for status in &list {
        let behind = status.head.0.saturating_sub(status.position.0);
        let (name, version, state) = (&status.name, status.version, status.state.as_str());
        let (position, parked) = (status.position, status.parked);
        text.push_str(&format!(
            "{name:<14} {version:>7} {state:<9} {position:>12} {behind:>10} {parked:>7}\n"
        ));
        if let Some(problem) = &status.problem {
            text.push_str(&format!("  stopped: {problem}\n"));
        }
        if let Some(refusal) = &status.refusal {
            text.push_str(&format!("  held up, and tried again: {refusal}\n"));
        }
        if !is_configured(status) {
            text.push_str("  not configured: nobody fills it\n");
        }
    }
    if list.is_empty() {
        text.push_str("none were set up yet: `viral up` or `viral project` does it\n");
    }
    Ok((text, well))
}

fn to_json(status: &Status, configured: bool) -> serde_json::Value {
    json!({
        "name": status.name,
        "version": status.version,
        "state": status.state.as_str(),
        "position": status.position.to_string(),
        "head": status.head.to_string(),
        "parked": status.parked,
        "problem": status.problem,
        "refusal": status.refusal,
        "configured": configured,
    })
}
