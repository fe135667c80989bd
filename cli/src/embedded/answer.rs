//! Speaking to the server: does it answer, and has it our roles and our database?

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection};

use super::error::Error;
use super::logins::{APP, DATABASE, Logins, OWNER, PROJECTOR, SUPERUSER};

/// A server that lives answers at once; a stopped one takes the connection and says nothing.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a server said to a first connection.
pub(super) enum Answer {
    /// It is ours and works; its version.
    Ready(PgConnection, String),
    /// It recovers, starts or stops: worth waiting for.
    NotYet(String),
    /// Nothing.
    Silence(String),
}

/// Asks the server on this port.
pub(super) async fn ask(port: u16, logins: &Logins) -> Result<Answer, Error> {
    let options = PgConnectOptions::new_without_pgpass()
        .host("127.0.0.1")
        .port(port)
        .username(SUPERUSER)
        .password(logins.password(SUPERUSER))
        .database("postgres")
        .ssl_mode(PgSslMode::Disable)
        .application_name("viral-embedded");
    let asked = tokio::time::timeout(PATIENCE, async {
        let mut connection = options.connect().await?;
        let version: String = sqlx::query_scalar("SHOW server_version")
            .fetch_one(&mut connection)
            .await?;
        Ok::<_, sqlx::Error>((connection, version))
    });
    match asked.await {
        // Debian adds its own version in brackets.
        Ok(Ok((connection, version))) => {
            let version = version.split(' ').next().unwrap_or_default().to_owned();
            Ok(Answer::Ready(connection, version))
        }
        // cannot_connect_now
        Ok(Err(sqlx::Error::Database(said))) if said.code().as_deref() == Some("57P03") => {
            Ok(Answer::NotYet(said.to_string()))
        }
        Ok(Err(said @ sqlx::Error::Database(_))) => Err(Error::sql("let us in")(said)),
        Ok(Err(other)) => Ok(Answer::Silence(other.to_string())),
        Err(_) => Ok(Answer::Silence("no answer to a connection".to_owned())),
    }
}

/// Makes the role of the read models, which the platform's login may take on. Without NOINHERIT it would have that
/// role's privileges all the time, and could change read models by mistake.
fn projector() -> String {
    format!(
        "DO $$ BEGIN
             IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{PROJECTOR}') THEN
                 CREATE ROLE {PROJECTOR} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
             END IF;
             IF NOT pg_has_role('{APP}', '{PROJECTOR}', 'MEMBER') THEN
                 ALTER ROLE {APP} NOINHERIT;
                 GRANT {PROJECTOR} TO {APP};
             END IF;
         END $$"
    )
}

/// Makes what is missing of the roles and the database. A kill may have come between any two steps, so each is
/// looked for by itself; each is made by one statement, so it is there with its password or not at all.
pub(super) async fn provision(mut connection: PgConnection, logins: &Logins) -> Result<(), Error> {
    let failed = || Error::sql("make the roles and the database");
    // A failing statement would otherwise be logged with the password in it.
    connection
        .execute("SET log_min_error_statement = panic")
        .await
        .map_err(failed())?;
    // A client that was killed leaves its server process to finish its statement; that one holds this lock until then.
    connection
        .execute("SET lock_timeout = '60s'; SELECT pg_advisory_lock(1)")
        .await
        .map_err(failed())?;
    for role in [OWNER, APP] {
        let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
            .bind(role)
            .fetch_one(&mut connection)
            .await
            .map_err(failed())?;
        if !exists {
            let password = logins.password(role);
            let statement =
                format!("CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '{password}'");
            connection.execute(statement.as_str()).await.map_err(failed())?;
        }
    }
    // Also in clusters from before there were read models.
    connection.execute(projector().as_str()).await.map_err(failed())?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(DATABASE)
        .fetch_one(&mut connection)
        .await
        .map_err(failed())?;
    if !exists {
        let statement = format!("CREATE DATABASE {DATABASE} OWNER {OWNER}");
        connection.execute(statement.as_str()).await.map_err(failed())?;
    }
    connection.close().await.map_err(failed())
}
