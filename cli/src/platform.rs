//! The parts of the platform put together over one database: use cases, read models, workers, API.

use crate::args::UpArgs;
use crate::database::Database;
use crate::error::Error;
use crate::secrets::{self, NoKey};
use crate::services;
use crate::terms;
use crate::unseal::VaultUnseal;
use sqlx::PgPool;
use std::path::Path;
use std::sync::Arc;
use tokio::task::JoinHandle;
use viral_commands::{Commands, Environment, Settings, Vault, Writer};
use viral_projections::{ClickHouse, ClickHouseProjector, Projector};

/// The vault of personal fields of this home and database.
pub(crate) async fn vault(home: &Path, database: &Database, may_create: bool) -> Result<Vault, Error> {
    let sealed = database.person_keys().any().await?.is_some();
    let no_key = match (sealed, may_create) {
        (true, _) => NoKey::Lost,
        (false, true) => NoKey::Make,
        (false, false) => NoKey::Ask,
    };
    let key = secrets::master_key(home, no_key)?;
    let vault = Vault::new(database.person_keys(), &key);
    vault.check().await.map_err(|error| {
        Error::Other(format!(
            "the master key is not the one that this database's personal fields were sealed under: {error}"
        ))
    })?;
    Ok(vault)
}

/// What writes the read models, over a pool of [`viral_projections::connect`] or [`viral_projections::connect_briefly`].
pub(crate) fn projector(database: &Database, pool: PgPool, vault: &Vault) -> Projector {
    Projector::new(pool, database.background(), Arc::new(VaultUnseal(vault.clone())))
}

/// ClickHouse, if there is one.
pub(crate) fn clickhouse(home: &Path) -> Result<Option<ClickHouse>, Error> {
    let url = services::clickhouse_url(home);
    Ok(url.map(|url| ClickHouse::connect(&url)).transpose()?)
}

/// As [`clickhouse`], for whoever cannot do without.
pub(crate) fn needed_clickhouse(home: &Path) -> Result<ClickHouse, Error> {
    clickhouse(home)?.ok_or_else(|| {
        let text = "no ClickHouse is known: set CLICKHOUSE_URL to http://host:8123, or start one with `make stack` for this home";
        Error::Other(text.to_owned())
    })
}

/// What fills ClickHouse.
pub(crate) fn clickhouse_projector(database: &Database, pool: PgPool, clickhouse: ClickHouse) -> ClickHouseProjector {
    ClickHouseProjector::new(clickhouse, pool, database.background())
}

/// Use cases, and the task of their writer, which ends when all clones of them are gone.
pub(crate) async fn commands(
    database: &Database,
    vault: Vault,
    dev: bool,
) -> Result<(Commands, JoinHandle<()>), Error> {
    let terms = terms::from_env()?;
    let (writer, task) = Writer::start(database.store(), Settings::default()).await?;
    let writer = writer.with_reads(database.reads());
    let environment = match dev {
        true => Environment::Development,
        false => Environment::Production,
    };
    Ok((Commands::new(writer, terms, vault).with_environment(environment), task))
}

/// Whether a master key may be made where there is none: the data are this home's own, or nothing is at stake.
pub(crate) fn may_create_master_key(database: &Database, args: &UpArgs) -> bool {
    database.server().is_some() || args.dev
}
