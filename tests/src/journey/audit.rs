//! The auditor's tools, run on a database as an auditor runs them.

use crate::process::{run, viral};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use tokio::time::Instant;
use viral_store::{EventStore as _, PostgresStore};

/// How long the read models may take to catch up.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until every read model has the whole log.
pub async fn caught_up(store: &PostgresStore) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let head = store.head().await.unwrap().position;
        let positions = "SELECT count(*), coalesce(min(position), 0) FROM projections WHERE state = 'live'";
        let (count, position): (i64, i64) = sqlx::query_as(positions).fetch_one(store.pool()).await.unwrap();
        if count > 0 && position >= head.0 as i64 {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{count} read models are at {position} of {head} after {PATIENCE:?}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// `viral audit verify` and `viral audit diff` hold, the latter for the whole log.
pub async fn check_audits(home: &Path, database_url: &str, store: &PostgresStore) {
    caught_up(store).await;
    let head = store.head().await.unwrap().position.to_string();
    let (verified, compared) = tokio::join!(
        audit(home, database_url, &["audit", "verify", "--json"]),
        audit(home, database_url, &["audit", "diff", "--json"])
    );
    assert_eq!(verified["holds"], true, "{verified}");
    assert_eq!(compared["holds"], true, "{compared}");
    let compared = compared["compared"].as_array().unwrap();
    assert!(compared.len() >= 5, "{compared:?}");
    for model in compared {
        assert_eq!(model["position"], head, "{model}");
    }
}

/// What a report says, whether it holds or not.
async fn audit(home: &Path, database_url: &str, arguments: &[&str]) -> Value {
    let mut command = viral(home, arguments);
    command.env("DATABASE_URL", database_url);
    let (_, stdout, stderr) = run(command).await;
    serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{arguments:?}: {stdout}{stderr}"))
}
