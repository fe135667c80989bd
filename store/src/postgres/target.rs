//! The database that a URL names: what the URL may say, how long the database may take to answer, and what it is that
//! does not.
//!
//! The client reads URLs more leniently than libpq: it takes every scheme, knows no `connect_timeout`, and with
//! `sslmode=require` verifies nothing, whatever root certificate is named. All of that is put right here, for every
//! connection that the platform makes.

use super::error::from_sqlx;
use crate::error::StoreError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions as _, Executor as _, PgConnection, PgPool};
use std::env;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream};

/// How long a database may take until it has let us in, unless the URL or `PGCONNECT_TIMEOUT` says otherwise.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a pool may take at most.
const LONGEST: Duration = Duration::from_secs(30);
/// What no limit means: libpq's `connect_timeout=0`.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// How long a port may take to accept a connection, when all that is asked is whether it does.
const KNOCK: Duration = Duration::from_secs(1);

/// What a URL looks like.
const FORM: &str = "it must look like postgres://user:password@host:5432/database, with special characters of the user and \
     the password percent-encoded (/ as %2F, ? as %3F, # as %23, @ as %40, % as %25)";

/// The parameters that the client knows, beside `options[…]`.
const PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];
const ROOT_CERTIFICATE: [&str; 3] = ["sslrootcert", "ssl-root-cert", "ssl-ca"];
const OTHER_FILES: [(&str, &str); 4] = [
    ("sslcert", "client certificate"),
    ("ssl-cert", "client certificate"),
    ("sslkey", "client key"),
    ("ssl-key", "client key"),
];

/// A database, and how long to wait for it.
#[derive(Clone)]
pub struct Target {
    options: PgConnectOptions,
    patience: Duration,
}

impl fmt::Debug for Target {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Target").field(&self.place()).finish()
    }
}

impl Target {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`StoreError::Setup`] says what is wrong with it, and never repeats it: there is a password in it.
    pub fn parse(url: &str) -> Result<Target, StoreError> {
        let (address, query) = check_form(url)?;
        let mut patience = set("PGCONNECT_TIMEOUT");
        let mut kept = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "connect_timeout" => patience = Some(value.to_owned()),
                name if is_known(name) => kept.push(pair),
                // Its value may be a secret that stands in the wrong place.
                name => tracing::warn!("the parameter {name} of the database URL is not known here and left out"),
            }
        }
        let options = PgConnectOptions::from_str(&format!("{address}?{}", kept.join("&")))
            .map_err(|error| malformed(&format!("{error}: {FORM}")))?;
        Ok(Target {
            // A pooler in front of the server refuses this parameter, which no server that we work with needs.
            options: verifying(options, &kept)?
                .extra_float_digits(None::<i8>)
                .application_name("viral")
                .disable_statement_logging(),
            patience: patience.map_or(Ok(PATIENCE), |text| seconds(&text))?,
        })
    }

    /// The same database for a part of the platform that shows by this name.
    #[must_use]
    pub fn named(self, application: &str) -> Target {
        Target {
            options: self.options.application_name(application),
            ..self
        }
    }

    /// A pool that connects when it is first used. Each of its sessions begins with these statements.
    pub fn pool(&self, session: &'static str, connections: u32) -> PgPool {
        PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(self.patience())
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    connection.execute(session).await?;
                    Ok(())
                })
            })
            .connect_lazy_with(self.options.clone())
    }

    /// How long a pool may take for a connection: a little patience in any case, as all may be in use, and not too much, as
    /// it tries again less and less often.
    pub(super) fn patience(&self) -> Duration {
        self.patience.clamp(PATIENCE, LONGEST)
    }

    /// Connects.
    ///
    /// # Errors
    /// What did not answer as PostgreSQL does is told as what it is.
    pub async fn connect(&self) -> Result<PgConnection, StoreError> {
        match tokio::time::timeout(self.patience, self.options.connect()).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(self.explain(error)),
            Err(_) => Err(StoreError::Unavailable(self.why_silent().await)),
        }
    }

    /// What became of a pool: where it had no connection to give, the server is asked why.
    pub async fn why(&self, error: sqlx::Error) -> StoreError {
        match error {
            sqlx::Error::PoolTimedOut => {
                let refused = self.connect().await.err();
                refused.unwrap_or_else(|| from_sqlx(sqlx::Error::PoolTimedOut))
            }
            error => self.explain(error),
        }
    }

    fn explain(&self, error: sqlx::Error) -> StoreError {
        let place = self.place();
        let told = match &error {
            sqlx::Error::Protocol(_) => format!("{place} answers, but not as PostgreSQL does: {error}"),
            sqlx::Error::Io(io) if io.kind() == ErrorKind::UnexpectedEof => {
                format!("{place} closed the connection before it answered as PostgreSQL does")
            }
            sqlx::Error::Io(io) => format!("{place}: {io}; is the server running?"),
            sqlx::Error::Tls(why) => format!("{place}: no connection as the URL's sslmode asks for: {why}"),
            _ => return from_sqlx(error),
        };
        StoreError::Unavailable(told)
    }

    /// Whether there is nobody, or somebody who does not answer.
    async fn why_silent(&self) -> String {
        let (place, waited) = (self.place(), self.patience.as_secs());
        let accepted = tokio::time::timeout(KNOCK, async {
            match self.options.get_socket() {
                Some(folder) => UnixStream::connect(self.socket(folder)).await.is_ok(),
                None => {
                    let address = (self.options.get_host(), self.options.get_port());
                    TcpStream::connect(address).await.is_ok()
                }
            }
        });
        match accepted.await {
            Ok(true) => format!("{place} accepts connections but does not answer as PostgreSQL within {waited} s"),
            Ok(false) | Err(_) => format!("{place} does not answer within {waited} s"),
        }
    }

    fn socket(&self, folder: &Path) -> PathBuf {
        folder.join(format!(".s.PGSQL.{}", self.options.get_port()))
    }

    fn place(&self) -> String {
        match self.options.get_socket() {
            Some(folder) => self.socket(folder).display().to_string(),
            None => format!("{}:{}", self.options.get_host(), self.options.get_port()),
        }
    }
}

