//! A database of the user's own: what the platform cannot work with is told before anything is changed in it.

use sqlx::{Connection as _, Executor as _, PgConnection};
use std::time::Duration;
use viral_store::postgres::{self, Environment};
use viral_store::{PostgresStore, StoreError};
use viral_tests::pooler::Pooler;
use viral_tests::server::{Database, TestServer, run};

/// How many relations, functions and grants of ours there are.
async fn traces(database: &Database) -> Vec<String> {
    let traces = "SELECT relname::text FROM pg_class WHERE pg_get_userbyid(relowner) LIKE 'viral%' \
         AND relnamespace = 'public'::regnamespace \
         UNION SELECT proname::text FROM pg_proc WHERE pg_get_userbyid(proowner) LIKE 'viral%' \
         AND pronamespace = 'public'::regnamespace \
         UNION SELECT nspacl::text FROM pg_namespace WHERE nspname = 'public' AND nspacl::text LIKE '%viral_app%'";
    let mut connection = PgConnection::connect(&database.superuser_url).await.unwrap();
    sqlx::query_scalar(traces).fetch_all(&mut connection).await.unwrap()
}

async fn refused(database: &Database, url: &str) -> String {
    let error = postgres::migrate_with(url, &viral_projections::view_names(), &mut |_, _| {})
        .await
        .unwrap_err();
    assert!(!error.is_retryable(), "{error}");
    assert_eq!(traces(database).await, Vec::<String>::new(), "{error}");
    error.to_string()
}

#[tokio::test]
async fn a_database_that_cannot_hold_every_text_is_refused() {
    let server = TestServer::shared().await;
    let latin = "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0 OWNER viral_owner";
    server.as_superuser(latin).await;
    let named = |url: &str| format!("{}/latin", url.rsplit_once('/').unwrap().0);
    let database = Database {
        superuser_url: named(server.postgres.superuser_url()),
        owner_url: named(server.postgres.owner_url()),
        app_url: named(server.postgres.app_url()),
    };
    let text = refused(&database, &database.owner_url).await;
    assert!(text.contains("LATIN1") && text.contains("ENCODING 'UTF8'"), "{text}");
    let text = postgres::check(&database.app_url).await.unwrap_err().to_string();
    assert!(text.contains("LATIN1"), "{text}");
}

#[tokio::test]
async fn tables_of_somebody_else_are_told_by_name_and_nothing_is_made_beside_them() {
    let database = TestServer::shared().await.empty_database().await;
    let theirs = "CREATE TABLE users (id int); CREATE VIEW campaigns AS SELECT 1 AS one; CREATE TABLE log_head (x int); \
         CREATE TABLE wallet_accounts_v3 (x int); CREATE TYPE fraud_flags AS ENUM ('one'); CREATE TABLE customers (id int)";
    run(&database.superuser_url, theirs).await.unwrap();
    for url in [&database.owner_url, &database.superuser_url] {
        let text = refused(&database, url).await;
        assert!(
            text.contains("campaigns, fraud_flags, log_head, users, wallet_accounts_v3"),
            "{text}"
        );
        assert!(!text.contains("customers"), "{text}");
    }
    let away = "DROP TABLE users, log_head, wallet_accounts_v3; DROP VIEW campaigns; DROP TYPE fraud_flags";
    run(&database.superuser_url, away).await.unwrap();
    // Another kind of obstacle, which is only met on the way.
    let function = "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'";
    run(&database.superuser_url, function).await.unwrap();
    let text = refused(&database, &database.superuser_url).await;
    assert!(text.contains("refuse_change"), "{text}");
    run(&database.superuser_url, "DROP FUNCTION refuse_change")
        .await
        .unwrap();
    postgres::migrate(&database.superuser_url).await.unwrap();
}

/// The names that are checked are all that the platform makes.
#[tokio::test]
async fn every_table_of_ours_is_among_the_names_that_are_checked() {
    let server = TestServer::shared().await;
    let ours = server.database().await;
    let mut connection = PgConnection::connect(&ours.superuser_url).await.unwrap();
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE pg_get_userbyid(relowner) = 'viral_owner' \
             AND relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v') ORDER BY relname",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert!(names.len() >= 11, "{names:?}");
    let theirs = server.empty_database().await;
    for name in &names {
        let table = format!("CREATE TABLE {name} (x int)");
        run(&theirs.superuser_url, &table).await.unwrap();
    }
    let text = refused(&theirs, &theirs.owner_url).await;
    assert!(text.contains(&names.join(", ")), "{names:?}: {text}");
}

#[tokio::test]
async fn a_database_that_can_only_be_read_is_told_as_one() {
    let database = TestServer::shared().await.empty_database().await;
    let read_only = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', \
         current_database()); END $$";
    run(&database.superuser_url, read_only).await.unwrap();
    let text = refused(&database, &database.owner_url).await;
    assert!(
        text.contains("read-only") && !text.contains("cannot be reached"),
        "{text}"
    );
}

#[tokio::test]
async fn a_pooler_that_shares_sessions_is_noticed_before_anything_is_set_in_one() {
    let server = TestServer::shared().await;
    let database = server.empty_database().await;
    let (address, name) = database.superuser_url.rsplit_once('/').unwrap();
    let (login, port) = address.rsplit_once(':').unwrap();
    let pooler = Pooler::start(port.parse().unwrap()).await;
    let url = format!("{login}:{}/{name}", pooler.port());
    let text = refused(&database, &url).await;
    assert!(text.contains("session pooling"), "{text}");
    // Whoever gets the session next is who he was.
    let mut next = PgConnection::connect(&url).await.unwrap();
    let row = next
        .fetch_one("SELECT current_user = session_user AND current_setting('lock_timeout') = '0'")
        .await;
    assert!(sqlx::Row::get::<bool, _>(&row.unwrap(), 0));
}

/// A command beside others says what the server says, at once, and needs few connections.
/// A connection to a database that has one, as soon as those of before have ended.
async fn the_only_one(database: &Database) -> PgConnection {
    let connect = async {
        loop {
            match PgConnection::connect(&database.app_url).await {
                Ok(connection) => return connection,
                Err(error) => assert!(error.to_string().contains("too many connections"), "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), connect).await.unwrap()
}

#[tokio::test]
async fn a_server_without_a_connection_left_is_told_as_one() {
    let database = TestServer::shared().await.database().await;
    let limit = |count: i32| {
        format!("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT {count}', current_database()); END $$")
    };
    run(&database.superuser_url, &limit(1)).await.unwrap();
    let holder = the_only_one(&database).await;
    let error = PostgresStore::connect_briefly(&database.app_url).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    assert!(error.to_string().contains("53300"), "{error}");
    let error = viral_projections::connect_briefly(&database.app_url).await.unwrap_err();
    assert!(error.to_string().contains("53300"), "{error}");
    holder.close().await.unwrap();
}

#[tokio::test]
async fn a_database_is_marked_once() {
    let database = TestServer::shared().await.database().await;
    let store = database.store().await;
    assert_eq!(store.environment().await.unwrap(), None);
    assert!(!store.has_users().await.unwrap());
    let marked = store.mark_environment(Environment::Development).await.unwrap();
    assert_eq!(marked, Environment::Development);
    let marked = store.mark_environment(Environment::Production).await.unwrap();
    assert_eq!(marked, Environment::Development);
}
