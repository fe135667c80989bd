//! Setting up a database: three roles, and the SQL files under `migrations/` in their order.

use super::error::from_sqlx;
use super::target::Target;
use super::{digests, set_up};
use crate::error::StoreError;
use sqlx::error::BoxDynError;
use sqlx::migrate::{MigrateError, Migration, MigrationSource, MigrationType, Migrator};
use sqlx::{Connection, Executor, PgConnection};
use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;

/// All migrations of Postgres, oldest first. A released one is never edited.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "event log", include_str!("../../../migrations/0001_event_log.sql")),
    (
        2,
        "read models",
        include_str!("../../../migrations/0002_read_models.sql"),
    ),
    (
        3,
        "person keys",
        include_str!("../../../migrations/0003_person_keys.sql"),
    ),
    (
        4,
        "published log",
        include_str!("../../../migrations/0004_published_log.sql"),
    ),
    (
        5,
        "home of the log",
        include_str!("../../../migrations/0005_home_of_the_log.sql"),
    ),
    (6, "clickhouse", include_str!("../../../migrations/0006_clickhouse.sql")),
    (7, "engagement", include_str!("../../../migrations/0007_engagement.sql")),
    (
        8,
        "clickhouse refusal",
        include_str!("../../../migrations/0008_clickhouse_refusal.sql"),
    ),
    (9, "continuity", include_str!("../../../migrations/0009_continuity.sql")),
    (
        10,
        "environment",
        include_str!("../../../migrations/0010_environment.sql"),
    ),
];

#[derive(Debug)]
struct Embedded;

impl<'s> MigrationSource<'s> for Embedded {
    fn resolve(self) -> Pin<Box<dyn Future<Output = Result<Vec<Migration>, BoxDynError>> + Send + 's>> {
        let migration = |&(version, description, sql): &(i64, &'static str, &'static str)| {
            let (description, sql) = (Cow::Borrowed(description), Cow::Borrowed(sql));
            Migration::new(version, description, MigrationType::Simple, sql, false)
        };
        Box::pin(async move { Ok(MIGRATIONS.iter().map(migration).collect()) })
    }
}

/// The tables that the migrations make. Read models are made later, by names that the caller says.
const TABLES: [&str; 11] = [
    "_sqlx_migrations",
    "book_snapshots",
    "engagement_metrics",
    "environment",
    "events",
    "home_of_the_log",
    "log_head",
    "parked_events",
    "person_keys",
    "projections",
    "unreadable_records",
];

/// Brings a database to the newest version, as the role `viral_owner`. Running it again changes nothing. The user of
/// the URL must be `viral_owner`, or be allowed to create the roles and to take them on.
pub async fn migrate(url: &str) -> Result<(), StoreError> {
    migrate_with(url, &[], &mut |_, _| {}).await
}

/// As [`migrate`], for a database in which tables and views of these names will be made, too, each also as `<name>_v<N>`;
/// telling how far it is where an old log has to be read.
///
/// # Errors
/// Nothing is changed by a migration that fails, and nothing where somebody else has a table of one of the names. Only
/// the digests of an old log are computed afterwards, and once more if that was interrupted.
pub async fn migrate_with(url: &str, views: &[&str], progress: digests::Progress<'_>) -> Result<(), StoreError> {
    let target = Target::parse(url)?.named("viral migrate");
    let mut connection = set_up::checked(&target).await?;
    let mut tx = connection.begin().await.map_err(from_sqlx)?;
    migrate_in_tx(&mut tx, views).await?;
    tx.commit().await.map_err(from_sqlx)?;
    digests::compute(&mut connection, progress).await?;
    connection.close().await.map_err(from_sqlx)
}

async fn migrate_in_tx(tx: &mut PgConnection, views: &[&str]) -> Result<(), StoreError> {
    // Behind a dump or a report a table is waited for, and everybody else waits for the tables that are locked already.
    tx.execute("SET LOCAL lock_timeout = '30s'").await.map_err(from_sqlx)?;
    // One after the other. The lock that the migrator takes itself is given up before what it did can be seen.
    let lock = "SELECT pg_advisory_xact_lock(hashtext('viral migrate'), 0)";
    tx.execute(lock).await.map_err(from_sqlx)?;
    check_names(tx, views).await?;
    take_on_owner(tx).await?;
    let migrator = Migrator::new(Embedded).await.map_err(from_migrate)?;
    migrator.run_direct(tx).await.map_err(from_migrate)
}