fn is_known(parameter: &str) -> bool {
    PARAMETERS.contains(&parameter) || parameter == "connect_timeout" || parameter.starts_with("options[")
}

/// The URL without its query, and that. A password with bare special characters is cut at the first of them, and the rest of
/// it taken for something else.
fn check_form(url: &str) -> Result<(&str, &str), StoreError> {
    let rest = ["postgres://", "postgresql://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme))
        .ok_or_else(|| malformed(FORM))?;
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let path = rest.split_once('?').map_or(rest, |(before, _)| before);
    let path = path.split_once('/').map_or("", |(_, path)| path);
    // What follows a bare ? in a password is no parameter that is known.
    let stray = query.split('&').any(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        name.contains('@') || (!is_known(name) && pair.contains('@'))
    });
    match url.contains('#') || path.contains('@') || stray {
        true => Err(malformed(FORM)),
        false => Ok((address, query)),
    }
}

/// As libpq has it: 0 and less is no limit.
fn seconds(text: &str) -> Result<Duration, StoreError> {
    let seconds: i64 = text
        .trim()
        .parse()
        .map_err(|_| malformed("connect_timeout is a number of seconds"))?;
    Ok(match u64::try_from(seconds) {
        Ok(0) | Err(_) => FOR_EVER,
        Ok(seconds) => Duration::from_secs(seconds).min(FOR_EVER),
    })
}

/// As libpq has it: whoever names a root certificate wants it to be used, with `sslmode=require` as well.
fn verifying(options: PgConnectOptions, pairs: &[&str]) -> Result<PgConnectOptions, StoreError> {
    let value = |name: &str| {
        let pair = pairs
            .iter()
            .rev()
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        pair.map(decoded).filter(|path| !path.is_empty())
    };
    for (name, what) in OTHER_FILES {
        value(name).map_or(Ok(()), |path| check_file(Path::new(&path), what))?;
    }
    let named = ROOT_CERTIFICATE.iter().find_map(|name| value(name));
    let mode = options.get_ssl_mode();
    let from_env = set("PGSSLROOTCERT").filter(|_| !matches!(mode, PgSslMode::Prefer));
    let root = named.or(from_env).map(PathBuf::from);
    let root = match (root, mode) {
        (_, PgSslMode::Disable | PgSslMode::Allow) | (None, PgSslMode::Prefer) => return Ok(options),
        (Some(root), _) => {
            check_file(&root, "root certificate")?;
            Some(root)
        }
        // The file that libpq looks for where none is named.
        (None, _) => env::home_dir()
            .map(|home| home.join(".postgresql/root.crt"))
            .filter(|file| file.is_file()),
    };
    Ok(match (root, mode) {
        (Some(root), PgSslMode::Require) => options.ssl_root_cert(root).ssl_mode(PgSslMode::VerifyCa),
        (Some(root), _) => options.ssl_root_cert(root),
        (None, _) => options,
    })
}

