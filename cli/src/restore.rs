//! `viral import events`: a lost log, restored from a copy of its lines into an empty database.

use crate::args::{ImportEventsArgs, Source};
use crate::database::Database;
use crate::error::Error;
use crate::progress::OnStderr;
use crate::run::print;
use crate::source;
use serde::Serialize;
use std::path::Path;
use viral_audit::restore::{self, Restored, Sound};
use viral_store::{EventStore as _, Position, SpooledLog};

/// What was restored, and what has to come from elsewhere.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    restored: Restored,
    /// Whether keys of persons were in the database already: what was sealed under the others stays closed.
    has_person_keys: bool,
    /// How many read models of another life are built anew by the next projector.
    outdated_read_models: u64,
    /// What lines do not have.
    not_in_the_copy: Vec<&'static str>,
}

/// What is no event, and so in no copy of the log.
const PERSON_KEYS: &str = "the keys of persons: without the table person_keys from a backup, and the master key it was \
     made under, names and profiles stay sealed for ever";
const LOGINS: &str = "the master key (VIRAL_MASTER_KEY, or master.key in the home): under another one, e-mail addresses \
     that were claimed before are not recognised";
const TOKENS: &str = "the operator's token (VIRAL_API_TOKEN, or token in the home): make a new one";
const MEASUREMENTS: &str = "measurements of engagement: they come back from Kafka's topic viral.engagement.v1 if that is left, \
     else from a backup of ClickHouse or of the table engagement_metrics";
const DERIVED: &str =
    "snapshots and read models: they are made again by the platform itself, the first start takes longer";

/// Restores a copy, after it was verified.
pub(crate) async fn run(home: &Path, args: &ImportEventsArgs) -> Result<(), Error> {
    let copy = source::spool(home, &args.source).await?;
    let sound = restore::check(&copy, args.drop_incomplete_unit, &OnStderr::new()).await?;
    let database = Database::open_to_restore(home, copy.source()).await?;
    let report = into(&database, &copy, &sound).await;
    if let Some(why) = database.why_down() {
        eprintln!("viral: {why}");
    }
    database.close().await?;
    let report = report?;
    print(&match args.json {
        true => serde_json::to_string(&report).map_err(|e| Error::Other(e.to_string()))? + "\n",
        false => for_people(&report, args.source.source == Some(Source::Kafka)),
    })
}

async fn into(database: &Database, copy: &SpooledLog, sound: &Sound) -> Result<Report, Error> {
    let store = database.store();
    let outdated_read_models = match store.head().await?.position {
        Position::START => outdate(database).await?,
        _ => 0,
    };
    let restored = restore::restore(copy, sound, &store, &OnStderr::new()).await?;
    let has_person_keys = database.person_keys().any().await?.is_some();
    let keys = (!has_person_keys).then_some(PERSON_KEYS);
    Ok(Report {
        restored,
        has_person_keys,
        outdated_read_models,
        not_in_the_copy: keys
            .into_iter()
            .chain([LOGINS, TOKENS, MEASUREMENTS, DERIVED])
            .collect(),
    })
}

/// Read models that are ahead of an empty log are of another life of it.
async fn outdate(database: &Database) -> Result<u64, Error> {
    let pool = viral_projections::connect_briefly(database.app_url()).await?;
    let outdated = viral_projections::mark_outdated(&pool).await;
    pool.close().await;
    Ok(outdated?)
}

fn for_people(report: &Report, from_kafka: bool) -> String {
    let restored = &report.restored;
    let what = match restored.appended {
        0 => "nothing to restore",
        _ => "restored",
    };
    let mut text = format!(
        "{what}: {} events, positions 1 to {}, of {}\nstate hash: {}\n{} appended now, {} were there already\n",
        restored.events, restored.events, restored.log, restored.state_hash, restored.appended, restored.found
    );
    if let Some(dropped) = restored.dropped {
        let (first, last) = (dropped.first, dropped.last);
        text.push_str(&format!(
            "left out: positions {first} to {last}, an incomplete unit at the copy's end\n"
        ));
    }
    let unit = restored.last_unit;
    let whole = match from_kafka {
        true => "its end was published",
        false => "lines do not say whether it had more events",
    };
    text.push_str(&format!(
        "the last unit: positions {} to {}; {whole}\n",
        unit.first, unit.last
    ));
    if report.outdated_read_models > 0 {
        let count = report.outdated_read_models;
        text.push_str(&format!(
            "{count} read models were ahead of the log: the next `viral up` or `viral project` builds them anew\n"
        ));
    }
    text.push_str("not in the copy:\n");
    for item in &report.not_in_the_copy {
        text.push_str(&format!("  {item}\n"));
    }
    text.push_str("restore what you have a backup of before `viral up`; check with `viral audit verify`\n");
    text
}