/// Nobody else has anything by a name that we need.
async fn check_names(connection: &mut PgConnection, views: &[&str]) -> Result<(), StoreError> {
    // A type of the same name is in the way of a table as well.
    let statement = "SELECT DISTINCT name FROM (SELECT relname::text, relnamespace, relowner FROM pg_class \
         UNION ALL SELECT typname::text, typnamespace, typowner FROM pg_type) AS taken (name, namespace, owner) \
         WHERE namespace = current_schema()::regnamespace \
         AND pg_get_userbyid(owner) NOT IN ('viral_owner', 'viral_projector') \
         AND (name = ANY($1) OR name = ANY($2) OR regexp_replace(name, '_v[0-9]+$', '') = ANY($2)) \
         ORDER BY name";
    let foreign: Vec<String> = sqlx::query_scalar(statement)
        .bind(&TABLES[..])
        .bind(views)
        .fetch_all(connection)
        .await
        .map_err(from_sqlx)?;
    if foreign.is_empty() {
        return Ok(());
    }
    Err(StoreError::Setup(format!(
        "the database has {} of somebody else's, and the platform needs the name{}: give it a database of its own. Nothing \
         was changed",
        foreign.join(", "),
        if foreign.len() == 1 { "" } else { "s" }
    )))
}

/// Creates the roles where they are missing, and takes on the owner's.
pub(super) async fn take_on_owner(connection: &mut PgConnection) -> Result<(), StoreError> {
    let prepare = "
        DO $$
        DECLARE
            wanted text;
            -- From 16 on, whoever creates a role is its member but may not take it on without a further grant.
            privilege text := CASE WHEN current_setting('server_version_num')::int >= 160000
                THEN 'SET' ELSE 'MEMBER' END;
        BEGIN
            FOREACH wanted IN ARRAY ARRAY['viral_owner', 'viral_app', 'viral_projector'] LOOP
                IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
                    BEGIN
                        EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
                    EXCEPTION WHEN duplicate_object OR unique_violation THEN
                        -- Roles belong to the server: somebody sets up another database of it at the same time.
                        NULL;
                    END;
                END IF;
                IF NOT pg_has_role(current_user, wanted, privilege) AND current_user <> 'viral_owner' THEN
                    EXECUTE format('GRANT %I TO %I', wanted, current_user);
                END IF;
            END LOOP;
            IF NOT has_schema_privilege('viral_owner', current_schema(), 'CREATE') THEN
                EXECUTE format('GRANT CREATE, USAGE ON SCHEMA %I TO viral_owner', current_schema());
            END IF;
            IF NOT has_schema_privilege('viral_app', current_schema(), 'USAGE') THEN
                EXECUTE format('GRANT USAGE ON SCHEMA %I TO viral_app', current_schema());
            END IF;
            IF NOT has_schema_privilege('viral_projector', current_schema(), 'CREATE') THEN
                EXECUTE format('GRANT CREATE, USAGE ON SCHEMA %I TO viral_projector', current_schema());
            END IF;
        END
        $$";
    connection.execute(prepare).await.map_err(explain)?;
    connection.execute("SET ROLE viral_owner").await.map_err(explain)?;
    Ok(())
}

fn explain(error: sqlx::Error) -> StoreError {
    match from_sqlx(error) {
        StoreError::Denied(message) => StoreError::Denied(format!(
            "{message}; as a superuser run, where it is not so already: CREATE ROLE viral_owner; CREATE ROLE viral_app; \
             CREATE ROLE viral_projector; GRANT viral_owner, viral_app, viral_projector TO <the user of the URL>; \
             GRANT CREATE, USAGE ON SCHEMA public TO viral_owner, viral_projector"
        )),
        other => other,
    }
}

fn from_migrate(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => from_sqlx(error),
        MigrateError::VersionMissing(version) => StoreError::Setup(format!(
            "the database has migration {version}, which this program does not know: it is older than the database"
        )),
        other => StoreError::Setup(other.to_string()),
    }
}