fn check_file(path: &Path, what: &str) -> Result<(), StoreError> {
    std::fs::File::open(path).map(|_| ()).map_err(|error| {
        StoreError::Setup(format!(
            "the {what} of the database URL or of PGSSLROOTCERT, {}, cannot be read: {error}",
            path.display()
        ))
    })
}

/// A variable of the environment, if it says anything.
fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The text of a parameter.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = (first == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(code.unwrap_or(if first == b'+' { b' ' } else { first }));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn malformed(problem: &str) -> StoreError {
    StoreError::Setup(format!("the database URL cannot be read: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> String {
        Target::parse(url).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_url_of_postgresql_is_told_without_its_password() {
        for url in [
            "mysql://viral:secret@db/viral",
            "viral:secret@db/viral",
            "postgres://viral:secret/word@db/viral",
            "postgres://viral:12/secret@db/viral",
            "postgres://viral:12?secret@db/viral",
            "postgres://viral:se?cret@db/viral",
            "postgres://viral:12#secret@db/viral",
            "postgres://viral:se#cret@db:5432/viral",
            "postgres://viral:secret@db:port/viral",
        ] {
            let text = refused(url);
            assert!(text.contains("percent-encoded (/ as %2F"), "{url}: {text}");
            assert!(!text.contains("secret"), "{url}: {text}");
        }
        let target = Target::parse("postgres://viral%40corp:p%2Fw@db:5433/x?user=a@b").unwrap();
        assert_eq!(target.place(), "db:5433");
    }

    #[test]
    fn the_time_limit_is_the_urls() {
        let of = |query: &str| Target::parse(&format!("postgres://db/viral{query}")).unwrap().patience;
        assert_eq!(of(""), PATIENCE);
        assert_eq!(of("?connect_timeout=3&application_name=x"), Duration::from_secs(3));
        assert_eq!(of("?connect_timeout=0"), FOR_EVER);
        assert_eq!(of("?connect_timeout=-1"), FOR_EVER);
        assert!(refused("postgres://db/viral?connect_timeout=soon").contains("seconds"));
    }

    #[test]
    fn a_root_certificate_is_there_and_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root ca.crt");
        let url = |mode: &str| {
            let root = root.display().to_string().replace(' ', "%20");
            format!("postgres://db/viral?sslrootcert={root}&sslmode={mode}")
        };
        for mode in ["require", "verify-ca", "verify-full", "prefer"] {
            let text = refused(&url(mode));
            assert!(
                text.contains("root certificate") && text.contains("root ca.crt"),
                "{text}"
            );
        }
        std::fs::write(&root, "").unwrap();
        let mode = |name: &str| Target::parse(&url(name)).unwrap().options.get_ssl_mode();
        assert!(matches!(mode("require"), PgSslMode::VerifyCa));
        assert!(matches!(mode("verify-full"), PgSslMode::VerifyFull));
        assert!(matches!(mode("prefer"), PgSslMode::Prefer));
        assert!(matches!(mode("disable"), PgSslMode::Disable));
        let key = refused("postgres://db/viral?sslmode=require&sslkey=/nowhere/key.pem");
        assert!(key.contains("client key") && key.contains("/nowhere/key.pem"), "{key}");
    }

    /// What is told of a port where this happens to whoever connects.
    async fn told_of<F: Future<Output = ()> + Send + 'static>(answer: fn(tokio::net::TcpStream) -> F) -> String {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let listening = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(answer(stream));
            }
        });
        let url = format!("postgres://viral:secret@127.0.0.1:{port}/viral?connect_timeout=1");
        let error = Target::parse(&url).unwrap().connect().await.unwrap_err();
        listening.abort();
        assert!(error.is_retryable(), "{error}");
        let text = error.to_string();
        assert!(
            text.contains(&format!("127.0.0.1:{port}")) && !text.contains("secret"),
            "{text}"
        );
        text
    }

    #[tokio::test]
    async fn what_is_no_postgresql_is_told_as_what_it_is() {
        let silent = told_of(|stream| async move {
            std::future::pending::<()>().await;
            drop(stream);
        });
        let http = told_of(|mut stream| async move {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        });
        let closes = told_of(|stream| async move { drop(stream) });
        let (silent, http, closes) = tokio::join!(silent, http, closes);
        assert!(
            silent.contains("accepts connections but does not answer as PostgreSQL within 1 s"),
            "{silent}"
        );
        assert!(http.contains("answers, but not as PostgreSQL does"), "{http}");
        assert!(
            closes.contains("closed the connection") || closes.contains("reset"),
            "{closes}"
        );
    }
}
